"""Writes down what came of attempts: whatever ends while the last commit is under way shares the next one."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from server import logs
from server.store.contract import Tried, Unavailable

AGAIN_SECONDS = 1.0
KEPT_SECONDS = 60.0
"""For how long a result is kept while the database is away. By then the message has come up again by itself."""


class Settling(Protocol):
    """The part of the store that this module uses."""

    async def settle_deliveries(self, tries: Sequence[Tried]) -> list[bool]:
        """Write results down in one transaction."""
        ...


class Ledger:
    """Takes results and writes them down, a group at a time."""

    def __init__(self, store: Settling, *, again_seconds: float = AGAIN_SECONDS) -> None:
        self._store = store
        self._again_seconds = again_seconds
        self._waiting: list[tuple[Tried, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def enter(self, tried: Tried) -> None:
        """Write a result down; answers when that is done, or will never be."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((tried, done))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await asyncio.shield(done)

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            await self._commit([tried for tried, _ in group])
            for _, done in group:
                if not done.done():
                    done.set_result(None)

    async def _commit(self, tries: Sequence[Tried]) -> None:
        waited = 0.0
        while True:
            try:
                await self._store.settle_deliveries(tries)
            except Unavailable as error:
                logs.failed("store.unavailable", error)
                if waited >= KEPT_SECONDS:
                    return
            except Exception as error:  # noqa: BLE001 -- the rim: the claims come up again by themselves
                logs.failed("notification.unsettled", error)
                return
            else:
                return
            await asyncio.sleep(self._again_seconds)
            waited += self._again_seconds
