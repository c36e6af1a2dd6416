"""What the disk and the databases do without us: single rows committed durably, and what a sync of the disk costs."""

import asyncio
import os
import sqlite3
import statistics
import time
from pathlib import Path

import asyncpg

PAYLOAD = 1_600
"""Bytes of a sealed operation."""
SYNCS = 200


def sqlite_rate(folder: Path, *, seconds: float) -> float:
    """Commit single rows with WAL and ``synchronous=FULL``, as fast as one connection can; answer how many a second."""
    with sqlite3.connect(folder / "raw.db", isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, payload BLOB)")
        count, payload, started = 0, os.urandom(PAYLOAD), time.perf_counter()
        while time.perf_counter() - started < seconds:
            connection.execute("INSERT INTO rows VALUES (?, ?)", (f"{time.time_ns()}-{count}", payload))
            count += 1
        return count / (time.perf_counter() - started)


async def postgres_rate(url: str, *, connections: int, seconds: float) -> float:
    """Commit single rows on so many connections at once; answer how many a second."""
    pool = await asyncpg.create_pool(url, min_size=connections, max_size=connections)
    await pool.execute("CREATE TABLE IF NOT EXISTS raw_rows (id bigserial PRIMARY KEY, payload bytea)")
    payload, stop, count, started = os.urandom(PAYLOAD), time.perf_counter() + seconds, 0, time.perf_counter()

    async def call() -> None:
        nonlocal count
        async with pool.acquire() as connection:
            while time.perf_counter() < stop:
                await connection.execute("INSERT INTO raw_rows (payload) VALUES ($1)", payload)
                count += 1

    await asyncio.gather(*(call() for _ in range(connections)))
    rate = count / (time.perf_counter() - started)
    await pool.close()
    return rate


def sync_microseconds(folder: Path) -> float:
    """Measure the median of what ``fdatasync`` takes after a page was written."""
    waits = []
    file = os.open(folder / "synced", os.O_RDWR | os.O_CREAT)
    try:
        for _ in range(SYNCS):
            os.write(file, bytes(4096))
            started = time.perf_counter()
            os.fdatasync(file)
            waits.append((time.perf_counter() - started) * 1e6)
    finally:
        os.close(file)
    return statistics.median(waits)
