"""What browsers may do with our answers: which addresses pages of other origins may call, and the security headers.

The API has no cookies, so any origin may call what the published browser library calls (``*``, never with credentials,
never an echo of the caller's). Nothing else can be called from a page: keys that open the rest belong on a server. The
headers are defaults: a page of ours, or an answer that comes through the proxy, brings its own where these do not fit.

Sources: https://fetch.spec.whatwg.org/#http-cors-protocol, https://www.w3.org/TR/CSP3/,
https://www.rfc-editor.org/rfc/rfc6797 (Strict-Transport-Security).
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

METHODS = b"GET, POST, PATCH, DELETE"
REQUEST_HEADERS = (
    b"Content-Type, X-Api-Key, Authorization, X-Amp-Client, X-Amp-Client-Version, Idempotency-Key, X-Isthmus-Detail"
)
"""What a page may send; ``*`` would not cover ``Authorization``."""
_MORE_OF_THE_CLIENT = re.compile(rb"x-amp-client-[a-z0-9-]{1,40}")
"""Published clients tell more about themselves under further names."""
_MOST_ASKED = 1024
_MAX_AGE_SECONDS = b"7200"
"""The longest that Chromium remembers a preflight."""
_HSTS = (b"strict-transport-security", b"max-age=31536000")
_DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # Of an answer that is embedded without CORS, such as an image: what our own API says is no part of any page.
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_READABLE = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"X-Request-Id, Retry-After, X-Isthmus-Warning"),
)
Headers = tuple[tuple[bytes, bytes], ...]


class Browsers:
    """Knows which paths pages may call, and completes the headers of every answer."""

    def __init__(self, paths: Iterable[str], *, public_url: str) -> None:
        self._called = re.compile("|".join(map(_pattern, paths)))
        self._defaults: Headers = (*_DEFAULTS, _HSTS) if public_url.startswith("https://") else _DEFAULTS
        self.may_call = lru_cache(4096)(self._may_call)
        """Tells whether pages of any origin may call a path, in the spelling of `parse_address`."""

    def _may_call(self, path: str) -> bool:
        return self._called.fullmatch(path) is not None

    def complete(self, headers: Sequence[tuple[bytes, bytes]], *, readable: bool) -> Headers:
        """Add the defaults that an answer lacks; ``readable`` lets pages of any origin read it."""
        present = {name.lower() for name, _ in headers}
        missing = tuple(pair for pair in self._defaults if pair[0] not in present)
        return (*headers, *missing, *_READABLE) if readable else (*headers, *missing)

    def preflight(self, asked: bytes) -> Headers:
        """Answer what a page may send. ``asked`` is the value of ``Access-Control-Request-Headers``."""
        names = [name.strip().lower() for name in asked[:_MOST_ASKED].split(b",")]
        known = REQUEST_HEADERS.lower().split(b", ")
        more = [name for name in names if _MORE_OF_THE_CLIENT.fullmatch(name) and name not in known]
        return (
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", b", ".join([REQUEST_HEADERS, *more])),
            (b"access-control-max-age", _MAX_AGE_SECONDS),
        )


def _pattern(path: str) -> str:
    """Match what a routed path matches. No id begins with a colon: such a segment is a verb."""
    return "/".join("[^/:][^/]*" if part.startswith("{") else re.escape(part) for part in path.split("/"))
