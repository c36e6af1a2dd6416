"""Renewals that no request asks for."""

import asyncio
from datetime import datetime, timedelta

import pytest
from aiohttp import web

from installations.installation import Connection
from server.settings import Settings
from server.store.contract import Store, Unavailable
from server.store.memory import MemoryStore
from server.store.opening import open_store
from server.tokens.keep_alive import AT_ONCE
from server.tokens.solitude import lease_name
from tests.server.store.samples import MASTER_KEY
from tests.server.tokens.rig import KEYED, START, Clockwork, Rig, kinds, rigged
from tests.server.tokens.token_server import TokenServer, serving

HOUR = 3600.0
MANY_STORES = pytest.mark.parametrize("kept", ["memory", "sqlite", "postgres"], indirect=True)
DYING_AT = START + timedelta(hours=90)
"""Nine tenths of the provider's hundred hours."""


@MANY_STORES
async def test_a_refresh_token_that_dies_unused_is_used_in_time_again_and_again(rig: Rig) -> None:
    await rig.connect(keep_alive_at=DYING_AT)
    process = rig.process()
    for number in range(1, 4):
        rig.clock.tick(89 * HOUR)
        await process.keep_alive.renew_dying()
        assert len(rig.server.asked) == number - 1
        rig.clock.tick(HOUR)
        await process.keep_alive.renew_dying()
        assert len(rig.server.asked) == number
    assert await rig.version() == 4


async def test_any_renewal_puts_it_off(rig: Rig) -> None:
    connection, process = await rig.connect(keep_alive_at=DYING_AT), rig.process()
    rig.clock.tick(89 * HOUR)
    await process.call(connection)
    rig.clock.tick(2 * HOUR)
    await process.keep_alive.renew_dying()
    assert len(rig.server.asked) == 1


async def test_of_two_processes_one_renews(rig: Rig) -> None:
    await rig.connect(keep_alive_at=START)
    rig.clock.tick(1)
    one, two = rig.process("one"), rig.process("two")
    await asyncio.gather(one.keep_alive.renew_dying(), two.keep_alive.renew_dying())
    assert len(rig.server.asked) == 1


async def test_a_process_that_listed_it_before_another_renewed_it_leaves_it_alone(rig: Rig) -> None:
    await rig.connect(keep_alive_at=START)
    late, listed_at = rig.process("late"), rig.clock.now() + timedelta(seconds=1)
    rig.clock.tick(2)
    await rig.process("early").keep_alive.renew_dying()
    await late.tokens.keep_alive("p1", "c1", since=listed_at)
    assert len(rig.server.asked) == 1


async def test_a_broken_connection_is_left_alone(rig: Rig) -> None:
    await rig.connect(keep_alive_at=START, status="bad_credentials")
    rig.clock.tick(1)
    await rig.process().keep_alive.renew_dying()
    assert rig.server.asked == []


async def test_a_refresh_token_that_died_breaks_the_connection_and_the_others_go_on(rig: Rig) -> None:
    for number in range(1, 4):
        await rig.connect(name=f"c{number}", keep_alive_at=START)
    rig.server.revoke("c1")
    rig.clock.tick(1)
    await rig.process().keep_alive.renew_dying()
    assert [await rig.status(f"c{number}") for number in range(1, 4)] == ["bad_credentials", "working", "working"]
    assert kinds(await rig.events()) == ["connection.error"]


async def test_only_so_many_are_renewed_at_once(rig: Rig) -> None:
    for number in range(20):
        await rig.connect(name=f"c{number}", keep_alive_at=START)
    rig.clock.tick(1)
    rig.server.gate = asyncio.Event()
    renewing = asyncio.create_task(rig.process().keep_alive.renew_dying())
    while len(rig.server.asked) < AT_ONCE:
        await rig.server.arrived.wait()
        await asyncio.sleep(0)
    assert len(rig.server.asked) == AT_ONCE
    rig.server.gate.set()
    await renewing
    assert len(rig.server.asked) == 20


async def test_a_failure_is_tried_again_in_the_next_round(rig: Rig) -> None:
    await rig.connect(keep_alive_at=START)
    process = rig.process()
    rig.clock.tick(1)
    rig.server.instead = [web.Response(status=503) for _ in range(3)]
    await process.keep_alive.renew_dying()
    assert await rig.version() == 1
    rig.clock.tick(60)
    await process.keep_alive.renew_dying()
    assert (await rig.version(), await rig.status()) == (2, "working")


