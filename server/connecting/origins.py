"""Origins of web pages, compared as exact strings and never by patterns (RFC 6454, section 6.1)."""

import ipaddress
import re
from urllib.parse import urlsplit

_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL}){{0,20}}")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_of(url: str) -> str | None:
    """Answer the origin of a URL as a browser would write it; ``None`` for what has none, such as ``null``."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or "@" in parts.netloc or not _is_host(host):
        return None
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}")


def is_origin(text: str) -> bool:
    """Tell whether a text is an origin, and spelt as browsers spell it: lower case, no path, no default port."""
    return origin_of(text) == text


def is_safe(origin: str) -> bool:
    """Tell whether nobody on the way can pose as this origin: https, or a page on the same machine."""
    host = urlsplit(origin).hostname or ""
    return origin.startswith("https://") or host == "localhost" or host.endswith(".localhost") or _is_loopback(host)


def _is_host(host: str) -> bool:
    return _HOST.fullmatch(host) is not None or (":" in host and _address(host) is not None)


def _is_loopback(host: str) -> bool:
    address = _address(host)
    return address is not None and address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
