"""Passes calls through: to the account they are for, signed, streamed both ways, and answered as the provider answers.

No operation is stored. At most one request is sent, and one more after a 401 that brought a newer token.
"""

import time
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Protocol

import httpx
import msgspec

from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused
from connectors.relay import pieces
from connectors.urls import account_url
from connectors.wire import TARGET
from server import logs
from server.access.errors import TooManyRequests
from server.access.limits import Limits
from server.clock import Clock
from server.proxying import limiting
from server.proxying.caller import Caller
from server.proxying.calls import Call
from server.proxying.destinations import Destination, Destinations
from server.proxying.errors import (
    AnswerWithheld,
    HeldBack,
    MaybeForwarded,
    NeverForwarded,
    NotForwarded,
    ProxyError,
    retry_headers,
)
from server.proxying.headers import inbound, outbound
from server.proxying.paths import require_below
from server.proxying.throttle import Throttle, later

CALL_SECONDS = 120.0
"""For a whole call, both bodies included."""
ANSWER_LIMIT = 50_000_000
"""The most bytes of an answer that are passed on."""
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED})


class Relay(Protocol):
    """`connectors.relay.relay` with a transport."""

    def __call__(
        self, request: httpx.Request, *, auth: httpx.Auth, origin: str, deadline: float
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """Send a request and give the answer, its body unread."""
        ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answered, ready to be passed on; its body is still on its way."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: AsyncIterable[bytes]


class Proxy:
    """Passes calls through."""

    def __init__(self, destinations: Destinations, *, relay: Relay, limits: Limits, clock: Clock) -> None:
        self._destinations = destinations
        self._relay = relay
        self._limits = limits
        self._clock = clock
        self._throttle = Throttle(clock)

    def forget(self) -> None:
        """Drop what is remembered, because some configuration changed."""
        self._destinations.forget()

    @asynccontextmanager
    async def call(self, call: Call, caller: Caller, *, deadline: float, request_id: str) -> AsyncIterator[Answer]:
        """Send a call and give the answer. Leaving the context drops whatever of it was not read.

        ``deadline``, a time of the event loop's clock, bounds everything until the provider's status is there.

        Raises `BadRequest` for a path that does not stay below the base, what `Destinations.find` and
        `Caller.kept_body` raise, `TooManyRequests` or `HeldBack`, and `NotPassed` where the call went wrong.
        """
        require_below(call.path, call.query)
        destination = await self._destinations.find(call.place)
        self._require_turn(call, destination)
        with _recorded(call, destination, request_id=request_id) as course:
            request = await _request(call, destination, caller)
            course.outcome = "ambiguous"
            async with AsyncExitStack() as stack:
                relayed = self._relay(request, auth=destination.auth, origin=destination.base_url, deadline=deadline)
                response = await _answered(relayed, caller, stack)
                course.status, course.outcome = response.status_code, "broken-off"
                yield await self._answer(call, destination, response)
                course.outcome = "answered"

    def _require_turn(self, call: Call, destination: Destination) -> None:
        connection_id = destination.installation.connection.id
        if not call.throttled:
            self._limits.connection(connection_id)
            return
        self._throttle.require_open(connection_id)
        try:
            self._limits.connection(connection_id)
        except TooManyRequests as error:
            until = later(self._clock(), error.after_seconds)
            raise HeldBack(until, after_seconds=error.after_seconds) from error

    async def _answer(self, call: Call, destination: Destination, response: httpx.Response) -> Answer:
        _require_usable(response)
        connection_id = destination.installation.connection.id
        headers = inbound(response.headers.raw, bodiless=response.status_code in _BODILESS)
        body: AsyncIterator[bytes] = pieces(response)
        limit, body = await limiting.read_limit(response, body, destination.connector if call.throttled else None)
        if limit is None:
            self._throttle.passed(connection_id)
        else:
            until = self._throttle.limited(connection_id, after_seconds=limit.after_seconds)
            if call.throttled:
                headers += _raw(retry_headers(until))
        return Answer(status=response.status_code, headers=headers, body=_bounded(body))


class _Course:
    """How a call goes."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.outcome = "not-sent"


@contextmanager
def _recorded(call: Call, destination: Destination, *, request_id: str) -> Iterator[_Course]:
    """Record that a call was forwarded, once it is over, by ids and counts alone."""
    installation, course, started = destination.installation, _Course(), time.perf_counter()
    try:
        yield course
    except ProxyError as error:
        course.outcome = error.outcome
        raise
    except Refused:
        course.outcome = "not-sent"  # there is no usable credential
        raise
    finally:
        logs.event(
            "proxy.forwarded",
            request_id=request_id,
            project_id=installation.project_id,
            installation_id=installation.id,
            connection_id=installation.connection.id,
            provider=installation.connection.provider,
            method=call.method,
            status=course.status,
            outcome=course.outcome,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
        )


async def _request(call: Call, destination: Destination, caller: Caller) -> httpx.Request:
    """Make the provider's request of the call. The URL is what is signed, the target what is sent."""
    try:
        base = account_url(destination.base_url)
    except NotSent as error:
        raise _named(error) from error
    target = base.raw_path.rstrip(b"/") + call.path or b"/"
    if call.query:
        target += b"?" + call.query
    headers = outbound(call.headers)
    body: bytes | AsyncIterator[bytes] | None = await caller.kept_body()
    if body is None:
        body = caller.streamed_body()
        headers += [(b"content-length", length) for length in caller.announced_length]
    return httpx.Request(
        call.method, base.copy_with(raw_path=target), headers=headers, content=body, extensions={TARGET: target}
    )


async def _answered(
    relayed: AbstractAsyncContextManager[httpx.Response], caller: Caller, stack: AsyncExitStack
) -> httpx.Response:
    """Send, and keep the answer open for as long as the stack is. Raises `Refused` and `NotPassed`."""
    try:
        return await stack.enter_async_context(relayed)
    except Refused:
        raise  # by our own side: the provider's refusals are answers
    except ConnectorError as error:
        if caller.fault is not None:
            raise MaybeForwarded(f"The body broke off while it was being sent: {caller.fault}") from error
        raise _named(error) from error


def _require_usable(response: httpx.Response) -> None:
    """Refuse what cannot be passed on. Raises `MaybeForwarded` and `AnswerWithheld`."""
    status = response.status_code
    if not HTTPStatus.OK <= status < 600:  # noqa: PLR2004 -- no server sends more
        raise MaybeForwarded(f"The provider answered with the status {status}, which cannot be passed on.")
    length = response.headers.get("content-length", "")
    if length.isdigit() and int(length) > ANSWER_LIMIT:
        raise AnswerWithheld(f"The provider's answer is larger than {ANSWER_LIMIT:,} bytes; it was not passed on.")


def _named(error: ConnectorError) -> ProxyError:
    if isinstance(error, NotSent):
        kind = NotForwarded if error.fault.kind == "not_sent" else NeverForwarded
        return kind(f"Nothing was sent to the provider: {error.fault.message}.")
    if isinstance(error, Ambiguous):
        return MaybeForwarded(f"Nobody knows whether the provider acted on the call: {error.fault.message}.")
    return AnswerWithheld(f"The provider acted on the call, but: {error.fault.message}.")


async def _bounded(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    total = 0
    async for piece in body:
        total += len(piece)
        if total > ANSWER_LIMIT:
            raise AnswerWithheld(f"The provider's answer is larger than {ANSWER_LIMIT:,} bytes; it was broken off.")
        yield piece


def _raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
