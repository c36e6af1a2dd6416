"""PGQueuer as the engine: what several processes share, and what PostgreSQL may do to it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver

from server.clock import utc_now
from server.engine.pgqueuer import REMEMBERED, PgqueuerEngine, announce, queries_on
from server.engine.port import Attend
from server.store.opening import migrate_database
from tests.chaos.databases import Postgres, database
from tests.server.engine.test_engines import PATIENCE, Desk, running

ROOT = Path(__file__).parents[3]
JOBS = "SELECT count(*) FROM isthmus_pgqueuer"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def engine_on(url: str, *, at_once: int = 50, stale_after: timedelta = timedelta(seconds=10)) -> PgqueuerEngine:
    return PgqueuerEngine(url, clock=utc_now, at_once=at_once, stale_after=stale_after)


async def test_the_installed_library_wants_no_other_tables_than_our_step_made(migrated_postgres_url: str) -> None:
    async with connected(migrated_postgres_url) as connection:
        plan = await queries_on(AsyncpgDriver(connection)).plan_upgrade()
    assert (plan.statements, plan.notes) == ((), ())


async def test_a_lane_that_is_announced_is_attended_to_when_the_transaction_commits(migrated_postgres_url: str) -> None:
    engine, desk = engine_on(migrated_postgres_url), Desk()
    async with running(engine, desk.attend), connected(migrated_postgres_url) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await announce(connection, ["rolled back"])
        await transaction.rollback()
        async with connection.transaction():
            await announce(connection, ["b", "a", "b"])
            await announce(connection, ["a"])
            await engine.submit("meanwhile")
            await desk.until(lambda: desk.done["meanwhile"] == 1)
            assert not desk.begun["a"]
        await desk.until(lambda: desk.done["a"] == 1 and desk.done["b"] == 1)
    assert desk.done == {"meanwhile": 1, "a": 1, "b": 1}


async def test_a_lane_that_is_announced_while_it_is_attended_to_is_attended_to_again(
    migrated_postgres_url: str,
) -> None:
    engine, desk = engine_on(migrated_postgres_url), Desk()
    desk.hold("a")
    async with running(engine, desk.attend), connected(migrated_postgres_url) as connection:
        await announce(connection, ["a"])
        await desk.until(lambda: "a" in desk.now)
        await announce(connection, ["a"])
        desk.let_go()
        await desk.until(lambda: desk.done["a"] == 2)


async def test_processes_share_the_lanes(migrated_postgres_url: str) -> None:
    desk, taken = Desk(), {"one": 0, "other": 0}
    lanes = [f"lane-{number}" for number in range(30)]
    desk.hold(*lanes)

    def attending(process: str) -> Attend:
        async def attend(lane: str) -> None:
            taken[process] += 1
            await desk.attend(lane)

        return attend

    one, other = (engine_on(migrated_postgres_url, at_once=20) for _ in taken)
    async with running(one, attending("one")), running(other, attending("other")):
        for lane in lanes:
            await one.submit(lane)
        await desk.until(lambda: len(desk.now) == len(lanes))
        assert max(taken.values()) <= 20
        desk.let_go()
        await desk.until(lambda: len(desk.done) == len(lanes))
    assert set(desk.done.values()) == {1}


async def test_the_lanes_of_a_process_that_says_no_more_go_to_another_one(migrated_postgres_url: str) -> None:
    stale = timedelta(seconds=0.8)
    dead, heir = Desk(), Desk()
    dead.hold("a")
    hung = asyncio.create_task(engine_on(migrated_postgres_url, stale_after=timedelta(hours=1)).run(dead.attend))
    async with connected(migrated_postgres_url) as connection:
        await announce(connection, ["a"])
    await dead.until(lambda: "a" in dead.now)
    async with running(engine_on(migrated_postgres_url, stale_after=stale), heir.attend):
        await heir.until(lambda: heir.done["a"] == 1)
    hung.cancel()
    await asyncio.wait({hung})


async def test_nothing_is_left_of_what_was_done(migrated_postgres_url: str) -> None:
    engine, desk = engine_on(migrated_postgres_url), Desk()
    async with running(engine, desk.attend):
        for number in range(100):
            await engine.submit(f"lane-{number}")
        await desk.until(lambda: len(desk.done) == 100)
    async with connected(migrated_postgres_url) as connection:
        for table in ("", "_log", "_statistics", "_schedules"):
            assert await connection.fetchval(f"{JOBS}{table}") == 0, table


async def test_what_is_due_in_a_long_time_is_left_to_the_rows(migrated_postgres_url: str) -> None:
    engine, desk = engine_on(migrated_postgres_url), Desk()
    async with running(engine, desk.attend):
        await engine.submit("a", not_before=utc_now() + timedelta(hours=1))
        await engine.submit("b")
        await desk.until(lambda: desk.done["b"] == 1)
    async with connected(migrated_postgres_url) as connection:
        assert await connection.fetchval(JOBS) == 0


async def test_a_connection_that_breaks_is_made_anew_and_what_is_attended_to_goes_on(
    migrated_postgres_url: str,
) -> None:
    engine, desk = engine_on(migrated_postgres_url, at_once=2), Desk()
    desk.hold("long")
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'isthmus-engine'"
    async with running(engine, desk.attend), connected(migrated_postgres_url) as connection:
        await announce(connection, ["long"])
        await desk.until(lambda: "long" in desk.now)
        for number in range(3):
            await connection.fetch(f"{cut} AND datname = current_database()")
            await engine.submit(f"after-{number}")
            await desk.until(lambda number=number: desk.done[f"after-{number}"] == 1)  # type: ignore[misc]
        assert desk.begun["long"] == 1
        desk.let_go()
        await desk.until(lambda: desk.done["long"] == 1)


async def test_a_server_that_crashes_is_welcome_back(tmp_path: Path) -> None:
    desk = Desk()
    async with database("postgres", tmp_path) as crashing:
        assert isinstance(crashing, Postgres)
        await migrate_database(crashing.url)
        engine = engine_on(crashing.url)
        async with running(engine, desk.attend):
            for number in range(5):
                await engine.submit(f"lane-{number}")
                await desk.until(lambda number=number: desk.done[f"lane-{number}"] == 1)  # type: ignore[misc]
                await crashing.crash()
                await engine.submit(f"away-{number}")
                await crashing.start()
                await desk.until(lambda number=number: desk.done[f"away-{number}"] == 1)  # type: ignore[misc]


async def test_without_a_database_a_bounded_number_of_lanes_is_remembered_and_it_closes() -> None:
    engine = engine_on("postgresql://nobody@127.0.0.1:1/nothing")
    for number in range(REMEMBERED + 10):
        await engine.submit(f"lane-{number}")
    task = asyncio.create_task(engine.run(Desk().attend))
    await asyncio.sleep(0)
    await asyncio.wait_for(engine.close(), PATIENCE)
    await task


def test_the_environment_changes_nothing() -> None:
    script = "from server.engine.pgqueuer import SETTINGS; print(SETTINGS)"
    hostile = {
        "PGQUEUER_PREFIX": "x_",
        "PGQUEUER_SCHEMA": "elsewhere",
        "PGQUEUER_CHANNEL": "evil",
        "CHANNEL": "evil",
        "QUEUE_TABLE": "evil",
        "TRIGGER": "evil",
        "PGQUEUER_DURABILITY": "nonsense",
        "PGQUEUER_WIDEN_ID": "nonsense",
    }
    said = [
        subprocess.run(  # noqa: S603 -- our own program
            [sys.executable, "-c", script],
            env={**os.environ, **extra},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        ).stdout
        for extra in ({}, hostile)
    ]
    assert said[0] == said[1]
    assert "isthmus_pgqueuer" in said[0]
