"""What a URL means here: which of the five published services it speaks to, and which of our routes.

The published API has verbs that share a segment with an id (``connections:generate``), object names that hold slashes,
and hosts that differ while the paths do not. `parse_address` turns all of that into one plain path that a router can
match segment by segment:

    /read/v1/projects/p/connections:generate              → read   /v1/projects/p/connections/:generate
    /v1/projects/p/integrations/i/objects/cms/v3/x        → any    /v1/projects/p/integrations/i/objects/cms%2Fv3%2Fx
    /v1/projects/p/integrations/i/objects/a%2Fb/metadata  → any    /v1/projects/p/integrations/i/objects/a%2Fb/metadata

Segments of the result stay escaped (``%2F``, ``%25``) so that a slash inside a name is no border; `unescape` is the
last step, taken by whoever uses the name.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Literal, get_args
from urllib.parse import unquote_to_bytes

import msgspec

from server.door.refusals import BadRequest

Service = Literal["any", "api", "read", "write", "search", "proxy"]
SERVICES = frozenset(get_args(Service)) - {"any"}
VERBS = frozenset(
    {
        *("generate", "batch", "hydrate", "oauth-update", "pause", "unpause"),
        *("deliverResults", "accept", "explain", "complete"),
        *("test", "enable", "replay"),
        *("resolve", "cancel", "retry", "replay"),
        *("edit", "review", "preview", "schema-check"),
    }
)
"""The suffixes that may follow an id or a collection."""
OBJECT_SUFFIXES = frozenset({"metadata", "config-content", "backfill-progress"})
"""The segments that may follow an object name."""
PROXY_HEADER = b"x-amp-proxy-version"
PROXY_PREFIX = b"/proxy"
_MAX_SEGMENT = 1024


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """The service meant and the path to route by."""

    service: Service
    path: str


@lru_cache(4096)
def parse_address(raw_path: bytes, *, host: bytes = b"") -> Address:
    """Read the path as it came over the wire, and the Host header. Raises `BadRequest`.

    A path prefix says more than a host name, so it wins where both name a service.
    """
    try:
        segments = raw_path.decode("ascii").split("/")[1:]
    except UnicodeDecodeError as error:
        raise BadRequest("The path holds bytes that must be percent-encoded.") from error
    service = _of_host(host)
    if segments[0] in SERVICES and segments[1:2] == ["v1"]:
        service, segments = _service(segments[0]), segments[1:]
    segments = _join_object_name(segments)
    return Address(service=service, path="/" + "/".join(_split_verb([_escape(_decode(s)) for s in segments])))


def proxied_path(raw_path: bytes, *, headers: Mapping[bytes, bytes], own_host: str = "") -> bytes | None:
    """Answer what a call through the proxy has behind the provider's base URL, byte for byte; ``None`` for no call.

    A request is one by its host (``proxy.`` or ``own_host``), where the path is the provider's as a whole; else by the
    header ``x-amp-proxy-version`` or the prefix ``/proxy``, which is taken off.
    """
    host = headers.get(b"host", b"").lower()
    if host.startswith(b"proxy.") or (own_host and host.partition(b":")[0].decode("latin-1") == own_host):
        return raw_path
    if raw_path == PROXY_PREFIX or raw_path.startswith(PROXY_PREFIX + b"/"):
        return raw_path.removeprefix(PROXY_PREFIX)
    return raw_path if PROXY_HEADER in headers else None


def unescape(segment: str) -> str:
    """Give a segment of a routed path its slashes and percent signs back."""
    return segment.replace("%2F", "/").replace("%25", "%")


def _of_host(host: bytes) -> Service:
    return _service(host.partition(b".")[0].decode("latin-1").lower()) if b"." in host else "any"


def _service(name: str) -> Service:
    for service in get_args(Service):
        if service == name:
            return service  # type: ignore[no-any-return]
    return "any"


def _join_object_name(segments: list[str]) -> list[str]:
    """Make one segment of everything between ``objects`` and a known suffix."""
    if segments[:2] != ["v1", "projects"] or "objects" not in segments[5:8:2]:
        return segments
    start = segments.index("objects", 5) + 1
    name, rest = segments[start:], []
    if len(name) > 1 and name[-1] in OBJECT_SUFFIXES:
        name, rest = name[:-1], name[-1:]
    return [*segments[:start], "%2F".join(name), *rest] if name else segments


def _decode(segment: str) -> str:
    if "%" not in segment and len(segment) <= _MAX_SEGMENT:
        return segment
    try:
        text = unquote_to_bytes(segment).decode()
    except UnicodeDecodeError as error:
        raise BadRequest("The path is not valid UTF-8.") from error
    if len(text) > _MAX_SEGMENT:
        raise BadRequest(f"A path segment is longer than {_MAX_SEGMENT} characters.")
    if not text.isprintable():
        raise BadRequest("The path holds control characters.")
    return text


def _escape(segment: str) -> str:
    return segment.replace("%", "%25").replace("/", "%2F")


def _split_verb(segments: list[str]) -> list[str]:
    head, colon, verb = segments[-1].rpartition(":")
    return [*segments[:-1], head, f":{verb}"] if colon and head and verb in VERBS else segments
