"""What a process does so that builders hear of events: fans them out, and sends what is due.

The store says what is due, whatever process stored it; a hint (`Bell`) only makes it sooner. Nothing is kept here that
would be missed: a process that is killed leaves claims that come up again.
"""

import asyncio
import time
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Protocol

from server import logs
from server.clock import Clock
from server.notifying.bell import Bell
from server.notifying.rounds import Messages, Rounds
from server.store.contract import Missing, Unattended, Unavailable

POLL_SECONDS = 1.0
"""How late an event may be seen that another process stored."""
EVENTS_AT_ONCE = 100
DESTINATIONS_AT_ONCE = 100
"""The most that one process serves together."""
STOP_SECONDS = 5.0
"""How long messages on their way may take when the process stops."""
PRUNE_SECONDS = 600.0
KEPT = timedelta(days=7)
"""For how long events and what was delivered can be looked up and replayed."""
FAILURES_KEPT = timedelta(days=30)


class Outbox(Messages, Protocol):
    """The part of the store that the notifier uses."""

    async def unattended(self, *, now: datetime, dead_after_seconds: float, limit: int) -> Unattended:
        """Tell what there is to do."""
        ...

    async def fan_out(self, project_id: str, *, now: datetime, limit: int) -> int:
        """Store what the next events lead to."""
        ...

    async def prune_notifications(
        self, *, events_before: datetime, delivered_before: datetime, failed_before: datetime
    ) -> None:
        """Forget what is old and over."""
        ...


class Notifier:
    """Tells builders, until it is stopped."""

    def __init__(
        self,
        store: Outbox,
        rounds: Rounds,
        *,
        bell: Bell,
        clock: Clock,
        dead_after_seconds: float,
        stop_seconds: float = STOP_SECONDS,
    ) -> None:
        self._store = store
        self._rounds = rounds
        self._bell = bell
        self._clock = clock
        self._dead_after_seconds = dead_after_seconds
        self._stop_seconds = stop_seconds
        self._served: dict[str, asyncio.Task[None]] = {}
        self._prune_at = time.monotonic()

    async def run(self) -> None:
        """Work until cancelled; then what is on its way is finished, or given back after some seconds."""
        try:
            while True:
                more = await self._at_the_rim(self.look())
                if not more:
                    await self._bell.wait(POLL_SECONDS)
        finally:
            await self._stop()

    async def look(self) -> bool:
        """Fan out what is new, start to send what is due; tells whether to look again at once."""
        now = self._clock()
        await self._prune(now)
        todo = await self._store.unattended(
            now=now, dead_after_seconds=self._dead_after_seconds, limit=DESTINATIONS_AT_ONCE
        )
        for project_id in todo.projects:
            await self._store.fan_out(project_id, now=now, limit=EVENTS_AT_ONCE)
        for project_id, destination_id in todo.destinations:
            self._serve(project_id, destination_id)
        return bool(todo.projects)

    async def idle(self) -> None:
        """Wait until nothing is on its way."""
        while self._served:
            await asyncio.wait(self._served.values())

    def _serve(self, project_id: str, destination_id: str) -> None:
        if destination_id in self._served or len(self._served) >= DESTINATIONS_AT_ONCE:
            return
        task = asyncio.create_task(self._served_once(project_id, destination_id))
        self._served[destination_id] = task

    async def _served_once(self, project_id: str, destination_id: str) -> None:
        try:
            await self._at_the_rim(self._rounds.serve(project_id, destination_id))
        finally:
            del self._served[destination_id]

    async def _prune(self, now: datetime) -> None:
        if time.monotonic() < self._prune_at:
            return
        self._prune_at = time.monotonic() + PRUNE_SECONDS
        await self._store.prune_notifications(
            events_before=now - KEPT, delivered_before=now - KEPT, failed_before=now - FAILURES_KEPT
        )

    async def _at_the_rim(self, work: Awaitable[bool | None]) -> bool:
        try:
            return bool(await work)
        except Missing:
            pass  # deleted this very moment
        except Unavailable as error:
            logs.failed("store.unavailable", error)
        except Exception as error:  # noqa: BLE001 -- the rim: one bad message must not silence the others
            logs.failed("notifier.failed", error)
        return False

    async def _stop(self) -> None:
        self._rounds.stop()
        tasks = list(self._served.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=self._stop_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._rounds.close()
