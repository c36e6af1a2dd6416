"""How values that never change go onto a request: into headers, into the query, or both.

Whose values they are and where they go is decided in `connectors/credentials.py`.
"""

from collections.abc import Generator, Mapping

import httpx

from connectors.secret import Secret


class ConnectionAuth(httpx.Auth):
    """What `authorize` makes: it knows its secrets, so that a provider that quotes one back is not quoted in turn."""

    secrets: tuple[bytes, ...] = ()
    follows_redirects: bool = False
    """Whether requests that carry it follow a redirect within its origin; a provider's data says so."""


class HeaderAuth(ConnectionAuth):
    """Puts fixed headers on each request."""

    def __init__(self, headers: Mapping[str, Secret]) -> None:
        self._headers = headers

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request once, with the headers."""
        for name, value in self._headers.items():
            request.headers[name] = value.reveal()
        yield request


class QueryAuth(ConnectionAuth):
    """Puts fixed parameters into the query of each request."""

    def __init__(self, parameters: Mapping[str, Secret]) -> None:
        self._parameters = parameters

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request once, with the parameters."""
        for name, value in self._parameters.items():
            request.url = request.url.copy_set_param(name, value.reveal())
        yield request


class ChainedAuth(ConnectionAuth):
    """Several of the above, one after the other; each must send once."""

    def __init__(self, *parts: HeaderAuth | QueryAuth) -> None:
        self._parts = parts

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request once, with everything the parts add."""
        for part in self._parts:
            next(part.auth_flow(request))
        yield request
