"""Whose word is believed about where a request comes from."""

import ipaddress
from typing import Any

import pytest

from server.door.peers import client_address, neighbourhood
from server.settings import Settings

PROXIES = Settings(trusted_proxies=tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "2001:db8::/32"))))

CASES = [
    # who connects, what it says in X-Forwarded-For (one entry for each header), who that is
    ("203.0.113.9", [], "203.0.113.9"),
    ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
    ("203.0.113.9", ["10.0.0.1"], "203.0.113.9"),
    ("10.0.0.1", [], "10.0.0.1"),
    ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    ("10.0.0.1", ["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
    ("10.0.0.1", ["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
    ("10.0.0.1", ["192.0.2.66, 198.51.100.1, 10.0.0.2, 10.9.9.9"], "198.51.100.1"),
    ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    ("10.0.0.1", ["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
    ("10.0.0.1", ["198.51.100.1, "], "10.0.0.1"),
    ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),
    ("10.0.0.1", ["[2001:4860::1]:443"], "2001:4860::1"),
    ("10.0.0.1", ["2001:4860:0:0::1"], "2001:4860::1"),
    ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
    ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
    ("2001:db8::7", ["198.51.100.1"], "198.51.100.1"),
    ("10.0.0.1", ["' OR 1=1 --"], "10.0.0.1"),
    ("10.0.0.1", ["\xff\xfe"], "10.0.0.1"),
    ("10.0.0.1", ["198.51.100.1" * 1000], "10.0.0.1"),
    ("fe80::1%eth0", ["198.51.100.1"], "fe80::1"),
    ("/run/isthmus.sock", ["198.51.100.1"], "unknown"),
]


@pytest.mark.parametrize(("peer", "said", "who"), CASES)
def test_only_a_proxy_of_ours_says_who_is_behind_it(peer: str, said: list[str], who: str) -> None:
    headers = [(b"x-forwarded-for", entry.encode("latin-1")) for entry in said]
    assert client_address({"client": (peer, 1), "headers": headers}, PROXIES) == who


@pytest.mark.parametrize(("peer", "said", "who"), CASES)
def test_without_proxies_of_ours_nobody_is_believed(peer: str, said: list[str], who: str) -> None:
    scope: dict[str, Any] = {"client": (peer, 1), "headers": [(b"x-forwarded-for", b",".join(map(str.encode, said)))]}
    assert client_address(scope, Settings()) == client_address({**scope, "headers": []}, PROXIES)
    assert who


def test_a_connection_without_an_address_has_a_name_too() -> None:
    assert client_address({"client": None, "headers": []}, PROXIES) == "unknown"


@pytest.mark.parametrize(
    ("address", "area"),
    [("198.51.100.1", "198.51.100.1"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("unknown", "unknown")],
)
def test_whoever_has_many_addresses_is_one_caller(address: str, area: str) -> None:
    assert neighbourhood(address) == area
