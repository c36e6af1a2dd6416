"""The only loop that touches the network: it drives a flow, and tells what may have happened when sending fails.

Whether bytes left us is known from `Departure`, never guessed from the class of an exception. A transport that cannot
vouch for it makes every failure ambiguous.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

import httpx
from msgspec.structs import replace

from connectors.bodies import BodyError, collect_body
from connectors.connector import READS_ONLY, Flow
from connectors.departure import Permit, name_unreadable
from connectors.errors import Ambiguous, ConnectorError, NotSent, Unreadable
from connectors.redirects import MOST_REDIRECTS, redirected
from connectors.secret import MASK
from connectors.sending import attempt, closing, connecting_again, origin_of, require_sendable
from connectors.urls import account_url
from connectors.wire import FRESH
from installations.record import Fault

T = TypeVar("T")
OnSend = Callable[[], Awaitable[None]]

DEADLINE_SECONDS = 45.0
"""For a whole flow: connecting, sending and reading of all its requests."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LATE_REQUESTS = 1000
"""A flow may note each record of a batch as late, but must come to an end."""
_DECODED_HEADERS = (b"content-encoding", b"content-length", b"transfer-encoding")


async def perform(
    flow: Flow[T],
    *,
    transport: httpx.AsyncBaseTransport,
    auth: httpx.Auth,
    origin: str,
    deadline_seconds: float = DEADLINE_SECONDS,
    on_send: OnSend | None = None,
    permit: Permit | None = None,
    fresh: bool = False,
) -> T:
    """Drive ``flow`` to its result.

    ``auth`` goes onto requests to ``origin`` (any URL of the account: scheme, host and port count), never elsewhere.
    ``on_send`` is awaited once, before the first request that may change something (any method but GET, HEAD and
    OPTIONS, unless marked `READS_ONLY`) is handed to the transport; what it raises ends the flow unsent.
    ``permit`` is asked before the first byte of every such request, when the connection stands; once it has said no,
    none leaves any more: `NotSent` with the code `PERMIT_WITHDRAWN`. ``fresh`` sends them over connections of their
    own, so that none can be lost to a resting connection that the provider is closing.

    Raises `NotSent`, `Refused`, `Ambiguous` or `Unreadable`. `NotSent` means that nothing at all was changed: where an
    earlier request of the same flow may have changed something, it is `Ambiguous`. The other way round, a flow that has
    only read when an answer is lost or makes no sense has changed nothing, and that is `NotSent`.
    """
    leave = _Leave(on_send=on_send, permit=permit, fresh=fresh)
    exchange = _Exchange(transport, auth=auth, origin=origin, deadline_seconds=deadline_seconds, leave=leave)
    try:
        return await _drive(flow, exchange)
    except NotSent as error:
        if not exchange.changed:
            raise
        fault = Fault(kind="ambiguous", message=f"only a part of the write was sent: {error.fault.message}")
        raise Ambiguous(fault, raw_response=error.raw_response) from error
    except (Ambiguous, Unreadable) as error:
        if exchange.changed:
            raise
        raise NotSent(replace(error.fault, kind="not_sent"), raw_response=error.raw_response) from error
    finally:
        flow.close()


async def _drive(flow: Flow[T], exchange: "_Exchange") -> T:
    step = functools.partial(next, flow)
    while True:
        try:
            request = step()
        except StopIteration as stop:
            result: T = stop.value
            return result
        except httpx.InvalidURL as error:
            raise NotSent(Fault(kind="invalid", message=f"the URL is invalid: {error}", code="url_invalid")) from error
        try:
            response = await exchange.send(request)
        except ConnectorError as error:
            if exchange.leave.refused:
                raise
            step = functools.partial(flow.throw, error)
        else:
            step = functools.partial(flow.send, response)


class _Leave:
    """Whether requests that may change something may go out: marked once, and for as long as the permit holds."""

    def __init__(self, *, on_send: OnSend | None, permit: Permit | None, fresh: bool) -> None:
        self._on_send = on_send
        self._permit = permit
        self._held = True
        self.fresh = fresh
        self.refused = False
        """The mark could not be made. A flow that went on would send unmarked."""

    async def mark(self) -> None:
        """Await the mark if it is still to be made; what it raises is final."""
        on_send, self._on_send = self._on_send, None
        if on_send is None:
            return
        self.refused = True
        await on_send()
        self.refused = False

    @property
    def permit(self) -> Permit | None:
        return None if self._permit is None else self._permits

    def _permits(self) -> bool:
        """Ask once more unless it has said no: what is held again later may be held by another's leave."""
        self._held = self._held and self._permit is not None and self._permit()
        return self._held


