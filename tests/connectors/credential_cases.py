"""Providers and credentials of every scheme, and as rows what a request carries of them."""

import base64

import msgspec
from msgspec.structs import replace

from connectors.credentials import (
    ApiKeyCredentials,
    AuthorizationCodeTokens,
    BasicCredentials,
    CachedToken,
    ClientCredentials,
    Credentials,
    CustomCredentials,
    NoCredentials,
    PasswordCredentials,
)
from connectors.provider import (
    AccessTokenOpts,
    ApiKeyAsBasicOpts,
    ApiKeyHeader,
    ApiKeyOpts,
    ApiKeyQuery,
    AuthType,
    BasicOpts,
    CustomOpts,
    OAuth2Opts,
    Provider,
    Support,
    TokenRequest,
    ValueTemplate,
)
from connectors.secret import Secret

CANARY = "canary-4711"


def provider(auth_type: AuthType = "apiKey", **more: object) -> Provider:
    plain = Provider(
        name="p", display_name="P", auth_type=auth_type, base_url="https://p.test", support=Support(write=True)
    )
    return msgspec.structs.replace(plain, **more)


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


KEY = ApiKeyCredentials(api_key=Secret("k&y"))
HEADER = ApiKeyOpts(attachment_type="header", header=ApiKeyHeader(name="X-Key"))
PREFIXED = ApiKeyOpts(attachment_type="header", header=ApiKeyHeader(name="Authorization", value_prefix="Token "))
QUERY = ApiKeyOpts(attachment_type="query", query=ApiKeyQuery(name="key"))
CUSTOM = CustomOpts(
    headers=(
        ValueTemplate(name="X-Shop", value_template="{{ .shop }}"),
        ValueTemplate(name="X-Two", value_template="{{.a}}-{{.b}}"),
    ),
    query_params=(ValueTemplate(name="t", value_template="Bearer {{ .a }}"),),
)
TRADED = CustomOpts(
    headers=(
        ValueTemplate(name="X-Shop", value_template="{{ .shop }}"),
        ValueTemplate(name="Authorization", value_template="Token {{ .token }}"),
    ),
    token_request=TokenRequest(url="https://p.test/token", body={"a": "{{ .a }}"}),
)
OWN_HEADER = OAuth2Opts(
    grant_type="authorizationCode",
    token_url="https://p.test/token",
    access_token_opts=AccessTokenOpts(header=ApiKeyHeader(name="X-Token", value_prefix="v2 ")),
)


def as_basic(options: ApiKeyAsBasicOpts) -> BasicOpts:
    return BasicOpts(api_key_as_basic=True, api_key_as_basic_opts=options)


VALUES = CustomCredentials(values={"shop": Secret("s"), "a": Secret("1"), "b": Secret("2")})

