"""The sandbox's authorization server: clients, codes and tokens (RFC 6749, 7009, 7636), without HTTP.

Codes work once; a second use revokes what the first one gave. Refresh tokens rotate; a second use of an old one revokes
the whole family (RFC 9700, section 4.14.2).
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec.structs import replace

from connectors.sandbox.access import DEMO_WORKSPACE, Credential

SCOPES = ("records.read", "records.write")
DEMO_CLIENT_ID = "sandbox-demo-client"
DEMO_CLIENT_SECRET = "sandbox-demo-client-secret"  # noqa: S105 -- printed in the documentation; it guards demo data

CODE_LIFE = timedelta(minutes=2)
CONSENT_LIFE = timedelta(minutes=10)

_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\]|localhost)(?::\d{1,5})?(/.*)?")


class Client(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An application that may ask for access. Without a secret it is public and must use PKCE."""

    client_id: str
    client_secret: str = ""
    name: str = "An application"
    redirect_uris: tuple[str, ...] = ()
    """Compared as exact strings, but for the port of a loopback address (RFC 8252, section 7.3)."""
    workspace: str = DEMO_WORKSPACE
    """What client credentials open."""


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization request that waits for somebody to say yes."""

    client: Client
    redirect_uri: str
    scope: str
    state: str
    challenge: str
    expires: datetime


class TokenAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 6749, section 5.1, and the workspace the token opens."""

    access_token: str
    expires_in: int
    scope: str
    workspace_id: str
    refresh_token: str = ""
    token_type: Literal["Bearer", ""] = ""


