"""The ways a caller may hand us credentials, and which of them fit which provider."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from connectors.credentials import (
    ApiKeyCredentials,
    AuthorizationCodeTokens,
    BasicCredentials,
    ClientCredentials,
    Credentials,
    CustomCredentials,
    NoCredentials,
    PasswordCredentials,
)
from connectors.provider import Provider
from connectors.secret import Secret, Veiled
from installations.errors import InvalidInput, Issue, at, invalid
from installations.installation import AuthScheme
from server.api.bodies import Name, Text
from server.inputs import custom_issues

OAuthScopes = Annotated[tuple[Name, ...], Meta(max_length=200)]
ApiKeyText = Annotated[
    str, Meta(min_length=1, max_length=10_000, pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$(?!\n)")
]
"""A key becomes a header, so it is visible ASCII. Python's ``$`` alone would let a line break follow."""
Moment = Annotated[datetime, Meta(tz=True)]
Secretish = Annotated[str, Meta(max_length=10_000)]


class BasicAuthForm(Veiled, frozen=True, kw_only=True, rename="camel"):
    """User name and password."""

    username: Name
    password: Secretish


class ClientCredentialsForm(Veiled, frozen=True, kw_only=True, rename="camel"):
    """The customer's own OAuth client."""

    client_id: Name
    client_secret: Text
    scopes: OAuthScopes = ()


class PasswordForm(Veiled, frozen=True, kw_only=True, rename="camel"):
    """The resource owner password grant."""

    username: Name
    password: Text
    client_id: Name
    client_secret: Text
    scopes: OAuthScopes = ()


class TokenForm(Veiled, frozen=True, kw_only=True, rename="camel"):
    """A token and its times."""

    token: ApiKeyText
    expires_at: Moment | UnsetType = UNSET
    issued_at: Moment | UnsetType = UNSET


class TokensForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Tokens that were had elsewhere."""

    access_token: TokenForm
    refresh_token: TokenForm | UnsetType = UNSET
    scopes: OAuthScopes | UnsetType = UNSET


class CredentialForms(Veiled, frozen=True, kw_only=True, rename="camel"):
    """The members of a request that carry credentials; at most one of them is given."""

    api_key: ApiKeyText | UnsetType = UNSET
    basic_auth: BasicAuthForm | UnsetType = UNSET
    oauth2_client_credentials: ClientCredentialsForm | UnsetType = msgspec.field(
        default=UNSET, name="oauth2ClientCredentials"
    )
    oauth2_password_credentials: PasswordForm | UnsetType = msgspec.field(
        default=UNSET, name="oauth2PasswordCredentials"
    )
    oauth2_authorization_code: TokensForm | UnsetType = msgspec.field(default=UNSET, name="oauth2AuthorizationCode")
    custom_auth: Annotated[dict[Name, Secretish], Meta(max_length=50)] | UnsetType = UNSET


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials as they were handed in: the member they came in, the scheme that is published, the secret itself."""

    member: str
    scheme: AuthScheme
    credentials: Credentials


_OAUTH_FORMS: dict[str, str] = {
    "authorizationCode": "oauth2AuthorizationCode",
    "authorizationCodePKCE": "oauth2AuthorizationCode",
    "clientCredentials": "oauth2ClientCredentials",
    "password": "oauth2PasswordCredentials",
}


def open_forms(forms: CredentialForms, *, provider: Provider, path: str = "") -> Opened:
    """Find the one form that was filled in. ``path`` is where the forms stand in the request.

    Raises `InvalidInput` with every issue unless it is exactly one, fits the provider and holds all it asks for.
    """
    found = [opened for opened in _filled_in(forms, provider) if opened is not None]
    if not found and provider.auth_type == "none":
        return Opened(member="", scheme="none", credentials=NoCredentials())
    if len(found) != 1:
        raise invalid(path, _count_message(found, provider), code="credentials")
    (opened,) = found
    if opened.member not in form_names(provider):
        raise _misfit(at(path, opened.member), provider)
    if issues := list(_content_issues(forms, provider, path)):
        raise InvalidInput(issues)
    return opened


