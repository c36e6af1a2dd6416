"""What token endpoints refuse, as rows: a canned answer in, a named failure out that quotes no secret."""

from collections.abc import Callable
from urllib.parse import parse_qs

import httpx
import pytest
from msgspec.structs import replace

from connectors.connector import Flow
from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused, Unreadable
from connectors.grants import BAD_CLIENT, DEAD_GRANT, Granted, for_password
from connectors.secret import Secret
from connectors.transport import rehearse
from installations.record import Fault
from tests.connectors.granting import (
    CLIENT_SECRET,
    CODE,
    GIVEN,
    PASSWORD,
    PLAIN,
    PUBLIC,
    REFRESH,
    URL,
    VERIFIER,
    ask,
    exchanged,
    of_client,
    of_password,
    refreshed,
    told,
    traded,
)

HTML = "<html><body>Bad gateway: invalid_grant</body></html>"

NAMED: list[tuple[str, httpx.Response, type[ConnectorError], str, str | None]] = [
    ("400 invalid_grant", told(400, error="invalid_grant"), Refused, "auth", DEAD_GRANT),
    ("401 invalid_grant", told(401, error="invalid_grant", error_description="gone"), Refused, "auth", DEAD_GRANT),
    ("403 invalid_grant (Auth0)", told(403, error="invalid_grant"), Refused, "auth", DEAD_GRANT),
    ("INVALID_GRANT", told(400, error="INVALID_GRANT"), Refused, "auth", DEAD_GRANT),
    (
        "HubSpot",
        told(400, status="BAD_REFRESH_TOKEN", message="missing or invalid refresh token"),
        Refused,
        "auth",
        DEAD_GRANT,
    ),
    ("Zoho", told(200, error="invalid_code"), Refused, "auth", DEAD_GRANT),
    ("Slack", told(200, ok=False, error="invalid_refresh_token"), Refused, "auth", DEAD_GRANT),
    ("invalid_grant in a 200", told(200, error="invalid_grant"), Refused, "auth", DEAD_GRANT),
    ("an error object", told(400, error={"code": "invalid_grant", "message": "m"}), Refused, "auth", DEAD_GRANT),
    ("a form", httpx.Response(400, content=b"error=invalid_grant&error_description=x"), Refused, "auth", DEAD_GRANT),
    (
        "Salesforce is busy with the same token",
        told(400, error="invalid_grant", error_description="token request is already being processed"),
        Refused,
        "locked",
        "grant_busy",
    ),
    ("401 invalid_client", told(401, error="invalid_client"), Refused, "forbidden", BAD_CLIENT),
    ("400 invalid_client", told(400, error="invalid_client"), Refused, "forbidden", BAD_CLIENT),
    ("unauthorized_client", told(400, error="unauthorized_client"), Refused, "forbidden", BAD_CLIENT),
    ("HubSpot's secret", told(400, status="BAD_CLIENT_SECRET", message="m"), Refused, "forbidden", BAD_CLIENT),
    ("invalid_client in a 200", told(200, error="invalid_client_secret"), Refused, "forbidden", BAD_CLIENT),
    ("429", told(429, error="invalid_grant"), Refused, "rate_limited", None),
    ("429 HTML", httpx.Response(429, text=HTML), Refused, "rate_limited", None),
    ("slow_down", told(400, error="slow_down"), Refused, "rate_limited", None),
    ("invalid_scope", told(400, error="invalid_scope"), Refused, "invalid", "invalid_scope"),
    ("invalid_request", told(400, error="invalid_request"), Refused, "invalid", "invalid_request"),
    ("an unknown error in a 200", told(200, error="org_gone"), Refused, "invalid", "org_gone"),
    ("inactive_org", told(400, error="inactive_org"), Refused, "forbidden", "inactive_org"),
    ("401 of another kind", told(401, message="who are you"), Refused, "forbidden", None),
    ("403 of another kind", told(403, message="not now"), Refused, "forbidden", None),
    ("404", told(404, message="no such route"), Refused, "not_found", None),
    ("400 in plain words", httpx.Response(400, text="nope"), Refused, "invalid", None),
    (
        "302",
        httpx.Response(302, headers={"location": "https://evil.test/"}),
        Refused,
        "unrecognised",
        "unexpected_redirect",
    ),
    (
        "307 invalid_grant",
        httpx.Response(307, headers={"location": "/x"}, json={"error": "invalid_grant"}),
        Refused,
        "unrecognised",
        "unexpected_redirect",
    ),
    ("500 invalid_grant", told(500, error="invalid_grant"), Ambiguous, "ambiguous", None),
    ("501 invalid_grant", told(501, error="invalid_grant"), Ambiguous, "ambiguous", None),
    ("502 HTML", httpx.Response(502, text=HTML), Ambiguous, "ambiguous", None),
    ("503", httpx.Response(503), Ambiguous, "ambiguous", None),
    ("400 HTML", httpx.Response(400, text=HTML), Ambiguous, "ambiguous", None),
    ("401 HTML", httpx.Response(401, text=HTML), Ambiguous, "ambiguous", None),
    ("403 HTML", httpx.Response(403, text=HTML), Ambiguous, "ambiguous", None),
    ("401 empty", httpx.Response(401), Ambiguous, "ambiguous", None),
    ("408", told(408, error="invalid_grant"), Ambiguous, "ambiguous", None),
    ("418", told(418, error="invalid_grant"), Ambiguous, "ambiguous", None),
    ("600", told(600, error="invalid_grant"), Ambiguous, "ambiguous", None),
    ("temporarily_unavailable", told(400, error="temporarily_unavailable"), Ambiguous, "ambiguous", None),
    ("server_error in a 200", told(200, error="server_error"), Ambiguous, "ambiguous", None),
    ("200 HTML", httpx.Response(200, text=HTML), Unreadable, "unrecognised", None),
    ("200 empty", httpx.Response(200), Unreadable, "unrecognised", None),
    ("204", httpx.Response(204), Unreadable, "unrecognised", None),
    ("a list", httpx.Response(200, json=[GIVEN]), Unreadable, "unrecognised", None),
    ("broken JSON", httpx.Response(200, content=b'{"access_token": "at-1"'), Unreadable, "unrecognised", None),
    ("deep JSON", httpx.Response(200, content=b"[" * 100_000), Unreadable, "unrecognised", None),
    ("a token that is a number", told(200, access_token=7), Unreadable, "unrecognised", None),
    ("a token with a line break", told(200, access_token="at-1\r\nX-Evil: 1"), Unreadable, "unrecognised", None),
    ("a token beyond ASCII", told(200, access_token="at-1é"), Unreadable, "unrecognised", None),
    ("a token too long for a header", told(200, access_token="t" * 8001), Unreadable, "unrecognised", None),
    ("a mac token", told(200, **{**GIVEN, "token_type": "mac"}), Unreadable, "unrecognised", None),
    ("a DPoP token", told(200, **{**GIVEN, "token_type": "DPoP"}), Unreadable, "unrecognised", None),
    ("success without a token", told(200, status="success"), Unreadable, "unrecognised", None),
]


