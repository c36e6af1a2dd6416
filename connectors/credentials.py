"""What a connection holds to prove itself to a provider, and how that goes onto a request.

Where a key goes is the provider's data (`connectors/provider.py`); a connector never sees any of this. Each scheme is
an `httpx.Auth`, whose flow may send a request again after reading the answer: the place of a refresh after a 401.
"""

import base64
import re
from collections.abc import Generator, Iterator, Mapping
from datetime import datetime
from typing import Any, TypeAlias

import httpx
import msgspec
from msgspec import UNSET

from connectors.provider import ApiKeyOpts, Provider
from connectors.secret import Secret, decode_secret, encode_secret


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


class CachedToken(msgspec.Struct, frozen=True, kw_only=True):
    """An access token that can be had again at any time."""

    access_token: Secret
    expires_at: datetime | None = None


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


class ConnectionAuth(httpx.Auth):
    """What `authorize` makes: it knows its secrets, so that a provider that quotes one back is not quoted in turn."""

    secrets: tuple[bytes, ...] = ()


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


def authorize(provider: Provider, credentials: Credentials) -> ConnectionAuth:
    """Tell how requests to ``provider`` carry ``credentials``.

    Raises `CredentialsError` where the two do not fit, or where no token has been had yet.
    """
    auth = _authorization(provider, credentials)
    secrets = [secret.reveal() for secret in _secrets_in(credentials)]
    if isinstance(credentials, BasicCredentials):
        secrets.append(_encoded(f"{credentials.username}:{credentials.password.reveal()}"))
    auth.secrets = tuple(secret.encode() for secret in secrets if len(secret) >= SHORTEST_SCRUBBED)
    return auth


def _secrets_in(value: Any) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secrets_in(item)


def _authorization(provider: Provider, credentials: Credentials) -> ConnectionAuth:
    match credentials:
        case NoCredentials():
            return ConnectionAuth()
        case ApiKeyCredentials(api_key=key):
            return _api_key(provider, key)
        case BasicCredentials(username=username, password=password):
            return _basic(f"{username}:{password.reveal()}")
        case AuthorizationCodeTokens(access_token=token):
            return _bearer(token)
        case ClientCredentials(token=cached) | PasswordCredentials(token=cached):
            return _cached(provider, cached)
        case CustomCredentials(values=values):
            return _custom(provider, values)


def _bearer(token: Secret) -> HeaderAuth:
    return HeaderAuth({"Authorization": Secret(f"Bearer {token.reveal()}")})


def _basic(pair: str) -> HeaderAuth:
    return HeaderAuth({"Authorization": Secret(f"Basic {_encoded(pair)}")})


def _encoded(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode("ascii")


def _cached(provider: Provider, token: CachedToken | None) -> ConnectionAuth:
    if token is None:
        raise CredentialsError(f"no access token has been had from {provider.display_name} yet")
    return _bearer(token.access_token)


def _api_key(provider: Provider, key: Secret) -> ConnectionAuth:
    if provider.auth_type == "basic":
        return _api_key_as_basic(provider, key)
    if provider.api_key_opts is UNSET:
        # An OAuth provider's own hand-made token (HubSpot calls it a private app token) is sent like any other.
        return _bearer(key)
    return _declared_api_key(provider, provider.api_key_opts, key)


def _declared_api_key(provider: Provider, options: ApiKeyOpts, key: Secret) -> ConnectionAuth:
    if options.attachment_type == "query" and options.query is not UNSET:
        return QueryAuth({options.query.name: key})
    if options.attachment_type == "header" and options.header is not UNSET:
        prefix = options.header.value_prefix or ""
        return HeaderAuth({options.header.name: Secret(f"{prefix}{key.reveal()}")})
    raise CredentialsError(f"{provider.display_name} does not say where its API key goes")


def _api_key_as_basic(provider: Provider, key: Secret) -> HeaderAuth:
    options: dict[str, Any] = {} if provider.basic_opts is UNSET else provider.basic_opts
    details = options.get("apiKeyAsBasicOpts") or {}
    text = str(details.get("keyFormat") or "%s").replace("%s", key.reveal())
    if ":" in str(details.get("keyFormat") or ""):
        return _basic(text)
    return _basic(f":{text}" if details.get("fieldUsed") == "password" else f"{text}:")


_PLACEHOLDER = re.compile(r"\{\{\s*\.(\w+)\s*\}\}")


def _custom(provider: Provider, values: Mapping[str, Secret]) -> ConnectionAuth:
    options: dict[str, Any] = {} if provider.custom_opts is UNSET else provider.custom_opts
    return ChainedAuth(
        HeaderAuth(_filled(options.get("headers", ()), values)),
        QueryAuth(_filled(options.get("queryParams", ()), values)),
    )


def _filled(templates: Any, values: Mapping[str, Secret]) -> dict[str, Secret]:
    return {item["name"]: _fill(item["valueTemplate"], values) for item in templates}


def _fill(template: str, values: Mapping[str, Secret]) -> Secret:
    missing = [name for name in _PLACEHOLDER.findall(template) if name not in values]
    if missing:
        raise CredentialsError(f"the credentials lack {', '.join(missing)}")
    return Secret(_PLACEHOLDER.sub(lambda found: values[found[1]].reveal(), template))
