"""Renewals among processes that share a store: one of them renews, and what it got is stored before it is used."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import UNSET

from connectors.credentials import build_credentials
from connectors.errors import ConnectorError, NotSent
from connectors.secret import Secret
from server.store.contract import StoredCredentials, Unavailable
from server.store.memory import MemoryStore
from server.tokens.pace import Pace
from server.tokens.solitude import lease_name
from tests.server.tokens.rig import Clockwork, Rig, kinds, rigged
from tests.server.tokens.token_server import TokenServer, serving

HOUR = 3600.0
MANY_STORES = pytest.mark.parametrize("kept", ["memory", "sqlite", "postgres"], indirect=True)
REAL = Pace(poll_seconds=(0.002, 0.005))
"""Processes of one event loop wait for each other in real time, or their patience would end before a request does."""


@MANY_STORES
async def test_of_two_processes_one_renews_and_both_go_on(rig: Rig) -> None:
    connection = await rig.connect()
    processes = [rig.process(name, pace=REAL) for name in ("one", "two")]
    rig.server.expire()
    calls = [process.call(connection, f"{number}") for number in range(10) for process in processes]
    assert await asyncio.gather(*calls) == ["access-c1-2"] * 20
    assert len(rig.server.asked) == 1
    assert await rig.version() == 2


@MANY_STORES
async def test_many_connections_are_renewed_beside_each_other(rig: Rig) -> None:
    processes = [rig.process(name, pace=REAL) for name in ("one", "two")]
    connections = [await rig.connect(name=f"c{number}") for number in range(1, 11)]
    rig.server.expire()
    await asyncio.gather(*(process.call(connection) for connection in connections for process in processes))
    assert rig.server.refreshes == {connection.id: 1 for connection in connections}


async def test_a_token_that_another_process_renewed_is_read_and_not_renewed_again(rig: Rig) -> None:
    connection, behind = await rig.connect(), rig.process("behind")
    _, account, auth = await behind.services.accounts.open(connection)
    assert await behind.call_again(account, auth) == "access-c1-1"
    rig.server.expire()
    assert await rig.process("ahead").call(connection) == "access-c1-2"
    assert await behind.call_again(account, auth) == "access-c1-2"
    assert len(rig.server.asked) == 1


async def test_a_token_that_another_process_renewed_long_ago_may_be_bad_as_well(rig: Rig) -> None:
    connection, idle = await rig.connect(), rig.process("idle")
    _, account, auth = await idle.services.accounts.open(connection)
    rig.server.expire()
    assert await rig.process("busy").call(connection) == "access-c1-2"
    rig.server.expire()
    assert await idle.call_again(account, auth, "create") == "access-c1-3"
    assert (rig.server.refused["create"], rig.server.calls["create"]) == (2, 1)
    assert (await rig.status(), await rig.events()) == ("working", [])


@MANY_STORES
async def test_who_waits_for_a_dead_grant_learns_it_without_asking(rig: Rig) -> None:
    connection = await rig.connect()
    processes = [rig.process(name, pace=REAL) for name in ("one", "two")]
    rig.server.revoke("c1")
    rig.server.gate = asyncio.Event()
    attempts = [asyncio.create_task(process.attempt(connection)) for process in processes]
    await rig.server.arrived.wait()
    rig.server.gate.set()
    errors = await asyncio.gather(*attempts)
    assert [error.fault.kind for error in errors if isinstance(error, ConnectorError)] == ["auth", "auth"]
    assert len(rig.server.asked) == 1
    assert kinds(await rig.events()) == ["connection.error"]


async def test_a_process_that_does_not_come_to_an_end_is_not_waited_for_for_ever(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    name = lease_name("p1", "c1")
    assert await rig.store.take_lease(name, owner="somebody", seconds=60, dead_after_seconds=60)
    rig.clock.tick(HOUR)
    before = rig.clock.passed
    error = await process.attempt(connection)
    assert isinstance(error, NotSent)
    assert "another process" in error.fault.message
    assert 35 <= rig.clock.passed - before < 36
    assert all(0.1 <= nap <= 0.25 for nap in rig.clock.naps)
    assert (rig.server.asked, await rig.status()) == ([], "working")


async def test_the_lease_is_given_back_after_success_and_after_failure(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    rig.server.lose = 1
    await process.attempt(connection)
    assert await rig.store.take_lease(lease_name("p1", "c1"), owner="other", seconds=60, dead_after_seconds=60)


async def test_who_connects_again_during_a_renewal_wins(rig: Rig) -> None:
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    rig.server.gate = asyncio.Event()
    attempt = asyncio.create_task(process.attempt(connection))
    await rig.server.arrived.wait()
    await rig.reconnect(connection)
    rig.server.gate.set()
    assert await attempt == "access-c1-2"
    assert (await rig.stored()).refresh_token == Secret("refresh-c1-2")
    assert await rig.version() == 2


class Balky(MemoryStore):
    """A store that cannot be written to for a while, or only slowly, when tokens are renewed."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0
        self.lost = 0
        self.gate: asyncio.Event | None = None
        self.saving = asyncio.Event()

    async def renew_credentials(self, project_id: str, connection_id: str, **renewed: Any) -> int:
        self.saving.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.away > 0:
            self.away -= 1
            raise Unavailable("the database is away")
        version = await super().renew_credentials(project_id, connection_id, **renewed)
        if self.lost > 0:
            self.lost -= 1
            raise Unavailable("the answer to the commit was lost")
        return version


