"""Headers for the provider's request: which ones a caller may set.

A name is an RFC 9110 token and a value is visible ASCII. Headers that carry credentials, say where the request goes, or
frame or describe the body belong to the connector (RFC 9110 sections 6.6, 7.2, 7.6.1 and 8.6; RFC 6265).
"""

import re
from collections.abc import Iterator, Sequence

from installations.errors import Issue
from installations.record import Header

MOST = 100
MOST_BYTES = 8192

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VISIBLE = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?")

_RESERVED: dict[str, str] = {
    **dict.fromkeys(("authorization", "proxy-authorization", "proxy-authenticate"), "carries credentials"),
    **dict.fromkeys(("cookie", "cookie2", "set-cookie"), "carries cookies"),
    **dict.fromkeys(("host", "forwarded"), "says where the request goes"),
    **dict.fromkeys(("content-length", "transfer-encoding", "trailer", "te", "expect"), "frames the body"),
    **dict.fromkeys(("content-type", "content-encoding"), "describes the body"),
    **dict.fromkeys(
        ("connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings"), "is for one hop only"
    ),
    **dict.fromkeys(("x-http-method", "x-http-method-override", "x-method-override"), "changes the method"),
}


def judge(headers: Sequence[Header]) -> list[Issue]:
    """Find fault with the headers of a request."""
    return [*_too_many(headers), *(issue for index, each in enumerate(headers) for issue in _judge_one(index, each))]


def _too_many(headers: Sequence[Header]) -> Iterator[Issue]:
    if len(headers) > MOST:
        yield Issue(path="headers", message=f"There are more than {MOST} headers.", code="too-many")
    if sum(len(header.key) + len(header.value) for header in headers) > MOST_BYTES:
        yield Issue(path="headers", message=f"The headers are longer than {MOST_BYTES} bytes.", code="too-long")


def _judge_one(index: int, header: Header) -> Iterator[Issue]:
    path = f"headers[{index}]"
    if not _TOKEN.fullmatch(header.key):
        message = f"{header.key[:80]!r} is not a header name."
        yield Issue(path=f"{path}.key", message=message, code="invalid-header")
    elif (why := _reason(header.key.lower())) is not None:
        message = f"The header {header.key} {why}; it is not the caller's to set."
        yield Issue(path=f"{path}.key", message=message, code="reserved-header")
    if not _VISIBLE.fullmatch(header.value):
        message = "A header value is visible ASCII, without line breaks and without space around it."
        yield Issue(path=f"{path}.value", message=message, code="invalid-header")


def _reason(name: str) -> str | None:
    return "says where the request comes from" if name.startswith("x-forwarded-") else _RESERVED.get(name)
