"""What the server waits for, and how much of it, before it has a request. Over real sockets."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from server.clock import new_id, utc_now
from server.door.browsers import Browsers
from server.door.front import Front
from server.door.heads import MAX_HEAD_BYTES, BoundedHeads
from tests.server.loopback import listening

HEAD = b"GET / HTTP/1.1\r\nHost: isthmus.test\r\n"


class Hasty(BoundedHeads):
    """Has little patience."""

    head_seconds = 0.2


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def connected(
    protocol: type[BoundedHeads], *, said: bytes = b""
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect; with something ``said`` before the server can know of the connection, and so before its time begins."""
    async with listening(app, protocol=protocol) as origin:
        caller = socket.create_connection(("127.0.0.1", int(origin.rpartition(":")[2])))
        caller.sendall(said)
        reader, writer = await asyncio.open_connection(sock=caller)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionResetError):  # what was on its way to a closed connection comes back as this
                await writer.wait_closed()


@pytest.mark.parametrize("said", [b"", b"G", HEAD, HEAD + b"X-Long: a"])
async def test_who_does_not_get_to_the_point_is_cut_off(said: bytes) -> None:
    async with connected(Hasty) as (reader, writer):
        writer.write(said)
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def test_who_drips_is_cut_off_too() -> None:
    async with connected(Hasty) as (reader, writer):
        ended = asyncio.create_task(reader.read())
        writer.write(HEAD)
        while not ended.done():
            writer.write(b"a")
            await asyncio.wait([ended], timeout=0.01)
        with suppress(ConnectionResetError):  # a letter was on its way when the connection was closed
            assert await ended == b""


async def test_a_second_request_on_a_connection_is_timed_like_the_first() -> None:
    async with connected(Hasty, said=HEAD + b"\r\n") as (reader, writer):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
        writer.write(HEAD)
        assert await asyncio.wait_for(reader.read(), 30) == b""


async def test_a_body_has_other_bounds() -> None:
    begun = b"POST / HTTP/1.1\r\nHost: isthmus.test\r\nContent-Length: 2\r\n\r\na"
    async with connected(Hasty, said=begun) as (reader, writer):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.4)
        writer.write(b"b")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")


async def test_a_head_may_come_in_pieces_of_any_size() -> None:
    async with connected(BoundedHeads) as (reader, writer):
        for _ in range(2):
            for byte in HEAD + b"\r\n":
                writer.write(bytes([byte]))
                await writer.drain()
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")


@pytest.mark.parametrize("unit", [b"X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", b"a" * 40])
async def test_a_head_without_end_is_refused(unit: bytes) -> None:
    async with connected(BoundedHeads) as (reader, writer):
        writer.write(HEAD + (b"" if unit.endswith(b"\n") else b"X-Long: ") + unit * (MAX_HEAD_BYTES // len(unit)))
        assert (await asyncio.wait_for(reader.read(), 30)).startswith(b"HTTP/1.1 400")


@asynccontextmanager
async def behind_the_door(*, body_seconds: float = 30) -> AsyncIterator[Any]:
    """Serve the application behind a door of its own; a connection to it."""
    browsers = Browsers(["/v1/called"], public_url="http://isthmus.test")
    door = Front(app, browsers=browsers, clock=utc_now, new_id=new_id, body_seconds=body_seconds)
    async with listening(door) as origin:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(origin.rpartition(":")[2]))
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionResetError):  # what was on its way to a closed connection comes back as this
                await writer.wait_closed()


POST = b"POST /v1/called HTTP/1.1\r\nHost: isthmus.test\r\nContent-Type: application/json\r\n"


async def test_a_body_that_is_announced_as_too_large_is_refused_before_it_is_sent() -> None:
    async with behind_the_door() as (reader, writer):
        writer.write(POST + b"Content-Length: 1000001\r\nExpect: 100-continue\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 30)
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"connection: close" in answer


async def test_a_body_without_a_length_is_refused_once_it_is_too_large() -> None:
    async with behind_the_door() as (reader, writer):
        writer.write(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(101):
            writer.write(b"2710\r\n" + b" " * 10_000 + b"\r\n")
        assert (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 413")


async def test_a_body_that_comes_too_slowly_is_cut_off() -> None:
    async with behind_the_door(body_seconds=0.2) as (reader, writer):
        writer.write(POST + b"Content-Length: 1000\r\n\r\nhalf")
        answer = await asyncio.wait_for(reader.read(), 30)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b'"code":"too-slow"' in answer


async def test_what_is_no_http_is_answered_without_a_name_of_ours() -> None:
    async with connected(BoundedHeads) as (reader, writer):
        writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 30)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"server:" not in answer.lower()
        assert b"nonsense" not in answer
