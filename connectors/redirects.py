"""Which redirects are followed: none, unless the provider's data says so (`Provider.follows_redirects`).

Then only those that read and stay at home, so that credentials never leave their origin, and only so many. The request
that follows goes through the gateway like any other. RFC 9110, section 15.4.
"""

import httpx

from connectors.sending import origin_of

MOST_REDIRECTS = 3
"""A longer chain is a loop."""

_STATUSES = frozenset({301, 302, 303, 307, 308})
_READING = frozenset({"GET", "HEAD"})


def redirected(request: httpx.Request, response: httpx.Response) -> httpx.Request | None:
    """Make the request that an answer asks for, still to be signed; ``None`` where it is not followed."""
    if response.status_code not in _STATUSES or request.method not in _READING:
        return None
    try:
        url = request.url.join(response.headers["location"])
    except (KeyError, httpx.InvalidURL, UnicodeError):
        return None
    if origin_of(url) != origin_of(request.url) or url.userinfo:
        return None
    return httpx.Request(request.method, url, headers=request.headers, extensions=dict(request.extensions))
