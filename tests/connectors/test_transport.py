import asyncio
import gzip
import ipaddress
import resource
import ssl
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.bodies import BODY_LIMIT
from connectors.connector import READS_ONLY, Flow
from connectors.departure import DEPARTURE
from connectors.errors import Ambiguous, ConnectorError, NotSent, Unreadable
from connectors.gateway import Gateway
from connectors.transport import perform
from connectors.wire import AioTransport
from tests.connectors import faults
from tests.connectors.driven import one
from tests.connectors.faults import answers, answers_then_closes, answers_then_resets, drips, floods, hangs, http

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
OK = http(200, b'{"id": 1}', "Content-Type: application/json")


@pytest.fixture
async def wire() -> AsyncIterator[httpx.AsyncBaseTransport]:
    made = Gateway(allowed_networks=LOOPBACK).transport()
    yield made
    await made.aclose()


async def performed(
    url: str, transport: httpx.AsyncBaseTransport, *, method: str = "POST", deadline_seconds: float = 60.0
) -> httpx.Response:
    return await perform(
        one(url, method=method),
        transport=transport,
        auth=httpx.Auth(),
        origin=url,
        deadline_seconds=deadline_seconds,
    )


async def test_an_answer_comes_back_whole(transport: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(OK)) as server:
        response = await performed(f"{server.url}/a%2Fb/c?d=e%20f&d=g", transport)
    assert (response.status_code, response.json()) == (200, {"id": 1})
    assert response.headers["content-type"] == "application/json"
    assert response.request.method == "POST"
    assert server.requests[0].startswith(b"POST /a%2Fb/c?d=e%20f&d=g HTTP/1.1\r\n")
    assert server.requests[0].endswith(b'\r\n\r\n{"a": 1}')


