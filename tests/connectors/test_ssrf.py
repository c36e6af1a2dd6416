"""No payload is ever dialled, whichever way it comes to the transport."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Iterator, Sequence

import httpx
import pytest

from connectors.connector import Flow
from connectors.errors import NotSent
from connectors.gateway import Gateway
from connectors.relay import relay
from connectors.secret import Secret
from connectors.signatures import HeaderAuth
from connectors.transport import perform
from tests.connectors import faults
from tests.connectors.payloads import ADDRESSES, LITERALS, PUBLIC, Names, watching

HOME = "https://provider.test/"
Entry = Callable[[str, httpx.AsyncBaseTransport], Awaitable[object]]


@pytest.fixture
def dialled() -> Iterator[list[str]]:
    with watching() as addresses:
        yield addresses


def signed() -> HeaderAuth:
    return HeaderAuth({"Authorization": Secret("Bearer secret")})


async def read(url: str, transport: httpx.AsyncBaseTransport) -> object:
    return await perform(_one("GET", url), transport=transport, auth=signed(), origin=HOME)


async def write(url: str, transport: httpx.AsyncBaseTransport) -> object:
    return await perform(_one("POST", url), transport=transport, auth=signed(), origin=HOME)


async def read_as_its_own_origin(url: str, transport: httpx.AsyncBaseTransport) -> object:
    """As a base URL or a token URL that was filled from what a customer typed."""
    return await perform(_one("GET", url), transport=transport, auth=signed(), origin=url)


async def call(url: str, transport: httpx.AsyncBaseTransport) -> object:
    """As the proxy sends it."""
    deadline = asyncio.get_running_loop().time() + 60
    request = httpx.Request("POST", url, content=b"x")
    async with relay(request, transport=transport, auth=signed(), origin=url, deadline=deadline) as response:
        return response


ENTRIES: tuple[Entry, ...] = (read, write, read_as_its_own_origin, call)
entries = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.__name__)


def _one(method: str, url: str) -> Flow[httpx.Response]:
    return (yield httpx.Request(method, url))


async def refused(entry: Entry, url: str, names: Names) -> str | None:
    """Send, have it refused before anything leaves, and answer the code of the fault."""
    transport = Gateway(resolver=names).transport()
    try:
        with pytest.raises((NotSent, httpx.InvalidURL)) as caught:
            await entry(url, transport)
    finally:
        await transport.aclose()
    if not isinstance(caught.value, NotSent):
        return None  # nobody could even write the request
    assert caught.value.fault.kind in ("forbidden", "invalid"), (url, caught.value)
    return caught.value.fault.code


def test_there_are_enough_payloads() -> None:
    assert len({*ADDRESSES, *LITERALS}) >= 150


@entries
async def test_a_forbidden_url_is_never_dialled(dialled: list[str], entry: Entry) -> None:
    for url in LITERALS:
        await refused(entry, url, Names(["127.0.0.1"]))
    assert dialled == []


ANSWERS: dict[str, Callable[[str], Sequence[list[str]]]] = {
    "alone": lambda address: [[address]],
    "behind a public one": lambda address: [[PUBLIC, address]],
    "before a public one": lambda address: [[address, PUBLIC]],
    "among public ones": lambda address: [[PUBLIC, "2606:2800:220:1:248:1893:25c8:1946", address, PUBLIC]],
}


@entries
@pytest.mark.parametrize("lists", ANSWERS.values(), ids=ANSWERS)
async def test_a_name_with_a_forbidden_address_is_never_dialled(
    dialled: list[str], entry: Entry, lists: Callable[[str], Sequence[list[str]]]
) -> None:
    for address in ADDRESSES:
        assert await refused(entry, HOME, Names(*lists(address))) == "address_denied", address
    assert dialled == []


@entries
async def test_a_name_that_changes_its_answers_is_dialled_at_none_but_checked_ones(
    dialled: list[str], entry: Entry
) -> None:
    """Each attempt to connect may ask again; what it is told then is checked again."""
    for address in ADDRESSES:
        transport = Gateway(resolver=Names([PUBLIC], [address])).transport()
        try:
            for _ in range(2):
                with pytest.raises(NotSent):
                    await entry(HOME, transport)
        finally:
            await transport.aclose()
    assert set(dialled) == {PUBLIC}


OWN = ipaddress.ip_network("127.0.0.2/32")
"""Where a provider of these tests is; 127.0.0.1 is as forbidden as any other address."""


@pytest.mark.parametrize("follows", [True, False], ids=["follows redirects", "does not"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_a_payload_is_an_answer_and_no_connection(
    dialled: list[str], status: int, *, follows: bool
) -> None:
    target = ""

    async def redirect(_: bytes) -> bytes:
        return f"HTTP/1.1 {status} Go\r\nContent-Length: 0\r\nLocation: ".encode() + target.encode() + b"\r\n\r\n"

    auth = signed()
    auth.follows_redirects = follows
    transport = Gateway(allowed_networks=[OWN], resolver=Names(["127.0.0.1"])).transport()
    async with faults.serving(faults.computes(redirect), host="127.0.0.2") as server:
        for payload in LITERALS:
            target = payload
            before = len(server.requests)
            answer = await perform(_one("GET", f"{server.url}/"), transport=transport, auth=auth, origin=server.url)
            assert answer.status_code == status
            assert len(server.requests) == before + 1, payload
        await transport.aclose()
    assert set(dialled) == {"127.0.0.2"}
