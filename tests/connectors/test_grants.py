"""Every grant as a row: what is asked of the provider, and where a browser is sent."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from connectors.connector import READS_ONLY, Flow
from connectors.errors import NotSent
from connectors.grants import (
    RESERVED_PARAMETERS,
    Client,
    Granted,
    authorization_url,
    exchange_code,
    new_verifier,
    trade,
)
from connectors.provider import OAuth2Opts
from connectors.secret import Secret
from connectors.templates import TemplateError
from connectors.transport import rehearse
from tests.connectors.granting import (
    APP,
    CALLBACK,
    CLIENT_SECRET,
    CODE,
    PASSWORD,
    PLAIN,
    PUBLIC,
    REFRESH,
    REQUEST,
    URL,
    VERIFIER,
    ask,
    exchanged,
    of_client,
    of_password,
    refreshed,
    traded,
)

# What is sent.

SECRET_POST = {"client_id": "app id", "client_secret": CLIENT_SECRET}

SENT: list[tuple[str, Flow[Granted], dict[str, str]]] = [
    (
        "a code",
        exchanged(),
        {
            "grant_type": "authorization_code",
            "code": CODE,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **SECRET_POST,
        },
    ),
    (
        "a code without PKCE",
        exchange_code(PLAIN, url=URL, client=APP, code=Secret(CODE), redirect_uri=CALLBACK, verifier=None),
        {"grant_type": "authorization_code", "code": CODE, "redirect_uri": CALLBACK, **SECRET_POST},
    ),
    (
        "a code of a public client",
        exchanged(client=PUBLIC),
        {
            "grant_type": "authorization_code",
            "code": CODE,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            "client_id": "app id",
        },
    ),
    ("a refresh token", refreshed(), {"grant_type": "refresh_token", "refresh_token": REFRESH, **SECRET_POST}),
    ("a client", of_client(), {"grant_type": "client_credentials", "scope": "read write", **SECRET_POST}),
    (
        "a client without scopes",
        of_client(client=replace(APP, scopes=())),
        {"grant_type": "client_credentials", **SECRET_POST},
    ),
    (
        "a client with an audience",
        of_client(replace(PLAIN, audience=("https://api.p.test/",))),
        {"grant_type": "client_credentials", "scope": "read write", "audience": "https://api.p.test/", **SECRET_POST},
    ),
    (
        "a client with mapped scopes",
        of_client(replace(PLAIN, scope_mappings={"read": "https://p.test/auth/read"})),
        {"grant_type": "client_credentials", "scope": "https://p.test/auth/read write", **SECRET_POST},
    ),
    (
        "a password",
        of_password(),
        {"grant_type": "password", "username": "ada", "password": PASSWORD, "scope": "read write", **SECRET_POST},
    ),
]


@pytest.mark.parametrize(("case", "flow", "form"), SENT, ids=[row[0] for row in SENT])
def test_a_token_request_holds(case: str, flow: Flow[Granted], form: dict[str, str]) -> None:
    del case
    request, _ = ask(flow)
    assert (request.method, str(request.url)) == ("POST", URL)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["accept"] == "application/json"
    assert "authorization" not in request.headers
    assert sorted(parse_qsl(request.content.decode(), strict_parsing=True)) == sorted(form.items())


@pytest.mark.parametrize("flow", [exchanged, refreshed, of_client, of_password], ids=lambda flow: str(flow.__name__))
def test_a_client_proves_itself_by_basic_authentication(flow: Callable[..., Flow[Granted]]) -> None:
    request, _ = ask(flow(replace(PLAIN, client_authentication="client_secret_basic")))
    # RFC 6749, section 2.3.1: both halves are form-encoded before they are joined.
    pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "app%20id:cs%26%C3%A9%20secret"
    assert not {"client_id", "client_secret"} & set(parse_qs(request.content.decode()))


def test_several_audiences_are_several_parameters() -> None:
    request, _ = ask(of_client(replace(PLAIN, audience=("a", "b"))))
    assert parse_qs(request.content.decode())["audience"] == ["a", "b"]


@pytest.mark.parametrize(
    ("flow", "repeatable"),
    [(exchanged(), False), (refreshed(), False), (of_client(), True), (of_password(), True)],
)
def test_only_a_grant_that_is_spent_by_asking_changes_something(flow: Flow[Granted], repeatable: bool) -> None:  # noqa: FBT001 -- a table's cell
    request, _ = ask(flow)
    assert bool(request.extensions.get(READS_ONLY)) == repeatable


# Where a browser is sent.


def address(options: OAuth2Opts = PLAIN, **more: Any) -> tuple[str, dict[str, list[str]]]:
    given: dict[str, Any] = {
        "url": PLAIN.auth_url,
        "client": APP,
        "redirect_uri": CALLBACK,
        "state": "state-1",
        "verifier": Secret(VERIFIER),
        "extra": {},
    }
    made = urlsplit(authorization_url(options, **{**given, **more}))
    return made._replace(query="").geturl(), parse_qs(made.query, keep_blank_values=True, strict_parsing=True)


def test_the_consent_page_is_asked_with_pkce() -> None:
    challenge = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
    assert address() == (
        "https://p.test/oauth/authorize",
        {
            "response_type": ["code"],
            "client_id": ["app id"],
            "redirect_uri": [CALLBACK],
            "scope": ["read write"],
            "state": ["state-1"],
            "code_challenge": [challenge],
            "code_challenge_method": ["S256"],
        },
    )


ADDRESSES: list[tuple[str, OAuth2Opts, dict[str, Any], dict[str, list[str] | None]]] = [
    ("no verifier", PLAIN, {"verifier": None}, {"code_challenge": None, "code_challenge_method": None}),
    ("no scopes", PLAIN, {"client": Client(client_id="i")}, {"scope": None, "client_id": ["i"]}),
    ("the provider's parameters", replace(PLAIN, auth_url_params={"prompt": "consent"}), {}, {"prompt": ["consent"]}),
    (
        "the builder's win",
        replace(PLAIN, auth_url_params={"prompt": "consent"}),
        {"extra": {"prompt": ["none"], "optional_scope": ["a", "b"]}},
        {"prompt": ["none"], "optional_scope": ["a", "b"]},
    ),
    ("a parameter called uri", PLAIN, {"extra": {"uri": ["x"], "client": ["y"]}}, {"uri": ["x"], "client": ["y"]}),
    ("a query that is there", PLAIN, {"url": "https://p.test/a?v=2"}, {"v": ["2"], "client_id": ["app id"]}),
    ("odd letters", PLAIN, {"extra": {"a&b": ["c=d ü"]}}, {"a&b": ["c=d ü"]}),
    (
        "mapped scopes",
        replace(PLAIN, scope_mappings={"read": "https://{{.workspace}}.p.test/read"}),
        {"values": {"workspace": "acme"}},
        {"scope": ["https://acme.p.test/read write"]},
    ),
]


@pytest.mark.parametrize(("case", "options", "given", "expected"), ADDRESSES, ids=[row[0] for row in ADDRESSES])
def test_the_consent_page_is_asked_with(
    case: str, options: OAuth2Opts, given: dict[str, Any], expected: dict[str, list[str] | None]
) -> None:
    del case
    _, query = address(options, **given)
    assert {name: query.get(name) for name in expected} == expected


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_the_builders_parameters_never_replace_ours(name: str) -> None:
    asked = [address(extra={spelling: ["evil"]})[1] for spelling in (name, name.upper())]
    assert asked == [address()[1]] * 2


def test_a_scope_that_needs_a_missing_value_is_named() -> None:
    options = replace(PLAIN, scope_mappings={"read": "https://{{.workspace}}.p.test/read"})
    with pytest.raises(TemplateError, match="workspace"):
        address(options)


def test_verifiers_are_long_enough_and_never_the_same() -> None:
    made = {new_verifier().reveal() for _ in range(100)}
    assert len(made) == 100
    assert {len(verifier) for verifier in made} == {64}


def test_inputs_are_traded_by_a_post_of_json() -> None:
    request, given = ask(traded(), httpx.Response(200, json={"data": {"token": "t", "ttl": "60"}}))
    assert (request.method, str(request.url)) == ("POST", "https://acme.p.test/session")
    assert (request.headers["x-tenant"], request.headers["accept"]) == ("acme", "application/json")
    assert json.loads(request.content) == {"user": "ada", "secret": 'pa"ss-4711', "kind": "api"}
    assert given == Granted(access_token=Secret("t"), expires_in=60)
    assert request.extensions[READS_ONLY]


def test_a_trade_that_lacks_an_input_is_not_sent() -> None:
    requests, raised = rehearse(trade(REQUEST, url="https://p.test/", values={"tenant": Secret("acme")}))
    assert (requests, type(raised), raised.fault.kind) == ([], NotSent, "invalid")
    assert raised.fault.message == "no value is known for user"
