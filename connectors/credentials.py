"""What a connection holds to prove itself to a provider, and how that goes onto a request.

Where a key goes is the provider's data (`connectors/provider.py`); a connector never sees any of this. Each scheme is
an `httpx.Auth`, whose flow may send a request again after reading the answer: the place of a refresh after a 401.
"""

import base64
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol, TypeAlias

import httpx
import msgspec
from msgspec import UNSET

from connectors.provider import ApiKeyAsBasicOpts, ApiKeyHeader, ApiKeyOpts, CustomOpts, Provider, ValueTemplate
from connectors.secret import Secret, decode_secret, encode_secret
from connectors.signatures import ChainedAuth, ConnectionAuth, HeaderAuth, QueryAuth
from connectors.templates import TemplateError, fill_secret
from connectors.token_answers import encoded_pair


class CredentialsError(Exception):
    """The credentials cannot be read, or do not fit the provider. The message never holds a value of them."""


class NoCredentials(msgspec.Struct, frozen=True, kw_only=True, tag="none", tag_field="scheme"):
    """The provider asks for nothing."""


class ApiKeyCredentials(msgspec.Struct, frozen=True, kw_only=True, tag="apiKey", tag_field="scheme"):
    """One key, or a token that somebody made by hand."""

    api_key: Secret


class BasicCredentials(msgspec.Struct, frozen=True, kw_only=True, tag="basic", tag_field="scheme"):
    """User name and password."""

    username: str
    password: Secret


class AuthorizationCodeTokens(msgspec.Struct, frozen=True, kw_only=True, tag="authorizationCode", tag_field="scheme"):
    """What the authorization code grant gave."""

    access_token: Secret
    refresh_token: Secret | None = None
    expires_at: datetime | None = None
    """UTC; ``None`` where the provider does not say."""
    scopes: tuple[str, ...] = ()
    issued_at: datetime | None = None
    """UTC; when the access token was given, where we know."""
    client_id: str = ""
    """Whom it was given to: only that client can renew it. Empty for tokens that were had elsewhere."""


class CachedToken(msgspec.Struct, frozen=True, kw_only=True):
    """An access token that can be had again at any time."""

    access_token: Secret
    expires_at: datetime | None = None
    issued_at: datetime | None = None


class ClientCredentials(msgspec.Struct, frozen=True, kw_only=True, tag="clientCredentials", tag_field="scheme"):
    """The client credentials grant: the customer's own client."""

    client_id: str
    client_secret: Secret
    scopes: tuple[str, ...] = ()
    token: CachedToken | None = None


class PasswordCredentials(msgspec.Struct, frozen=True, kw_only=True, tag="password", tag_field="scheme"):
    """The resource owner password grant, for providers that still want it."""

    username: str
    password: Secret
    client_id: str = ""
    client_secret: Secret | None = None
    scopes: tuple[str, ...] = ()
    token: CachedToken | None = None


class CustomCredentials(msgspec.Struct, frozen=True, kw_only=True, tag="custom", tag_field="scheme"):
    """Values for the inputs that the provider declares in ``customOpts``."""

    values: dict[str, Secret]
    token: CachedToken | None = None
    """What a provider with a ``tokenRequest`` gave for them."""


Credentials: TypeAlias = (
    NoCredentials
    | ApiKeyCredentials
    | BasicCredentials
    | AuthorizationCodeTokens
    | ClientCredentials
    | PasswordCredentials
    | CustomCredentials
)

SHORTEST_SCRUBBED = 8
"""Characters of a secret that is worth looking for; a shorter one stands in honest words by chance."""

_DECODER: msgspec.json.Decoder[Credentials] = msgspec.json.Decoder(Credentials, dec_hook=decode_secret)
_ENCODER = msgspec.json.Encoder(enc_hook=encode_secret)


def parse_credentials(content: bytes) -> Credentials:
    """Read what `build_credentials` made. Raises `CredentialsError`, which quotes no value."""
    try:
        return _DECODER.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # msgspec may quote a value, so its message and the chain to it stay here.
        raise CredentialsError("the stored credentials cannot be read") from None


