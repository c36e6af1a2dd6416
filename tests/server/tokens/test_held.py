"""When a token's time comes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.credentials import AuthorizationCodeTokens, CachedToken, ClientCredentials
from connectors.grants import Granted
from connectors.provider import OAuth2Opts
from connectors.secret import Secret
from server.tokens.held import LONG_AGO, NEVER, hold, keep_alive_at, with_granted
from tests.server.tokens.rig import CLIENT, providers

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def tokens(**changes: Any) -> AuthorizationCodeTokens:
    made = {"access_token": Secret("a"), "refresh_token": Secret("r"), "expires_at": later(1000), "issued_at": NOW}
    return AuthorizationCodeTokens(**{**made, **changes})


TIMES: list[tuple[str, dict[str, Any], float, datetime, datetime]] = [
    ("four fifths of its life", {}, 0.5, later(800), later(1000)),
    ("a little earlier", {}, 0.0, later(770), later(1000)),
    ("a little later", {}, 1.0, later(830), later(1000)),
    ("of the whole life, though a part of it is over", {"issued_at": later(-1000)}, 0.5, later(600), later(1000)),
    ("of what is left, where nobody noted when it was given", {"issued_at": None}, 0.5, later(800), later(1000)),
    ("of what is left, where it was given in the future", {"issued_at": later(500)}, 0.5, later(800), later(1000)),
    ("over already", {"expires_at": later(-10), "issued_at": later(-110)}, 0.5, later(-30), later(-10)),
    ("never ahead, where the provider does not say how long it lives", {"expires_at": None}, 0.5, NEVER, NEVER),
    ("never ahead, where there is nothing to renew it with", {"refresh_token": None}, 0.5, NEVER, later(1000)),
]


@pytest.mark.parametrize(("case", "changes", "chance", "renew_at", "over_at"), TIMES, ids=[row[0] for row in TIMES])
def test_a_token_is_renewed(
    case: str, changes: dict[str, Any], chance: float, renew_at: datetime, over_at: datetime
) -> None:
    del case
    held = hold(tokens(**changes), version=1, now=NOW, chance=chance)
    assert (held.renew_at, held.over_at) == (renew_at, over_at)


def test_credentials_without_a_token_want_one_at_once() -> None:
    held = hold(CLIENT, version=1, now=NOW, chance=0.5)
    assert (held.token, held.renew_at, held.over_at, held.renewable) == (None, LONG_AGO, LONG_AGO, True)


def test_a_refresh_token_that_is_not_replaced_stays() -> None:
    renewed = with_granted(tokens(scopes=("x",)), Granted(access_token=Secret("b"), expires_in=60), now=NOW)
    assert renewed == tokens(access_token=Secret("b"), expires_at=later(60), scopes=("x",))


def test_a_life_that_is_not_told_is_not_remembered() -> None:
    granted = Granted(access_token=Secret("b"), refresh_token=Secret("s"), scopes=("y",))
    renewed = with_granted(tokens(scopes=("x",)), granted, now=NOW)
    assert renewed == tokens(access_token=Secret("b"), refresh_token=Secret("s"), expires_at=None, scopes=("y",))


def test_a_token_for_a_client_goes_beside_what_it_was_had_for() -> None:
    renewed = with_granted(CLIENT, Granted(access_token=Secret("b"), expires_in=60), now=NOW)
    assert isinstance(renewed, ClientCredentials)
    assert renewed.token == CachedToken(access_token=Secret("b"), expires_at=later(60), issued_at=NOW)


def test_only_a_refresh_token_that_dies_unused_is_kept_alive() -> None:
    dying = providers("http://a.test")[0]
    assert isinstance(dying.oauth2_opts, OAuth2Opts)
    lasting = providers("http://a.test")[1]
    assert keep_alive_at(dying, tokens(), now=NOW) == NOW + timedelta(hours=90)
    assert keep_alive_at(dying, tokens(refresh_token=None), now=NOW) is None
    assert keep_alive_at(dying, CLIENT, now=NOW) is None
    assert keep_alive_at(lasting, tokens(), now=NOW) is None