BEFORE_A_STATUS = {
    "closed without an answer": answers_then_closes(),
    "reset without an answer": answers_then_resets(),
    "closed inside the headers": answers_then_closes(b"HTTP/1.1 201 Created\r\nContent-"),
    "reset inside the headers": answers_then_resets(b"HTTP/1.1 201 Created\r\nContent-"),
    "a garbage status line": answers_then_closes(b"BANANA\r\n\r\n"),
    "another protocol": answers_then_closes(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "2 MB of headers": answers_then_closes(b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"b" * 2_000_000 + b"\r\n\r\n"),
    "20,000 headers": answers_then_closes(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n"),
    "no answer in time": hangs(),
    "half of the headers in time": hangs(b"HTTP/1.1 200 OK\r\nX-A: b\r\n"),
    "dripping headers": drips(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100, seconds=0.02),
}


@pytest.mark.parametrize("behaviour", BEFORE_A_STATUS.values(), ids=BEFORE_A_STATUS)
async def test_what_fails_after_the_first_byte_and_before_a_status_is_ambiguous(
    behaviour: faults.Behaviour, transport: httpx.AsyncBaseTransport
) -> None:
    async with faults.serving(behaviour) as server:
        with pytest.raises(Ambiguous) as caught:
            # Long enough to connect on a machine that has much else to do.
            await performed(server.url, transport, deadline_seconds=1.0)
    assert caught.value.fault.kind == "ambiguous"
    assert len(server.requests) == 1


AFTER_A_STATUS = {
    "closed inside the body": answers_then_closes(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"),
    "reset inside the body": answers_then_resets(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"),
    "a chunk that ends early": answers_then_closes(b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
    "broken gzip": answers(http(201, b"no gzip at all", "Content-Encoding: gzip")),
    "gzip that ends early": answers(http(201, gzip.compress(b"{}" * 500)[:-20], "Content-Encoding: gzip")),
    "an encoding nobody asked for": answers(http(201, b"\x1b\x03", "Content-Encoding: br")),
    "a body over the limit": floods(
        b"HTTP/1.1 201 Created\r\nContent-Length: 1000000000\r\n\r\n", b"x" * 65536, times=15258
    ),
    "chunks over the limit": floods(
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n", times=9999
    ),
    "a gzip bomb": answers(http(201, gzip.compress(bytes(100_000_000)), "Content-Encoding: gzip")),
    "a deflate bomb": answers(http(201, zlib.compress(bytes(100_000_000)), "Content-Encoding: deflate")),
}


@pytest.mark.parametrize("behaviour", AFTER_A_STATUS.values(), ids=AFTER_A_STATUS)
async def test_what_fails_after_a_success_status_is_done_but_unreadable(
    behaviour: faults.Behaviour, transport: httpx.AsyncBaseTransport
) -> None:
    async with faults.serving(behaviour) as server:
        with pytest.raises(Unreadable) as caught:
            await performed(server.url, transport)
    assert caught.value.fault.status == 201


LATE = {
    "a dripping body": drips(b"x" * 200, seconds=0.01, after=b"HTTP/1.1 201 Created\r\nContent-Length: 200\r\n\r\n"),
    "a body that never ends": hangs(b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"),
}


@pytest.mark.parametrize("behaviour", LATE.values(), ids=LATE)
async def test_a_body_is_cut_off_at_the_total_deadline(
    behaviour: faults.Behaviour, transport: httpx.AsyncBaseTransport
) -> None:
    async with faults.serving(behaviour) as server:
        with pytest.raises(Unreadable) as caught:
            await performed(server.url, transport, deadline_seconds=1.0)
    assert caught.value.fault.status == 201


BROKEN_FRAMING = {
    "a bad chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}",
    "a length and chunks": b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n{}",
    "a length that is no number": b"Content-Length: two\r\n\r\n{}",
}


@pytest.mark.parametrize("framing", BROKEN_FRAMING.values(), ids=BROKEN_FRAMING)
async def test_an_answer_framed_badly_is_never_read_as_success(
    framing: bytes, transport: httpx.AsyncBaseTransport
) -> None:
    """Head and body come in one piece, and parsers judge the whole piece: either name is safe."""
    async with faults.serving(answers_then_closes(b"HTTP/1.1 201 Created\r\n" + framing)) as server:
        with pytest.raises((Ambiguous, Unreadable)):
            await performed(server.url, transport)


async def test_a_refusal_keeps_its_status_though_its_body_breaks(transport: httpx.AsyncBaseTransport) -> None:
    broken = answers_then_closes(b"HTTP/1.1 422 No\r\nContent-Length: 100\r\n\r\n{")
    async with faults.serving(broken) as server:
        response = await performed(server.url, transport)
    assert response.status_code == 422


async def test_a_refused_connection_is_not_sent(transport: httpx.AsyncBaseTransport) -> None:
    with pytest.raises(NotSent) as caught:
        await performed(f"http://127.0.0.1:{await faults.unused_port()}", transport)
    assert caught.value.fault.kind == "not_sent"


async def test_a_tls_failure_is_not_sent(transport: httpx.AsyncBaseTransport, tls: ssl.SSLContext) -> None:
    async with faults.serving(answers(OK), tls=tls) as server:
        with pytest.raises(NotSent, match=r"(?i)certificate"):
            await performed(server.url, transport)
    assert server.requests == []


async def test_a_tls_handshake_that_hangs_is_not_sent(wire: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(hangs()) as server:
        with pytest.raises(NotSent):
            await performed(server.url.replace("http:", "https:"), wire, deadline_seconds=0.3)


async def test_an_answer_over_tls_comes_back_whole(tls: ssl.SSLContext, certificate: str) -> None:
    transport = AioTransport(tls=ssl.create_default_context(cafile=certificate))
    async with faults.serving(answers(OK), tls=tls) as server:
        response = await performed(server.url, transport)
        again = await performed(server.url, transport)
        await transport.aclose()
    assert (response.json(), again.json(), server.connections) == ({"id": 1}, {"id": 1}, 1)


async def test_a_reset_over_tls_is_ambiguous(tls: ssl.SSLContext, certificate: str) -> None:
    transport = AioTransport(tls=ssl.create_default_context(cafile=certificate))
    async with faults.serving(answers_then_resets(), tls=tls) as server:
        with pytest.raises(Ambiguous):
            await performed(server.url, transport)
        await transport.aclose()


async def test_a_name_that_does_not_resolve_is_not_sent(transport: httpx.AsyncBaseTransport) -> None:
    with pytest.raises(NotSent):
        await performed("https://nobody.invalid/", transport)


async def test_a_bad_header_is_not_sent_and_not_quoted(wire: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(OK)) as server:

        def flow() -> Flow[httpx.Response]:
            return (yield httpx.Request("POST", server.url, headers={"X-A": "secret\r\nX-B: c"}))

        with pytest.raises(NotSent) as caught:
            await perform(flow(), transport=wire, auth=httpx.Auth(), origin=server.url)
    assert (caught.value.fault.kind, caught.value.fault.code) == ("invalid", "header_invalid")
    assert "secret" not in str(caught.value)
    assert server.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int, transport: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(http(status, b"", "Location: /elsewhere"))) as server:
        response = await performed(server.url, transport, method="GET")
    assert response.status_code == status
    assert len(server.requests) == 1


async def test_a_compressed_answer_is_inflated_though_nobody_asked(transport: httpx.AsyncBaseTransport) -> None:
    body = gzip.compress(b"[1]") + gzip.compress(b" ")
    async with faults.serving(answers(http(200, body, "Content-Encoding: gzip"))) as server:
        response = await performed(server.url, transport)
    assert response.json() == [1]
    assert "content-encoding" not in response.headers


async def test_no_cookie_is_kept(wire: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(http(200, b"{}", "Set-Cookie: a=b"))) as server:
        await performed(server.url, wire)
        await performed(server.url, wire)
    assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_identity_is_asked_for_and_nothing_is_added_unasked(wire: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(OK)) as server:
        await performed(server.url, wire)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    names = sorted(line.split(b":")[0].lower() for line in head.split(b"\r\n")[1:])
    assert names == [b"accept-encoding", b"content-length", b"host", b"user-agent"]
    assert b"Accept-Encoding: identity" in head
    assert len(body) == 8


async def test_a_closed_kept_connection_is_not_used_and_never_repeats(wire: httpx.AsyncBaseTransport) -> None:
    """The server closes after the second request of a connection is read: a processed and lost reply looks the same."""
    async with faults.serving(answers(OK), answers_then_closes()) as server:
        await performed(server.url, wire, method="PUT")
        with pytest.raises(Ambiguous):
            await performed(server.url, wire, method="PUT")
    assert (server.connections, len(server.requests)) == (1, 2)


@pytest.mark.parametrize(("idle_seconds", "connections"), [(0, 2), (60, 1)])
async def test_a_post_goes_over_a_connection_that_has_just_answered_or_over_a_new_one(
    idle_seconds: float, connections: int
) -> None:
    transport = AioTransport(careful_idle_seconds=idle_seconds)
    async with faults.serving(answers(OK)) as server:
        await performed(server.url, transport)
        await performed(server.url, transport)
        await transport.aclose()
    assert server.connections == connections


async def test_connecting_is_tried_again_and_nothing_else_is() -> None:
    tried: list[str] = []

    class Failing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            tried.append(request.url.path)
            if len(tried) < 3:
                request.extensions[DEPARTURE].vouch()
                raise httpx.ConnectError("refused")
            raise httpx.ReadError("reset")

    with pytest.raises(Ambiguous):
        await performed("http://provider.test/a", Failing())
    assert tried == ["/a"] * 3


async def test_a_transport_that_cannot_vouch_makes_failures_ambiguous() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Ambiguous):
        await performed("http://provider.test/", Silent())


@pytest.mark.parametrize("behaviour", [answers_then_closes(), AFTER_A_STATUS["closed inside the body"]])
@pytest.mark.parametrize("marked", [False, True], ids=["by method", "by mark"])
async def test_a_flow_that_has_only_read_has_changed_nothing_however_it_fails(
    behaviour: faults.Behaviour,
    wire: httpx.AsyncBaseTransport,
    marked: bool,  # noqa: FBT001 -- a table's column
) -> None:
    async with faults.serving(behaviour) as server:
        asked = httpx.Request("POST" if marked else "GET", server.url, extensions={READS_ONLY: True} if marked else {})

        def look() -> Flow[httpx.Response]:
            return (yield asked)

        with pytest.raises(NotSent) as caught:
            await perform(look(), transport=wire, auth=httpx.Auth(), origin=server.url)
    assert caught.value.fault.kind == "not_sent"
    assert len(server.requests) == 1


async def test_a_flow_that_goes_on_after_its_time_sends_nothing_more(wire: httpx.AsyncBaseTransport) -> None:
    def flow(url: str) -> Flow[list[str]]:
        kinds: list[str] = []
        for _ in range(3):
            try:
                yield httpx.Request("GET", url)
            except ConnectorError as error:
                kinds.append(error.fault.kind)
        return kinds

    async with faults.serving(hangs()) as server:
        kinds = await perform(
            flow(server.url), transport=wire, auth=httpx.Auth(), origin=server.url, deadline_seconds=1.0
        )
    assert kinds == ["ambiguous", "not_sent", "not_sent"]
    assert len(server.requests) == 1


async def test_a_key_in_the_query_is_in_no_error(wire: httpx.AsyncBaseTransport) -> None:
    with pytest.raises(NotSent) as caught:
        await performed(f"http://127.0.0.1:{await faults.unused_port()}/?key=canary", wire)
    error: BaseException | None = caught.value
    while error is not None:
        assert "canary" not in f"{error!r} {error}"
        error = error.__cause__


async def test_a_cancelled_call_closes_its_connection(wire: httpx.AsyncBaseTransport) -> None:
    arrived, closed = asyncio.Event(), asyncio.Event()

    async def waits(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        assert await reader.read() == b""
        closed.set()

    async with faults.serving(waits) as server:
        call = asyncio.create_task(performed(server.url, wire))
        await arrived.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await asyncio.wait_for(closed.wait(), timeout=60)


async def test_eight_hostile_bodies_at_once_stay_within_memory(wire: httpx.AsyncBaseTransport) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bomb = gzip.compress(bytes(20 * BODY_LIMIT))
    async with faults.serving(answers(http(200, bomb, "Content-Encoding: gzip"))) as server:
        results = await asyncio.gather(*(performed(server.url, wire) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(result, Unreadable) for result in results)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 <= 8 * 32 * 1024 * 1024