def build_credentials(credentials: Credentials) -> bytes:
    """Encode in plain text, for the vault. Store it sealed or not at all."""
    return _ENCODER.encode(credentials)


MOST_RENEWALS = 2
"""How often one request may be sent again with a newer token."""


class TokenSource(Protocol):
    """Where the access token of one connection comes from, and who keeps it fresh (`server/tokens`)."""

    @property
    def secrets(self) -> tuple[bytes, ...]:
        """The secrets held at the moment, for scrubbing."""
        ...

    async def token(self) -> Secret:
        """Answer the token to send now, renewed first if its time is over. Raises `ConnectorError`."""
        ...

    async def renewed(self, refused: Secret) -> Secret | None:
        """Answer a newer token than the one the provider refused, or ``None`` if there is none to be had."""
        ...

    def rejected(self, token: Secret) -> bool:
        """Hear that the provider refused this newer token too; tell whether that is the last word.

        It is not for a token that somebody else had long before: it may have gone bad along with the first.
        """
        ...


class TokenAuth(ConnectionAuth):
    """Puts a token on each request that comes from a source; after a 401 it asks for a newer one and sends again.

    Once, and a second time if the newer one was an old one itself. Sending again is safe whatever the request was: a
    401 says that the provider did nothing.
    """

    def __init__(self, source: TokenSource, carried: Callable[[Secret], ConnectionAuth]) -> None:
        self._source = source
        self._carried = carried

    @property
    def secrets(self) -> tuple[bytes, ...]:  # type: ignore[override]
        """The secrets of the moment: tokens change."""
        return self._source.secrets

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send with the current token, and again with newer ones."""
        token = await self._source.token()
        response = yield self._signed(request, token)
        for _ in range(MOST_RENEWALS):
            if response.status_code != HTTPStatus.UNAUTHORIZED:
                return
            newer = await self._source.renewed(token)
            if newer is None:
                return
            token = newer
            response = yield self._signed(request, token)
            if response.status_code == HTTPStatus.UNAUTHORIZED and self._source.rejected(token):
                return

    def _signed(self, request: httpx.Request, token: Secret) -> httpx.Request:
        return next(self._carried(token).sync_auth_flow(request))


def authorize(provider: Provider, credentials: Credentials, *, tokens: TokenSource | None = None) -> ConnectionAuth:
    """Tell how requests to ``provider`` carry ``credentials``.

    Where they are of a kind with tokens, ``tokens`` gives the one to send; without it the stored token is sent.
    Raises `CredentialsError` where the two do not fit, or where no token has been had yet and nobody can get one.
    """
    auth = _authorization(provider, credentials, tokens)
    auth.follows_redirects = bool(provider.follows_redirects)
    return auth


def _authorization(provider: Provider, credentials: Credentials, tokens: TokenSource | None) -> ConnectionAuth:
    held = tokened(provider, credentials)
    if held is not None and tokens is not None:
        _with_token(provider, held, Secret(""))  # what does not fit is named now, not in the middle of a flow
        return TokenAuth(tokens, lambda token: _with_token(provider, held, token))
    auth = _fixed(provider, credentials) if held is None else _with_token(provider, held, _stored_token(provider, held))
    auth.secrets = secrets_of(provider, credentials)
    return auth


Tokened: TypeAlias = AuthorizationCodeTokens | ClientCredentials | PasswordCredentials | CustomCredentials
"""Credentials that hold a token that runs out, or may hold one."""


def tokened(provider: Provider, credentials: Credentials) -> Tokened | None:
    """Answer the credentials if what goes onto a request is a token that runs out, and ``None`` if not."""
    match credentials:
        case AuthorizationCodeTokens() | ClientCredentials() | PasswordCredentials():
            return credentials
        case CustomCredentials() if provider.custom_opts is not UNSET:
            return None if provider.custom_opts.token_request is UNSET else credentials
        case _:
            return None


def secrets_of(provider: Provider, credentials: Credentials) -> tuple[bytes, ...]:
    """List the secrets of a connection, as they are and as they are sent, for scrubbing."""
    found = [secret.reveal() for secret in _secrets_in(credentials)]
    match credentials:
        case BasicCredentials(username=username, password=password):
            found.append(_encoded(f"{username}:{password.reveal()}"))
        case ApiKeyCredentials(api_key=key) if provider.auth_type == "basic":
            found.append(_encoded(_key_as_pair(provider, key)))
        case (
            ClientCredentials(client_id=name, client_secret=secret)
            | PasswordCredentials(client_id=name, client_secret=Secret() as secret)
        ):
            found.append(encoded_pair(name, secret.reveal()))
    return tuple(secret.encode() for secret in dict.fromkeys(found) if len(secret) >= SHORTEST_SCRUBBED)


def _secrets_in(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secrets_in(item)


def _fixed(provider: Provider, credentials: Credentials) -> ConnectionAuth:
    match credentials:
        case ApiKeyCredentials(api_key=key):
            return _api_key(provider, key)
        case BasicCredentials(username=username, password=password):
            return _basic(f"{username}:{password.reveal()}")
        case CustomCredentials(values=values):
            return _custom(provider, values)
        case _:
            return ConnectionAuth()


def _stored_token(provider: Provider, credentials: Tokened) -> Secret:
    if isinstance(credentials, AuthorizationCodeTokens):
        return credentials.access_token
    if credentials.token is None:
        raise CredentialsError(f"no access token has been had from {provider.display_name} yet")
    return credentials.token.access_token


def _with_token(provider: Provider, credentials: Tokened, token: Secret) -> ConnectionAuth:
    if isinstance(credentials, CustomCredentials):
        return _custom(provider, {**credentials.values, "token": token})
    options = UNSET if provider.oauth2_opts is UNSET else provider.oauth2_opts.access_token_opts
    return _bearer(token) if options is UNSET else _in_header(options.header, token)


def _bearer(token: Secret) -> HeaderAuth:
    return HeaderAuth({"Authorization": Secret(f"Bearer {token.reveal()}")})


def _in_header(header: ApiKeyHeader, secret: Secret) -> HeaderAuth:
    return HeaderAuth({header.name: Secret(f"{header.value_prefix or ''}{secret.reveal()}")})


def _basic(pair: str) -> HeaderAuth:
    return HeaderAuth({"Authorization": Secret(f"Basic {_encoded(pair)}")})


def _encoded(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode("ascii")


def _api_key(provider: Provider, key: Secret) -> ConnectionAuth:
    if provider.auth_type == "basic":
        return _basic(_key_as_pair(provider, key))
    if provider.api_key_opts is UNSET:
        # An OAuth provider's own hand-made token (HubSpot calls it a private app token) is sent like any other.
        return _bearer(key)
    return _declared_api_key(provider, provider.api_key_opts, key)


def _declared_api_key(provider: Provider, options: ApiKeyOpts, key: Secret) -> ConnectionAuth:
    if options.attachment_type == "query" and options.query is not UNSET:
        return QueryAuth({options.query.name: key})
    if options.attachment_type == "header" and options.header is not UNSET:
        return _in_header(options.header, key)
    raise CredentialsError(f"{provider.display_name} does not say where its API key goes")


def _key_as_pair(provider: Provider, key: Secret) -> str:
    options = UNSET if provider.basic_opts is UNSET else provider.basic_opts.api_key_as_basic_opts
    details = ApiKeyAsBasicOpts() if options is UNSET else options
    layout = details.key_format or "%s"
    text = layout.replace("%s", key.reveal())
    if ":" in layout:
        return text
    return f":{text}" if details.field_used == "password" else f"{text}:"


def _custom(provider: Provider, values: Mapping[str, Secret]) -> ConnectionAuth:
    options = CustomOpts() if provider.custom_opts is UNSET else provider.custom_opts
    return ChainedAuth(
        HeaderAuth(_filled(options.headers or (), values)), QueryAuth(_filled(options.query_params or (), values))
    )


def _filled(templates: Sequence[ValueTemplate], values: Mapping[str, Secret]) -> dict[str, Secret]:
    try:
        return {item.name: fill_secret(item.value_template, values) for item in templates}
    except TemplateError as error:
        raise CredentialsError(f"the credentials lack {', '.join(error.names)}") from error
