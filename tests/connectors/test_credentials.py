import base64
import copy
import pickle
import traceback
from datetime import UTC, datetime

import httpx
import msgspec
import pytest
from msgspec.structs import replace

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
    CustomCredentials(values={"token": Secret(CANARY)}, token=CachedToken(access_token=Secret(CANARY))),
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
        (provider("custom", custom_opts=TRADED), CustomCredentials(values={"shop": Secret(CANARY)})),
    ],
)
def test_what_does_not_fit_is_named(whose: Provider, held: Credentials) -> None:
    with pytest.raises(CredentialsError) as caught:
        authorize(whose, held)
    assert CANARY not in str(caught.value)


class Source:
    """Gives the tokens it was made with, one after the other, and notes what was refused."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)
        self.refused: list[str] = []
        self.given_up: list[str] = []

    @property
    def secrets(self) -> tuple[bytes, ...]:
        return tuple(token.encode() for token in self.tokens)

    async def token(self) -> Secret:
        return Secret(self.tokens[0])

    async def renewed(self, refused: Secret) -> Secret | None:
        self.refused.append(refused.reveal())
        self.tokens.pop(0)
        return Secret(self.tokens[0]) if self.tokens else None

    def rejected(self, token: Secret) -> bool:
        self.given_up.append(token.reveal())
        return token.reveal() != "old"


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


async def sent_through(auth: httpx.Auth, *statuses: int) -> list[httpx.Headers]:
    """Drive an auth flow: the headers of each request, answered with the given statuses."""
    flow = auth.async_auth_flow(httpx.Request("POST", "https://p.test/x", content=b"{}"))
    request, seen = await anext(flow), []
    for status in statuses:
        seen.append(httpx.Headers(request.headers))
        try:
            request = await flow.asend(httpx.Response(status))
        except StopAsyncIteration:
            break
    return seen


@pytest.mark.parametrize(("case", "whose", "held", "header", "prefix"), TOKENED, ids=[case[0] for case in TOKENED])
async def test_a_refused_token_is_replaced_once(
    case: str, whose: Provider, held: Credentials, header: str, prefix: str
) -> None:
    del case
    source = Source("one", "two", "three")
    seen = await sent_through(authorize(whose, held, tokens=source), 401, 401, 401)
    assert [headers.get_list(header) for headers in seen] == [[prefix + "one"], [prefix + "two"]]
    assert (source.refused, source.given_up) == (["one"], ["two"])


async def test_a_newer_token_that_is_an_old_one_itself_is_replaced_too() -> None:
    source = Source("one", "old", "three", "four")
    auth = authorize(provider("oauth2"), AuthorizationCodeTokens(access_token=Secret("stored")), tokens=source)
    assert len(await sent_through(auth, 401, 401, 401, 401)) == 3
    assert (source.refused, source.given_up) == (["one", "old"], ["old", "three"])


async def test_there_is_an_end_to_old_tokens() -> None:
    source = Source("one", "old", "old", "old", "old")
    auth = authorize(provider("oauth2"), AuthorizationCodeTokens(access_token=Secret("stored")), tokens=source)
    assert len(await sent_through(auth, 401, 401, 401, 401, 401)) == 3


async def test_a_newer_token_that_is_taken_is_not_given_up() -> None:
    source = Source("one", "two")
    auth = authorize(provider("oauth2"), AuthorizationCodeTokens(access_token=Secret("stored")), tokens=source)
    assert len(await sent_through(auth, 401, 200)) == 2
    assert (source.refused, source.given_up) == (["one"], [])


@pytest.mark.parametrize("status", [200, 400, 403, 407, 429, 500])
async def test_only_a_401_asks_for_a_newer_token(status: int) -> None:
    source = Source("one", "two")
    auth = authorize(provider("oauth2"), AuthorizationCodeTokens(access_token=Secret("stored")), tokens=source)
    assert len(await sent_through(auth, status)) == 1
    assert source.refused == []


async def test_a_401_stands_where_no_newer_token_can_be_had() -> None:
    source = Source("one")
    auth = authorize(provider("oauth2"), AuthorizationCodeTokens(access_token=Secret("stored")), tokens=source)
    assert len(await sent_through(auth, 401, 200)) == 1
    assert source.refused == ["one"]


async def test_the_secrets_of_a_token_are_those_of_the_moment() -> None:
    source = Source("first-token", "second-token")
    auth = authorize(provider("oauth2"), AuthorizationCodeTokens(access_token=Secret("stored")), tokens=source)
    assert auth.secrets == (b"first-token", b"second-token")
    await sent_through(auth, 401, 200)
    assert b"first-token" not in auth.secrets


def test_fixed_credentials_ask_no_source() -> None:
    auth = authorize(provider(api_key_opts=HEADER), KEY, tokens=Source("one"))
    (sent,) = list(auth.auth_flow(httpx.Request("GET", "https://p.test/")))
    assert sent.headers["x-key"] == "k&y"


def test_what_does_not_fit_is_named_before_a_token_is_asked_for() -> None:
    held = CustomCredentials(values={"a": Secret(CANARY)})
    with pytest.raises(CredentialsError, match="the credentials lack shop"):
        authorize(provider("custom", custom_opts=TRADED), held, tokens=Source("one"))


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


@pytest.mark.parametrize(("whose", "held", "known"), SECRETS, ids=lambda value: type(value).__name__)
def test_every_form_of_a_secret_is_known_for_scrubbing(
    whose: Provider, held: Credentials, known: tuple[str, ...]
) -> None:
    assert authorize(whose, held).secrets == tuple(secret.encode() for secret in known)
