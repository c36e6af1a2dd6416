"""What a failed renewal does to a connection, and what the requests that needed it are told."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from msgspec import UNSET

from connectors.errors import NotSent, Refused
from server.tokens.grants import NO_APP as NO_CLIENT
from tests.server.tokens.rig import Rig, errors_of, kinds
from tests.server.tokens.token_server import CLIENT_ID, refusal

HOUR = 3600.0
MANY_STORES = pytest.mark.parametrize("kept", ["memory", "sqlite", "postgres"], indirect=True)


@MANY_STORES
async def test_a_dead_grant_breaks_the_connection_and_is_told_once(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.revoke("c1")
    errors = await asyncio.gather(*(process.attempt(connection) for _ in range(50)))
    assert {type(error) for error in errors} == {Refused}
    assert {error.fault.kind for error in errors if isinstance(error, Refused)} == {"auth"}
    assert len(rig.server.asked) == 1
    assert await rig.status() == "bad_credentials"
    events = await rig.events()
    assert kinds(events) == ["connection.error"]
    assert "it is invalid_grant" in errors_of(events[0])[0]


async def test_nobody_asks_again_with_a_dead_grant(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.revoke("c1")
    for _ in range(5):
        await process.attempt(connection)
        rig.clock.tick(10 * HOUR)
    assert len(rig.server.asked) == 1
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert error.fault.kind == "auth"
    assert "the customer has to connect again" in error.fault.message


async def test_a_process_that_comes_later_asks_once_and_tells_nobody(rig: Rig) -> None:
    connection = await rig.connect()
    rig.server.revoke("c1")
    await rig.process("first").attempt(connection)
    later = rig.process("later")
    for _ in range(3):
        assert isinstance(await later.attempt(connection), Refused)
    assert len(rig.server.asked) == 2
    assert kinds(await rig.events()) == ["connection.error"]


async def test_an_access_token_that_outlives_its_grant_is_used_and_heals_nothing(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.revoked.add("c1")
    rig.clock.tick(0.9 * HOUR)
    assert await process.call(connection) == "access-c1-1"
    await process.settled()
    assert await rig.status() == "bad_credentials"
    for _ in range(3):
        assert await process.call(connection) == "access-c1-1"
        await process.settled()
    assert await rig.status() == "bad_credentials"
    assert kinds(await rig.events()) == ["connection.error"]
    assert len(rig.server.asked) == 1


async def test_connecting_again_heals_and_waiting_sources_notice(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    _, account, auth = await process.services.accounts.open(connection)
    rig.server.revoke("c1")
    await process.attempt(connection)

    rig.server.revoked.clear()
    await rig.reconnect(connection)

    rig.clock.tick(HOUR)
    assert await process.call_again(account, auth) == "access-c1-2"
    assert await rig.status() == "working"


def page(status: int) -> web.Response:
    return web.Response(text="<html><body>Bad gateway</body></html>", content_type="text/html", status=status)


PASSING: list[tuple[str, Callable[[], web.Response], str]] = [
    ("server error", lambda: web.json_response({"error": "oops"}, status=500), "answered 500"),
    ("unavailable", lambda: web.Response(status=503), "answered 503"),
    ("a page with 502", lambda: page(502), "answered 502"),
    ("a page with 200", lambda: page(200), "answered 200"),
    ("a page with 403", lambda: page(403), "answered 403"),
    ("nothing in a 200", lambda: web.Response(status=200), "answered 200"),
    ("no token in a 200", lambda: web.json_response({"access_token": None}), "without a token"),
    ("bad request", lambda: refusal("invalid_request"), "it is invalid_request"),
    ("a code nobody knows", lambda: refusal("made_up"), "it is made_up"),
    ("bad client", lambda: refusal("invalid_client", status=401), "the builder has to correct the provider app"),
    ("client without the right", lambda: refusal("unauthorized_client"), "the builder has to correct the provider app"),
    ("redirect", lambda: web.Response(status=302, headers={"Location": "https://elsewhere.test/"}), "redirects"),
    ("throttled", lambda: web.json_response({"error": "slow_down"}, status=429), "no token for now"),
]


@pytest.mark.parametrize(("case", "answer", "said"), PASSING, ids=[row[0] for row in PASSING])
async def test_what_may_pass_breaks_nothing_while_the_token_is_good(
    rig: Rig, case: str, answer: Callable[[], web.Response], said: str
) -> None:
    del case, said
    connection, process = await rig.connect(), rig.process()
    rig.server.instead = [answer() for _ in range(3)]
    rig.clock.tick(0.9 * HOUR)

    assert await process.call(connection) == "access-c1-1"
    await process.settled()
    asked = len(rig.server.asked)
    assert await process.call(connection) == "access-c1-1"
    await process.settled()

    assert (len(rig.server.asked), await rig.status(), await rig.events()) == (asked, "working", [])


@pytest.mark.parametrize(("case", "answer", "said"), PASSING, ids=[row[0] for row in PASSING])
async def test_a_request_without_a_token_is_told_what_is_wrong(
    rig: Rig, case: str, answer: Callable[[], web.Response], said: str
) -> None:
    del case
    connection, process = await rig.connect(), rig.process()
    rig.server.instead = [answer() for _ in range(3)]
    rig.clock.tick(HOUR)
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert said in error.fault.message
    assert error.fault.kind in {"not_sent", "rate_limited"}
    assert 0 < (error.fault.retry_after_seconds or 0) <= 60
    rig.server.instead = []
    rig.clock.tick(60)
    assert await process.call(connection) == "access-c1-2"
    assert (await rig.status(), await rig.events()) == ("working", [])


async def test_a_refused_request_that_cannot_be_sent_again_blames_no_credentials(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.expire()
    rig.server.instead = [web.Response(status=503) for _ in range(3)]
    error = await process.attempt(connection)
    assert isinstance(error, Refused)
    assert (error.fault.kind, error.fault.status) == ("provider", 503)
    assert await rig.status() == "working"


async def test_the_token_endpoint_is_left_alone_longer_and_longer(rig: Rig) -> None:
    rig.server.instead = [refusal("invalid_request") for _ in range(100)]
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    start, times = rig.clock.passed, list[int]()
    for second in range(300):
        rig.clock.passed = start + second + 0.001 * (second + 1)
        before = len(rig.server.asked)
        assert isinstance(await process.attempt(connection), NotSent)
        if len(rig.server.asked) > before:
            times.append(second)
    assert times == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


async def test_what_the_endpoint_asks_for_is_kept(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    throttled = web.json_response({"error": "slow_down"}, status=429, headers={"Retry-After": "300"})
    rig.server.instead = [throttled]
    rig.clock.tick(HOUR)
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert (error.fault.kind, error.fault.retry_after_seconds) == ("rate_limited", 300)
    rig.clock.tick(299)
    assert isinstance(await process.attempt(connection), NotSent)
    assert len(rig.server.asked) == 1
    rig.clock.tick(1)
    assert await process.call(connection) == "access-c1-2"


async def test_while_the_pause_lasts_another_process_may_have_been_luckier(rig: Rig) -> None:
    connection, unlucky = await rig.connect(), rig.process("unlucky")
    rig.clock.tick(HOUR)
    rig.server.instead = [refusal("invalid_request")]
    assert isinstance(await unlucky.attempt(connection), NotSent)
    assert await rig.process("lucky").call(connection) == "access-c1-2"
    assert await unlucky.call(connection) == "access-c1-2"
    assert len(rig.server.asked) == 2


async def test_a_lost_answer_is_asked_for_again_at_once_with_the_same_refresh_token(rig: Rig) -> None:
    rig.server.grace_seconds = 30
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    rig.server.lose = 1
    before = rig.clock.passed
    assert await process.call(connection) == "access-c1-3"
    assert [form["refresh_token"] for form in rig.server.asked] == ["refresh-c1-1"] * 2
    assert rig.clock.passed - before <= 2
    assert (await rig.stored()).refresh_token.reveal() == "refresh-c1-3"


async def test_a_lost_answer_without_grace_is_found_out_and_told(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    rig.server.lose = 1
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert error.fault.kind == "auth"
    assert kinds(await rig.events()) == ["connection.error"]


async def test_an_endpoint_that_nobody_listens_at_breaks_nothing(rig: Rig) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    gone = rig.moved_to(f"http://127.0.0.1:{port}")
    connection = await rig.connect()
    rig.clock.tick(HOUR)
    error = await gone.attempt(connection)
    assert isinstance(error, NotSent)
    assert (error.fault.kind, await rig.status()) == ("not_sent", "working")


async def test_an_address_that_is_not_allowed_is_the_operators_to_mend(rig: Rig) -> None:
    blocked = rig.moved_to("http://10.255.255.1")
    connection = await rig.connect()
    rig.clock.tick(HOUR)
    error = await blocked.attempt(connection)
    assert isinstance(error, NotSent)
    assert (error.fault.kind, error.fault.code) == ("forbidden", "address_denied")
    assert "the operator has to allow the address" in error.fault.message
    assert await rig.status() == "working"


NO_APP: list[tuple[str, list[str], str]] = [
    ("no app", ["a1"], "no provider app is registered"),
    ("an app", [], "access-c1-2"),
]


@pytest.mark.parametrize(("case", "deleted", "said"), NO_APP, ids=[row[0] for row in NO_APP])
async def test_tokens_from_elsewhere_are_renewed_with_the_only_app_there_is(
    rig: Rig, case: str, deleted: list[str], said: str
) -> None:
    del case
    for app in deleted:
        await rig.store.delete_provider_app("p1", app)
    connection, process = await rig.connect(**without_app()), rig.process()
    rig.clock.tick(HOUR)
    answer = await process.attempt(connection)
    assert said in str(answer)
    assert await rig.status() == "working"


async def test_with_two_apps_to_choose_from_nobody_guesses(rig: Rig) -> None:
    await rig.register_app("second")
    connection, process = await rig.connect(**without_app()), rig.process()
    rig.clock.tick(HOUR)
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert "2 provider apps are registered" in error.fault.message
    assert rig.server.asked == []


CHANGED: list[tuple[str, dict[str, Any]]] = [
    ("deleted, with another one left", {"provider_app_id": UNSET}),
    ("given another client", {"provider_app_id": "other"}),
]


@pytest.mark.parametrize(("case", "members"), CHANGED, ids=[row[0] for row in CHANGED])
async def test_tokens_are_renewed_by_the_client_they_were_given_to_and_no_other(
    rig: Rig, case: str, members: dict[str, Any]
) -> None:
    """Another client's question would end the grant of every customer of the first one."""
    del case
    await rig.store.delete_provider_app("p1", "a1")
    await rig.register_app("other")
    connection, process = await rig.connect("code", rig.tokens(client_id=CLIENT_ID), **members), rig.process()
    rig.clock.tick(HOUR)
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert (error.fault.code, await rig.status(), rig.server.asked) == (NO_CLIENT, "working", [])
    assert f"'{CLIENT_ID}'" in error.fault.message

    await rig.register_app(CLIENT_ID)
    rig.clock.tick(60)
    assert await process.call(connection) == "access-c1-2"


def without_app() -> dict[str, Any]:
    return {"provider_app_id": UNSET}


async def test_an_endpoint_that_never_answers_is_given_up_and_breaks_nothing(rig: Rig) -> None:
    process = rig.process(pace=rig.clock.pace(deadline_seconds=0.05))
    connection = await rig.connect()
    rig.clock.tick(HOUR)
    rig.server.gate = asyncio.Event()
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert "no answer was read" in error.fault.message
    assert [form["refresh_token"] for form in rig.server.asked] == ["refresh-c1-1"] * 3
    assert (await rig.status(), await rig.events()) == ("working", [])
    rig.server.gate.set()