class OAuthRefusal(Exception):
    """RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        self.error = error
        self.description = description
        super().__init__(f"{error}: {description}")


class Untrusted(OAuthRefusal):
    """The redirect URI cannot be trusted, so the person is told and nobody is redirected."""


class _Grant(msgspec.Struct, frozen=True, kw_only=True):
    family: str
    client_id: str
    workspace: str
    scope: str
    expires: datetime
    redirect_uri: str = ""
    challenge: str = ""
    spent: bool = False


class AuthorizationServer:
    """Everything the authorization server remembers.

    ``now`` is UTC, ``new_secret`` answers unguessable text, ``log_in`` what a user name and a password open.
    """

    def __init__(
        self,
        clients: tuple[Client, ...],
        *,
        now: Callable[[], datetime],
        new_secret: Callable[[], str],
        log_in: Callable[[str, str], Credential | None],
        token_life: timedelta,
    ) -> None:
        self._clients = {client.client_id: client for client in clients}
        self._now = now
        self._new_secret = new_secret
        self._log_in = log_in
        self.token_life = token_life
        """Of access tokens that are yet to be given."""
        self._consents: dict[str, Consent] = {}
        self._codes: dict[str, _Grant] = {}
        self._access: dict[str, _Grant] = {}
        self._refresh: dict[str, _Grant] = {}
        self._revoked: set[str] = set()

    def register(self, client: Client) -> None:
        """Add or replace a client."""
        self._clients[client.client_id] = client

    def clients(self) -> tuple[Client, ...]:
        """List the clients."""
        return tuple(self._clients.values())

    def begin(self, query: Mapping[str, str]) -> tuple[str, Consent]:
        """Check an authorization request and answer a ticket for its consent page.

        Raises `Untrusted` where nobody may be redirected, `OAuthRefusal` where the client is told by a redirect.
        """
        client = self.trusted_client(query)
        if query.get("response_type") != "code":
            raise OAuthRefusal("unsupported_response_type", "response_type must be code.")
        consent = Consent(
            client=client,
            redirect_uri=query["redirect_uri"],
            scope=_checked_scope(query.get("scope", "")),
            state=query.get("state", ""),
            challenge=_checked_challenge(query, client=client),
            expires=self._now() + CONSENT_LIFE,
        )
        ticket = self._new_secret()
        self._consents[ticket] = consent
        return ticket, consent

    def trusted_client(self, query: Mapping[str, str]) -> Client:
        """Answer the client whose redirect URI the request names exactly, or raise `Untrusted`."""
        client = self._clients.get(query.get("client_id", ""))
        if client is None:
            raise Untrusted("invalid_client", "No application with this client_id is registered.")
        if not _is_among(query.get("redirect_uri", ""), client.redirect_uris):
            raise Untrusted("invalid_request", "redirect_uri is not registered for this application.")
        return client

    def is_registered(self, redirect_uri: str) -> bool:
        """Whether any client has registered it."""
        return any(_is_among(redirect_uri, client.redirect_uris) for client in self._clients.values())

    def decide(self, ticket: str) -> Consent:
        """Take a waiting consent; each ticket works once."""
        consent = self._consents.pop(ticket, None)
        if consent is None or consent.expires <= self._now():
            raise Untrusted("invalid_request", "This page has expired. Start again at the application.")
        return consent

    def grant(self, consent: Consent, *, workspace: str) -> str:
        """Answer a code for a consent that was given."""
        code = self._new_secret()
        self._codes[code] = _Grant(
            family=self._new_secret(),
            client_id=consent.client.client_id,
            workspace=workspace,
            scope=consent.scope,
            expires=self._now() + CODE_LIFE,
            redirect_uri=consent.redirect_uri,
            challenge=consent.challenge,
        )
        return code

    def token(self, form: Mapping[str, str], *, client_id: str, client_secret: str) -> TokenAnswer:
        """Answer the token endpoint. Raises `OAuthRefusal`."""
        client = self._clients.get(client_id)
        if client is None or not hmac.compare_digest(client.client_secret.encode(), client_secret.encode()):
            raise OAuthRefusal("invalid_client", "The client_id or client_secret is wrong.")
        if form.get("grant_type") == "authorization_code":
            return self._exchange(form, client=client)
        if form.get("grant_type") == "refresh_token":
            return self._rotate(form.get("refresh_token", ""), client=client)
        if form.get("grant_type") == "client_credentials":
            return self._for_client(form, client=client)
        if form.get("grant_type") == "password":
            return self._for_password(form, client=client)
        raise OAuthRefusal(
            "unsupported_grant_type",
            "grant_type must be authorization_code, refresh_token, client_credentials or password.",
        )

    def expire(self) -> None:
        """End the time of all access tokens; refresh tokens stay."""
        self._access.clear()

    def revoke(self, token: str) -> None:
        """Revoke a token and its family; unknown tokens are fine (RFC 7009, section 2.2)."""
        grant = self._access.get(token) or self._refresh.get(token)
        if grant:
            self._revoked.add(grant.family)

    def credential(self, token: str) -> Credential | None:
        """Answer what an access token opens, or `None` if it is unknown, expired or revoked."""
        grant = self._access.get(token)
        if grant is None or grant.family in self._revoked or grant.expires <= self._now():
            return None
        may_write = "records.write" in grant.scope.split()
        return Credential(workspace=grant.workspace, access="write" if may_write else "read", scheme="oauth2")

    def _exchange(self, form: Mapping[str, str], *, client: Client) -> TokenAnswer:
        code = form.get("code", "")
        grant = self._codes.get(code)
        if grant is None or grant.client_id != client.client_id or grant.expires <= self._now():
            raise OAuthRefusal("invalid_grant", "The code is unknown or has expired.")
        if grant.spent:
            self._revoked.add(grant.family)
            raise OAuthRefusal("invalid_grant", "The code was used before; its tokens are revoked.")
        if grant.redirect_uri != form.get("redirect_uri"):
            raise OAuthRefusal("invalid_grant", "redirect_uri is not the one the code was asked with.")
        if grant.challenge != _challenge(form.get("code_verifier", "")):
            raise OAuthRefusal("invalid_grant", "code_verifier does not fit the code_challenge.")
        self._codes[code] = replace(grant, spent=True)
        return self._issue(grant, refreshable=True)

    def _rotate(self, token: str, *, client: Client) -> TokenAnswer:
        grant = self._refresh.get(token)
        if grant is None or grant.client_id != client.client_id or grant.family in self._revoked:
            raise OAuthRefusal("invalid_grant", "The refresh token is unknown or revoked.")
        if grant.spent:
            self._revoked.add(grant.family)
            raise OAuthRefusal("invalid_grant", "The refresh token was used before; its family is revoked.")
        self._refresh[token] = replace(grant, spent=True)
        return self._issue(grant, refreshable=True)

    def _for_client(self, form: Mapping[str, str], *, client: Client) -> TokenAnswer:
        if not client.client_secret:
            raise OAuthRefusal("unauthorized_client", "A public client has no credentials of its own.")
        grant = _Grant(
            family=self._new_secret(),
            client_id=client.client_id,
            workspace=client.workspace,
            scope=_checked_scope(form.get("scope", "")),
            expires=self._now(),
        )
        return self._issue(grant, refreshable=False)

    def _for_password(self, form: Mapping[str, str], *, client: Client) -> TokenAnswer:
        found = self._log_in(form.get("username", ""), form.get("password", ""))
        if found is None:
            raise OAuthRefusal("invalid_grant", "The username or password is wrong.")
        scope = _checked_scope(form.get("scope", ""))
        grant = _Grant(
            family=self._new_secret(),
            client_id=client.client_id,
            workspace=found.workspace,
            scope=scope if found.access == "write" else SCOPES[0],
            expires=self._now(),
        )
        return self._issue(grant, refreshable=False)

    def _issue(self, grant: _Grant, *, refreshable: bool) -> TokenAnswer:
        access_token, refresh_token = self._new_secret(), self._new_secret() if refreshable else ""
        self._access[access_token] = replace(grant, expires=self._now() + self.token_life)
        if refreshable:
            self._refresh[refresh_token] = replace(grant, spent=False)
        return TokenAnswer(
            access_token=access_token,
            refresh_token=refresh_token,
            token_type="Bearer",  # noqa: S106 -- the type's name
            expires_in=int(self.token_life.total_seconds()),
            scope=grant.scope,
            workspace_id=grant.workspace,
        )


def _is_among(uri: str, registered: tuple[str, ...]) -> bool:
    return uri in registered or any(_without_port(uri) == _without_port(each) for each in registered)


def _without_port(uri: str) -> str:
    found = _LOOPBACK.fullmatch(uri)
    return uri if found is None else f"http://{found[1]}{found[2] or ''}"


def _checked_scope(scope: str) -> str:
    asked = scope.split() or list(SCOPES)
    if set(asked) - set(SCOPES):
        raise OAuthRefusal("invalid_scope", f"Scopes are {' and '.join(SCOPES)}.")
    return " ".join(asked)


def _checked_challenge(query: Mapping[str, str], *, client: Client) -> str:
    challenge = query.get("code_challenge", "")
    if challenge and query.get("code_challenge_method") != "S256":
        raise OAuthRefusal("invalid_request", "code_challenge_method must be S256.")
    if not challenge and not client.client_secret:
        raise OAuthRefusal("invalid_request", "A public client must send a code_challenge.")
    return challenge


def _challenge(verifier: str) -> str:
    if not verifier:
        return ""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
