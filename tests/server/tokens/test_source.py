"""Which token goes onto a request, and when it is renewed: in one process, with the time in the test's hand."""

import asyncio
from typing import Any

import pytest

from connectors.credentials import AuthorizationCodeTokens
from connectors.errors import NotSent, Refused
from connectors.secret import Secret
from tests.server.tokens.rig import Rig

HOUR = 3600.0


def used(rig: Rig) -> list[str]:
    """List the refresh tokens that were used, in order."""
    return [form["refresh_token"] for form in rig.server.asked]


async def test_a_fresh_token_is_sent_as_it_is(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    for _ in range(3):
        assert await process.call(connection) == "access-c1-1"
    rig.clock.tick(0.8 * HOUR - 1)
    assert await process.call(connection) == "access-c1-1"
    await process.settled()
    assert used(rig) == []


async def test_past_four_fifths_of_its_life_a_token_is_sent_and_renewed_beside(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.gate = asyncio.Event()
    rig.clock.tick(0.8 * HOUR)

    assert [await process.call(connection) for _ in range(3)] == ["access-c1-1"] * 3

    rig.server.gate.set()
    await process.settled()
    assert used(rig) == ["refresh-c1-1"]
    assert await process.call(connection) == "access-c1-2"
    assert await rig.version() == 2


async def test_a_token_that_is_over_is_renewed_first(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    assert await asyncio.gather(*(process.call(connection) for _ in range(20))) == ["access-c1-2"] * 20
    assert used(rig) == ["refresh-c1-1"]
    assert rig.server.refused.total() == 0


async def test_a_token_of_unknown_life_is_renewed_after_a_401_only(rig: Rig) -> None:
    rig.server.says = {}
    connection, process = await rig.connect(credentials=rig.tokens(expires_at=None, issued_at=None)), rig.process()
    rig.clock.tick(1000 * HOUR)
    assert await process.call(connection) == "access-c1-1"
    await process.settled()
    assert used(rig) == []

    rig.server.expire()

    assert await process.call(connection) == "access-c1-2"
    assert used(rig) == ["refresh-c1-1"]
    assert (await rig.stored()).expires_at is None


async def test_a_401_renews_the_token_and_sends_again_once(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.expire()
    assert await process.call(connection, "create") == "access-c1-2"
    assert (rig.server.refused["create"], rig.server.calls["create"]) == (1, 1)
    assert used(rig) == ["refresh-c1-1"]
    assert await rig.status() == "working"


async def test_a_hundred_401s_at_once_cost_one_renewal_and_one_repetition_each(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.expire()
    calls = [process.call(connection, f"create {number}") for number in range(100)]
    assert await asyncio.gather(*calls) == ["access-c1-2"] * 100
    assert used(rig) == ["refresh-c1-1"]
    assert set(rig.server.calls.values()) == {1}
    assert len(rig.server.calls) == 100


async def test_a_late_401_for_an_old_token_renews_nothing(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    source = process.tokens.source(connection, await rig.stored(), version=1)
    old = await source.token()
    rig.server.expire()
    assert await process.call(connection) == "access-c1-2"
    assert await source.renewed(old) == Secret("access-c1-2")
    assert used(rig) == ["refresh-c1-1"]


async def test_a_renewal_outlives_whoever_waited_for_it(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.expire()
    rig.server.gate = asyncio.Event()
    first = asyncio.create_task(process.call(connection, "first"))
    second = asyncio.create_task(process.call(connection, "second"))
    await rig.server.arrived.wait()
    first.cancel()
    rig.server.gate.set()
    assert await second == "access-c1-2"
    assert first.cancelled() or await asyncio.wait({first})
    assert used(rig) == ["refresh-c1-1"]
    assert await rig.version() == 2


async def test_the_new_refresh_token_is_used_next(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    for number in range(2, 6):
        rig.server.expire()
        assert await process.call(connection) == f"access-c1-{number}"
    assert used(rig) == [f"refresh-c1-{number}" for number in range(1, 5)]


async def test_an_answer_without_a_refresh_token_keeps_the_old_one(rig: Rig) -> None:
    rig.server.rotates = False
    connection, process = await rig.connect(), rig.process()
    for _ in range(3):
        rig.server.expire()
        await process.call(connection)
    assert used(rig) == ["refresh-c1-1"] * 3
    assert (await rig.stored()).refresh_token == Secret("refresh-c1-1")


@pytest.mark.parametrize("life", [None, "soon", -5, 0, "", [], {"seconds": 60}])
async def test_an_odd_life_is_an_unknown_one(rig: Rig, life: Any) -> None:
    rig.server.says = {"expires_in": life}
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    assert await process.call(connection) == "access-c1-2"
    assert (await rig.stored()).expires_at is None


async def test_a_token_that_nothing_renews_is_sent_until_it_is_refused(rig: Rig) -> None:
    connection, process = await rig.connect(credentials=rig.tokens(refresh_token=None)), rig.process()
    rig.clock.tick(2 * HOUR)
    assert await process.call(connection) == "access-c1-1"
    rig.server.expire()
    error = await process.attempt(connection)
    assert isinstance(error, Refused)
    assert (error.fault.kind, rig.server.refused.total()) == ("auth", 1)
    assert used(rig) == []
    assert await rig.status() == "bad_credentials"


async def test_a_renewed_token_that_is_refused_too_breaks_the_connection(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.says |= {"access_token": "never-accepted"}
    rig.server.expire()
    error = await process.attempt(connection, "create")
    assert isinstance(error, Refused)
    assert (error.fault.kind, rig.server.refused["create"]) == ("auth", 2)
    assert await rig.status() == "bad_credentials"


async def test_a_provider_that_refuses_every_token_does_not_wear_the_grant_out(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.says |= {"access_token": "never-accepted"}
    rig.server.expire()
    for _ in range(20):
        assert isinstance(await process.attempt(connection), Refused)
    assert used(rig) == ["refresh-c1-1"]
    rig.clock.tick(1.5)
    await process.attempt(connection)
    assert used(rig) == ["refresh-c1-1", "refresh-c1-2"]


async def test_a_renewal_that_takes_too_long_is_not_waited_for_but_goes_on(rig: Rig) -> None:
    process = rig.process(pace=rig.clock.pace(patience_seconds=0.02))
    connection = await rig.connect()
    rig.clock.tick(HOUR)
    rig.server.gate = asyncio.Event()
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert "takes too long" in error.fault.message
    rig.server.gate.set()
    await process.settled()
    assert await process.call(connection) == "access-c1-2"
    assert used(rig) == ["refresh-c1-1"]


async def test_a_connection_that_is_deleted_meanwhile_is_let_go(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    rig.server.gate = asyncio.Event()
    attempt = asyncio.create_task(process.attempt(connection))
    await rig.server.arrived.wait()
    await rig.store.delete_connection("p1", connection.id)
    rig.server.gate.set()
    error = await attempt
    assert isinstance(error, NotSent)
    assert "was deleted" in error.fault.message


async def test_a_source_knows_the_secrets_of_the_moment_and_of_the_one_before(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    source = process.tokens.source(connection, await rig.stored(), version=1)
    rig.server.expire()
    await process.call(connection)
    assert {b"access-c1-1", b"access-c1-2", b"refresh-c1-2"} <= set(source.secrets)


async def test_one_connection_has_one_source_however_often_it_is_opened(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    stored = await rig.stored()
    assert isinstance(stored, AuthorizationCodeTokens)
    first = process.tokens.source(connection, stored, version=1)
    assert process.tokens.source(connection, stored, version=1) is first
