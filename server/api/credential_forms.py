"""The ways a caller may hand us credentials, and which of them fit which provider."""

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
from connectors.secret import Secret
from installations.errors import InvalidInput, invalid
from installations.installation import AuthScheme
from server.api.bodies import Name, Text

OAuthScopes = Annotated[tuple[Name, ...], Meta(max_length=200)]
ApiKeyText = Annotated[
    str, Meta(min_length=1, max_length=10_000, pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$(?!\n)")
]
"""A key becomes a header, so it is visible ASCII. Python's ``$`` alone would let a line break follow."""
Secretish = Annotated[str, Meta(max_length=10_000)]


class BasicAuthForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """User name and password."""

    username: Name
    password: Secretish


class ClientCredentialsForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The customer's own OAuth client."""

    client_id: Name
    client_secret: Text
    scopes: OAuthScopes = ()


class PasswordForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The resource owner password grant."""

    username: Name
    password: Text
    client_id: Name
    client_secret: Text
    scopes: OAuthScopes = ()


class TokenForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A token and its times."""

    token: ApiKeyText
    expires_at: datetime | UnsetType = UNSET
    issued_at: datetime | UnsetType = UNSET


class TokensForm(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Tokens that were had elsewhere."""

    access_token: TokenForm
    refresh_token: TokenForm | UnsetType = UNSET
    scopes: OAuthScopes | UnsetType = UNSET


class CredentialForms(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
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
    custom_auth: dict[str, ApiKeyText] | UnsetType = UNSET


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """Credentials as they were handed in: the member they came in, the scheme that is published, the secret itself."""

    member: str
    scheme: AuthScheme
    credentials: Credentials


_FITS: dict[str, frozenset[str]] = {
    # An OAuth provider's hand-made token is sent like an API key; some take a key as a user name.
    "apiKey": frozenset({"apiKey", "basic", "oauth2"}),
    "basicAuth": frozenset({"basic"}),
    "oauth2ClientCredentials": frozenset({"oauth2"}),
    "oauth2PasswordCredentials": frozenset({"oauth2"}),
    "oauth2AuthorizationCode": frozenset({"oauth2"}),
    "customAuth": frozenset({"custom"}),
}


def open_forms(forms: CredentialForms, *, provider: Provider) -> Opened:
    """Find the one form that was filled in. Raises `InvalidInput` unless it is exactly one, and fits the provider."""
    found = [opened for opened in _filled_in(forms, provider) if opened is not None]
    if not found and provider.auth_type == "none":
        return Opened(member="", scheme="none", credentials=NoCredentials())
    if len(found) != 1:
        raise invalid("", _count_message(found, provider), code="credentials")
    if provider.auth_type not in _FITS[found[0].member]:
        raise _misfit(found[0].member, provider)
    return found[0]


def form_names(provider: Provider) -> list[str]:
    """List the forms that fit a provider."""
    return [member for member, types in _FITS.items() if provider.auth_type in types]


def _count_message(found: list[Opened], provider: Provider) -> str:
    if found:
        return f"give credentials in one way, not in {len(found)}: {', '.join(opened.member for opened in found)}"
    return f"{provider.display_name} needs credentials; give one of {', '.join(form_names(provider))}"


def _misfit(member: str, provider: Provider) -> InvalidInput:
    remedy = f"Give one of {', '.join(form_names(provider)) or 'nothing'}."
    return invalid(member, f"{provider.display_name} does not authenticate this way", code="credentials", remedy=remedy)


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
