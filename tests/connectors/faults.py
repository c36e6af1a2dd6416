"""A raw TCP server that answers as badly as it is told to, for tests of the transport."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar

LAST_REQUEST: ContextVar[bytes] = ContextVar("last_request")
"""The request that a behaviour answers."""
Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class FaultServer:
    """Where it listens, and what it has seen."""

    def __init__(self, *, scheme: str = "http", host: str = "127.0.0.1") -> None:
        self.scheme = scheme
        self.host = host
        self.port = 0
        self.connections = 0
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


@contextlib.asynccontextmanager
async def serving(
    *answers: Behaviour, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[FaultServer]:
    """Answer each request of each connection by the next behaviour; the last one is repeated."""
    server = FaultServer(scheme="https" if tls else "http", host=host)
    left = list(answers)
    tasks: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        writers.add(writer)
        try:
            while not writer.is_closing():
                request = await read_request(reader)
                if not request:
                    break
                server.requests.append(request)
                LAST_REQUEST.set(request)
                behaviour = left.pop(0) if len(left) > 1 else left[0]
                await behaviour(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(connected, host, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in writers:
            writer.transport.abort()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
        await listener.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    """Read head and body; empty at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return head + (await reader.readexactly(length) if length else b"")


def answers(content: bytes) -> Behaviour:
    """Send these bytes as they are and keep the connection."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()

    return behave


def answers_then_closes(content: bytes = b"") -> Behaviour:
    """Send these bytes and close."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        writer.close()

    return behave


def answers_then_resets(content: bytes = b"") -> Behaviour:
    """Send these bytes and reset the connection."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        writer.transport.abort()

    return behave


def hangs(content: bytes = b"") -> Behaviour:
    """Send these bytes and then nothing, for as long as the test runs."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        await asyncio.Event().wait()

    return behave


def drips(content: bytes, *, seconds: float, after: bytes = b"") -> Behaviour:
    """Send one byte at a time, ``after`` some bytes that come at once."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        for byte in content:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(seconds)

    return behave


def floods(head: bytes, piece: bytes, *, times: int) -> Behaviour:
    """Send the same piece again and again, as fast as it is read."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        for _ in range(times):
            writer.write(piece)
            await writer.drain()

    return behave


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Make a whole answer with its length."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def unused_port() -> int:
    """Find a port on which nobody listens."""
    listener = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port: int = listener.sockets[0].getsockname()[1]
    listener.close()
    await listener.wait_closed()
    return port


def computes(answer: Callable[[bytes], Awaitable[bytes]]) -> Behaviour:
    """Answer what is computed from the request."""

    async def behave(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await answer(LAST_REQUEST.get()))
        await writer.drain()

    return behave
