"""No payload is ever dialled: an audit hook sees every connect of the process and stops all but loopback."""

import ipaddress
import socket
import sys
from typing import Any

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from connectors.addresses import AddressPolicy
from connectors.connector import Flow
from connectors.errors import ConnectorError, NotSent
from connectors.gateway import Gateway
from connectors.transport import perform
from tests.connectors import faults

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
PRIVATE = ipaddress.ip_network("10.1.0.0/16")
PUBLIC = "93.184.216.34"

dialled: list[str] = []
watching: list[bool] = []


def spy(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not watching or not isinstance(arguments[1], tuple):
        return
    address = str(arguments[1][0])
    dialled.append(address)
    if not ipaddress.ip_address(address).is_loopback:
        raise ConnectionRefusedError(f"the spy stopped {address}")


sys.addaudithook(spy)


@pytest.fixture(autouse=True)
def spying() -> Any:
    dialled.clear()
    watching.append(True)
    yield
    watching.clear()


class Names(AbstractResolver):
    """Answers any name by the given addresses; each resolution by the next list, the last one again and again."""

    def __init__(self, *lists: list[str]) -> None:
        self.lists = list(lists)
        self.asked: list[str] = []

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 -- the interface
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return [
            ResolveResult(
                hostname=host,
                host=answer,
                port=port,
                family=socket.AF_INET6 if ":" in answer else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for answer in answers
        ]

    async def close(self) -> None:
        return None


ADDRESSES = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.254",
    "127.0.0.1",
    "127.1.2.3",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.169.253",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2002:c0a8:1::",
    "3fff::1",
    "4000::1",
    "5f00::1",
    "fc00::1",
    "fd00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::a9fe:a9fe",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

LITERALS = [
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://00/",
    "https://127.0.0.1./",
    "https://127.0.0.01/",
    "https://0127.0.0.1/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:a9fe:a9fe]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fd00:ec2::254]/",
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.169.254/",
    "https://0xa9fea9fe/",
    "https://2852039166/",
    "https://169.254.43518/",
    "https://0251.0376.0251.0376/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.168.1.1/",
    "https://10.0.0.1:8443/",
    "https://user@127.0.0.1/",
    "https://user:pass@provider.test/",
    "https://provider.test@127.0.0.1/",
    "https://127.0.0.1#@provider.test/",
    "https://127.0.0.1?@provider.test/",
    "https://255.255.255.255/",
    "https://1.1.1.256/",
    "https://1.2.3.4.5/",
    "https://1.2.3/",
    "https://99999999999/",
    "http://93.184.216.34/",
    "https://93.184.216.34:22/",
    "https://93.184.216.34:25/",
    "https://93.184.216.34:80/",
    "ftp://provider.test/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "dict://127.0.0.1:11211/",
    "ws://provider.test/",
    "//provider.test/",
    "https:///path",
    "https://./",
    "https://../",
    "https://.provider.test/",
    "https://provider..test/",
    "https://-a.test/",
    "https://a-.test/",
    "https://provider.test./",
    "https://pro%76ider.test/",
    "https://127。0。0。1/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127.0.0.1/",
    "https://provider.test\\@127.0.0.1/",
    "https://127.0.0.1\\@provider.test/",
    "https://localhost%00.test/",
]


async def dial(url: str, resolver: AbstractResolver, *, networks: Any = ()) -> ConnectorError | httpx.Response:
    transport = Gateway(allowed_networks=networks, resolver=resolver).transport()

    def flow() -> Flow[httpx.Response]:
        return (yield httpx.Request("GET", url))

    try:
        return await perform(flow(), transport=transport, auth=httpx.Auth(), origin="https://provider.test/")
    except ConnectorError as error:
        return error
    finally:
        await transport.aclose()


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_name_for_a_forbidden_address_is_never_dialled(address: str) -> None:
    error = await dial("https://provider.test/", Names([address]))
    assert isinstance(error, NotSent)
    assert (error.fault.kind, error.fault.code) == ("forbidden", "address_denied")
    assert dialled == []


@pytest.mark.parametrize("url", LITERALS)
async def test_a_forbidden_url_is_never_dialled(url: str) -> None:
    error = await dial(url, Names(["127.0.0.1"]))
    assert isinstance(error, NotSent)
    assert error.fault.kind in ("forbidden", "invalid")
    assert dialled == []


def test_there_are_enough_payloads() -> None:
    assert len({*ADDRESSES, *LITERALS}) >= 120


@pytest.mark.parametrize("answers", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "fd00::1"]])
async def test_one_forbidden_answer_forbids_the_name(answers: list[str]) -> None:
    error = await dial("https://provider.test/", Names(answers))
    assert isinstance(error, NotSent)
    assert error.fault.code == "address_denied"
    assert dialled == []


async def test_a_name_that_changes_its_answer_is_dialled_at_the_checked_one() -> None:
    """DNS rebinding: the first answer is public and checked; the next, of loopback, is never asked for a dial."""
    names = Names([PUBLIC], ["127.0.0.1"])
    await dial("https://provider.test/", names)
    assert set(dialled) == {PUBLIC}


async def test_a_public_address_is_dialled_over_https_only() -> None:
    refused = await dial("http://provider.test/", Names([PUBLIC]))
    assert isinstance(refused, NotSent)
    assert dialled == []
    await dial("https://provider.test/", Names([PUBLIC]))
    assert set(dialled) == {PUBLIC}


async def test_an_allowed_network_is_dialled_even_in_plain_http() -> None:
    async with faults.serving(faults.answers(faults.http(200, b"{}"))) as server:
        by_address = await dial(f"{server.url}/", Names([PUBLIC]), networks=[LOOPBACK])
        by_name = await dial(f"http://provider.test:{server.port}/", Names(["127.0.0.1"]), networks=[LOOPBACK])
    assert isinstance(by_address, httpx.Response)
    assert isinstance(by_name, httpx.Response)
    assert set(dialled) == {"127.0.0.1"}
    assert server.requests[1].lower().count(b"host: provider.test") == 1


async def test_a_redirect_to_metadata_is_an_answer_and_no_connection() -> None:
    away = faults.http(302, b"", "Location: http://169.254.169.254/latest/meta-data/")
    async with faults.serving(faults.answers(away)) as server:
        answer = await dial(f"{server.url}/", Names([PUBLIC]), networks=[LOOPBACK])
    assert isinstance(answer, httpx.Response)
    assert answer.status_code == 302
    assert set(dialled) == {"127.0.0.1"}


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
