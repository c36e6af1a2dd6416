"""The other end of a call: its body as it comes, and the moment its caller hangs up."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar.types import Receive

from server.door.intake import BODY_SECONDS
from server.door.refusals import BadRequest, RequestError, TooSlow

KEPT_BYTES = 1_000_000
"""The largest body that is kept until the provider has answered, so that it can be sent again after a 401."""


class Caller:
    """Reads one request. The front has bounded how much there can be (`server/door/intake.py`)."""

    def __init__(self, receive: Receive, headers: dict[bytes, bytes]) -> None:
        self._receive = receive
        self._length = int(headers.get(b"content-length") or 0)
        self._read: list[bytes] = []
        self._ended = asyncio.Event()
        self.gone = False
        """Whether the caller has hung up."""
        self.fault: RequestError | None = None
        """What was wrong with the body where it was read by somebody who could not say so."""
        if not self._length and b"transfer-encoding" not in headers:
            self._ended.set()

    @property
    def announced_length(self) -> tuple[bytes, ...]:
        """The length of the body, if its caller said it."""
        return (b"%d" % self._length,) if self._length else ()

    async def kept_body(self) -> bytes | None:
        """Read the body if it is small enough to be kept; ``None`` if it is not, then `streamed_body` has all of it.

        Raises `TooSlow`, `TooLarge` and, where the caller hangs up, `BadRequest`.
        """
        if self._length > KEPT_BYTES:
            return None
        try:
            async with asyncio.timeout(BODY_SECONDS):
                while not self._ended.is_set() and self._is_small():
                    self._read.append(await self._next())
        except TimeoutError:
            raise TooSlow(f"The body did not arrive within {BODY_SECONDS:g} seconds.") from None
        return b"".join(self._read) if self._is_small() else None

    async def streamed_body(self) -> AsyncIterator[bytes]:
        """Read the body as it comes. Raises as `kept_body` does, save that nothing here takes too long."""
        try:
            while self._read:
                yield self._read.pop(0)
            while not self._ended.is_set():
                yield await self._next()
        except RequestError as error:
            self.fault = error
            raise

    async def hang_up(self) -> None:
        """Wait until the caller hangs up, once the whole body has come; before that, reading it tells."""
        await self._ended.wait()
        while not self.gone:
            message = await self._receive()
            self.gone = message["type"] == "http.disconnect"

    def _is_small(self) -> bool:
        return sum(map(len, self._read)) <= KEPT_BYTES

    async def _next(self) -> bytes:
        message: Any = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
            raise BadRequest("The connection was closed before the body ended.")
        if not message.get("more_body"):
            self._ended.set()
        body: bytes = message.get("body", b"")
        return body
