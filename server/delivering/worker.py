"""Attends to lanes: the one who carries out what was accepted asynchronously, in every process that may."""

import asyncio
from datetime import datetime
from typing import Protocol

from msgspec.structs import replace

from server import logs
from server.delivering.means import Means
from server.delivering.visits import Visit
from server.engine.port import Engine
from server.store.contract import Lane, Unavailable

AWAY_SECONDS = 0.5
FAILED_SECONDS = 5.0
"""The pauses before a visit that broke off is made again: for a database that was away, and for what nobody foresaw."""


class LaneStore(Protocol):
    """The part of the store that hands out lanes."""

    async def take_lane(self, lane_id: str, *, owner: str, now: datetime, dead_after_seconds: float) -> Lane | None:
        """Attend to a lane."""
        ...


class Worker:
    """The visits of one process."""

    def __init__(
        self, store: LaneStore, engine: Engine, means: Means, *, dead_after_seconds: float, told: bool = False
    ) -> None:
        """Attend with these means; the permit is also refused once `stop` was called.

        ``told`` says that the store itself tells the engine of every lane that it gives work.
        """
        self._store = store
        self._engine = engine
        self._dead_after_seconds = dead_after_seconds
        self._stopped_at: float | None = None
        permit = means.permit
        self._means = replace(means, permit=lambda: not self.stopping and permit())
        self._visits: dict[str, Visit | None] = {}
        self._told = told
        self._held: dict[str, datetime] = {}
        """Lanes that were left on hold: until then, a visit would be in vain."""

    @property
    def stopping(self) -> bool:
        """Whether nothing is begun any more."""
        return self._stopped_at is not None

    @property
    def stopping_seconds(self) -> float:
        """For how long that has been so."""
        return 0.0 if self._stopped_at is None else self._means.monotonic() - self._stopped_at

    async def submit(self, lane_id: str) -> None:
        """Say that a lane has work. Raises nothing."""
        if visit := self._visits.get(lane_id):
            visit.nudge()
        elif not self._told:
            await self._engine.submit(lane_id, not_before=self._held_until(lane_id))

    async def attend(self, lane_id: str) -> None:
        """Do the work of a lane, or leave it to whoever attends to it. Raises nothing but cancellation."""
        if lane_id in self._visits:
            # Whoever is about to take it will see what is there.
            if visit := self._visits[lane_id]:
                visit.nudge()
            return
        if not self._means.permit():
            return
        try:
            due = await self._visit_until_left(lane_id)
        finally:
            del self._visits[lane_id]
        if due is not None and not self.stopping:
            await self._engine.submit(lane_id, not_before=due)

    async def _visit_until_left(self, lane_id: str) -> datetime | None:
        """Visit a lane, and again if that broke off: as far as others know, this process still attends to it."""
        while True:
            self._visits[lane_id] = None
            try:
                return await self._visit(lane_id)
            except Unavailable as error:
                logs.failed("store.unavailable", error, lane=lane_id)
                pause_seconds = AWAY_SECONDS
            except Exception as error:  # noqa: BLE001 -- the rim: a lane that fails fails alone
                logs.failed("lane.failed", error, lane=lane_id)
                pause_seconds = FAILED_SECONDS
            if self.stopping:
                return None
            await asyncio.sleep(pause_seconds)

    async def _visit(self, lane_id: str) -> datetime | None:
        means = self._means
        lane = await self._store.take_lane(
            lane_id, owner=means.owner, now=means.clock(), dead_after_seconds=self._dead_after_seconds
        )
        if lane is None:
            return None
        visit = self._visits[lane_id] = Visit(lane, means)
        due = await visit.run()
        self._remember(visit.lane)
        # What came while the lane was being left may not have been seen.
        return means.clock() if visit.nudged else due

    def _remember(self, lane: Lane) -> None:
        self._held.pop(lane.id, None)
        if lane.hold_until is not None and lane.hold_until > self._means.clock():
            self._held[lane.id] = lane.hold_until

    def _held_until(self, lane_id: str) -> datetime | None:
        until = self._held.get(lane_id)
        if until is not None and until <= self._means.clock():
            del self._held[lane_id]
            return None
        return until

    def stop(self) -> None:
        """Begin nothing more: what is claimed and has not left goes back, what is under way goes on."""
        if self._stopped_at is None:
            self._stopped_at = self._means.monotonic()
        for visit in self._visits.values():
            if visit is not None:
                visit.nudge()
