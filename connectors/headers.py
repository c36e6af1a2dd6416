"""Which headers may leave: token names, visible ASCII, bounded. Nothing else reaches a transport.

Transports disagree on bad headers: some raise their own error, some a `UnicodeEncodeError`, some send them.
"""

import re
from collections.abc import Sequence

from connectors.errors import NotSent
from installations.record import Fault, Header

NAME_LIMIT = 256
VALUE_LIMIT = 8 * 1024
COUNT_LIMIT = 100

# RFC 9110, sections 5.1 (token) and 5.5 (field values). Space and tab only inside: a value has no surrounding space.
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"(?:[\x21-\x7e](?:[\x20\t\x21-\x7e]*[\x21-\x7e])?)?")


def header_problem(headers: Sequence[tuple[bytes, bytes]]) -> str | None:
    """Tell what is wrong with the headers of a request, without quoting a value; ``None`` if nothing is."""
    if len(headers) > COUNT_LIMIT:
        return f"there are {len(headers)} headers; at most {COUNT_LIMIT} are sent"
    for name, value in headers:
        problem = _problem(name, value)
        if problem:
            return problem
    return None


def _problem(name: bytes, value: bytes) -> str | None:
    if _TOKEN.fullmatch(name) and len(name) <= NAME_LIMIT and len(value) <= VALUE_LIMIT and _VALUE.fullmatch(value):
        return None
    shown = name[:64].decode("ascii", "backslashreplace")
    if len(name) > NAME_LIMIT or not _TOKEN.fullmatch(name):
        return f"the header name {shown!r} is not a token of at most {NAME_LIMIT} characters"
    if len(value) > VALUE_LIMIT:
        return f"the header {shown} is longer than {VALUE_LIMIT} bytes"
    return f"the header {shown} holds characters other than visible ASCII"


RESERVED = frozenset(
    {
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that callers may not set: they decide who we are, or where one message ends (RFC 9110, section 7.6.1)."""


def caller_headers(headers: Sequence[Header]) -> list[tuple[str, str]]:
    """Take a caller's headers for the provider. Raises `NotSent` (``invalid``) naming one that may not be set."""
    for header in headers:
        problem = _caller_problem(header)
        if problem:
            raise NotSent(Fault(kind="invalid", message=problem, code="header_invalid"))
    return [(header.key, header.value) for header in headers]


def _caller_problem(header: Header) -> str | None:
    if header.key.lower() in RESERVED or header.key.lower().startswith("x-forwarded-"):
        return f"the header {header.key[:64]!r} is not the caller's to set"
    return _problem(header.key.encode("utf-8", "replace"), header.value.encode("utf-8", "replace"))