def form_names(provider: Provider) -> list[str]:
    """List the forms that fit a provider, the usual one first."""
    if provider.auth_type == "oauth2":
        own = "" if provider.oauth2_opts is UNSET else _OAUTH_FORMS[provider.oauth2_opts.grant_type]
        # A token that somebody made by hand at an OAuth provider is sent like an API key.
        return [name for name in (own, "apiKey") if name]
    if provider.auth_type == "basic":
        takes_key = provider.basic_opts is not UNSET and provider.basic_opts.api_key_as_basic is True
        return ["apiKey", "basicAuth"] if takes_key else ["basicAuth"]
    return {"apiKey": ["apiKey"], "custom": ["customAuth"]}.get(provider.auth_type, [])


def _content_issues(forms: CredentialForms, provider: Provider, path: str) -> Iterator[Issue]:
    if forms.basic_auth is not UNSET and ":" in forms.basic_auth.username:
        # RFC 7617, section 2: the first colon ends the user name.
        where = at(at(path, "basicAuth"), "username")
        yield Issue(path=where, message="must not hold a colon", code="bad-value")
    if forms.custom_auth is not UNSET:
        yield from custom_issues(provider, forms.custom_auth, path=at(path, "customAuth"))


def _count_message(found: list[Opened], provider: Provider) -> str:
    if found:
        return f"give credentials in one way, not in {len(found)}: {', '.join(opened.member for opened in found)}"
    return f"{provider.display_name} needs credentials; give {_choice(provider)}"


def _misfit(path: str, provider: Provider) -> InvalidInput:
    message, remedy = f"{provider.display_name} does not authenticate this way", f"Give {_choice(provider)}."
    return invalid(path, message, code="credentials", remedy=remedy)


def _choice(provider: Provider) -> str:
    first, *others = form_names(provider) or ["no credentials"]
    return f"one of {first}, {', '.join(others)}" if others else first


def _filled_in(forms: CredentialForms, provider: Provider) -> list[Opened | None]:
    return [
        _api_key(forms.api_key),
        _basic(forms.basic_auth),
        _client(forms.oauth2_client_credentials),
        _password(forms.oauth2_password_credentials),
        _tokens(forms.oauth2_authorization_code, provider),
        _custom(forms.custom_auth),
    ]


def _api_key(key: str | UnsetType) -> Opened | None:
    if key is UNSET:
        return None
    return Opened(member="apiKey", scheme="apiKey", credentials=ApiKeyCredentials(api_key=Secret(key)))


def _basic(form: BasicAuthForm | UnsetType) -> Opened | None:
    if form is UNSET:
        return None
    credentials = BasicCredentials(username=form.username, password=Secret(form.password))
    return Opened(member="basicAuth", scheme="basic", credentials=credentials)


def _client(form: ClientCredentialsForm | UnsetType) -> Opened | None:
    if form is UNSET:
        return None
    credentials = ClientCredentials(
        client_id=form.client_id, client_secret=Secret(form.client_secret), scopes=form.scopes
    )
    return Opened(member="oauth2ClientCredentials", scheme="oauth2/clientCredentials", credentials=credentials)


def _password(form: PasswordForm | UnsetType) -> Opened | None:
    if form is UNSET:
        return None
    credentials = PasswordCredentials(
        username=form.username,
        password=Secret(form.password),
        client_id=form.client_id,
        client_secret=Secret(form.client_secret),
        scopes=form.scopes,
    )
    return Opened(member="oauth2PasswordCredentials", scheme="oauth2/password", credentials=credentials)


def _tokens(form: TokensForm | UnsetType, provider: Provider) -> Opened | None:
    if form is UNSET:
        return None
    credentials = AuthorizationCodeTokens(
        access_token=Secret(form.access_token.token),
        refresh_token=Secret(form.refresh_token.token) if form.refresh_token else None,
        expires_at=form.access_token.expires_at or None,
        issued_at=form.access_token.issued_at or None,
        scopes=form.scopes or (),
    )
    pkce = provider.oauth2_opts is not UNSET and provider.oauth2_opts.grant_type == "authorizationCodePKCE"
    scheme: AuthScheme = "oauth2/authorizationCodePKCE" if pkce else "oauth2/authorizationCode"
    return Opened(member="oauth2AuthorizationCode", scheme=scheme, credentials=credentials)


def _custom(values: dict[str, Any] | UnsetType) -> Opened | None:
    if values is UNSET:
        return None
    credentials = CustomCredentials(values={name: Secret(value) for name, value in values.items()})
    return Opened(member="customAuth", scheme="none", credentials=credentials)
