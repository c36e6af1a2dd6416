"""Which headers go through to a provider, and which of its own come back.

RFC 9110, section 7.6.1, says what is for one hop only. Beyond that: whatever says who we or our caller are stays here,
and so does whatever a provider says to browsers about an origin, for here it would be said of ours. So does what it
says to the server in front of it: before us stands the operator's, which would follow orders such as
``X-Accel-Redirect``, or keep one customer's answer for the next.
https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_ignore_headers
"""

import re
from collections.abc import Iterable, Iterator

Headers = Iterable[tuple[bytes, bytes]]

_ONE_HOP = frozenset(
    {
        *(b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"proxy-authenticate", b"proxy-authorization", b"proxy-authentication-info", b"http2-settings"),
    }
)
_NOT_OUT = _ONE_HOP | {
    *(b"authorization", b"cookie", b"host", b"x-api-key"),
    *(b"forwarded", b"via", b"x-real-ip"),
    # The body's framing and the wait for it are settled anew on each side.
    *(b"content-length", b"expect"),
}
_NOT_OUT_PREFIXES = (b"x-amp-", b"x-isthmus-", b"x-forwarded-", b"access-control-request-", b"sec-fetch-")
_NOT_IN = _ONE_HOP | {
    *(b"set-cookie", b"set-cookie2", b"strict-transport-security", b"public-key-pins", b"clear-site-data"),
    *(b"content-security-policy", b"content-security-policy-report-only", b"x-content-type-options"),
    *(b"server-timing", b"timing-allow-origin", b"alt-svc", b"report-to", b"reporting-endpoints", b"nel"),
    *(b"service-worker-allowed", b"sourcemap", b"x-sourcemap", b"refresh"),
    *(b"accept-ch", b"critical-ch", b"origin-agent-cluster", b"origin-trial", b"set-login", b"speculation-rules"),
    # For a cache in front of the server, which does not know whose key an answer was for.
    *(b"expires", b"age", b"surrogate-control", b"surrogate-key", b"cdn-cache-control", b"edge-control"),
    *(b"x-sendfile", b"x-lighttpd-send-file", b"x-lighttpd-send-tempfile", b"x-litespeed-location"),
    *(b"x-reproxy-url", b"x-reproxy-file"),
    b"date",  # the server that answers sets its own
}
_NOT_IN_PREFIXES = (b"access-control-", b"cross-origin-", b"x-accel-", b"x-amp-", b"x-isthmus-")
_SHARED = re.compile(rb"(public|private|s-maxage|proxy-revalidate)\s*(=.*)?", re.IGNORECASE)
"""What ``Cache-Control`` says to shared caches. RFC 9111, section 5.2.2."""
_REQUEST_ID = b"x-request-id"
PROVIDER_REQUEST_ID = b"x-isthmus-provider-request-id"
"""Where a provider's own ``X-Request-Id`` comes back: every answer of ours has one already."""
_ADDED = ((b"x-content-type-options", b"nosniff"), (b"content-security-policy", b"sandbox"))

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")


def outbound(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Answer what goes to the provider of a call's headers; names are in lower case already."""
    return list(_kept(headers, without=_NOT_OUT, prefixes=_NOT_OUT_PREFIXES))


def inbound(headers: Headers, *, bodiless: bool) -> list[tuple[bytes, bytes]]:
    """Answer what comes back of a provider's headers, and what we say of its answer.

    ``bodiless`` is for answers that by their status have no body: then no length is passed on either.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    without = _NOT_IN | {b"content-length"} if bodiless else _NOT_IN
    kept = _kept(lowered, without=without, prefixes=_NOT_IN_PREFIXES)
    return [*(_ours(name, value) for name, value in kept), *_ADDED]


def _ours(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Answer a header as it may stand in an answer of ours."""
    if name == _REQUEST_ID:
        return PROVIDER_REQUEST_ID, value
    if name == b"cache-control":
        # Keys are in a header of our own, so no shared cache can tell whom an answer is for.
        said = [one.strip() for one in value.split(b",")]
        return name, b", ".join([b"private", *(one for one in said if one and not _SHARED.fullmatch(one))])
    return name, value


def _kept(headers: Headers, *, without: frozenset[bytes], prefixes: tuple[bytes, ...]) -> Iterator[tuple[bytes, bytes]]:
    pairs = list(headers)
    named = {token.strip().lower() for name, value in pairs if name == b"connection" for token in value.split(b",")}
    for name, value in pairs:
        if name in without or name in named or name.startswith(prefixes):
            continue
        # What no server may send is dropped, since ours would break off at it.
        if _NAME.fullmatch(name) and _VALUE.fullmatch(value):
            yield name, value