class _Exchange:
    """One flow's requests: authorised, sent, read and, where that fails, named."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        auth: httpx.Auth,
        origin: str,
        deadline_seconds: float,
        leave: _Leave,
    ) -> None:
        self._transport = transport
        self._auth = auth
        self._origin = origin_of(account_url(origin))
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + deadline_seconds
        self.leave = leave
        self._late = 0
        self.changed = False

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send once, or again where the auth flow or a redirect that may be followed asks for it."""
        if origin_of(request.url) != self._origin:
            return await self._send_once(request)
        response = await self._send_signed(request)
        left = MOST_REDIRECTS if getattr(self._auth, "follows_redirects", False) else 0
        while left and (following := redirected(request, response)) is not None:
            left, request = left - 1, following
            response = await self._send_signed(request)
        return response

    async def _send_signed(self, request: httpx.Request) -> httpx.Response:
        if type(self._auth).async_auth_flow is not httpx.Auth.async_auth_flow:
            return await self._send_awaiting(request)
        # What `httpx.Auth.async_auth_flow` does for an auth that awaits nothing, without its generator.
        authorised = self._auth.sync_auth_flow(request)
        try:
            signed = next(authorised)
            while True:
                response = await self._send_once(signed)
                try:
                    signed = authorised.send(response)
                except StopIteration:
                    return response
        finally:
            authorised.close()

    async def _send_awaiting(self, request: httpx.Request) -> httpx.Response:
        async with closing(self._auth.async_auth_flow(request)) as authorised:
            signed = await anext(authorised)
            while True:
                response = await self._send_once(signed)
                try:
                    signed = await authorised.asend(response)
                except StopAsyncIteration:
                    return response

    async def _send_once(self, request: httpx.Request) -> httpx.Response:
        require_sendable(request)
        changes = request.method not in _SAFE_METHODS and not request.extensions.get(READS_ONLY)
        if changes:
            await self.leave.mark()
            if self.leave.fresh:
                request.extensions[FRESH] = True
        permit = self.leave.permit if changes else None
        try:
            response = await connecting_again(functools.partial(self._attempt, request, permit))
        except NotSent:
            raise
        except ConnectorError:
            self.changed |= changes
            raise
        # A 401 says that the provider did nothing; an auth flow sends again after one.
        self.changed |= changes and response.status_code != httpx.codes.UNAUTHORIZED
        if not response.is_closed:
            response = await self._read(response, request)
        # Read now: an auth that has renewed its token knows another secret than it did before.
        if response.is_error and (secrets := getattr(self._auth, "secrets", ())):
            response = _scrubbed(response, secrets)
        response.request = request
        return response

    async def _attempt(self, request: httpx.Request, permit: Permit | None) -> httpx.Response:
        self._check_time()
        return await attempt(request, transport=self._transport, deadline=self._deadline, permit=permit)

    def _check_time(self) -> None:
        if self._loop.time() < self._deadline:
            return
        self._late += 1
        if self._late > _LATE_REQUESTS:
            raise RuntimeError("the flow goes on although every request is refused for lateness")
        raise NotSent(Fault(kind="not_sent", message="the time for this write was over before the request was sent"))

    async def _read(self, response: httpx.Response, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout_at(self._deadline):
                encoding = response.headers.get("content-encoding", "")
                body = await collect_body(_chunks(response), encoding=encoding)
        except Exception as error:
            body = error.partial if isinstance(error, BodyError) else b""
            if response.is_success:
                raise name_unreadable(error, response.status_code, body, request) from error
            # The status has decided already; the words are lost.
        finally:
            await response.aclose()
        kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _DECODED_HEADERS]
        return httpx.Response(response.status_code, headers=kept, content=body)


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    # Not `aiter_bytes`: it inflates a whole chunk at once, whatever that comes to.
    async for chunk in response.aiter_raw():
        yield chunk


def _scrubbed(response: httpx.Response, secrets: tuple[bytes, ...]) -> httpx.Response:
    """Take a connection's own secrets out of an error: its words are shown to callers and stored."""
    body = response.content
    for secret in secrets:
        body = body.replace(secret, MASK.encode())
    if body == response.content:
        return response
    kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _DECODED_HEADERS]
    return httpx.Response(response.status_code, headers=kept, content=body)


def rehearse(flow: Flow[Any], *responses: httpx.Response | ConnectorError) -> tuple[list[httpx.Request], Any]:
    """Drive ``flow`` with canned answers: the requests it makes, and its result or the error it raises.

    An error among ``responses`` is thrown into the flow. Raises `AssertionError` where the answers do not suffice, or
    where some are left over.
    """
    requests: list[httpx.Request] = []
    answers = iter(responses)
    try:
        result = _rehearse(flow, answers, requests)
    except ConnectorError as error:
        return requests, _settled(error, answers)
    return requests, _settled(result, answers)


def _rehearse(flow: Flow[T], answers: Iterator[httpx.Response | ConnectorError], requests: list[httpx.Request]) -> T:
    step = functools.partial(next, flow)
    while True:
        try:
            request = step()
        except StopIteration as stop:
            result: T = stop.value
            return result
        requests.append(request)
        answer = next(answers, None)
        if answer is None:
            raise AssertionError(f"no answer is left for {request.method} {request.url}")
        if isinstance(answer, ConnectorError):
            step = functools.partial(flow.throw, answer)
        else:
            answer.request = request
            step = functools.partial(flow.send, answer)


def _settled(result: T, answers: Iterator[Any]) -> T:
    left = len(list(answers))
    if left:
        raise AssertionError(f"{left} answers were not asked for")
    return result
