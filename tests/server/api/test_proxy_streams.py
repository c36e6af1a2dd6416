"""Bodies through the proxy, both ways: whole, in pieces, too large, held up, and broken off on either side."""

import asyncio
import gzip
import hashlib
import resource
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import msgspec
import pytest
from aiohttp import web

from server.api.proxy import ProxyFirst
from server.door.browsers import Browsers
from server.door.front import Front
from tests.connectors import faults
from tests.connectors.faults import answers, answers_then_closes, answers_then_resets, hangs, http
from tests.server.loopback import listening
from tests.server.proxied import Line, Seen, lined_up

MEGABYTE = 1_000_000
PIECE = bytes(range(256)) * 256


async def pieces(length: int) -> AsyncIterator[bytes]:
    """Make a body as it is asked for."""
    while length > 0:
        yield PIECE[:length]
        length -= len(PIECE)


def digest(length: int) -> str:
    made = hashlib.sha256()
    for start in range(0, length, len(PIECE)):
        made.update(PIECE[: length - start])
    return made.hexdigest()


async def sent_to(response: web.StreamResponse, length: int) -> None:
    async for piece in pieces(length):
        await response.write(piece)


async def at_rest(count: Callable[[], int]) -> None:
    """Wait until a count has begun to grow and grows no more: caller, server and provider share one loop."""
    last = 0
    while not last or count() != last:
        last = count()
        for _ in range(1000):
            await asyncio.sleep(0)


SIZES = [0, 1, 65_536, MEGABYTE, MEGABYTE + 1, 20 * MEGABYTE]


@pytest.mark.parametrize("size", SIZES)
async def test_a_body_arrives_as_it_was_sent(line: Line, size: int) -> None:
    for headers in ({"Content-Length": str(size)}, {}):
        answer = await line.call("POST", "/a", content=pieces(size), headers=headers)
        got = msgspec.json.decode(answer.content, type=Seen)
        assert (got.length, got.digest) == (size, digest(size))
        in_chunks = not headers and size > MEGABYTE
        assert got.header("transfer-encoding") == ("chunked" if in_chunks else None)
        assert got.header("content-length") == (None if in_chunks else str(size))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("announced", [True, False], ids=["with a length", "in chunks"])
async def test_an_answer_comes_back_as_it_was_sent(line: Line, size: int, *, announced: bool) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(size)} if announced else {})
        await response.prepare(request)
        await sent_to(response, size)
        return response

    line.echo.answer = answer
    got = await line.call("GET", "/a")
    assert (len(got.content), hashlib.sha256(got.content).hexdigest()) == (size, digest(size))
    # What came in one piece with its head may be given a length; what has one keeps it.
    assert got.headers.get("content-length") in ((str(size),) if announced else (None, str(size)))


