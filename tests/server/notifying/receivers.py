"""A receiver of webhooks on loopback: it takes what comes, verifies it as receivers do, and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

Headers = dict[str, str]


class Received(msgspec.Struct, kw_only=True):
    """One message as it came."""

    headers: Headers
    body: bytes

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def notification(self) -> Any:
        return msgspec.json.decode(self.body)


class Receiver:
    """Keeps what it got. ``answer`` decides the status of each request, or a whole raw answer."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.answer: Callable[[Received], int | bytes] = lambda _: 200
        self.delays: Callable[[Received], float] = lambda _: 0.0
        self.held: asyncio.Event | None = None
        """Where it is there, nothing is answered before it is set."""
        self._news = asyncio.Event()

    async def until(self, count: int, *, seconds: float = 60) -> list[Received]:
        """Wait until so many messages came."""
        await self.wait_for(lambda: len(self.received) >= count, seconds=seconds)
        return self.received

    async def wait_for(self, done: Callable[[], bool], *, seconds: float) -> None:
        """Wait until something is so, looking again with each message and each answer."""
        async with asyncio.timeout(seconds):
            while not done():
                self._news.clear()
                await self._news.wait()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode("latin-1"):
                lines = head.split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                one = Received(headers=headers, body=body)
                self.received.append(one)
                self._news.set()
                await asyncio.sleep(self.delays(one))
                if self.held is not None:
                    await self.held.wait()
                writer.write(_answer(self.answer(one)))
                self._news.set()
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def _answer(said: int | bytes) -> bytes:
    return said if isinstance(said, bytes) else b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % said


@asynccontextmanager
async def receiving(**options: Any) -> AsyncIterator[Receiver]:
    """Serve one on a port of the kernel's; ``ssl`` makes it speak TLS."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0, **options)
    port = server.sockets[0].getsockname()[1]
    receiver.url = f"{'https' if options.get('ssl') else 'http'}://127.0.0.1:{port}/hook"
    try:
        yield receiver
    finally:
        server.close()
        server.close_clients() if hasattr(server, "close_clients") else None
        await asyncio.sleep(0)