async def take_and_die(rig: Rig, name: str = "c1") -> None:
    """Leave behind what a process leaves that is killed after the provider has answered."""
    rig.clock.tick(1)
    await rig.store.beat("killed", kind="server")
    assert await rig.store.take_lease(lease_name("p1", name), owner="killed", seconds=0, dead_after_seconds=60)
    rig.server.refresh[f"refresh-{name}-1"].spent_at = rig.clock.passed


@MANY_STORES
async def test_a_renewal_that_a_dead_process_left_is_taken_up_without_a_request(rig: Rig) -> None:
    rig.server.grace_seconds = 30
    await rig.connect()
    await take_and_die(rig)
    process = rig.process()
    rig.clock.tick(8)
    await process.keep_alive.take_up_left()
    await process.settled()
    assert [form["refresh_token"] for form in rig.server.asked] == ["refresh-c1-1"]
    assert (await rig.version(), await rig.status()) == (2, "working")
    await process.keep_alive.take_up_left()
    await process.settled()
    assert len(rig.server.asked) == 1


async def test_what_a_dead_process_left_is_taken_up_once(rig: Rig) -> None:
    rig.server.grace_seconds = 30
    await rig.connect()
    await take_and_die(rig)
    processes = [rig.process(name) for name in ("one", "two")]
    for process in processes * 2:
        await process.keep_alive.take_up_left()
    for process in processes:
        await process.settled()
    assert len(rig.server.asked) == 1


LEFT_BEHIND = [("deleted", "c9"), ("without a token", "key"), ("broken", "broken")]


@pytest.mark.parametrize(("case", "name"), LEFT_BEHIND, ids=[row[0] for row in LEFT_BEHIND])
async def test_a_lease_with_nothing_to_renew_is_forgotten(rig: Rig, case: str, name: str) -> None:
    del case
    await rig.connect("key", KEYED, name="key")
    await rig.connect(name="broken", status="bad_credentials")
    await rig.store.take_lease(lease_name("p1", name), owner="killed", seconds=0, dead_after_seconds=60)
    process = rig.process()
    await process.keep_alive.take_up_left()
    await process.settled()
    assert rig.server.asked == []
    assert await rig.store.abandoned_leases("refresh/", dead_after_seconds=60, limit=10) == []


async def test_on_sqlite_the_next_process_takes_it_up_at_once(sqlite_url: str, clockwork: Clockwork) -> None:
    server = TokenServer(monotonic=clockwork.monotonic, grace_seconds=30)

    async def started() -> Store:
        store = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
        await store.start()
        return store

    async with serving(server):
        before = await started()
        async with rigged(before, server, clockwork) as rig:
            await rig.connect()
            await take_and_die(rig)
            await before.close()
            after = await started()
            rig.store = after
            process = rig.process("next")
            await process.keep_alive.take_up_left()
            await process.settled()
            assert await rig.version() == 2
            await after.close()


async def test_a_renewal_that_is_broken_off_at_the_end_of_a_process_leaves_its_lease(rig: Rig) -> None:
    rig.server.grace_seconds = 30
    connection, process = await rig.connect(), rig.process("ending")
    rig.clock.tick(HOUR)
    rig.server.gate = asyncio.Event()
    attempt = asyncio.create_task(process.attempt(connection))
    await rig.server.arrived.wait()
    await process.tokens.errands.finish(within_seconds=0)
    assert await asyncio.wait({attempt})
    rig.server.gate.set()
    assert not await rig.store.take_lease(lease_name("p1", "c1"), owner="next", seconds=1, dead_after_seconds=60)


async def test_the_rounds_go_on_although_the_database_is_away(clockwork: Clockwork) -> None:
    class Absent(MemoryStore):
        rounds = 0

        async def dying_connections(self, *, now: datetime, limit: int) -> list[Connection]:
            self.rounds += 1
            if self.rounds == 3:
                done.set()
            raise Unavailable(f"away at {now}, with {limit} to list")

    done, store = asyncio.Event(), Absent()
    server = TokenServer(monotonic=clockwork.monotonic)
    async with serving(server), rigged(store, server, clockwork) as rig:
        rounds = asyncio.create_task(rig.process().keep_alive.run())
        await done.wait()
        rounds.cancel()
        await asyncio.wait({rounds})
