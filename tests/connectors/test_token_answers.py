"""What token endpoints give, as rows: a canned answer in, tokens and facts about the account out."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.grants import Granted
from connectors.provider import OAuth2Opts, TokenField, TokenMetadataFields
from connectors.secret import Secret
from tests.connectors.granting import GIVEN, URL, ask, exchanged, refreshed, told

EVERYTHING = OAuth2Opts(
    grant_type="authorizationCode",
    token_url=URL,
    token_metadata_fields=TokenMetadataFields(
        workspace_ref_field="team.id",
        consumer_ref_field="authed_user.id",
        scopes_field="granted.scopes",
        other_fields=(
            TokenField(name="plan", display_name="Plan", path="team.plan"),
            TokenField(
                name="workspace",
                display_name="Domain",
                path="instance_url",
                capture=r"^https://(?<result>[\w.-]+)\.my\.p\.test$",
            ),
            TokenField(name="region", display_name="Region", path="api.domain", capture=r"(?P<result>eu|us)\."),
        ),
    ),
)


def life(value: Any) -> httpx.Response:
    return httpx.Response(200, content=json.dumps({"access_token": "t", "expires_in": value}))


LIVES: list[tuple[Any, int | None]] = [
    (3600, 3600),
    (1, 1),
    ("3600", 3600),
    (" 3600 ", 3600),
    ("3600.0", 3600),
    (3599.9, 3599),
    (0, None),
    (-5, None),
    ("-5", None),
    ("", None),
    ("soon", None),
    ("1e9", None),
    ("0x10", None),
    (None, None),
    (True, None),
    ([3600], None),
    ({"seconds": 3600}, None),
    (315_360_000, 315_360_000),
    (10**12, 10 * 366 * 24 * 3600),
    (10**40, 10 * 366 * 24 * 3600),
    ("9" * 20, 10 * 366 * 24 * 3600),
    ("9" * 50, None),
    (float("inf"), 10 * 366 * 24 * 3600),
    (float("-inf"), None),
    (float("nan"), None),
]


@pytest.mark.parametrize(("value", "expected"), LIVES, ids=lambda value: repr(value)[:20])
def test_a_life_reads_as(value: Any, expected: int | None) -> None:
    _, given = ask(refreshed(), life(value))
    assert given == Granted(access_token=Secret("t"), expires_in=expected)


def test_a_life_that_is_not_given_is_not_known() -> None:
    _, given = ask(refreshed(), httpx.Response(200, json={"access_token": "t"}))
    assert (given.expires_in, given.expires_at(datetime.now(UTC))) == (None, None)


def test_a_life_counts_from_now() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    assert Granted(access_token=Secret("t"), expires_in=60).expires_at(now) == now + timedelta(minutes=1)


SCOPES: list[tuple[Any, tuple[str, ...] | None]] = [
    ("a b", ("a", "b")),
    ("a,b, c", ("a", "b", "c")),
    (["a", "b c"], ("a", "b", "c")),
    ("a a", ("a",)),
    ("", None),
    ([], None),
    (7, None),
    ([7, None, "a"], ("a",)),
    (None, None),
]


@pytest.mark.parametrize(("value", "expected"), SCOPES, ids=lambda value: repr(value)[:20])
def test_scopes_read_as(value: Any, expected: tuple[str, ...] | None) -> None:
    _, plain = ask(refreshed(), httpx.Response(200, json={"access_token": "t", "scope": value}))
    _, placed = ask(
        refreshed(EVERYTHING), httpx.Response(200, json={"access_token": "t", "granted": {"scopes": value}})
    )
    assert (plain.scopes, placed.scopes) == (expected, expected)


READ: list[tuple[str, httpx.Response, Granted]] = [
    (
        "everything",
        httpx.Response(200, json={**GIVEN, "scope": "read"}),
        Granted(access_token=Secret("at-1"), refresh_token=Secret("rt-1"), expires_in=3600, scopes=("read",)),
    ),
    ("a token alone", httpx.Response(200, json={"access_token": "t"}), Granted(access_token=Secret("t"))),
    (
        "a form",
        httpx.Response(
            200,
            content=b"access_token=at%2B1&expires_in=60&scope=a+b&token_type=bearer",
            headers={"content-type": "application/x-www-form-urlencoded"},
        ),
        Granted(access_token=Secret("at+1"), expires_in=60, scopes=("a", "b")),
    ),
    (
        "a form that says it is JSON",
        httpx.Response(200, content=b"access_token=t\n", headers={"content-type": "application/json"}),
        Granted(access_token=Secret("t")),
    ),
    (
        "JSON that says it is HTML",
        httpx.Response(200, content=b'{"access_token": "t"}', headers={"content-type": "text/html"}),
        Granted(access_token=Secret("t")),
    ),
    (
        "JSON with a mark",
        httpx.Response(200, content=b'\xef\xbb\xbf{"access_token": "t"}'),
        Granted(access_token=Secret("t")),
    ),
    ("a 201", httpx.Response(201, json={"access_token": "t"}), Granted(access_token=Secret("t"))),
]


@pytest.mark.parametrize(
    "member",
    [
        {"refresh_token": ""},
        {"refresh_token": None},
        {"refresh_token": 7},
        {"token_type": "user"},
        {"token_type": 7},
        {"error": ""},
        {"error": "an error beside a token"},
        {"scope": {}},
    ],
    ids=str,
)
def test_an_odd_member_costs_no_token(member: dict[str, Any]) -> None:
    assert ask(refreshed(), told(200, access_token="t", **member))[1] == Granted(access_token=Secret("t"))


@pytest.mark.parametrize(("case", "answer", "expected"), READ, ids=[row[0] for row in READ])
def test_an_answer_gives(case: str, answer: httpx.Response, expected: Granted) -> None:
    del case
    assert ask(refreshed(), answer)[1] == expected


def test_an_answer_gives_facts_about_the_account() -> None:
    told = {
        "access_token": "t",
        "team": {"id": 4711, "plan": "pro"},
        "authed_user": {"id": "U1"},
        "instance_url": "https://acme--dev.sandbox.my.p.test",
        "api": {"domain": "eu.p.test"},
    }
    _, given = ask(exchanged(EVERYTHING), httpx.Response(200, json=told))
    assert (given.workspace_ref, given.consumer_ref) == ("4711", "U1")
    assert given.facts == {
        "plan": ("pro", "Plan"),
        "workspace": ("acme--dev.sandbox", "Domain"),
        "region": ("eu", "Region"),
    }


@pytest.mark.parametrize(
    "odd",
    [
        {"team": None, "api": []},
        {"team": {"plan": ["pro"]}, "instance_url": "https://evil.test/?https://acme.my.p.test"},
        {"team": {"plan": True, "id": False}, "instance_url": "https://acme.my.p.test.evil.test"},
        {"team": {"plan": "p" * 2000}, "api": {"domain": "ap.p.test"}},
        {"team": {"plan": "a\r\nX-Evil: 1"}, "instance_url": ""},
    ],
)
def test_facts_that_are_not_there_are_left_out(odd: dict[str, Any]) -> None:
    _, given = ask(exchanged(EVERYTHING), httpx.Response(200, json={"access_token": "t", **odd}))
    assert given == Granted(access_token=Secret("t"))
