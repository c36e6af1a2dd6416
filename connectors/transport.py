"""The only loop that touches the network: it drives a flow, and tells what may have happened when sending fails.

Whether bytes left us is known from `Departure`, never guessed from the class of an exception. A transport that cannot
vouch for it makes every failure ambiguous.
"""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from connectors.bodies import BodyError, collect_body
from connectors.connector import READS_ONLY, Flow
from connectors.errors import Ambiguous, ConnectorError, NotSent, Unreadable
from connectors.headers import header_problem
from installations.record import Fault

T = TypeVar("T")
OnSend = Callable[[], Awaitable[None]]

DEADLINE_SECONDS = 45.0
"""For a whole flow: connecting, sending and reading of all its requests."""

DEPARTURE = "isthmus.departure"
"""The key of a request's `Departure` among its extensions."""

_RAW_LIMIT = 4096
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_RECONNECTS = 3
_DECODED_HEADERS = (b"content-encoding", b"content-length", b"transfer-encoding")


class Departure:
    """Whether a byte of one request may have left us. A transport that can vouch calls `vouch`, then `depart`."""

    __slots__ = ("possible",)

    def __init__(self) -> None:
        self.possible = True

    def vouch(self) -> None:
        """Say that nothing has left so far, and that `depart` will be called before the first byte does."""
        self.possible = False

    def depart(self) -> None:
        """Say that the next thing to happen may be a byte leaving."""
        self.possible = True

    async def trace(self, event: str, _details: Any) -> None:
        """Follow httpcore's ``trace`` extension, so that httpx's own transport vouches too.

        Source: https://www.encode.io/httpcore/extensions/#trace
        """
        if event == "connection.connect_tcp.started":
            self.vouch()
        elif event.endswith(".send_request_headers.started"):
            self.depart()


class Blocked(httpx.ConnectError):
    """The gateway's policy forbids the address; nothing was dialled."""


async def perform(
    flow: Flow[T],
    *,
    transport: httpx.AsyncBaseTransport,
    auth: httpx.Auth,
    origin: str,
    deadline_seconds: float = DEADLINE_SECONDS,
    on_send: OnSend | None = None,
) -> T:
    """Drive ``flow`` to its result.

    ``auth`` goes onto requests to ``origin`` (any URL of the account: scheme, host and port count), never elsewhere.
    ``on_send`` is awaited once, before the first request that may change something (any method but GET, HEAD and
    OPTIONS, unless marked `READS_ONLY`) is handed to the transport; what it raises ends the flow unsent.

    Raises `NotSent`, `Refused`, `Ambiguous` or `Unreadable`. `NotSent` means that nothing at all was changed: where an
    earlier request of the same flow may have changed something, it is `Ambiguous`.
    """
    exchange = _Exchange(transport, auth=auth, origin=origin, deadline_seconds=deadline_seconds, on_send=on_send)
    try:
        return await _drive(flow, exchange)
    except NotSent as error:
        if not exchange.changed:
            raise
        fault = Fault(kind="ambiguous", message=f"only a part of the write was sent: {error.fault.message}")
        raise Ambiguous(fault, raw_response=error.raw_response) from error
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
        if exchange.expired:  # an error was thrown into the flow, which goes on as if there were time
            raise Ambiguous(Fault(kind="ambiguous", message="the flow went on after its deadline"))
        try:
            response = await exchange.send(request)
        except ConnectorError as error:
            step = functools.partial(flow.throw, error)
        else:
            step = functools.partial(flow.send, response)


