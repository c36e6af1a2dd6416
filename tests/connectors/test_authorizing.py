"""What a request carries of a customer's credentials, and what a 401 asks of a token's source."""

import httpx
import pytest

from connectors.credentials import (
    AuthorizationCodeTokens,
    ClientCredentials,
    Credentials,
    CredentialsError,
    CustomCredentials,
    authorize,
)
from connectors.provider import ApiKeyOpts, Provider
from connectors.secret import Secret
from tests.connectors.credential_cases import CANARY, CUSTOM, HEADER, KEY, SENT, TOKENED, TRADED, provider


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
