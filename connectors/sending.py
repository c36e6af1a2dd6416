"""How one request is handed to a transport: tried again where connecting failed, and named where sending did.

Both that drive requests build on it: `transport.perform`, which runs flows, and `relay`, which passes calls through.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from connectors.departure import DEPARTURE, Departure, Permit, connect_failed, name_failure
from connectors.errors import NotSent
from connectors.headers import header_problem
from installations.record import Fault

Attempt = Callable[[], Awaitable[httpx.Response]]
Origin = tuple[bytes, bytes, int | None]

_ATTEMPTS_TO_CONNECT = 3


async def attempt(
    request: httpx.Request, *, transport: httpx.AsyncBaseTransport, deadline: float, permit: Permit | None = None
) -> httpx.Response:
    """Send once and read the status; the body is unread. ``deadline`` is a time of the event loop's clock.

    ``permit`` is asked right before the first byte. Raises `NotSent` or `Ambiguous`, whatever the transport raised.
    """
    departure = Departure(permit=permit)
    request.extensions[DEPARTURE] = departure
    request.extensions["trace"] = departure.trace
    try:
        async with asyncio.timeout_at(deadline):
            return await transport.handle_async_request(request)
    except Exception as error:
        # The rim: no family of errors escapes unnamed.
        raise name_failure(error, request, departure) from error


async def connecting_again(send: Attempt) -> httpx.Response:
    """Call ``send``, and at most twice more where connecting failed: nothing has happened by then."""
    try:
        return await send()
    except NotSent as error:
        if not connect_failed(error):
            raise
    async for attempt in AsyncRetrying(
        stop=stop_after_attempt(_ATTEMPTS_TO_CONNECT - 1),
        wait=wait_random_exponential(multiplier=0.05, max=0.5),
        retry=retry_if_exception(connect_failed),
        reraise=True,
    ):
        with attempt:
            return await send()
    raise AssertionError("unreachable: tenacity raises again")


def require_sendable(request: httpx.Request) -> None:
    """Raises `NotSent` (``invalid``) for headers that may not leave; no value of one is quoted."""
    problem = header_problem(request.headers.raw)
    if problem:
        raise NotSent(Fault(kind="invalid", message=problem, code="header_invalid"))


def origin_of(url: httpx.URL) -> Origin:
    """Answer what credentials are bound to: scheme, host and port."""
    return url.raw_scheme, url.raw_host, url.port


@asynccontextmanager
async def closing(flow: Any) -> AsyncIterator[Any]:
    """Close an auth flow with the context, however it ends."""
    try:
        yield flow
    finally:
        await flow.aclose()
