"""How values that never change go onto a request: into headers, into the query, or both.

Whose values they are and where they go is decided in `connectors/credentials.py`.
"""

from collections.abc import Generator, Mapping
from typing import Protocol

import httpx

from connectors.secret import Secret
from installations.record import Fault


class Verdicts(Protocol):
    """Takes note of what a provider says to the credentials of one connection (`server/tokens`).

    Whoever drives a request tells it: `refused` after a refusal of the kind ``auth``, `accepted` after a success while
    ``troubled``. The version is asked for before the request.
    """

    @property
    def version(self) -> int:
        """Which credentials of the connection go onto requests at the moment."""
        ...

    @property
    def troubled(self) -> bool:
        """Whether a success would be news: the credentials were refused before."""
        ...

    async def refused(self, fault: Fault, *, version: int) -> None:
        """Hear that credentials of this version were refused."""
        ...

    def accepted(self) -> None:
        """Hear that the credentials were taken."""
        ...


class ConnectionAuth(httpx.Auth):
    """What `authorize` makes: it knows its secrets, so that a provider that quotes one back is not quoted in turn."""

    secrets: tuple[bytes, ...] = ()
    verdicts: Verdicts | None = None
    """Who wants to know what becomes of requests; ``None`` for credentials that are only tried."""
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