SENT: list[tuple[str, Provider, Credentials, dict[str, str], str]] = [
    ("nothing", provider("none"), NoCredentials(), {}, "a=1"),
    ("a key in a header", provider(api_key_opts=HEADER), KEY, {"x-key": "k&y"}, "a=1"),
    ("a key with a prefix", provider(api_key_opts=PREFIXED), KEY, {"authorization": "Token k&y"}, "a=1"),
    ("a key in the query", provider(api_key_opts=QUERY), KEY, {}, "a=1&key=k%26y"),
    ("a key for an OAuth provider", provider("oauth2"), KEY, {"authorization": "Bearer k&y"}, "a=1"),
    ("a key as a user name", provider("basic"), KEY, {"authorization": basic("k&y:")}, "a=1"),
    (
        "a key as a password",
        provider("basic", basic_opts=as_basic(ApiKeyAsBasicOpts(field_used="password"))),
        KEY,
        {"authorization": basic(":k&y")},
        "a=1",
    ),
    (
        "a key in a format",
        provider("basic", basic_opts=as_basic(ApiKeyAsBasicOpts(key_format="api:%s"))),
        KEY,
        {"authorization": basic("api:k&y")},
        "a=1",
    ),
    (
        "user name and password",
        provider("basic"),
        BasicCredentials(username="ü", password=Secret("p:w")),
        {"authorization": basic("ü:p:w")},
        "a=1",
    ),
    (
        "an access token",
        provider("oauth2"),
        AuthorizationCodeTokens(access_token=Secret("t")),
        {"authorization": "Bearer t"},
        "a=1",
    ),
    (
        "a cached token",
        provider("oauth2"),
        ClientCredentials(client_id="i", client_secret=Secret("s"), token=CachedToken(access_token=Secret("t"))),
        {"authorization": "Bearer t"},
        "a=1",
    ),
    (
        "custom values",
        provider("custom", custom_opts=CUSTOM),
        VALUES,
        {"x-shop": "s", "x-two": "1-2"},
        "a=1&t=Bearer%201",
    ),
    (
        "an access token in a header of the provider's own",
        provider("oauth2", oauth2_opts=OWN_HEADER),
        AuthorizationCodeTokens(access_token=Secret("t")),
        {"x-token": "v2 t"},
        "a=1",
    ),
    (
        "a key half formatted as a password",
        provider("basic", basic_opts=as_basic(ApiKeyAsBasicOpts(field_used="password", key_format="k=%s"))),
        KEY,
        {"authorization": basic(":k=k&y")},
        "a=1",
    ),
    (
        "custom values and the token had for them",
        provider("custom", custom_opts=TRADED),
        replace(VALUES, token=CachedToken(access_token=Secret("t"))),
        {"x-shop": "s", "authorization": "Token t"},
        "a=1",
    ),
]

TOKENED: list[tuple[str, Provider, Credentials, str, str]] = [
    ("code", provider("oauth2"), AuthorizationCodeTokens(access_token=Secret("stored")), "authorization", "Bearer "),
    (
        "client",
        provider("oauth2"),
        ClientCredentials(client_id="i", client_secret=Secret("s")),
        "authorization",
        "Bearer ",
    ),
    (
        "password",
        provider("oauth2"),
        PasswordCredentials(username="u", password=Secret("p")),
        "authorization",
        "Bearer ",
    ),
    (
        "own header",
        provider("oauth2", oauth2_opts=OWN_HEADER),
        AuthorizationCodeTokens(access_token=Secret("stored")),
        "x-token",
        "v2 ",
    ),
    ("custom", provider("custom", custom_opts=TRADED), VALUES, "authorization", "Token "),
]

LONG = Secret("long-enough-to-look-for")

SECRETS: list[tuple[Provider, Credentials, tuple[str, ...]]] = [
    (provider("none"), NoCredentials(), ()),
    (provider(api_key_opts=HEADER), ApiKeyCredentials(api_key=LONG), (LONG.reveal(),)),
    (provider(api_key_opts=HEADER), ApiKeyCredentials(api_key=Secret("short")), ()),
    (
        provider("basic"),
        ApiKeyCredentials(api_key=LONG),
        (LONG.reveal(), basic(f"{LONG.reveal()}:").removeprefix("Basic ")),
    ),
    (
        provider("basic"),
        BasicCredentials(username="ada", password=Secret("short")),
        (basic("ada:short").removeprefix("Basic "),),
    ),
    (
        provider("oauth2"),
        AuthorizationCodeTokens(access_token=LONG, refresh_token=Secret("refresh-token")),
        (LONG.reveal(), "refresh-token"),
    ),
    (
        provider("oauth2"),
        ClientCredentials(client_id="i", client_secret=LONG, token=CachedToken(access_token=Secret("access-token"))),
        (LONG.reveal(), "access-token", basic(f"i:{LONG.reveal()}").removeprefix("Basic ")),
    ),
    (
        provider("oauth2"),
        PasswordCredentials(
            username="u",
            password=LONG,
            client_id="i",
            client_secret=Secret("client-secret"),
            token=CachedToken(access_token=Secret("access-token")),
        ),
        (LONG.reveal(), "client-secret", "access-token", basic("i:client-secret").removeprefix("Basic ")),
    ),
    (
        provider("custom", custom_opts=CUSTOM),
        replace(VALUES, values={**VALUES.values, "a": LONG}),
        (LONG.reveal(),),
    ),
]