@pytest.fixture
async def balky(clockwork: Clockwork) -> AsyncIterator[tuple[Rig, Balky]]:
    store, server = Balky(), TokenServer(monotonic=clockwork.monotonic)
    async with serving(server), rigged(store, server, clockwork) as rig:
        yield rig, store


async def test_nobody_uses_a_token_before_the_next_refresh_token_is_stored(balky: tuple[Rig, Balky]) -> None:
    rig, store = balky
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    store.gate = asyncio.Event()
    attempts = [asyncio.create_task(process.attempt(connection, "create")) for _ in range(5)]
    await store.saving.wait()
    assert not any(attempt.done() for attempt in attempts)
    assert rig.server.calls.total() == 0
    store.gate.set()
    assert await asyncio.gather(*attempts) == ["access-c1-2"] * 5


async def test_tokens_are_stored_although_the_database_is_away_for_a_while(balky: tuple[Rig, Balky]) -> None:
    rig, store = balky
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    store.away = 100
    assert await process.call(connection) == "access-c1-2"
    assert len(rig.server.asked) == 1
    assert (await rig.stored()).refresh_token == Secret("refresh-c1-2")


async def test_tokens_that_could_not_be_stored_are_stored_later_and_not_had_again(balky: tuple[Rig, Balky]) -> None:
    rig, store = balky
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    store.away = 10_000
    with pytest.raises(Unavailable):
        await process.call(connection)
    store.away = 0
    assert await process.call(connection) == "access-c1-2"
    assert len(rig.server.asked) == 1


async def test_a_commit_whose_answer_was_lost_counts(balky: tuple[Rig, Balky]) -> None:
    rig, store = balky
    connection, process = await rig.connect(), rig.process()
    rig.clock.tick(HOUR)
    store.lost = 1
    assert await process.call(connection) == "access-c1-2"
    assert (await rig.version(), len(rig.server.asked)) == (2, 1)


async def test_a_process_that_was_taken_for_dead_does_not_overwrite_its_successor(balky: tuple[Rig, Balky]) -> None:
    rig, store = balky
    connection = await rig.connect()
    sleepy, successor = rig.process("sleepy"), rig.process("successor")
    rig.server.grace_seconds = 30
    await store.beat("sleepy", kind="server")
    rig.clock.tick(HOUR)
    store.gate = asyncio.Event()
    late = asyncio.create_task(sleepy.attempt(connection))
    await store.saving.wait()
    gate, store.gate = store.gate, None
    assert await store.take_lease(lease_name("p1", "c1"), owner="successor", seconds=60, dead_after_seconds=-1)
    assert await successor.call(connection) == "access-c1-3"
    gate.set()
    assert await late == "access-c1-3"
    assert (await rig.stored()).refresh_token == Secret("refresh-c1-3")


def test_the_deadline_is_shorter_than_the_lease_and_a_dead_process_is_found_within_ten_seconds() -> None:
    pace = Pace()
    assert pace.deadline_seconds < pace.lease_seconds
    assert pace.dead_after_seconds + 2 * pace.poll_seconds[1] < 10
    assert pace.again_after_seconds[0] <= 2


async def test_credentials_of_before_do_not_go_to_the_address_of_after(clockwork: Clockwork) -> None:
    class Moving(MemoryStore):
        """A connection is moved to another workspace, with its credentials, just after they were read for a renewal."""

        reads = 0

        async def credentials(self, project_id: str, connection_id: str) -> StoredCredentials:
            held = await super().credentials(project_id, connection_id)
            self.reads += 1
            if self.reads == 3:
                moved = build_credentials(rig.tokens())
                await self.update_connection(
                    project_id, connection_id, now=rig.clock.now(), provider_workspace_ref="evil", credentials=moved
                )
            return held

    server = TokenServer(monotonic=clockwork.monotonic)
    async with serving(server), rigged(Moving(), server, clockwork) as rig:
        await rig.connect("hosted", provider_workspace_ref="acme", provider_app_id=UNSET)
        process = rig.process()
        rig.clock.tick(1)
        await process.tokens.keep_alive("p1", "c1", since=rig.clock.now())
        assert server.asked == []
        assert await rig.version() == 2
