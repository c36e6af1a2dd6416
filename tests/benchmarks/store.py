"""What a durable delivery costs: begin and settle, shared commits against one transaction each.

Run with ``python -m tests.benchmarks.store [sqlite|postgres]``. All rows of one run are measured on the same disk; the
ratios are what counts.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from server.settings import Settings
from server.store.contract import Store
from server.store.engine import Session
from server.store.hot import Move, Result
from server.store.opening import open_store
from server.store.piccolo import PiccoloStore
from server.store.postgres import PostgresDatabase
from server.store.postgres_moves import PostgresMoves
from server.store.sqlite import SqliteDatabase
from server.store.sqlite_moves import SqliteMoves
from server.store.vault import parse_master_keys
from tests import postgres
from tests.server.store.samples import MASTER_KEY, attempt, idempotency, operation, populated, settlement

SECONDS = 3.0
CALLERS = (1, 8, 32, 128)


class Singly:
    """One transaction for each move: what group commit is measured against."""

    def __init__(self, moves: SqliteMoves | PostgresMoves) -> None:
        self._moves = moves

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        """Commit move by move."""
        return [result for move in moves for result in await self._moves.commit([move])]

    async def announce(self, session: Session, lane_ids: Sequence[str]) -> None:
        """Tell nobody."""


async def pairs(store: Store, *, callers: int, keys: bool) -> tuple[float, float, float]:
    """Deliver for a while; answer pairs a second, CPU microseconds a pair and the 99th percentile in milliseconds."""
    payload = b'{"fields":{' + b",".join(b'"field%d":"value"' % number for number in range(30)) + b"}}"
    waits: list[float] = []
    stop = time.perf_counter() + SECONDS

    async def call(caller: int) -> None:
        count = 0
        while time.perf_counter() < stop:
            count += 1
            name = f"b{callers}-{caller}-{count}-{stop}"
            begun = time.perf_counter()
            key = idempotency(name) if keys else None
            await store.begin(operation(name, payload=payload), idempotency=key)
            await store.settle(settlement(name, attempt=replace(attempt(), operation_id=name)))
            waits.append(time.perf_counter() - begun)

    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(call(caller) for caller in range(callers)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    waits.sort()
    return len(waits) / wall, cpu / len(waits) * 1e6, waits[int(len(waits) * 0.99)] * 1e3


@asynccontextmanager
async def opened(url: str, *, singly: bool) -> AsyncIterator[Store]:
    """Open a store with or without group commit."""
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    if singly:
        master = parse_master_keys([MASTER_KEY])
        if url.startswith("sqlite"):
            file = SqliteDatabase(Path(url.removeprefix("sqlite:///")))
            store = PiccoloStore(file, moves=Singly(SqliteMoves(file)), master=master)
        else:
            server = PostgresDatabase(url)
            store = PiccoloStore(server, moves=Singly(PostgresMoves(server)), master=master)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


async def compare(url: str) -> None:
    """Measure both ways at each number of callers."""
    async with opened(url, singly=False) as store:
        await populated(store)
    print(" callers  one each/s  shared/s  ratio  CPU us/pair  p99 ms  with key/s")
    for callers in CALLERS:
        async with opened(url, singly=True) as store:
            alone, _, _ = await pairs(store, callers=callers, keys=False)
        async with opened(url, singly=False) as store:
            shared, cpu, slowest = await pairs(store, callers=callers, keys=False)
            keyed, _, _ = await pairs(store, callers=callers, keys=True)
        print(
            f"{callers:>8}{alone:>12.0f}{shared:>10.0f}{shared / alone:>7.1f}{cpu:>13.0f}{slowest:>8.1f}{keyed:>12.0f}"
        )


def main() -> None:
    """Measure what is asked for, SQLite unless told otherwise."""
    if "postgres" in sys.argv[1:]:
        with postgres.server(durable=True) as url:
            postgres.run_sql(f"{url}/postgres", "CREATE DATABASE bench")
            asyncio.run(compare(f"{url}/bench"))
        return
    with tempfile.TemporaryDirectory(dir=".") as folder:
        asyncio.run(compare(f"sqlite:///{folder}/bench.db"))


if __name__ == "__main__":
    main()