async def test_memory_is_bounded_whatever_goes_through(line: Line) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        seen = await line.echo.read(request)
        response = web.StreamResponse()
        await response.prepare(request)
        await sent_to(response, seen.length)
        return response

    async def through(size: int) -> int:
        headers, url, length = line.headers(), "/a", 0
        async with line.client.stream("POST", url, headers=headers, content=pieces(size)) as response:
            async for piece in response.aiter_raw():
                length += len(piece)
        return length

    line.echo.answer = answer
    await through(MEGABYTE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert await asyncio.gather(*(through(20 * MEGABYTE) for _ in range(4))) == [20 * MEGABYTE] * 4
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 30 * MEGABYTE, "caller, server and provider together are in this process"


async def test_the_first_piece_arrives_before_the_last_is_made(line: Line) -> None:
    arrived = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await arrived.wait()
        await response.write(b"last")
        return response

    line.echo.answer = answer
    async with line.client.stream("GET", "/a", headers=line.headers()) as response:
        read = response.aiter_raw()
        assert await anext(read) == b"first"
        arrived.set()
        assert await anext(read) == b"last"


async def test_a_large_body_reaches_the_provider_before_its_caller_has_made_all_of_it(line: Line) -> None:
    arrived = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 2 * MEGABYTE
        await arrived.wait()
        yield b"y"

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.content.readexactly(2 * MEGABYTE)
        arrived.set()
        return web.Response(body=await request.content.read())

    line.echo.answer = answer
    assert (await line.call("PUT", "/a", content=body())).content == b"y"


async def test_a_provider_that_does_not_read_holds_its_caller_up(line: Line) -> None:
    given, release = 0, asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        nonlocal given
        async for piece in pieces(45 * MEGABYTE):
            given += len(piece)
            yield piece

    async def answer(request: web.Request) -> web.StreamResponse:
        await release.wait()
        return await line.echo.echo(request)

    line.echo.answer = answer
    calling = asyncio.create_task(line.call("POST", "/a", content=body()))
    await at_rest(lambda: given)
    assert given < 25 * MEGABYTE, "only the kernel's buffers are full"
    release.set()
    assert (await calling).json()["length"] == 45 * MEGABYTE


async def test_a_caller_that_does_not_read_holds_the_provider_up(line: Line) -> None:
    given = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal given
        response = web.StreamResponse()
        await response.prepare(request)
        async for piece in pieces(45 * MEGABYTE):
            await response.write(piece)
            given += len(piece)
        return response

    line.echo.answer = answer
    async with line.client.stream("GET", "/a", headers=line.headers()) as response:
        await at_rest(lambda: given)
        assert given < 25 * MEGABYTE
        assert sum([len(piece) async for piece in response.aiter_raw()]) == 45 * MEGABYTE


async def test_a_compressed_answer_comes_back_compressed_as_it_was(line: Line) -> None:
    packed = gzip.compress(b"hello" * 1000)

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    line.echo.answer = answer
    async with line.client.stream("GET", "/a", headers=line.headers()) as response:
        assert b"".join([piece async for piece in response.aiter_raw()]) == packed
    assert response.headers["content-encoding"] == "gzip"


async def test_a_bomb_is_passed_on_unopened(line: Line) -> None:
    packed = gzip.compress(bytes(200 * MEGABYTE))

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=429, body=packed, headers={"Content-Encoding": "gzip"})

    line.echo.answer = answer
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with line.client.stream("GET", "/a", headers=line.headers(x_amp_rate_limiter_mode="throttle")) as response:
        assert sum([len(piece) async for piece in response.aiter_raw()]) == len(packed)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 30 * MEGABYTE


def outcome(answer: httpx.Response, status: int, code: str, outcome: str | None) -> dict[str, Any]:
    """Check that an answer is ours, and what it says of what may have happened."""
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert (problem["code"], answer.headers.get("x-isthmus-outcome")) == (code, outcome)
    return problem


async def test_a_body_that_is_announced_too_large_is_refused_unread(line: Line) -> None:
    headers = {"Content-Length": str(50 * MEGABYTE + 1)}
    outcome(await _head_only(line, headers), 413, "too-large", None)
    assert line.echo.seen == []


async def _head_only(line: Line, headers: dict[str, str]) -> httpx.Response:
    """Send a head and wait for the answer."""
    url = line.client.base_url
    reader, writer = await asyncio.open_connection(url.host, url.port)
    head = "".join(f"{name}: {value}\r\n" for name, value in (line.headers() | headers).items())
    writer.write(f"POST /a HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
    answered = await reader.read()
    writer.close()
    await writer.wait_closed()
    lines, _, body = answered.partition(b"\r\n\r\n")
    first, *fields = lines.decode().split("\r\n")
    pairs = [(name, value) for name, _, value in (field.partition(": ") for field in fields)]
    return httpx.Response(int(first.split()[1]), headers=pairs, content=body)


async def test_chunks_that_come_to_too_much_break_the_call_off(line: Line) -> None:
    answer = await line.call("POST", "/a", content=pieces(51 * MEGABYTE))
    outcome(answer, 502, "ambiguous", "ambiguous")
    assert "50,000,000" in answer.json()["detail"]


async def test_an_answer_that_is_announced_too_large_is_withheld(line: Line) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(50 * MEGABYTE + 1)})
        await response.prepare(request)
        return response

    line.echo.answer = answer
    assert outcome(await line.call("GET", "/a"), 502, "answer-withheld", "done")["retryable"] is False


