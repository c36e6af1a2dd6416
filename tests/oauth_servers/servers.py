"""The two servers as a test sees them: how to start one, register an application, and learn what it was asked."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import msgspec

from connectors.provider import Provider
from tests.oauth_servers.programs import running
from tests.oauth_servers.providers import oidc_provider, toolkit_provider
from tests.parts import absent

GrantType = Literal["authorization-code", "client-credentials", "password"]
SCOPES = ("contacts.read", "contacts.write")
REDIRECT = "http://127.0.0.1:9/callback"
"""Where nobody listens: for tests that read the code off the redirect."""
_OIDC = Path(__file__).parent / "oidc"


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """A registered OAuth client."""

    client_id: str
    client_secret: str
    """Empty for a public one."""


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One request that came to the token endpoint."""

    client_id: str
    grant_type: str
    status: int


class Living(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens of an application work."""

    access: int
    refresh: int


class OAuthServer:
    """A running server. Each test registers applications of its own, so that nobody meets another's tokens.

    These calls block: the server is another process and answers at once.
    """

    def __init__(self, provider: Provider, *, origin: str) -> None:
        self.provider = provider
        self.origin = origin
        self.contacts_url = f"{origin}/contacts"

    def register(
        self,
        *redirect_uris: str,
        grant: GrantType = "authorization-code",
        public: bool = False,
        token_life: int = 3600,
        name: str = "Isthmus",
    ) -> Application:
        """Register an application; ``token_life`` are the seconds its access tokens live."""
        asked = {
            "name": name,
            "redirectUris": redirect_uris or (REDIRECT,) * (grant == "authorization-code"),
            "grant": grant,
            "public": public,
            "tokenLife": token_life,
        }
        made = self._call("POST", "applications", json=asked)
        return Application(client_id=made["clientId"], client_secret=made["clientSecret"])

    def token_requests(self, client_id: str, *, grant_type: str | None = None) -> list[TokenRequest]:
        """List what came to the token endpoint in an application's name, oldest first."""
        answered = self._call("GET", "token-requests", params={"client_id": client_id})
        requests = msgspec.convert(answered["requests"], list[TokenRequest])
        return [each for each in requests if grant_type in {None, each.grant_type}]

    def refreshes(self, client_id: str) -> int:
        """Count the refreshes that succeeded."""
        return sum(each.status == httpx.codes.OK for each in self.token_requests(client_id, grant_type="refresh_token"))

    def living(self, client_id: str) -> Living:
        """Count the tokens that work."""
        return msgspec.convert(self._call("GET", "tokens", params={"client_id": client_id}), Living)

    def expire(self, client_id: str) -> int:
        """End all access tokens of an application now, as their time would; tell how many."""
        return int(self._call("POST", "expire", params={"client_id": client_id})["expired"])

    def _call(self, method: str, path: str, **rest: Any) -> Any:
        with httpx.Client(trust_env=False, verify=False) as client:  # noqa: S501 -- plain HTTP on loopback
            answer = client.request(method, f"{self.origin}/_test/{path}", **rest)
        assert answer.is_success, answer.text
        return answer.json()


@contextmanager
def toolkit(*, grace_seconds: int = 0, severs_openers: bool = False) -> Iterator[OAuthServer]:
    """Run django-oauth-toolkit; within the grace, a rotated refresh token answers the tokens that it was rotated to.

    ``severs_openers``: its pages send ``Cross-Origin-Opener-Policy: same-origin``, as many real log-in pages do.
    """
    with tempfile.TemporaryDirectory(prefix="isthmus-toolkit-") as folder:
        variables = {
            "TOOLKIT_FOLDER": folder,
            "TOOLKIT_GRACE": str(grace_seconds),
            "TOOLKIT_SEVERS_OPENERS": "1" if severs_openers else "",
            "PYTHONWARNINGS": "ignore",
        }
        with running((sys.executable, "-m", "tests.oauth_servers.toolkit.serve"), variables=variables) as origin:
            yield OAuthServer(toolkit_provider(origin), origin=origin)


@contextmanager
def oidc() -> Iterator[OAuthServer]:
    """Run oidc-provider; skip where Node.js or the package is absent, and fail there if this is CI."""
    with running(_oidc_command()) as origin:
        yield OAuthServer(oidc_provider(origin), origin=origin)


def _oidc_command() -> Sequence[str]:
    node = shutil.which("node")
    if node is None:
        absent("NODE.JS ABSENT: oidc-provider is not run; install node and npm, then `make test`")
    if not (_OIDC / "node_modules" / "oidc-provider").is_dir():
        absent(f"OIDC-PROVIDER ABSENT: run `npm ci` in {_OIDC}, or `make test`")
    return (node, str(_OIDC / "server.mjs"))
