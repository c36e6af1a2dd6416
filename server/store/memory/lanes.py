"""Lanes in memory: who attends to what, claims, turns."""

import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from installations.operation import Operation
from server.store.claiming import Candidate, chosen
from server.store.contract import Lane
from server.store.memory.shelf import LaneState, Shelf


class MemoryLanes(Shelf):
    """Implements `contract.Lanes`."""

    async def due_lanes(self, *, now: datetime, dead_after_seconds: float, limit: int) -> list[str]:
        """List lanes with work that nobody alive attends to, the longest due first."""
        due = [
            (lane.wake_at, lane.id)
            for lane in self.lanes.values()
            if lane.wake_at is not None
            and lane.wake_at <= now
            and (lane.hold_until is None or lane.hold_until <= now)
            and not self._is_attended(lane, dead_after_seconds)
        ]
        return [name for _, name in sorted(due)[:limit]]

    async def take_lane(self, lane_id: str, *, owner: str, now: datetime, dead_after_seconds: float) -> Lane | None:
        """Attend to a lane, unless somebody else alive does."""
        lane = self.lanes.get(lane_id)
        if lane is None or (lane.owner != owner and self._is_attended(lane, dead_after_seconds)):
            return None
        lane.owner, lane.attended_at = owner, time.monotonic()
        for one in self._of_lane(lane_id, "claimed"):
            if one.owner == owner:
                self._replace(one, state="queued", owner="", update_time=now)
        return Lane(
            id=lane.id,
            project_id=lane.project_id,
            hold_until=lane.hold_until,
            failures=lane.failures,
            parked=lane.parked,
        )

    async def claim(self, lane_id: str, *, owner: str, now: datetime, calls: int, batch: int) -> list[Operation]:
        """Claim what is due, oldest first."""
        lane = self.lanes.get(lane_id)
        if lane is None or lane.owner != owner or lane.parked or _is_on_hold(lane, now):
            return []
        due = [one for one in self._claimable(lane_id, now) if one.run_at <= now]
        due.sort(key=lambda one: (one.run_at, one.sequence))
        candidates = [Candidate(id=one.id, batch_key=one.batch_key, crashes=one.crashes) for one in due]
        claimed = [self.operations_by_id[name] for name in chosen(candidates, calls=calls, batch=batch)]
        for one in claimed:
            self._replace(one, state="claimed", owner=owner, attempts=one.attempts + 1, gather_key="", update_time=now)
        return [self.operations_by_id[one.id] for one in claimed]

    async def due_looks(
        self, lane_id: str, *, owner: str, now: datetime, again_at: datetime, limit: int
    ) -> list[Operation]:
        """List unknown operations to look up now, and have them come up again later."""
        lane = self.lanes.get(lane_id)
        if lane is None or lane.owner != owner or _is_on_hold(lane, now):
            return []
        due = sorted(
            (one.look_at, one.sequence, one)
            for one in self._of_lane(lane_id, "unknown")
            if one.look_at is not None and one.look_at <= now
        )[:limit]
        for _, _, one in due:
            self._replace(one, look_at=again_at)
        return [self.operations_by_id[one.id] for _, _, one in due]

    async def leave_lane(self, lane: Lane, *, owner: str, now: datetime, stay: bool) -> datetime | None:
        """Write down what was learnt of a lane, and answer when it has work next."""
        state = self.lanes.get(lane.id)
        if state is None or state.owner != owner:
            return None
        state.hold(lane.hold_until)
        state.failures = lane.failures
        state.parked = lane.parked or bool(self._of_lane(lane.id, "parked"))
        times: list[datetime] = []
        if not state.parked:
            times = [one.look_at for one in self._of_lane(lane.id, "unknown") if one.look_at is not None]
            times += [one.run_at for one in self._claimable(lane.id, now)]
        state.wake_at = max(now, min(times), state.hold_until or now) if times else None
        if not stay or state.wake_at is None or state.wake_at > now:
            state.owner = ""
        return state.wake_at

    async def park(self, lane_id: str, *, now: datetime, limit: int) -> int:
        """Park queued operations of a lane."""
        if lane_id not in self.lanes:
            return 0
        self.lanes[lane_id].parked = True
        waiting = sorted(self._of_lane(lane_id, "queued"), key=lambda one: one.sequence)[:limit]
        for one in waiting:
            self._replace(one, state="parked", reason="auth", gather_key="", update_time=now)
        return len(waiting)

    async def mended_lanes(self, *, limit: int) -> list[str]:
        """List parked lanes whose credentials are no longer refused."""
        return [
            lane.id
            for lane in sorted(self.lanes.values(), key=lambda lane: lane.id)
            if lane.parked
            and (lane.id not in self.connections_by_id or self.connections_by_id[lane.id].status != "bad_credentials")
        ][:limit]

    async def unpark(self, lane_id: str, *, run_at: Sequence[datetime], now: datetime) -> int:
        """Let parked operations of a lane go on, oldest first."""
        if lane_id not in self.lanes:
            return 0
        parked = sorted(self._of_lane(lane_id, "parked"), key=lambda one: one.sequence)
        for one, due in zip(parked, run_at, strict=False):
            self._replace(one, state="queued", reason="", run_at=due, update_time=now)
        if len(parked) <= len(run_at):
            self.lanes[lane_id].parked = False
            self.wake(lane_id, self.lanes[lane_id].project_id, now)
        return min(len(parked), len(run_at))

    async def wake_lane(self, lane_id: str, *, project_id: str, at: datetime) -> None:
        """Say that a lane has work from then on."""
        self.require_project(project_id)
        self.wake(lane_id, project_id, at)

    def lane(self, lane_id: str, project_id: str) -> LaneState:
        """Find a lane, or make it."""
        return self.lanes.setdefault(lane_id, LaneState(lane_id, project_id))

    def wake(self, lane_id: str, project_id: str, at: datetime) -> None:
        """Move the time at which a lane has work forward."""
        lane = self.lane(lane_id, project_id)
        lane.wake_at = at if lane.wake_at is None else min(at, lane.wake_at)

    def give_up_turns(self, operation_id: str) -> bool:
        """Strike an operation off every record's list; tell whether it was on one."""
        names = [name for name, waiting in self.turns.items() if operation_id in waiting]
        for name in names:
            self.turns[name].remove(operation_id)
            if not self.turns[name]:
                del self.turns[name]
        return bool(names)

    def _claimable(self, lane_id: str, now: datetime) -> list[Operation]:
        behind = {name for waiting in self.turns.values() for name in waiting[1:]}
        return [one for one in self._of_lane(lane_id, "queued") if one.deadline_at > now and one.id not in behind]

    def _of_lane(self, lane_id: str, state: str) -> list[Operation]:
        return [one for one in self.operations_by_id.values() if one.connection_id == lane_id and one.state == state]

    def _replace(self, operation: Operation, **changes: object) -> None:
        self.operations_by_id[operation.id] = msgspec.structs.replace(operation, **changes)

    def _is_attended(self, lane: LaneState, dead_after_seconds: float) -> bool:
        if not lane.owner:
            return False
        heard_of = max(lane.attended_at, self.processes.get(lane.owner, 0.0))
        return time.monotonic() - heard_of <= dead_after_seconds


def _is_on_hold(lane: LaneState, now: datetime) -> bool:
    return lane.hold_until is not None and lane.hold_until > now
