"""How connections break and heal by what providers say to their credentials."""

import asyncio

import pytest

from connectors.credentials import ApiKeyCredentials
from connectors.errors import Refused
from connectors.secret import Secret
from tests.server.tokens.rig import KEYED, Rig, errors_of, kinds

MANY_STORES = pytest.mark.parametrize("kept", ["memory", "sqlite", "postgres"], indirect=True)
KEY = KEYED.api_key.reveal()


@MANY_STORES
async def test_a_refused_key_breaks_the_connection_and_is_told_once(rig: Rig) -> None:
    connection, process = await rig.connect("key", KEYED), rig.process()
    errors = await asyncio.gather(*(process.attempt(connection) for _ in range(20)))
    assert {type(error) for error in errors} == {Refused}
    assert await rig.status() == "bad_credentials"
    events = await rig.events()
    assert kinds(events) == ["connection.error"]
    assert errors_of(events[0]) == ["who are you?"]


async def test_two_processes_tell_it_once(rig: Rig) -> None:
    connection = await rig.connect("key", KEYED)
    processes = [rig.process(name) for name in ("one", "two")]
    await asyncio.gather(*(process.attempt(connection) for process in processes * 10))
    assert await rig.status() == "bad_credentials"
    assert kinds(await rig.events()) == ["connection.error"]


@MANY_STORES
async def test_a_success_heals_a_broken_connection(rig: Rig) -> None:
    connection, process = await rig.connect("key", KEYED), rig.process()
    await process.attempt(connection)
    rig.server.access[KEY] = "by hand"
    assert await process.call(connection) == KEY
    await process.settled()
    assert await rig.status() == "working"
    assert kinds(await rig.events()) == ["connection.error", "connection.updated"]


async def test_a_success_changes_nothing_about_a_working_connection(rig: Rig) -> None:
    connection, process = await rig.connect("key", KEYED), rig.process()
    rig.server.access[KEY] = "by hand"
    epoch = await rig.store.epoch()
    for _ in range(3):
        await process.call(connection)
    await process.settled()
    assert (await rig.store.epoch(), await rig.events()) == (epoch, [])


@MANY_STORES
async def test_a_late_refusal_of_an_old_key_does_not_break_what_was_healed(rig: Rig) -> None:
    connection, process = await rig.connect("key", KEYED), rig.process()
    _, account, auth = await process.services.accounts.open(connection)
    await rig.reconnect(connection, ApiKeyCredentials(api_key=Secret("a-newer-key")))
    with pytest.raises(Refused):
        await process.call_again(account, auth)
    assert (await rig.status(), await rig.events()) == ("working", [])


async def test_a_late_refusal_of_an_old_token_does_not_break_what_was_healed(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    source = process.tokens.source(connection, await rig.stored(), version=1)
    fault = (await refusal_of(rig)).fault
    await rig.reconnect(connection)
    await process.call(connection)
    before = await rig.events()
    await source.refused(fault, version=1)
    assert (await rig.status(), await rig.events()) == ("working", before)


async def refusal_of(rig: Rig) -> Refused:
    """Have some connection refused, and answer the error."""
    other = await rig.connect("key", KEYED, name="other")
    error = await rig.process("other").attempt(other)
    assert isinstance(error, Refused)
    return error


async def test_a_twice_refused_token_that_is_taken_later_heals(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.server.says |= {"access_token": "late-to-be-known"}
    rig.server.expire()
    assert isinstance(await process.attempt(connection), Refused)
    assert await rig.status() == "bad_credentials"
    rig.server.access["late-to-be-known"] = "c1"
    assert await process.call(connection) == "late-to-be-known"
    await process.settled()
    assert await rig.status() == "working"
    assert kinds(await rig.events()) == ["connection.error", "connection.updated"]


async def test_a_process_that_does_not_know_why_it_broke_asks_the_grant(rig: Rig) -> None:
    connection = await rig.connect(status="bad_credentials")
    process = rig.process("later")
    assert await process.call(connection) == "access-c1-1"
    await process.settled()
    assert (await rig.status(), await rig.version()) == ("working", 2)
    assert kinds(await rig.events()) == ["connection.updated"]


async def test_a_deleted_connection_is_nobody_s_concern(rig: Rig) -> None:
    connection, process = await rig.connect("key", KEYED), rig.process()
    _, account, auth = await process.services.accounts.open(connection)
    await rig.store.delete_connection("p1", connection.id)
    with pytest.raises(Refused):
        await process.call_again(account, auth)
    assert await rig.events() == []


async def test_a_connection_can_break_and_heal_many_times(rig: Rig) -> None:
    connection, process = await rig.connect("key", KEYED), rig.process()
    for number in range(1, 4):
        rig.server.access.pop(KEY, None)
        await process.attempt(connection)
        assert await rig.status() == "bad_credentials"
        rig.server.access[KEY] = "by hand"
        await process.call(connection)
        await process.settled()
        assert kinds(await rig.events()) == ["connection.error", "connection.updated"] * number


async def test_one_that_is_refused_by_rights_and_not_by_credentials_stays(rig: Rig) -> None:
    connection, process = await rig.connect("key", KEYED), rig.process()
    rig.server.stranger = 403
    error = await process.attempt(connection)
    assert isinstance(error, Refused)
    assert error.fault.kind == "forbidden"
    assert (await rig.status(), await rig.events()) == ("working", [])
