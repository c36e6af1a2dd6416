"""Which URLs a destination may have: https, and http only where the operator has allowed networks of their own.

The gateway judges again at every attempt, with the addresses that the name has then.
"""

from collections.abc import Sequence

import httpx

from connectors.addresses import AddressPolicy, Network
from installations.errors import Issue

LONGEST = 2048


def url_issues(url: str, *, path: str, allowed_networks: Sequence[Network]) -> list[Issue]:
    """List what is wrong with a URL; its text may hold a secret and is not quoted."""
    problem = _problem(url, allowed_networks)
    return [] if problem is None else [Issue(path=path, code="bad-url", message=problem)]


def _problem(url: str, allowed_networks: Sequence[Network]) -> str | None:
    if len(url) > LONGEST:
        return f"the URL is longer than {LONGEST} characters"
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "this is not a URL"
    if parsed.scheme != "https" and not (parsed.scheme == "http" and allowed_networks):
        return "the URL must start with https://"
    return AddressPolicy(allowed_networks=tuple(allowed_networks)).url_problem(parsed)
