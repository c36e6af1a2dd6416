"""Which addresses and URLs may be called at all, as data.

Python's `ipaddress.is_global` is no such check: it calls multicast, 6to4, NAT64 and cloud metadata addresses global.
Sources: https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx
import msgspec

Network = IPv4Network | IPv6Network

DENIED_IPV4: tuple[IPv4Network, ...] = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; Linux dials the host itself
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; Alibaba's metadata is 100.100.100.200
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host: https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
        "169.254.0.0/16",  # link-local; metadata of most clouds is 169.254.169.254
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata is 192.0.0.192
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and the broadcast address
    )
)
ROUTED_IPV6 = IPv6Network("2000::/3")
"""Everything else (loopback, unique local, link-local, NAT64, multicast, mapped) is denied without being listed."""
DENIED_IPV6: tuple[IPv6Network, ...] = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo, ORCHID
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
HTTPS_PORT = 443
FIRST_OPEN_PORT = 1024
"""Below it, only 443 is called on public hosts: the rest are other protocols."""

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMERIC = re.compile(r"(?:\d+|0x[0-9a-f]*)")
_HOST_LIMIT = 253


class AddressPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator allows beyond the public internet. Loopback and private ranges are denied unless listed."""

    allowed_networks: tuple[Network, ...] = ()

    def address_problem(self, address: str, *, port: int, secure: bool) -> str | None:
        """Tell why this numeric address is not dialled; ``None`` if it is. Plain http needs an allowed network."""
        try:
            number = _unmapped(ip_address(address))
        except ValueError:
            return f"{address[:64]!r} is not a numeric address"
        if _within(number, self.allowed_networks):
            return None
        if _denied(number):
            return f"the address {number} is not public, and its range is not among the allowed networks"
        if not secure:
            return f"the address {number} is public, so https is required"
        if port != HTTPS_PORT and port < FIRST_OPEN_PORT:
            return f"port {port} is not called on public hosts"
        return None

    def url_problem(self, url: httpx.URL) -> str | None:
        """Tell what is wrong with a URL before any name is resolved; ``None`` if nothing is."""
        if url.scheme not in ("http", "https"):
            return f"the scheme {url.scheme[:16]!r} is not http or https"
        if url.userinfo:
            return "the URL holds a user name or password"
        host = url.raw_host.decode("ascii", "replace").lower()
        if ":" in host:
            return self._literal_problem(host, url)
        problem = _name_problem(host)
        if problem is None and _NUMERIC.fullmatch(host.rsplit(".", 1)[-1]):
            return self._literal_problem(host, url)
        return problem

    def _literal_problem(self, host: str, url: httpx.URL) -> str | None:
        secure = url.scheme == "https"
        return self.address_problem(host, port=url.port or (HTTPS_PORT if secure else 80), secure=secure)


def _name_problem(host: str) -> str | None:
    if not host:
        return "the URL has no host"
    if len(host) > _HOST_LIMIT or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        return f"{host[:64]!r} is not a host name"
    return None


def _unmapped(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Judge an IPv4 address written as IPv6 by what it is."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _within(address: IPv4Address | IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


def _denied(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv4Address):
        return _within(address, DENIED_IPV4)
    # A scoped address (fe80::1%eth0) depends on the machine's interfaces.
    return address.scope_id is not None or address not in ROUTED_IPV6 or _within(address, DENIED_IPV6)
