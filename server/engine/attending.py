"""What a process attends to at the moment: so many lanes at once, each one once."""

import asyncio

from server import logs
from server.engine.port import Attend


class Attending:
    """The lanes at work here. They outlive whoever asked for them."""

    ending = False
    """Nothing more is begun."""

    def __init__(self, at_once: int) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._running: set[asyncio.Task[None]] = set()

    async def to(self, lane_id: str, attend: Attend, *, unless: asyncio.Event) -> None:
        """Attend to a lane and return when that is done, or when ``unless`` is set; it goes on then.

        One that is attended to is attended to once more afterwards, which nobody waits for.
        """
        if lane_id in self._lanes:
            self._again.add(lane_id)
            return
        task = asyncio.create_task(self._attend(lane_id, attend))
        self._lanes[lane_id] = task
        self._running.add(task)
        task.add_done_callback(lambda _: self._ended(task, lane_id))
        waiting = asyncio.create_task(unless.wait())
        try:
            await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()

    async def finished(self) -> None:
        """Wait until nothing is attended to."""
        while self._running:
            await asyncio.wait(self._running)

    async def cancel(self) -> None:
        """End all of it now."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _attend(self, lane_id: str, attend: Attend) -> None:
        async with self._room:
            while not self.ending:
                self._again.discard(lane_id)
                try:
                    await attend(lane_id)
                except Exception as error:  # noqa: BLE001 -- the rim: a lane that fails fails alone
                    logs.failed("engine.lane_failed", error, lane=lane_id)
                if lane_id not in self._again:
                    break
            # Nobody may come in between: who finds a lane here relies on its being attended to once more.
            self._forget(lane_id)

    def _ended(self, task: asyncio.Task[None], lane_id: str) -> None:
        self._running.discard(task)
        if self._lanes.get(lane_id) is task:
            self._forget(lane_id)

    def _forget(self, lane_id: str) -> None:
        self._lanes.pop(lane_id, None)
        self._again.discard(lane_id)
