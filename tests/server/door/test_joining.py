"""What leaves together, and what does not wait."""

import asyncio
from asyncio import Transport
from typing import Any

from server.door.joining import MOST_HELD_BYTES, Joining
from tests.server.loopback import listening


class Recorded(Transport):
    """Writes down what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[bytes | str] = []
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append(bytes(data))

    def close(self) -> None:
        self.closing = True
        self.told.append("closed")

    def is_closing(self) -> bool:
        return self.closing


def joined() -> tuple[Recorded, Joining]:
    recorded = Recorded()
    return recorded, Joining(recorded, loop=asyncio.get_running_loop())


async def test_what_is_written_in_one_turn_leaves_as_one() -> None:
    recorded, transport = joined()
    for part in (b"head ", b"body ", b"end"):
        transport.write(part)
    assert recorded.told == []
    await asyncio.sleep(0)
    transport.write(b"next")
    await asyncio.sleep(0)
    assert recorded.told == [b"head body end", b"next"]


async def test_what_is_large_does_not_wait_and_keeps_its_place() -> None:
    recorded, transport = joined()
    transport.write(b"head ")
    transport.write(bytes(MOST_HELD_BYTES))
    assert recorded.told == [b"head " + bytes(MOST_HELD_BYTES)]
    transport.write(b"end")
    await asyncio.sleep(0)
    assert recorded.told[1:] == [b"end"]


async def test_what_was_written_before_the_end_leaves_before_it() -> None:
    recorded, transport = joined()
    transport.write(b"answer")
    transport.close()
    await asyncio.sleep(0)
    assert recorded.told == [b"answer", "closed"]


async def test_nothing_is_written_to_a_connection_that_was_lost_meanwhile() -> None:
    recorded, transport = joined()
    transport.write(b"answer")
    recorded.closing = True
    await asyncio.sleep(0)
    assert recorded.told == []


async def test_a_head_does_not_wait_for_its_body() -> None:
    read = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await read.wait()
        await send({"type": "http.response.body", "body": b"body"})

    async with listening(app) as origin:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: isthmus.test\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)).startswith(b"HTTP/1.1 200")
        read.set()
        assert await asyncio.wait_for(reader.readexactly(4), 30) == b"body"
        writer.close()
        await writer.wait_closed()
