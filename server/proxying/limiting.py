"""Whether an answer says that the provider wants fewer calls, by its status or in words that its connector knows."""

from collections.abc import AsyncIterator
from http import HTTPStatus

import httpx
import msgspec

from connectors.answers import status_fault
from connectors.bodies import BodyError, collect_body
from connectors.connector import Connector, Interpreter

PEEKED_BYTES = 64 * 1024
"""How much of a refusal is read before it is passed on. What says more is no refusal in a few words."""


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The provider wants fewer calls."""

    after_seconds: float | None
    """``None`` where it does not say for how long."""


async def read_limit(
    response: httpx.Response, body: AsyncIterator[bytes], connector: Connector | None
) -> tuple[Limit | None, AsyncIterator[bytes]]:
    """Tell whether an answer asks for a pause, and give its body back whole.

    Without a connector only the status and ``Retry-After`` are asked.
    """
    if not response.is_error:
        return None, body
    if connector is None or not isinstance(connector, Interpreter):
        return _limit(httpx.Response(response.status_code, headers=response.headers)), body
    read, body = await _peek(body)
    try:
        content = await collect_body(
            _again(read), encoding=response.headers.get("content-encoding", ""), limit=PEEKED_BYTES
        )
    except BodyError:
        content = b""
    headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-encoding"]
    known = httpx.Response(response.status_code, headers=headers, content=content)
    fault = connector.interpret(known)
    return (Limit(after_seconds=fault.retry_after_seconds) if fault.kind == "rate_limited" else None), body


def _limit(response: httpx.Response) -> Limit | None:
    if response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    return Limit(after_seconds=status_fault(response).retry_after_seconds)


async def _peek(body: AsyncIterator[bytes]) -> tuple[list[bytes], AsyncIterator[bytes]]:
    """Read the start of a body, and give it back whole; where it breaks off, it breaks off for its reader."""
    read: list[bytes] = []
    broken: httpx.TransportError | None = None
    try:
        async for piece in body:
            read.append(piece)
            if sum(map(len, read)) > PEEKED_BYTES:
                break
    except httpx.TransportError as error:
        broken = error

    async def whole() -> AsyncIterator[bytes]:
        for piece in read:
            yield piece
        if broken is not None:
            raise broken
        async for piece in body:
            yield piece

    return read, whole()


async def _again(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