@pytest.mark.parametrize(("case", "answer", "error", "kind", "code"), NAMED, ids=[row[0] for row in NAMED])
def test_an_answer_without_a_token_means(
    case: str, answer: httpx.Response, error: type[ConnectorError], kind: str, code: str | None
) -> None:
    del case
    _, raised = ask(refreshed(), answer)
    assert (type(raised), raised.fault.kind, raised.fault.code) == (error, kind, code)
    assert raised.fault.status == answer.status_code
    assert raised.raw_response is None


def test_only_a_code_of_the_provider_disconnects_anybody() -> None:
    """Every status with a page, with nothing and with an unknown code, none of which is about the customer."""
    for status in [*range(200, 431), 451, *range(500, 530), 599]:
        for body in ("", HTML, "oops", '{"message": "unauthorized"}', '{"error": "something_else"}'):
            _, raised = ask(refreshed(), httpx.Response(status, text=body))
            assert (raised.fault.kind, raised.fault.code) != ("auth", DEAD_GRANT), (status, body)
            assert raised.fault.kind != "auth", (status, body)


@pytest.mark.parametrize("flow", [of_client, of_password], ids=["client", "password"])
@pytest.mark.parametrize("code", ["invalid_client", "unauthorized_client", "invalid_grant"])
def test_a_client_of_the_customers_own_is_the_customers_to_mend(flow: Callable[[], Flow[Granted]], code: str) -> None:
    _, raised = ask(flow(), told(401, error=code))
    assert (type(raised), raised.fault.kind, raised.fault.code) == (Refused, "auth", DEAD_GRANT)


def test_a_client_that_is_refused_does_not_look_like_the_customers_fault() -> None:
    _, raised = ask(refreshed(), told(401, error="invalid_client", error_description="unknown client"))
    assert raised.fault.message == (
        "the provider does not accept the client id or secret of the provider app: unknown client"
    )


