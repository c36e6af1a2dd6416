"""Watches a run for work that stands still, and tells at once what the database and the processes say about it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.chaos.callers import Callers
from tests.chaos.databases import Postgres
from tests.chaos.stage import Stage
from tests.chaos.stillness import waiting_since

LOOK_SECONDS = 1.0
LONG_SECONDS = 30.0
"""A death is believed after 15 seconds of silence, and settled within a few more."""
TAIL = 30
"""Lines of what the processes said last ..."""
ROUTINE = '"level":"info"'
"""... of trouble."""
ASKED = {
    "processes": "SELECT id, kind, extract(epoch FROM clock_timestamp())::bigint - seen_at AS silent FROM processes "
    "WHERE seen_at > extract(epoch FROM clock_timestamp()) - 120 ORDER BY 3",
    "lanes": "SELECT * FROM lanes ORDER BY wake_at",
    "waiting": "SELECT connection_id, state, owner, count(*), min(run_at), min(look_at) FROM operations "
    "WHERE state NOT IN ('success', 'failure') GROUP BY 1, 2, 3",
    "transactions": "SELECT pid, application_name, state, wait_event, clock_timestamp() - xact_start, "
    "left(query, 120) FROM pg_stat_activity WHERE xact_start IS NOT NULL",
    "blocked": "SELECT pid, pg_blocking_pids(pid), relation::regclass, mode FROM pg_locks WHERE NOT granted",
    "queue": "SELECT status, count(*), min(execute_after), min(heartbeat) FROM isthmus_pgqueuer GROUP BY 1",
}
"""What is asked about a customer whose work stands still. SQLite's file is its one process's alone."""


@asynccontextmanager
async def watched(stage: Stage, callers: Callers) -> AsyncIterator[None]:
    """Look every second as long as the context is open; what stands still for long is told once each time."""
    watching = asyncio.create_task(_watch(stage, callers))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _watch(stage: Stage, callers: Callers) -> None:
    told: set[tuple[str, float]] = set()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        provider = stage.provider
        since = waiting_since(callers.later, seen=provider.seen, called_at=provider.called_at)
        for stall in since.items():
            if time.monotonic() - stall[1] > LONG_SECONDS and stall not in told:
                told.add(stall)
                lines = [f"{stall[0]} stands still for {LONG_SECONDS:.0f} s", *await _seen(stage), ""]
                sys.stderr.write("\n".join(lines))


async def _seen(stage: Stage) -> list[str]:
    lines: list[str] = []
    for name, statement in ASKED.items() if isinstance(stage.database, Postgres) else ():
        try:
            rows = await asyncio.to_thread(stage.database.run, statement)
        except subprocess.CalledProcessError as error:
            rows = str(error)
        lines += [f"    {name:12} {row}" for row in rows.splitlines()]
    said = stage.folder / "stderr.log"
    text = said.read_text("utf-8", "replace") if said.exists() else ""
    troubles = [line for line in text.splitlines() if ROUTINE not in line]
    return lines + [f"    {'said':12} {line}" for line in troubles[-TAIL:]]
