"""Attends to lanes: the one who carries out what was accepted asynchronously, in every process that may."""

import asyncio
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from server import logs
from server.delivering.visits import Means, Visit
from server.engine.port import Engine
from server.store.contract import Lane, Unavailable

DRAIN_SECONDS = 30.0
"""How long calls under way may take once the process is told to stop."""


class LaneStore(Protocol):
    """The part of the store that hands out lanes."""

    async def take_lane(self, lane_id: str, *, owner: str, now: datetime, dead_after_seconds: float) -> Lane | None:
        """Attend to a lane."""
        ...


class Worker:
    """The visits of one process."""

    def __init__(self, store: LaneStore, engine: Engine, means: Means, *, dead_after_seconds: float) -> None:
        self._store = store
        self._engine = engine
        self._dead_after_seconds = dead_after_seconds
        self._stopping = False
        self._stopped_at: float | None = None
        permit = means.permit
        self._means = replace(means, permit=lambda: not self._stopping and permit())
        self._visits: dict[str, Visit | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def stopping(self) -> bool:
        """Whether nothing is begun any more."""
        return self._stopping

    @property
    def stopping_seconds(self) -> float:
        """For how long nothing has been begun any more."""
        return 0.0 if self._stopped_at is None else self._means.monotonic() - self._stopped_at

    async def submit(self, lane_id: str) -> None:
        """Say that a lane has work. Raises nothing."""
        if visit := self._visits.get(lane_id):
            visit.nudge()
        else:
            await self._engine.submit(lane_id)

    async def attend(self, lane_id: str) -> None:
        """Do the work of a lane, or leave it to whoever attends to it. Raises nothing but cancellation."""
        if lane_id in self._visits:
            await self.submit(lane_id) if self._visits[lane_id] else None
            return
        if not self._means.permit():
            return
        self._visits[lane_id] = None
        try:
            due = await self._visit(lane_id)
        except Unavailable as error:
            logs.failed("store.unavailable", error, lane=lane_id)
        except Exception as error:  # noqa: BLE001 -- the rim: a lane that fails fails alone
            logs.failed("lane.failed", error, lane=lane_id)
        else:
            if due is not None and not self._stopping:
                await self._engine.submit(lane_id, not_before=due)
        finally:
            del self._visits[lane_id]

    async def _visit(self, lane_id: str) -> datetime | None:
        means = self._means
        lane = await self._store.take_lane(
            lane_id, owner=means.owner, now=means.clock(), dead_after_seconds=self._dead_after_seconds
        )
        if lane is None:
            return None
        visit = self._visits[lane_id] = Visit(lane, means)
        return await visit.run()

    def stop(self) -> None:
        """Begin nothing more: what is claimed and has not left goes back, what is under way goes on."""
        if not self._stopping:
            self._stopped_at = self._means.monotonic()
        self._stopping = True
        for visit in self._visits.values():
            if visit is not None:
                visit.nudge()