@pytest.mark.parametrize(("status", "error"), [(429, Refused), (503, Ambiguous)])
def test_a_wait_is_passed_on(status: int, error: type[ConnectorError]) -> None:
    _, raised = ask(refreshed(), httpx.Response(status, headers={"retry-after": "17"}))
    assert (type(raised), raised.fault.retry_after_seconds) == (error, 17.0)


QUOTING = [exchanged, refreshed, of_client, of_password]
HELD = (CLIENT_SECRET, CODE, VERIFIER, REFRESH, PASSWORD)


@pytest.mark.parametrize("flow", QUOTING, ids=[str(flow.__name__) for flow in QUOTING])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
def test_a_provider_that_quotes_our_secrets_is_not_quoted(flow: Callable[..., Flow[Granted]], status: int) -> None:
    options = replace(PLAIN, client_authentication="client_secret_basic")
    (request,), _ = rehearse(flow(options), httpx.Response(503))
    sent = [*parse_qs(request.content.decode()).values(), [request.headers["authorization"].removeprefix("Basic ")]]
    private = [value for values in sent for value in values if value in HELD or value.startswith("YXBw")]
    assert private
    echo = " ".join([*private, CLIENT_SECRET, request.content.decode(), *request.headers.values()])
    for answer in (
        httpx.Response(status, json={"error": "invalid_grant", "error_description": f"bad: {echo}"}),
        httpx.Response(status, json={"error": {"message": echo}}),
        httpx.Response(status, text=f"bad request: {echo}"),
    ):
        _, raised = ask(flow(options), answer)
        shown = f"{raised} {raised.fault} {raised.raw_response}"
        for secret in (*private, CLIENT_SECRET, "cs%26", "cs&"):
            assert secret not in shown


def test_words_are_bounded_and_on_one_line() -> None:
    _, raised = ask(refreshed(), told(400, error="invalid_scope", error_description="a\r\nb\x00\u2028c" + "d" * 9999))
    assert raised.fault.message.startswith("the provider gave no token: a b cddd")
    assert len(raised.fault.message) < 600


def test_a_short_secret_is_hidden_without_spoiling_the_words() -> None:
    flow = for_password(PLAIN, url=URL, client=PUBLIC, username="ada", password=Secret("a"))
    _, raised = ask(flow, told(400, error="invalid_grant", error_description="a password of a user"))
    assert raised.fault.message.endswith(": *** password of *** user")


def test_a_broken_answer_is_not_kept_since_it_may_hold_tokens() -> None:
    cut = Unreadable(Fault(kind="unrecognised", message="cut", status=200), raw_response='{"access_token": "at-1')
    _, raised = rehearse(refreshed(), cut)
    assert (type(raised), raised.raw_response, raised.fault.message) == (Unreadable, None, "cut")


def test_what_the_transport_says_stands() -> None:
    for error in (NotSent, Ambiguous, Refused):
        lost = error(Fault(kind="not_sent", message="lost"))
        assert rehearse(refreshed(), lost)[1] is lost


TRADES: list[tuple[str, httpx.Response, type[ConnectorError], str, str | None]] = [
    ("401", told(401, message="bad secret"), Refused, "auth", DEAD_GRANT),
    ("401 in plain words", httpx.Response(401, text="Unauthorized"), Refused, "auth", DEAD_GRANT),
    ("401 empty", httpx.Response(401), Refused, "auth", DEAD_GRANT),
    ("401 HTML", httpx.Response(401, text=HTML), Ambiguous, "ambiguous", None),
    ("400", told(400, message="bad tenant"), Refused, "invalid", None),
    ("403", told(403, message="no right"), Refused, "forbidden", None),
    ("429", told(429), Refused, "rate_limited", None),
    ("500", told(500, message="oops"), Ambiguous, "ambiguous", None),
    ("no token", told(200, data={"ttl": 60}), Unreadable, "unrecognised", None),
    ("no object", httpx.Response(200, json=["t"]), Unreadable, "unrecognised", None),
    ("a page", httpx.Response(200, text=HTML), Unreadable, "unrecognised", None),
]


@pytest.mark.parametrize(("case", "answer", "error", "kind", "code"), TRADES, ids=[row[0] for row in TRADES])
def test_a_trade_without_a_token_means(
    case: str, answer: httpx.Response, error: type[ConnectorError], kind: str, code: str | None
) -> None:
    del case
    _, raised = ask(traded(), answer)
    assert (type(raised), raised.fault.kind, raised.fault.code) == (error, kind, code)


def test_a_trade_does_not_quote_the_inputs() -> None:
    _, raised = ask(traded(), told(400, message='user ada of acme may not use pa"ss-4711'))
    assert raised.fault.message == "the provider gave no token: user *** of *** may not use ***"
