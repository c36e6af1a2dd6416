"""What connections live through, in full: refused requests in two processes, kills while tokens are renewed.

    python -m tests.benchmarks.refreshes [kills] [rounds]

200 kills and 1,000 rounds unless told otherwise. The judge is the provider: it counts refreshes, and takes
a grant back when a refresh token is reused too late. Every line has to end with nothing lost.
"""

import asyncio
import sys
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from server.settings import Settings
from server.store.opening import open_store
from tests import postgres
from tests.server.store.samples import MASTER_KEY
from tests.server.tokens.ordeals import Stampede, Survival, endless, killed_alone, killed_among_others, stampede

KILLS, ROUNDS = 200, 1_000
EACH = 20
"""Requests for each of 50 connections in each of two processes."""


async def fresh(server: str, name: str) -> str:
    """Make a migrated database; answer its URL."""
    postgres.run_sql(f"{server}/postgres", f"CREATE DATABASE {name}")
    url = f"{server}/{name}"
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    await store.close()
    return url


async def tell(name: str, ordeal: Coroutine[Any, Any, Stampede | Survival]) -> None:
    """Run one and print its figures."""
    print(f"{name:<42}{await ordeal}", flush=True)


async def main(kills: int, rounds: int) -> None:
    """Run them one after the other."""
    with postgres.server() as server, tempfile.TemporaryDirectory() as folder:
        url = await fresh(server, "stampede")
        await tell("401s, 50 connections, 2 processes", stampede(url, connections=50, each=EACH))
        url = await fresh(server, "endless")
        await tell("rounds without grace, 2 processes", endless(url, rounds=rounds))
        alone = f"sqlite:///{Path(folder) / 'alone.db'}"
        await tell("kill -9 of the only process (SQLite)", killed_alone(alone, kills=kills))
        url = await fresh(server, "killed")
        await tell("kill -9 beside others (PostgreSQL)", killed_among_others(url, kills=kills))


def numbers(arguments: list[str]) -> tuple[int, int]:
    """Read how many kills and rounds are wanted."""
    kills, rounds, *_ = (*map(int, arguments), *(KILLS, ROUNDS)[len(arguments) :])
    return kills, rounds


if __name__ == "__main__":
    asyncio.run(main(*numbers(sys.argv[1:])))
