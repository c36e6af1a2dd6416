"""Which credential a request shows, and which page it says it comes from; whether they are good is not asked here."""

from collections.abc import Iterable
from typing import NamedTuple

from server.access.errors import Unauthenticated

_BEARER = "bearer "


class Credentials(NamedTuple):
    """What the headers of one request show. At most one of key and token is there."""

    api_key: str | None
    token: str | None
    origin: str | None
    """The page's origin, as a browser tells it."""
    from_our_page: bool
    """A browser says that the page is of the very origin that is asked. It names none for what only reads."""


def read_credentials(headers: Iterable[tuple[bytes, bytes]]) -> Credentials:
    """Read ``X-Api-Key``, ``Authorization``, ``Origin`` and ``Sec-Fetch-Site`` out of raw headers, in lower case.

    The last is a browser's to send and no page's: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header

    Raises `Unauthenticated` where a request shows two credentials: whichever counted, somebody would be surprised by
    it, above all a backend that adds its own key to what it passes on from a browser. Another scheme beside a key is
    the business of somebody on the way, such as a proxy with a password, and is not read.
    """
    keys, authorizations, origins, from_our_page = [], [], [], False
    for name, value in headers:
        if name == b"x-api-key":
            keys.append(value.decode("latin-1"))
        elif name == b"authorization":
            authorizations.append(value.decode("latin-1"))
        elif name == b"origin":
            origins.append(value.decode("latin-1"))
        elif name == b"sec-fetch-site":
            from_our_page = value == b"same-origin"
    tokens = [value[len(_BEARER) :] for value in authorizations if value[: len(_BEARER)].lower() == _BEARER]
    if len(keys) + len(tokens) > 1:
        raise Unauthenticated("Send one credential: either X-Api-Key, or Authorization: Bearer with a signed token.")
    return Credentials(
        api_key=keys[0] if keys else None,
        token=tokens[0] if tokens else None,
        origin=origins[0] if len(origins) == 1 else None,
        from_our_page=from_our_page and not origins,
    )
