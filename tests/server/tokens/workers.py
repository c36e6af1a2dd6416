"""Real processes that call a provider through one store, and that can be killed at any moment.

They are forked from a server that has imported everything, so that a start costs milliseconds.
"""

import asyncio
import multiprocessing
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from typing import Any

import httpx
from msgspec.structs import replace

from connectors.connector import Account
from connectors.errors import ConnectorError
from server.delivering.beat import Beat
from server.liveness import stay_alive
from server.settings import Settings
from server.store.opening import open_store
from server.tokens.pace import Pace
from tests.server.store.samples import MASTER_KEY
from tests.server.tokens.rig import Process, RealTime, Rig, rigged
from tests.server.tokens.token_server import TokenServer

Call = tuple[str, str]
"""A connection and what to call."""
BEAT_SECONDS = 0.2
PACE = Pace()
STEADY = replace(PACE, dead_after_seconds=30.0)
"""Nobody is taken for dead where nobody dies, although the machine stands still for some seconds."""
HASTY = replace(PACE, dead_after_seconds=1.0)
"""A dead process is found sooner than in earnest, so that many can die in a test."""

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload([__name__])


class Worker:
    """A process, seen from outside."""

    def __init__(self, database_url: str, provider_url: str, *, owner: str, pace: Pace = PACE) -> None:
        self._pipe, theirs = _context.Pipe()
        seen = (theirs, database_url, provider_url, owner, pace.dead_after_seconds)
        self._process = _context.Process(target=run, args=seen, daemon=True)
        self._process.start()
        theirs.close()

    async def ready(self) -> None:
        """Wait until it works."""
        assert await asyncio.to_thread(self._pipe.recv) == ["ready"]

    async def call(self, calls: Sequence[Call]) -> list[str]:
        """Have it make calls all at once; answers the tokens they were done with, or errors. Killed, it is mute."""
        self._pipe.send(list(calls))
        try:
            return list(await asyncio.to_thread(self._pipe.recv))
        except (EOFError, ConnectionResetError):
            return []

    async def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self._process.kill()
        await asyncio.to_thread(self._process.join)
        self._process.close()

    async def stop(self) -> None:
        """Let it end by itself."""
        self._pipe.send(None)
        await asyncio.to_thread(self._process.join)
        self._process.close()
        self._pipe.close()


def run(pipe: "Pipe[Any, Any]", database_url: str, provider_url: str, owner: str, dead_after_seconds: float) -> None:
    """Be a worker."""
    asyncio.run(_work(pipe, database_url, provider_url, owner, replace(PACE, dead_after_seconds=dead_after_seconds)))


async def _work(pipe: "Pipe[Any, Any]", database_url: str, provider_url: str, owner: str, pace: Pace) -> None:
    time, server = RealTime(), TokenServer(monotonic=lambda: 0.0, url=provider_url)
    store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
    await store.start()
    async with rigged(store, server, time, new=False) as rig:
        process = rig.process(owner, pace=pace)
        companions = [
            asyncio.create_task(
                stay_alive(
                    store,
                    owner=owner,
                    kind="test",
                    clock=time.now,
                    beat=Beat(),
                    recover=_nothing_left,
                    beat_seconds=BEAT_SECONDS,
                )
            ),
            asyncio.create_task(process.keep_alive.run()),
        ]
        pipe.send(["ready"])
        targets: dict[str, tuple[Account, httpx.Auth]] = {}
        while (calls := await asyncio.to_thread(pipe.recv)) is not None:
            pipe.send(await asyncio.gather(*(_call(rig, process, targets, *one) for one in calls)))
        for companion in companions:
            companion.cancel()
        await asyncio.gather(*companions, return_exceptions=True)
        await process.tokens.close()
    await store.close()


async def _nothing_left(*, living: Sequence[str]) -> int:
    """Nobody has operations here."""
    assert living
    return 0


async def _call(
    rig: Rig, process: Process, targets: dict[str, tuple[Account, httpx.Auth]], name: str, what: str
) -> str:
    """Call as a cached target is called: the connection is opened once."""
    if name not in targets:
        connection = await rig.store.connection("p1", name)
        _, account, auth = await process.services.accounts.open(connection)
        targets.setdefault(name, (account, auth))
    try:
        return await process.call_again(*targets[name], what)
    except ConnectorError as error:
        return f"{type(error).__name__} {error}"
