"""Who is at the other end: the address of a caller, believed only from those who may be believed.

Nothing but the address is ever taken from what a proxy says: what our own URLs look like is configuration
(`Settings.public_url`), and no answer depends on ``X-Forwarded-Host`` or ``X-Forwarded-Proto``.
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

from server.settings import Network, Settings

UNKNOWN = "unknown"
"""The caller of a connection that has no address, such as a Unix socket."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def client_address(scope: Any, settings: Settings) -> str:
    """Answer the address of whoever sent a request, in its canonical spelling.

    That is the peer itself, unless it is one of the operator's proxies (`Settings.trusted_proxies`): then it is the
    right-most entry of ``X-Forwarded-For`` that is not another of them. Entries further left are the caller's own
    invention and are not read. Where a proxy names nobody we can read, the proxy stands for its caller.
    """
    peer = scope.get("client")
    address = _parse(peer[0]) if peer else None
    if address is None:
        return UNKNOWN
    if settings.trusted_proxies and _is_one_of(address, settings.trusted_proxies):
        address = _forwarded(scope["headers"], address, trusted=settings.trusted_proxies)
    return str(address)


def neighbourhood(address: str) -> str:
    """Answer what one caller can hold many of: an IPv6 address is one of the 2**64 that its owner may use."""
    if ":" not in address:
        return address
    return str(ipaddress.ip_network(f"{address}/64", strict=False))


def _forwarded(headers: Iterable[tuple[bytes, bytes]], peer: _Address, *, trusted: tuple[Network, ...]) -> _Address:
    said = b",".join(value for name, value in headers if name == b"x-forwarded-for")
    for entry in reversed(said.decode("latin-1").split(",")):
        address = _parse(_without_port(entry.strip()))
        if address is None:
            return peer
        if not _is_one_of(address, trusted):
            return address
        peer = address
    return peer


def _without_port(entry: str) -> str:
    """Read ``192.0.2.1:443`` and ``[2001:db8::1]:443`` as some proxies spell them."""
    if entry.startswith("["):
        return entry[1:].partition("]")[0]
    return entry.partition(":")[0] if entry.count(":") == 1 else entry


def _parse(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_one_of(address: _Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)
