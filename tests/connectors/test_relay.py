"""One call passed through, below the server that offers it."""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator, AsyncIterator

import httpx
import pytest

from connectors.errors import Ambiguous, NotSent, Refused
from connectors.gateway import Gateway
from connectors.relay import pieces, relay
from connectors.secret import Secret
from connectors.signatures import QueryAuth
from connectors.wire import TARGET
from installations.record import Fault
from tests.connectors import faults
from tests.connectors.faults import answers, http

OK = http(200, b"{}")


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    made = Gateway(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]).transport()
    yield made
    await made.aclose()


def soon(seconds: float = 60) -> float:
    return asyncio.get_running_loop().time() + seconds


async def test_credentials_go_to_no_other_origin(transport: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(OK)) as server, faults.serving(answers(OK)) as other:
        for url in (other.url, server.url.replace("http:", "https:"), server.url.replace("127.0.0.1", "localhost")):
            request = httpx.Request("GET", f"{url}/a")
            with pytest.raises(NotSent, match="leaves the account"):
                async with relay(request, transport=transport, auth=httpx.Auth(), origin=server.url, deadline=soon()):
                    pass
    assert server.requests == other.requests == []


class Failing(httpx.Auth):
    """Cannot sign, or has nothing newer to sign with after an answer."""

    def __init__(self, *, before: Exception | None = None, after: Exception | None = None) -> None:
        self.before = before
        self.after = after

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        if self.before is not None:
            raise self.before
        yield request
        if self.after is not None:
            raise self.after


FAULT = Fault(kind="auth", message="no token")


@pytest.mark.parametrize(
    ("error", "wanted"), [(Refused(FAULT), Refused), (NotSent(FAULT), NotSent), (Ambiguous(FAULT), NotSent)]
)
async def test_a_call_that_could_not_be_signed_was_not_sent(
    transport: httpx.AsyncBaseTransport, error: Exception, wanted: type[Exception]
) -> None:
    async with faults.serving(answers(OK)) as server:
        request, auth = httpx.Request("GET", server.url), Failing(before=error)
        with pytest.raises(wanted):
            async with relay(request, transport=transport, auth=auth, origin=server.url, deadline=soon()):
                pass
    assert server.requests == []


async def test_an_answer_stands_where_nothing_newer_is_to_be_had(transport: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(http(401, b"no"))) as server:
        request, auth = httpx.Request("GET", server.url), Failing(after=Refused(FAULT))
        async with relay(request, transport=transport, auth=auth, origin=server.url, deadline=soon()) as response:
            assert response.status_code == 401
            assert b"".join([piece async for piece in pieces(response)]) == b"no"


async def test_an_answer_is_closed_where_hearing_of_it_fails(transport: httpx.AsyncBaseTransport) -> None:
    closed = asyncio.Event()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 401 No\r\nContent-Length: 10\r\n\r\nhalf")
        assert await reader.read() == b""
        closed.set()

    async with faults.serving(half) as server:
        request, auth = httpx.Request("GET", server.url), Failing(after=ValueError("a bug"))
        with pytest.raises(ValueError, match="a bug"):
            async with relay(request, transport=transport, auth=auth, origin=server.url, deadline=soon()):
                pass
        await asyncio.wait_for(closed.wait(), 60)


async def test_an_answer_that_is_not_read_to_its_end_closes_the_connection(
    transport: httpx.AsyncBaseTransport,
) -> None:
    closed = asyncio.Event()

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        assert await reader.read() == b""
        closed.set()

    async with faults.serving(half) as server:
        request = httpx.Request("GET", server.url)
        async with relay(
            request, transport=transport, auth=httpx.Auth(), origin=server.url, deadline=soon()
        ) as response:
            assert response.status_code == 200
        await asyncio.wait_for(closed.wait(), 60)


SIGNED = [
    # the target as given, and as sent with the key k in the parameter key
    ("/a", "/a?key=k%20%26"),
    ("/a?", "/a?key=k%20%26"),
    ("/a?b=%20c&&b=d", "/a?b=%20c&&b=d&key=k%20%26"),
    ("/a?key=mine&b=c", "/a?b=c&key=k%20%26"),
    ("/a?k%65y=mine&KEY=x", "/a?KEY=x&key=k%20%26"),
    ("/%2F//{}?q='|", "/%2F//{}?q='|&key=k%20%26"),
]


@pytest.mark.parametrize(("given", "sent"), SIGNED)
async def test_a_key_in_the_query_is_added_behind_what_was_given(
    transport: httpx.AsyncBaseTransport, given: str, sent: str
) -> None:
    auth = QueryAuth({"key": Secret("k &")})
    async with faults.serving(answers(OK)) as server:
        url = httpx.URL(server.url).copy_with(raw_path=given.encode())
        request = httpx.Request("GET", url, extensions={TARGET: given.encode()})
        async with relay(request, transport=transport, auth=auth, origin=server.url, deadline=soon()):
            pass
    assert server.requests[0].partition(b"\r\n")[0].decode() == f"GET {sent} HTTP/1.1"


async def test_a_call_is_not_begun_after_its_deadline(transport: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(OK)) as server:
        request = httpx.Request("POST", server.url, content=b"x")
        with pytest.raises(NotSent, match="over before it was sent"):
            async with relay(request, transport=transport, auth=httpx.Auth(), origin=server.url, deadline=soon(-1)):
                pass
    assert server.requests == []
