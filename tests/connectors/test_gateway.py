"""Which addresses the gateway dials, and how."""

import ipaddress
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from aiohttp.abc import AbstractResolver

from connectors.addresses import AddressPolicy
from connectors.connector import Flow
from connectors.errors import ConnectorError, NotSent
from connectors.gateway import Gateway
from connectors.transport import perform
from tests.connectors import faults
from tests.connectors.payloads import PUBLIC, Names, watching

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
PRIVATE = ipaddress.ip_network("10.1.0.0/16")


@pytest.fixture
def dialled() -> Iterator[list[str]]:
    with watching() as addresses:
        yield addresses


async def dial(
    url: str, resolver: AbstractResolver, *, networks: Any = (), method: str = "GET"
) -> ConnectorError | httpx.Response:
    transport = Gateway(allowed_networks=networks, resolver=resolver).transport()

    def flow() -> Flow[httpx.Response]:
        return (yield httpx.Request(method, url))

    try:
        return await perform(flow(), transport=transport, auth=httpx.Auth(), origin="https://provider.test/")
    except ConnectorError as error:
        return error
    finally:
        await transport.aclose()


async def test_a_name_is_resolved_once_and_the_checked_answer_dialled(dialled: list[str]) -> None:
    """DNS rebinding: the first answer is public and checked; the next, of loopback, is never asked for a dial."""
    names = Names([PUBLIC], ["127.0.0.1"])
    await dial("https://provider.test/", names)
    assert set(dialled) == {PUBLIC}
    assert names.asked == ["provider.test"]


async def test_a_public_address_is_dialled_over_https_only(dialled: list[str]) -> None:
    refused = await dial("http://provider.test/", Names([PUBLIC]))
    assert isinstance(refused, NotSent)
    assert dialled == []
    await dial("https://provider.test/", Names([PUBLIC]))
    assert set(dialled) == {PUBLIC}


async def test_a_write_to_a_forbidden_address_is_known_not_to_have_happened() -> None:
    for method in ("POST", "PATCH", "DELETE"):
        error = await dial("https://provider.test/", Names(["127.0.0.1"]), method=method)
        assert isinstance(error, NotSent)
        assert error.fault.code == "address_denied"


async def test_an_allowed_network_is_dialled_even_in_plain_http(dialled: list[str]) -> None:
    async with faults.serving(faults.answers(faults.http(200, b"{}"))) as server:
        by_address = await dial(f"{server.url}/", Names([PUBLIC]), networks=[LOOPBACK])
        by_name = await dial(f"http://provider.test:{server.port}/", Names(["127.0.0.1"]), networks=[LOOPBACK])
    assert isinstance(by_address, httpx.Response)
    assert isinstance(by_name, httpx.Response)
    assert set(dialled) == {"127.0.0.1"}
    assert server.requests[1].lower().count(b"host: provider.test") == 1


@pytest.mark.parametrize("name", ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"])
async def test_a_proxy_of_the_environment_is_not_used(
    dialled: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async with faults.serving(faults.answers(faults.http(200, b"{}"))) as server:
        monkeypatch.setenv(name, f"http://127.0.0.1:{await faults.unused_port()}")
        answer = await dial(f"{server.url}/", Names([PUBLIC]), networks=[LOOPBACK])
    assert isinstance(answer, httpx.Response)
    assert len(dialled) == 1


@pytest.mark.parametrize(
    ("address", "port", "secure", "allowed"),
    [
        (PUBLIC, 443, True, True),
        (PUBLIC, 8443, True, True),
        (PUBLIC, 443, False, False),
        (PUBLIC, 22, True, False),
        ("2606:2800:220:1:248:1893:25c8:1946", 443, True, True),
        ("::ffff:93.184.216.34", 443, True, True),
        ("10.1.2.3", 22, False, True),
        ("::ffff:10.1.2.3", 80, False, True),
        ("10.2.0.1", 443, True, False),
        ("not an address", 443, True, False),
    ],
)
def test_the_policy_judges_address_port_and_scheme(address: str, port: int, *, secure: bool, allowed: bool) -> None:
    policy = AddressPolicy(allowed_networks=(PRIVATE,))
    assert (policy.address_problem(address, port=port, secure=secure) is None) is allowed