async def test_an_answer_that_becomes_too_large_is_broken_off(line: Line) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await sent_to(response, 60 * MEGABYTE)
        return response

    line.echo.answer = answer
    length = 0
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 -- what came before it is the point
        async with line.client.stream("GET", "/a", headers=line.headers()) as response:
            async for piece in response.aiter_raw():
                length += len(piece)
    assert 49 * MEGABYTE < length <= 50 * MEGABYTE


NO_ANSWER = {
    "closed without an answer": answers_then_closes(),
    "reset without an answer": answers_then_resets(),
    "closed inside the head": answers_then_closes(b"HTTP/1.1 200 OK\r\nX-A"),
    "no HTTP": answers_then_closes(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a status of nobody's": answers(b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n"),
    "another protocol": answers(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
    "two lengths": answers_then_closes(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
    "a huge head": answers_then_closes(b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 2_000_000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("behaviour", NO_ANSWER.values(), ids=NO_ANSWER)
async def test_a_call_without_a_usable_answer_may_have_happened(behaviour: faults.Behaviour) -> None:
    async with faults.serving(behaviour) as server, lined_up(moved=server.url) as line:
        problem = outcome(await line.call("POST", "/a", content=b"x"), 502, "ambiguous", "ambiguous")
    assert problem["retryable"] is False
    assert len(server.requests) == 1


async def test_a_call_that_nobody_takes_has_not_happened() -> None:
    async with lined_up(moved=f"http://127.0.0.1:{await faults.unused_port()}") as line:
        problem = outcome(await line.call("POST", "/a?secret=1", content=b"x"), 502, "not-sent", "not-sent")
        large = await line.call("POST", "/a", content=pieces(2 * MEGABYTE))
        outcome(large, 502, "not-sent", "not-sent")
    assert problem["retryable"] is True
    assert "secret" not in str(problem)


@pytest.mark.parametrize("url", ["http://10.0.0.1", "https://169.254.169.254", "http://[::1]:9", "https://0x7f000001"])
async def test_an_address_that_is_not_allowed_is_not_called(url: str) -> None:
    async with lined_up(moved=url) as line:
        problem = outcome(await line.call("POST", "/a", content=b"x"), 502, "not-sendable", "not-sent")
    assert problem["retryable"] is False


CUT = {
    "a length": b"Content-Length: 10\r\n\r\nhalf",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    "a bad chunk": b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
}


@pytest.mark.parametrize("framing", CUT.values(), ids=CUT)
@pytest.mark.parametrize("behave", [answers_then_closes, answers_then_resets])
async def test_an_answer_that_breaks_off_breaks_off_for_its_caller(framing: bytes, behave: Any) -> None:
    cut = behave(b"HTTP/1.1 201 Created\r\n" + framing)
    async with faults.serving(cut) as server, lined_up(moved=server.url) as line:
        try:
            answer = await line.call("GET", "/a")
        except httpx.RemoteProtocolError:
            return
        outcome(answer, 502, "ambiguous", "ambiguous")  # where head and fault came in one piece


async def _nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    raise RuntimeError("there is nothing behind the proxy")


async def test_a_call_is_cut_off_when_its_time_is_over() -> None:
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"
    async with faults.serving(hangs(), hangs(half)) as server, lined_up(moved=server.url) as line:
        services = line.house.services
        short = Front(
            ProxyFirst(_nothing, services, call_seconds=0.2),
            browsers=Browsers([], public_url=""),
            clock=services.clock,
            new_id=services.new_id,
        )
        async with (
            listening(short) as origin,
            httpx.AsyncClient(base_url=origin, trust_env=False, timeout=60) as client,
        ):
            answer = await client.post("/a", headers=line.headers(), content=b"x")
            outcome(answer, 502, "ambiguous", "ambiguous")
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get("/a", headers=line.headers())


async def test_a_caller_that_hangs_up_takes_the_providers_connection_along() -> None:
    arrived, closed = asyncio.Event(), asyncio.Event()

    async def waits(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        arrived.set()
        assert await reader.read() == b""
        closed.set()

    async with faults.serving(waits) as server, lined_up(moved=server.url) as line:
        calling = asyncio.create_task(line.call("POST", "/a", content=b"x"))
        await asyncio.wait_for(arrived.wait(), 60)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        await asyncio.wait_for(closed.wait(), 60)


async def test_a_caller_that_hangs_up_inside_the_answer_takes_it_along_too() -> None:
    closed = asyncio.Event()

    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        assert await reader.read() == b""
        closed.set()

    async with faults.serving(waits) as server, lined_up(moved=server.url) as line:
        async with line.client.stream("GET", "/a", headers=line.headers()) as response:
            assert await anext(response.aiter_raw()) == b"half"
        await asyncio.wait_for(closed.wait(), 60)


@pytest.mark.parametrize("size", [1000, 5 * MEGABYTE], ids=["small", "large"])
async def test_a_caller_that_hangs_up_inside_its_body_leaves_nothing_behind(line: Line, size: int) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        async for piece in pieces(size):
            yield piece
        begun.set()
        await asyncio.Event().wait()

    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            return await line.echo.echo(request)
        finally:
            ended.set()

    line.echo.answer = answer
    calling = asyncio.create_task(line.call("POST", "/a", content=body()))
    await asyncio.wait_for(begun.wait(), 60)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)
    if size > MEGABYTE:
        await asyncio.wait_for(ended.wait(), 60)
    assert (await line.call("GET", "/b", integration="root")).status_code == 200
    assert [one.target for one in line.echo.seen] == ["/b"], "half a body is no request"


async def test_a_provider_may_answer_before_it_has_read_everything(line: Line) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=413, text="no more")

    line.echo.answer = answer
    answer_ = await line.call("POST", "/a", content=pieces(3 * MEGABYTE), headers={"Content-Length": str(3 * MEGABYTE)})
    assert answer_.status_code in (413, 502)
    if answer_.status_code == 502:
        outcome(answer_, 502, "ambiguous", "ambiguous")


@pytest.mark.parametrize(("size", "sent"), [(1000, 2), (MEGABYTE, 2), (MEGABYTE + 1, 1)])
async def test_a_401_is_answered_by_a_newer_token_where_the_body_is_still_there(
    line: Line, size: int, sent: int
) -> None:
    line.echo.answer = line.echo.demand_token
    assert (await line.call("GET", "/a", integration="token")).status_code == 200
    line.echo.seen.clear()
    line.echo.tokens.append("revoked")
    answer = await line.call("POST", "/a", integration="token", content=pieces(size))
    assert answer.status_code == (200 if sent == 2 else 401)
    assert [one.length for one in line.echo.seen] == [size] * sent
    assert (await line.call("POST", "/a", integration="token", content=pieces(size))).status_code == 200
    assert len(line.echo.seen) == sent + 1


async def test_a_second_401_is_the_callers_to_read(line: Line) -> None:
    async def no(request: web.Request) -> web.StreamResponse:
        await line.echo.read(request)
        return web.Response(status=401, text="never")

    line.echo.answer = no
    answer = await line.call("POST", "/a", integration="token", content=b"x")
    assert (answer.status_code, answer.text) == (401, "never")
    assert len(line.echo.seen) == 2


async def test_a_401_to_a_key_is_passed_on_and_nothing_sent_again(line: Line) -> None:
    async def no(request: web.Request) -> web.StreamResponse:
        await line.echo.read(request)
        return web.Response(status=401, text="no", headers={"WWW-Authenticate": "Key"})

    line.echo.answer = no
    answer = await line.call("POST", "/a", content=b"x")
    assert (answer.status_code, answer.text, answer.headers["www-authenticate"]) == (401, "no", "Key")
    assert len(line.echo.seen) == 1


async def test_nothing_but_connecting_is_tried_again() -> None:
    async with faults.serving(answers(http(503)), answers(http(200))) as server, lined_up(moved=server.url) as line:
        assert (await line.call("GET", "/a")).status_code == 503
        assert len(server.requests) == 1
