"""A backlog of 100,000 operations in one lane, or behind one record, costs nobody more than a small one."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from server.settings import Settings
from server.store.contract import Store
from server.store.engine import Database
from server.store.opening import open_store
from server.store.postgres import PostgresDatabase
from server.store.sqlite import SqliteDatabase
from server.store.tables import Operations
from tests.server.store.samples import MASTER_KEY, NOW, later, populated, settlement
from tests.server.store.test_lanes import ALIVE, claimed, due, left, queued, taken

MANY = 100_000
SERIES = {
    "sqlite": "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {}) ",
    "postgres": "WITH n AS (SELECT generate_series(1, {}) AS n) ",
}
BEARABLE_SECONDS = 0.1
"""Far more than it takes, and far less than it takes to look at all of them."""
MUCH = 10
"""Times what a lane takes that has no backlog."""


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


async def multiply(url: str, name: str, *, turns: bool) -> None:
    """Store an operation so many times, behind the one that is there."""
    place: Database = PostgresDatabase(url)
    if url.startswith("sqlite"):
        place = SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    columns = [column._meta.name for column in Operations._meta.columns]  # noqa: SLF001 -- Piccolo's place for it
    other = {"id": "'b' || n.n", "sequence": "1000 + n.n", "behind": "true" if turns else "false", "payload": "outcome"}
    values = ", ".join(other.get(column, column) for column in columns)
    series = SERIES["sqlite" if url.startswith("sqlite") else "postgres"].format(MANY)
    await place.open()
    async with place.writing() as session:
        insert = f"INSERT INTO operations ({', '.join(columns)}) SELECT {values} FROM operations, n WHERE id = '{name}'"  # noqa: S608 -- ours
        await session.fetch(series + insert if url.startswith("sqlite") else f"{series}{insert}", ())
        if turns:
            queue_up = (
                "INSERT INTO turns (id, operation_id, name, sequence) "
                "SELECT id || '/0', id, 'r', sequence FROM operations WHERE behind"
            )
            await session.fetch(queue_up, ())
    await place.close()


@pytest.mark.parametrize("turns", [False, True], ids=["one lane", "one record"])
async def test_a_lane_with_a_backlog_is_attended_to_as_quickly(database_url: str, *, turns: bool) -> None:
    async with opened(database_url) as store:
        await populated(store)
        await store.begin(queued("x"), turns=("r",))
    await multiply(database_url, "x", turns=turns)
    async with opened(database_url) as store:
        await serve_beside_a_backlog(store, turns=turns)


async def attended(store: Store, lane_id: str) -> tuple[list[str], float]:
    """Attend to a lane once; answers what was done, and how many seconds it took."""
    began = time.perf_counter()
    lane = await taken(store, lane_id)
    names = [one.id for one in await store.claim(lane_id, owner="me", now=later(1), calls=4, batch=1)]
    moves = [replace(settlement(name), from_state="claimed") for name in names]
    assert all(await store.settle_all(moves))
    assert await left(store, lane, at=later(1)) == (later(1) if lane_id == "c1" else None)
    return names, time.perf_counter() - began


async def serve_beside_a_backlog(store: Store, *, turns: bool) -> None:
    """Attend to the lane a few times."""
    await store.begin(queued("other", lane="c2", run_at=later(1)))
    assert await due(store, later(1)) == ["c1", "c2"]
    took: list[float] = []
    small: list[float] = []
    seen: list[str] = []
    for number in range(5):
        for each in range(4):
            await store.begin(queued(f"small-{number}-{each}", lane="small"))
        _, seconds = await attended(store, "small")
        small.append(seconds)
        names, seconds = await attended(store, "c1")
        took.append(seconds)
        seen += names
    assert seen[:3] == ["x", "b1", "b2"]
    assert len(seen) == (5 if turns else 20)
    # What looks at all of them does so each time. On a busy machine a lane without a backlog is slow as well.
    assert min(took) < max(BEARABLE_SECONDS, MUCH * min(small))
    assert await due(store, later(1)) == ["c1", "c2"] or await due(store, later(1)) == ["c2", "c1"]
    assert await store.due_lanes(now=NOW, dead_after_seconds=ALIVE, limit=9) == []


async def test_on_sqlite_a_start_lets_go_of_every_lane(sqlite_url: str) -> None:
    async with opened(sqlite_url) as store:
        await populated(store)
        await store.begin(queued("x"))
        await store.beat("killed", kind="server")
        await taken(store, owner="killed")
        assert await due(store) == []
    async with opened(sqlite_url) as store:
        assert await due(store) == ["c1"]
        await taken(store)
        assert await claimed(store) == ["x"]
        await store.begin(queued("y"))
        places = [(await store.operation("p1", name)).sequence for name in ("x", "y")]
        assert places[0] < places[1]
