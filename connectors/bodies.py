"""Reading an answer's body without trusting its length, its speed or its compression.

We ask for ``identity``; an answer that is compressed all the same is inflated a piece at a time, never past the limit.
"""

import zlib
from collections.abc import AsyncIterable

BODY_LIMIT = 10 * 1024 * 1024
"""The most bytes of one answer, inflated. Memory for one call stays a small multiple of it."""

_WINDOWS = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class BodyError(Exception):
    """The body is too large, or compressed in a way that cannot be undone. ``partial`` holds what could be read."""

    def __init__(self, message: str, *, partial: bytes = b"") -> None:
        self.partial = partial
        super().__init__(message)


async def collect_body(chunks: AsyncIterable[bytes], *, encoding: str = "", limit: int = BODY_LIMIT) -> bytes:
    """Read everything and inflate it. Raises `BodyError`, and whatever reading ``chunks`` raises."""
    inflate = _inflater(encoding)
    body = bytearray()
    async for chunk in chunks:
        body += inflate.feed(chunk, room=limit - len(body) + 1)
        if len(body) > limit:
            raise BodyError(f"the answer is larger than {limit} bytes", partial=bytes(body[:4096]))
    if not inflate.finished:
        raise BodyError("the compressed answer ends too early", partial=bytes(body))
    return bytes(body)


class _Plain:
    finished = True

    def feed(self, chunk: bytes, *, room: int) -> bytes:
        return chunk[:room]


class _Inflater:
    def __init__(self, window: int) -> None:
        self._window = window
        self._stream = zlib.decompressobj(window)

    @property
    def finished(self) -> bool:
        return self._stream.eof

    def feed(self, chunk: bytes, *, room: int) -> bytes:
        """Inflate at most ``room`` bytes; what a full room leaves unread is of no interest any more."""
        output = b""
        while chunk and len(output) < room:
            if self._stream.eof:  # gzip allows several members in a row (RFC 1952, section 2.2)
                self._stream = zlib.decompressobj(self._window)
            output += self._inflate(chunk, room=room - len(output))
            chunk = self._stream.unused_data
        return output

    def _inflate(self, chunk: bytes, *, room: int) -> bytes:
        try:
            return self._stream.decompress(chunk, room)
        except zlib.error as error:
            raise BodyError(f"the compressed answer is broken: {error}") from error


def _inflater(encoding: str) -> _Plain | _Inflater:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return _Plain()
    if name in _WINDOWS:
        return _Inflater(_WINDOWS[name])
    raise BodyError(f"the answer is encoded as {name[:40]!r} although identity was asked for")
