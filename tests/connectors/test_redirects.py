"""Redirects, where a provider's data says that they are followed."""

import ipaddress
from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.credentials import ApiKeyCredentials, authorize
from connectors.gateway import Gateway
from connectors.provider import ApiKeyOpts, ApiKeyQuery, Provider, Support
from connectors.redirects import redirected
from connectors.secret import Secret
from connectors.transport import perform
from tests.connectors import faults
from tests.connectors.driven import one
from tests.connectors.faults import answers, http

FOLLOWING = Provider(
    name="moving",
    display_name="Moving",
    auth_type="apiKey",
    base_url="https://moving.test",
    support=Support(),
    api_key_opts=ApiKeyOpts(attachment_type="query", query=ApiKeyQuery(name="key")),
    follows_redirects=True,
)
OK = http(200, b"{}")


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    made = Gateway(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]).transport()
    yield made
    await made.aclose()


def to(location: str, status: int = 302) -> faults.Behaviour:
    return answers(http(status, b"", f"Location: {location}"))


async def asked(
    transport: httpx.AsyncBaseTransport, url: str, *, method: str = "GET", provider: Provider = FOLLOWING
) -> httpx.Response:
    auth = authorize(provider, ApiKeyCredentials(api_key=Secret("k")))
    return await perform(one(url, method=method, content=None), transport=transport, auth=auth, origin=url)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_within_the_origin_is_followed_and_signed_again(
    transport: httpx.AsyncBaseTransport, method: str, status: int
) -> None:
    last = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    async with faults.serving(to("/b?c=d", status), last) as server:
        assert (await asked(transport, f"{server.url}/a", method=method)).status_code == 200
    lines = [request.partition(b"\r\n")[0].decode() for request in server.requests]
    assert lines == [f"{method} /a?key=k HTTP/1.1", f"{method} /b?c=d&key=k HTTP/1.1"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_redirect_of_what_may_change_something_is_not_followed(
    transport: httpx.AsyncBaseTransport, method: str
) -> None:
    async with faults.serving(to("/b", 307), answers(OK)) as server:
        assert (await asked(transport, f"{server.url}/a", method=method)).status_code == 307
    assert len(server.requests) == 1


async def test_a_chain_is_followed_three_times_and_then_is_an_answer(transport: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(to("/b"), to("/c"), to("/d"), answers(OK)) as server:
        assert (await asked(transport, f"{server.url}/a")).status_code == 200
    async with faults.serving(to("/a")) as server:
        assert (await asked(transport, f"{server.url}/a")).status_code == 302
    assert len(server.requests) == 4


ELSEWHERE = [
    "https://127.0.0.1:{port}/b",
    "http://localhost:{port}/b",
    "http://127.0.0.1:{other}/b",
    "//elsewhere.test/b",
    "http://user:word@127.0.0.1:{port}/b",
    "http://127.0.0.1:{port}@elsewhere.test/b",
    "ftp://127.0.0.1:{port}/b",
    "http://[::1]:{port}/b",
    "http://[",
]


@pytest.mark.parametrize("location", ELSEWHERE)
async def test_a_redirect_to_another_origin_is_an_answer(transport: httpx.AsyncBaseTransport, location: str) -> None:
    async with faults.serving(answers(OK)) as other, faults.serving(answers(OK)) as server:
        where = location.format(port=server.port, other=other.port)

        async def redirect(_: bytes) -> bytes:
            return http(302, b"", f"Location: {where}")

        async with faults.serving(faults.computes(redirect)) as first:
            where = location.format(port=first.port, other=other.port)
            assert (await asked(transport, f"{first.url}/a")).status_code == 302
        assert len(first.requests) == 1
    assert other.requests == server.requests == []


async def test_a_provider_that_does_not_say_so_is_not_followed(transport: httpx.AsyncBaseTransport) -> None:
    staying = Provider(
        name="staying", display_name="S", auth_type="apiKey", base_url="https://s.test", support=Support()
    )
    async with faults.serving(to("/b"), answers(OK)) as server:
        assert (await asked(transport, f"{server.url}/a", provider=staying)).status_code == 302
    assert len(server.requests) == 1


async def test_a_redirect_without_a_target_is_an_answer(transport: httpx.AsyncBaseTransport) -> None:
    async with faults.serving(answers(http(302))) as server:
        assert (await asked(transport, f"{server.url}/a")).status_code == 302


@pytest.mark.parametrize(
    ("location", "follows"),
    [
        ("http://crm.test/b", False),
        ("http://crm.test:443/b", False),
        ("https://crm.test:8443/b", False),
        ("https://169.254.169.254/latest/meta-data", False),
        ("https://crm.test:443/b", True),
        ("//crm.test/b", True),
        ("b", True),
    ],
)
def test_a_redirect_never_leads_away_from_https_nor_from_its_port(location: str, *, follows: bool) -> None:
    asked_for = httpx.Request("GET", "https://crm.test/a")
    assert (redirected(asked_for, httpx.Response(302, headers={"Location": location})) is not None) is follows
