"""URLs below an account's base URL, whose parts cannot climb out of their places."""

from functools import lru_cache
from urllib.parse import quote

import httpx

from connectors.connector import Account
from connectors.errors import NotSent
from installations.record import Fault


@lru_cache(4_096)
def parse_url(text: str) -> httpx.URL:
    """Parse a URL, once: connectors build the same few again and again, and parsing one costs as much as a rule.

    Raises `httpx.InvalidURL`.
    """
    return httpx.URL(text)


def account_url(text: str) -> httpx.URL:
    """Parse what was filled in from what somebody typed. Raises `NotSent` (``invalid``)."""
    try:
        url = parse_url(text)
        _ = url.host  # here a name such as xn--a turns out to be none
    except (httpx.InvalidURL, UnicodeError) as error:
        raise NotSent(Fault(kind="invalid", message=f"the URL is invalid: {error}", code="url_invalid")) from error
    return url


def resource_url(account: Account, path: str, *segments: str) -> str:
    """Join the base URL, a path of ours and segments of theirs.

    Raises `NotSent` (``invalid``) for a segment that is empty or a dot segment: quoting leaves dots alone, and clients
    resolve them (RFC 3986, section 5.2.4), so ``/contacts/..`` would be another resource.
    """
    return "/".join((f"{account.base_url}/{path.strip('/')}".rstrip("/"), *(path_segment(part) for part in segments)))


def path_segment(value: str) -> str:
    """Quote one segment. Raises `NotSent` as `resource_url` does, and for a lone surrogate or NUL."""
    if value in ("", ".", ".."):
        raise _invalid(f"{value!r} cannot stand in a path")
    if "\x00" in value:
        raise _invalid("a NUL character cannot stand in a path")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError as error:
        raise _invalid("half of a surrogate pair cannot stand in a path") from error


def _invalid(message: str) -> NotSent:
    return NotSent(Fault(kind="invalid", message=message, code="path_invalid"))
