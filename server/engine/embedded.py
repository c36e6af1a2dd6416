"""The engine inside one process: lanes in the order of their coming, so many at once. Nothing else needs to be started.

It remembers nothing across a restart and need not: what is due is found in the store again.
"""

import asyncio
import contextlib
import heapq
from datetime import datetime

from server.clock import Clock
from server.engine.attending import Attending
from server.engine.port import Attend

LANES_AT_ONCE = 512
"""How many lanes are attended to at once. A lane that waits for its provider is in nobody's way."""
LONGEST_NAP_SECONDS = 30.0
"""How late a clock may be found out that was set."""


class EmbeddedEngine:
    """Implements `port.Engine`."""

    def __init__(self, *, clock: Clock, at_once: int = LANES_AT_ONCE) -> None:
        self._clock = clock
        self._places = asyncio.Semaphore(at_once)
        self._attending = Attending(at_once)
        self._begun: set[asyncio.Task[None]] = set()
        self._never = asyncio.Event()
        self._ready: dict[str, None] = {}
        """In the order of their coming."""
        self._later: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        """Of `_later`; an entry that differs from it is out of date."""
        self._something = asyncio.Event()
        self._closing = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    async def submit(self, lane_id: str, *, not_before: datetime | None = None) -> None:
        """Have a lane attended to. Twice is once, as long as it has not begun. Raises nothing."""
        if lane_id in self._ready:
            return
        if not_before is None or not_before <= self._clock():
            self._later.pop(lane_id, None)
            self._ready[lane_id] = None
        elif (earlier := self._later.get(lane_id)) is None or not_before < earlier:
            self._later[lane_id] = not_before
            heapq.heappush(self._heap, (not_before, lane_id))
        self._something.set()

    async def cancel(self, lane_id: str) -> None:
        """Forget a lane that was submitted and has not begun."""
        self._ready.pop(lane_id, None)
        self._later.pop(lane_id, None)

    async def run(self, attend: Attend) -> None:
        """Attend to lanes until cancelled, or until `close`."""
        self._idle.clear()
        try:
            while not self._closing.is_set():
                await self._wait()
                self._ripen()
                while self._ready and not self._closing.is_set():
                    await self._begin_next(attend)
            await self._attending.finished()
        finally:
            await self._attending.cancel()
            self._idle.set()

    async def _begin_next(self, attend: Attend) -> None:
        await self._places.acquire()
        # Whoever was next may have been cancelled while there was no place.
        if not self._ready or self._closing.is_set():
            self._places.release()
            return
        lane_id = next(iter(self._ready))
        del self._ready[lane_id]
        task = asyncio.create_task(self._attending.to(lane_id, attend, unless=self._never))
        self._begun.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._begun.discard(task)
        self._places.release()

    async def close(self) -> None:
        """Begin nothing more, and return when what has begun is done."""
        self._closing.set()
        self._attending.ending = True
        self._something.set()
        await self._idle.wait()

    async def _wait(self) -> None:
        """Wait until there is something to do. What is idle costs nothing."""
        if self._ready:
            return
        self._something.clear()
        seconds = None if not self._heap else (self._heap[0][0] - self._clock()).total_seconds()
        if seconds is not None and seconds <= 0:
            return
        timeout = None if seconds is None else min(seconds, LONGEST_NAP_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), timeout)

    def _ripen(self) -> None:
        """Make ready what has come due."""
        now = self._clock()
        while self._heap and (self._heap[0][0] <= now or self._later.get(self._heap[0][1]) != self._heap[0][0]):
            due, lane_id = heapq.heappop(self._heap)
            if self._later.get(lane_id) == due:
                del self._later[lane_id]
                self._ready.setdefault(lane_id, None)
