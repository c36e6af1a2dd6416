"""A load and a stub that cost next to nothing, so that a benchmark measures what stands between them.

Both speak just enough HTTP/1.1 over keep-alive connections, by hand. Bounded in count; they dial loopback only.
"""

import asyncio
import os
import time
from collections.abc import Callable

import msgspec

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a load measured."""

    requests: int
    seconds: float
    latencies: list[float]
    """Seconds, sorted."""
    failures: int

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return self.requests / self.seconds

    def quantile(self, share: float) -> float:
        """Milliseconds under which that share of the answers came."""
        return self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)] * 1000


def cpu_seconds(pid: int) -> float:
    """User and system time a process has used."""
    with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123 -- one line of procfs
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


async def _answered(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    await reader.readexactly(length)
    return head[9:12]


async def load(port: int, request: Callable[[int], bytes], *, count: int, connections: int) -> Load:
    """Send ``count`` requests over so many connections and wait for every answer."""
    numbers = iter(range(count))
    latencies: list[float] = []
    failures = 0

    async def work() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            started = time.perf_counter()
            writer.write(request(number))
            status = await _answered(reader)
            latencies.append(time.perf_counter() - started)
            failures += status != b"200"
        writer.close()
        await writer.wait_closed()

    started = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    seconds = time.perf_counter() - started
    return Load(requests=count, seconds=seconds, latencies=sorted(latencies), failures=failures)


def post(path: str, body: bytes, *, headers: dict[str, str]) -> bytes:
    """Build the bytes of a POST of JSON."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def get(path: str, *, headers: dict[str, str]) -> bytes:
    """Build the bytes of a GET."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


class _Stub(asyncio.Protocol):
    """Answers every complete request with the same bytes."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer as many requests as are complete."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            assert self._transport is not None
            self._transport.write(self._answer)


async def stub(answer: bytes, *, status: str = "201 Created") -> asyncio.Server:
    """Serve the same JSON answer to everything, on a port of the kernel's choosing."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n"
    whole = head.encode() + answer
    return await asyncio.get_running_loop().create_server(lambda: _Stub(whole), "127.0.0.1", 0)
