"""Providers for benchmarks: they answer after a while, count what they were asked, and cost next to nothing."""

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Self

import msgspec

Handler = Callable[[bytes, bytes], tuple[bytes, bytes]]
"""From the path and the body of a request to the status line's end and the body of the answer."""


class Provider:
    """What one was asked, and how it answers."""

    def __init__(self, handler: Handler, *, seconds: float) -> None:
        self.handler = handler
        self.seconds = seconds
        self.calls = 0
        self.first_call = 0.0
        self.last_call = 0.0
        self.under_way = 0
        self.most_under_way = 0
        self.came = asyncio.Event()
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Conversation(self), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    def reset(self) -> None:
        """Forget what was asked."""
        self.calls, self.first_call, self.last_call, self.most_under_way = 0, 0.0, 0.0, 0
        self.came.clear()

    def begin(self) -> None:
        """Count a call."""
        self.calls += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.last_call = time.perf_counter()
        self.first_call = self.first_call or self.last_call
        self.came.set()


class _Conversation(asyncio.Protocol):
    """One connection; requests on it come one after the other."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take up every request that is complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            self._provider.begin()
            path = head.split(b" ", 2)[1]
            asyncio.get_running_loop().call_later(self._provider.seconds, self._answer, path, body)

    def _answer(self, path: bytes, body: bytes) -> None:
        self._provider.under_way -= 1
        status, content = self._provider.handler(path, body)
        assert self._transport is not None
        head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % (status, len(content)) + content)


def throttling(seconds: int) -> Handler:
    """Refuse everything, and ask to be left alone for so long."""
    status = b"429 Too Many Requests\r\nRetry-After: %d" % seconds
    return lambda _path, _body: (status, b'{"code": "rate_limited", "message": "later"}')


def sandbox() -> Handler:
    """Write every record, as the sandbox answers it."""
    numbers = itertools.count(1)

    def answer(path: bytes, body: bytes) -> tuple[bytes, bytes]:
        number = next(numbers)
        if not body:
            return b"200 OK", b"{}"
        if path.endswith(b":batch"):
            count = len(msgspec.json.decode(body).get("records", ()))
            results = [
                {"index": index, "success": True, "status": 201, "id": f"r{number}-{index}"} for index in range(count)
            ]
            return b"200 OK", msgspec.json.encode({"results": results})
        return b"201 Created", msgspec.json.encode({"id": f"r{number}", "fields": {}})

    return answer


def hubspot() -> Handler:
    """Create every record, as HubSpot answers a batch or a single create."""
    numbers = itertools.count(1)

    def one(sent: dict[str, object]) -> dict[str, object]:
        entry = {"id": str(next(numbers)), "properties": sent.get("properties", {})}
        trace = sent.get("objectWriteTraceId")
        return entry if trace is None else entry | {"objectWriteTraceId": trace}

    def answer(path: bytes, body: bytes) -> tuple[bytes, bytes]:
        if not body:
            return b"200 OK", b"{}"
        sent = msgspec.json.decode(body)
        if path.endswith(b"/batch/create"):
            results = [one(record) for record in sent["inputs"]]
            return b"201 Created", msgspec.json.encode({"status": "COMPLETE", "results": results})
        return b"201 Created", msgspec.json.encode(one(sent))

    return answer