class _Exchange:
    """One flow's requests: authorised, sent, read and, where that fails, named."""

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        auth: httpx.Auth,
        origin: str,
        deadline_seconds: float,
        on_send: OnSend | None,
    ) -> None:
        self._transport = transport
        self._auth = auth
        self._origin = _origin(httpx.URL(origin))
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + deadline_seconds
        self._on_send = on_send
        self._failed_late = False
        self.changed = False

    @property
    def expired(self) -> bool:
        return self._failed_late

    async def send(self, request: httpx.Request) -> httpx.Response:
        """Send once, or again where the auth flow asks for it after reading the answer."""
        if _origin(request.url) != self._origin:
            return await self._send_once(request)
        async with _closing(self._auth.async_auth_flow(request)) as authorised:
            signed = await anext(authorised)
            while True:
                response = await self._send_once(signed)
                try:
                    signed = await authorised.asend(response)
                except StopAsyncIteration:
                    return response

    async def _send_once(self, request: httpx.Request) -> httpx.Response:
        problem = header_problem(request.headers.raw)
        if problem:
            raise NotSent(Fault(kind="invalid", message=problem, code="header_invalid"))
        changes = request.method not in _SAFE_METHODS and not request.extensions.get(READS_ONLY)
        if changes and self._on_send is not None:
            on_send, self._on_send = self._on_send, None
            await on_send()
        response = await self._reach(request, changes=changes)
        if not response.is_closed:
            response = await self._read(response, request)
        response.request = request
        return response

    async def _reach(self, request: httpx.Request, *, changes: bool) -> httpx.Response:
        """Send and read the status. Failures to connect are tried again, since nothing has happened."""
        try:
            return await self._attempt(request, changes=changes)
        except NotSent as error:
            if not _connect_failed(error):
                raise
        async for attempt in AsyncRetrying(
            stop=stop_after_attempt(_RECONNECTS - 1),
            wait=wait_random_exponential(multiplier=0.05, max=0.5),
            retry=retry_if_exception(_connect_failed),
            reraise=True,
        ):
            with attempt:
                return await self._attempt(request, changes=changes)
        raise AssertionError("unreachable: tenacity raises again")

    async def _attempt(self, request: httpx.Request, *, changes: bool) -> httpx.Response:
        departure = Departure()
        request.extensions[DEPARTURE] = departure
        request.extensions["trace"] = departure.trace
        try:
            async with asyncio.timeout_at(self._deadline):
                response = await self._transport.handle_async_request(request)
        except Exception as error:
            # The rim: no family of errors escapes unnamed.
            self.changed |= changes and departure.possible
            self._failed_late = self._loop.time() >= self._deadline
            raise _named(error, request, departure) from error
        self.changed |= changes
        return response

    async def _read(self, response: httpx.Response, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout_at(self._deadline):
                encoding = response.headers.get("content-encoding", "")
                body = await collect_body(_chunks(response), encoding=encoding)
        except Exception as error:
            self._failed_late = self._loop.time() >= self._deadline
            body = error.partial if isinstance(error, BodyError) else b""
            if response.is_success:
                raise _unreadable(error, response.status_code, body, request) from error
            # The status has decided already; the words are lost.
        finally:
            await response.aclose()
        kept = [(name, value) for name, value in response.headers.raw if name.lower() not in _DECODED_HEADERS]
        return httpx.Response(response.status_code, headers=kept, content=body)


@asynccontextmanager
async def _closing(flow: Any) -> AsyncIterator[Any]:
    try:
        yield flow
    finally:
        await flow.aclose()


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    # Not `aiter_bytes`: it inflates a whole chunk at once, whatever that comes to.
    async for chunk in response.aiter_raw():
        yield chunk


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _connect_failed(error: BaseException) -> bool:
    return (
        isinstance(error, NotSent)
        and error.fault.kind == "not_sent"
        and isinstance(error.__cause__, httpx.ConnectError | httpx.ConnectTimeout)
    )


def _named(error: Exception, request: httpx.Request, departure: Departure) -> ConnectorError:
    detail = _detail(error, request)
    if isinstance(error, Blocked):
        return NotSent(Fault(kind="forbidden", message=detail, code="address_denied"))
    if departure.possible:
        return Ambiguous(Fault(kind="ambiguous", message=f"no answer was read: {detail}"))
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return NotSent(Fault(kind="invalid", message=f"the request cannot be sent: {detail}", code="url_invalid"))
    return NotSent(Fault(kind="not_sent", message=f"the request could not be sent: {detail}"))


def _unreadable(error: Exception, status: int, body: bytes, request: httpx.Request) -> Unreadable:
    message = f"the provider answered {status}, but the answer could not be read: {_detail(error, request)}"
    raw = body[:_RAW_LIMIT].decode("utf-8", "replace") or None
    return Unreadable(Fault(kind="unrecognised", message=message, status=status), raw_response=raw)


def _detail(error: Exception, request: httpx.Request) -> str:
    """Say what went wrong without the query, in which a key may travel."""
    text = str(error)
    query = request.url.query.decode("ascii", "replace")
    if not text or (query and query in text):
        return type(error).__name__
    return f"{type(error).__name__}: {text}"[:500]


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
