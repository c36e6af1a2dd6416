"""The servers as fixtures: started when the first test asks, ended with the session. Every session has its own."""

from collections.abc import Iterator
from typing import cast

import pytest

from tests.oauth_servers.servers import OAuthServer, oidc, toolkit


@pytest.fixture(scope="session")
def toolkit_server() -> Iterator[OAuthServer]:
    """Django-oauth-toolkit without a grace: a refresh token that comes twice ends its family."""
    with toolkit() as server:
        yield server


@pytest.fixture(scope="session")
def lenient_toolkit_server() -> Iterator[OAuthServer]:
    """Django-oauth-toolkit with 30 s of grace: a refresh token that comes twice is answered as the first time."""
    with toolkit(grace_seconds=30) as server:
        yield server


@pytest.fixture(scope="session")
def severing_toolkit_server() -> Iterator[OAuthServer]:
    """Django-oauth-toolkit whose pages cut themselves off from the window that opened them."""
    with toolkit(severs_openers=True) as server:
        yield server


@pytest.fixture(scope="session")
def oidc_server() -> Iterator[OAuthServer]:
    """Run oidc-provider: a refresh token that comes twice ends the whole grant."""
    with oidc() as server:
        yield server


@pytest.fixture
def oauth_server(request: pytest.FixtureRequest) -> OAuthServer:
    """One of the servers by the name of its fixture; see `ON_EVERY_SERVER`."""
    return cast("OAuthServer", request.getfixturevalue(request.param))


ON_EVERY_SERVER = pytest.mark.parametrize("oauth_server", ["toolkit_server", "oidc_server"], indirect=True)
"""For what has to be so whoever gives the tokens."""
