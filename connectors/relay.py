"""One call passed through: sent as somebody else made it, signed, and answered as the provider answers it.

Nothing is interpreted and no redirect is followed. It is sent once; again only where connecting failed, and after a 401
that brought a newer token, if its body is still there.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, unquote_plus

import httpx
from msgspec.structs import replace

from connectors.errors import Ambiguous, ConnectorError, NotSent, Unreadable
from connectors.sending import attempt, closing, connecting_again, origin_of, require_sendable
from connectors.urls import account_url
from connectors.wire import PASSED_ON, TARGET
from installations.record import Fault

UNRENEWED = "isthmus.unrenewed"
"""Set true among the extensions of a 401 where a newer token could not be had for a while.

It tells that the token was old, and nothing about what the customer gave.
"""


@asynccontextmanager
async def relay(
    request: httpx.Request, *, transport: httpx.AsyncBaseTransport, auth: httpx.Auth, origin: str, deadline: float
) -> AsyncIterator[httpx.Response]:
    """Send a request and give the provider's answer, of any status, its body unread (`pieces` reads it).

    ``auth`` goes onto it, so its URL must lie within ``origin`` (scheme, host and port). Where its extensions hold a
    `TARGET`, that is sent byte for byte. ``deadline``, a time of the event loop's clock, bounds everything until the
    status is read; leaving the context closes the connection unless the body was read to its end.

    Raises `NotSent`, `Ambiguous`, and what ``auth`` raises before anything is sent.
    """
    if origin_of(request.url) != origin_of(account_url(origin)):
        raise NotSent(Fault(kind="invalid", message="the URL leaves the account", code="url_invalid"))
    sender = _Sender(request, transport=transport, deadline=deadline)
    async with closing(auth.async_auth_flow(request)) as signing:
        response = await _answered(sender, signing)
    try:
        yield response
    finally:
        await response.aclose()


async def pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    """Read a body as it comes, encoded as it is. Raises an `httpx.TransportError` where it breaks off."""
    if response.is_closed:  # it came with the head
        yield response.content
        return
    async for piece in response.aiter_raw():
        yield piece


async def _answered(sender: "_Sender", signing: Any) -> httpx.Response:
    """Send, and again while the auth flow has something newer to sign with and the body is still there."""
    response = await sender.send(await _signed(signing))
    try:
        while (again := await _heard(signing, response)) is not None and isinstance(again.stream, httpx.ByteStream):
            await response.aclose()
            response = await sender.send(again)
    except BaseException:
        await response.aclose()
        raise
    return response


async def _signed(signing: Any) -> httpx.Request:
    """Raises `NotSent` where a token could not be had for a while: whatever became of that, the call did not go out."""
    try:
        request: httpx.Request = await anext(signing)
    except (Ambiguous, Unreadable) as error:
        raise NotSent(replace(error.fault, kind="not_sent")) from error
    return request


async def _heard(signing: Any, response: httpx.Response) -> httpx.Request | None:
    """Tell an auth flow of an answer; it may have a request to send again."""
    try:
        again: httpx.Request = await signing.asend(response)
    except StopAsyncIteration:
        return None
    except ConnectorError as error:
        # Where nothing newer is to be had, the provider's own 401 says it best.
        response.extensions[UNRENEWED] = error.fault.kind != "auth"
        return None
    return again


class _Sender:
    """Sends what was signed, with the target as it was given."""

    def __init__(self, request: httpx.Request, *, transport: httpx.AsyncBaseTransport, deadline: float) -> None:
        self._transport = transport
        self._deadline = deadline
        self._url = request.url
        self._target: bytes = request.extensions.get(TARGET, request.url.raw_path)
        request.extensions[PASSED_ON] = True

    async def send(self, signed: httpx.Request) -> httpx.Response:
        require_sendable(signed)
        if asyncio.get_running_loop().time() >= self._deadline:
            raise NotSent(Fault(kind="not_sent", message="the time for this call was over before it was sent"))
        signed.extensions[TARGET] = self._signed_target(signed.url)
        return await connecting_again(lambda: attempt(signed, transport=self._transport, deadline=self._deadline))

    def _signed_target(self, signed: httpx.URL) -> bytes:
        """Put the parameters that signing set behind the query as it was given, and take out what they replace."""
        if signed == self._url:
            return self._target
        before, after = self._url.params, signed.params
        added = [(name, value) for name, value in after.multi_items() if after.get_list(name) != before.get_list(name)]
        path, _, query = self._target.partition(b"?")
        kept = [part for part in query.split(b"&") if _name(part) not in dict(added)] if query else []
        new = [f"{quote(name, safe='')}={quote(value, safe='')}".encode() for name, value in added]
        return path + b"?" + b"&".join([*kept, *new])


def _name(part: bytes) -> str:
    return unquote_plus(part.partition(b"=")[0].decode("ascii"))
