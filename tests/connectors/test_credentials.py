import base64
import copy
import pickle
import traceback
from datetime import UTC, datetime

import httpx
import msgspec
import pytest

from connectors.credentials import (
    ApiKeyCredentials,
    AuthorizationCodeTokens,
    BasicCredentials,
    CachedToken,
    ClientCredentials,
    Credentials,
    CredentialsError,
    CustomCredentials,
    NoCredentials,
    PasswordCredentials,
    authorize,
    build_credentials,
    parse_credentials,
)
from connectors.provider import ApiKeyHeader, ApiKeyOpts, ApiKeyQuery, AuthType, Provider, Support
from connectors.secret import Secret

CANARY = "canary-4711"
WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

EVERY: list[Credentials] = [
    NoCredentials(),
    ApiKeyCredentials(api_key=Secret(CANARY)),
    BasicCredentials(username="ada", password=Secret(CANARY)),
    AuthorizationCodeTokens(
        access_token=Secret(CANARY), refresh_token=Secret(CANARY), expires_at=WHEN, scopes=("a", "b")
    ),
    ClientCredentials(
        client_id="id", client_secret=Secret(CANARY), scopes=("a",), token=CachedToken(access_token=Secret(CANARY))
    ),
    PasswordCredentials(username="ada", password=Secret(CANARY), client_secret=Secret(CANARY)),
    CustomCredentials(values={"token": Secret(CANARY)}),
]
each = pytest.mark.parametrize("credentials", EVERY, ids=lambda value: type(value).__name__)


@each
def test_credentials_survive_the_vault(credentials: Credentials) -> None:
    assert parse_credentials(build_credentials(credentials)) == credentials


@each
def test_credentials_show_no_secret(credentials: Credentials) -> None:
    assert CANARY not in f"{credentials} {credentials!r}"


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(CANARY)
    shown = [str(secret), repr(secret), f"{secret}", f"{secret:>20}", f"{[secret]}", f"{ {secret: secret} }"]
    assert not any(CANARY in text for text in shown)
    assert f"{secret}" == "***"
    for refuse in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            refuse(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert (secret == Secret(CANARY), secret == CANARY, len({secret, Secret(CANARY)})) == (True, False, 1)
    assert (bool(secret), bool(Secret(""))) == (True, False)


def fail_with(credentials: Credentials) -> None:
    raise ValueError(f"cannot use {credentials}")


def test_a_secret_is_not_in_a_traceback_with_locals() -> None:
    with pytest.raises(ValueError, match="cannot use") as caught:
        fail_with(ApiKeyCredentials(api_key=Secret(CANARY)))
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert "credentials = " in shown
    assert CANARY not in shown


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"scheme": "canary-4711"}',
        b'{"scheme": "apiKey"}',
        b'{"scheme": "apiKey", "api_key": 4711}',
        b'{"scheme": "basic", "username": "canary-4711", "password": ["canary-4711"]}',
        b'{"scheme": "apiKey", "api_key": "canary-4711\xff"}',
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_is_named_without_being_quoted(content: bytes) -> None:
    with pytest.raises(CredentialsError) as caught:
        parse_credentials(content)
    assert CANARY not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


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
CUSTOM = {
    "headers": [
        {"name": "X-Shop", "valueTemplate": "{{ .shop }}"},
        {"name": "X-Two", "valueTemplate": "{{.a}}-{{.b}}"},
    ],
    "queryParams": [{"name": "t", "valueTemplate": "Bearer {{ .a }}"}],
}
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
        provider("basic", basic_opts={"apiKeyAsBasicOpts": {"fieldUsed": "password"}}),
        KEY,
        {"authorization": basic(":k&y")},
        "a=1",
    ),
    (
        "a key in a format",
        provider("basic", basic_opts={"apiKeyAsBasicOpts": {"fieldUsed": "username", "keyFormat": "api:%s"}}),
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
]


@pytest.mark.parametrize(("case", "whose", "held", "headers", "query"), SENT, ids=[case[0] for case in SENT])
def test_a_request_carries(case: str, whose: Provider, held: Credentials, headers: dict[str, str], query: str) -> None:
    del case
    request = httpx.Request("GET", "https://p.test/x?a=1")
    (sent,) = list(authorize(whose, held).auth_flow(request))
    assert sent.url.query.decode().replace("+", "%20") == query
    assert {name: value for name, value in sent.headers.items() if name != "host"} == headers


@pytest.mark.parametrize(
    ("whose", "held"),
    [
        (provider(api_key_opts=ApiKeyOpts(attachment_type="header")), KEY),
        (provider(api_key_opts=ApiKeyOpts(attachment_type="query")), KEY),
        (provider("oauth2"), ClientCredentials(client_id="i", client_secret=Secret(CANARY))),
        (provider("custom", custom_opts=CUSTOM), CustomCredentials(values={"shop": Secret(CANARY)})),
    ],
)
def test_what_does_not_fit_is_named(whose: Provider, held: Credentials) -> None:
    with pytest.raises(CredentialsError) as caught:
        authorize(whose, held)
    assert CANARY not in str(caught.value)
