"""Work that nobody waits for: not forgotten, its failures recorded, and finished before the process ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from server import logs
from server.store.contract import StoreError

T = TypeVar("T")


class Errands:
    """The errands of one process."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def run(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """Start an errand. What it raises is recorded under ``name``, as an event."""
        self.start(self._recorded(name, work))

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start an errand that some may wait for; whoever waits gets what it raises."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something to its end, even if whoever waits for it is cancelled."""
        task = self.start(work)
        await asyncio.wait({task})
        return task.result()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # asked for, lest asyncio complains that nobody did

    async def finish(self, *, within_seconds: float | None = None) -> None:
        """Wait until nothing is under way; what is late then is cancelled."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=within_seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    @staticmethod
    async def _recorded(name: str, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except StoreError as error:
            logs.failed("store.unavailable", error, errand=name)
        except Exception as error:  # noqa: BLE001 -- see below
            # The rim: there is no caller to tell.
            logs.failed(name, error)
