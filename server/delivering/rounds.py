"""What processes that work do again and again: bring due lanes to the engine, end what is over, let go what may go on.

The rows are the truth and the engine's hints may be lost: the sweep finds every lane that has work and nobody who
attends to it.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from installations.operation import Operation
from installations.outlook import expired
from server import logs
from server.clock import Clock
from server.delivering.conclusions import ended
from server.delivering.looking import Looking
from server.delivering.settling import Teller
from server.engine.port import Engine
from server.store.contract import Settlement, Unavailable

LANES = 1000
EXPIRED = 500
MENDED = 50
UNPARKED = 500
SPREAD_SECONDS = 5.0
"""Over how long operations that were parked are let go."""
PRUNED = 500


class RoundStore(Protocol):
    """The part of the store that the rounds use."""

    async def due_lanes(self, *, now: datetime, dead_after_seconds: float, limit: int) -> list[str]:
        """List lanes with work that nobody alive attends to."""
        ...

    async def expired(self, *, now: datetime, limit: int) -> list[Operation]:
        """List waiting operations whose deadline has come."""
        ...

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Make several moves."""
        ...

    async def mended_lanes(self, *, limit: int) -> list[str]:
        """List parked lanes that may go on."""
        ...

    async def unpark(self, lane_id: str, *, run_at: Sequence[datetime], now: datetime) -> int:
        """Let parked operations go on."""
        ...

    async def prune(self, *, finished_before: datetime, payloads_before: datetime, limit: int) -> int:
        """Forget what has ended long ago."""
        ...


class Rounds:
    """The rounds of one process. Each is one step of a loop; they raise what the store raises."""

    def __init__(
        self,
        store: RoundStore,
        engine: Engine,
        looking: Looking,
        completion: Teller,
        *,
        clock: Clock,
        jitter: Callable[[], float],
        dead_after_seconds: float,
        retention: timedelta,
        payload_retention: timedelta,
    ) -> None:
        self._store = store
        self._engine = engine
        self._looking = looking
        self._completion = completion
        self._clock = clock
        self._jitter = jitter
        self._dead_after_seconds = dead_after_seconds
        self._retention = retention
        self._payload_retention = payload_retention

    async def sweep(self) -> None:
        """Submit every lane that has work."""
        lanes = await self._store.due_lanes(now=self._clock(), dead_after_seconds=self._dead_after_seconds, limit=LANES)
        for lane_id in lanes:
            await self._engine.submit(lane_id)

    async def expire(self) -> None:
        """End what waits past its deadline."""
        while late := await self._store.expired(now=self._clock(), limit=EXPIRED):
            moves = [move for each in late if (move := await self._expired(each))]
            made = await self._store.settle_all(moves)
            logs.event("operations.expired", count=sum(made))
            if len(late) < EXPIRED or not any(made):
                return

    async def _expired(self, operation: Operation) -> Settlement | None:
        try:
            now, can_look_up = self._clock(), await self._looking.can_look_up(operation)
            move = expired(operation, now=now, can_look_up=can_look_up)
            return await self._completion.told(operation, ended(operation, move, now=now))
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- the rim: one of which nobody can tell keeps no other going
            logs.failed("operation.unended", error, operation_id=operation.id)
            return None

    async def release(self) -> None:
        """Let the operations of connections go on whose credentials are no longer refused, not all at once."""
        for lane_id in await self._store.mended_lanes(limit=MENDED):
            count = UNPARKED
            while count == UNPARKED:
                now = self._clock()
                moments = sorted(now + timedelta(seconds=SPREAD_SECONDS * self._jitter()) for _ in range(UNPARKED))
                count = await self._store.unpark(lane_id, run_at=moments, now=now)
            await self._engine.submit(lane_id)

    async def prune(self) -> None:
        """Forget what ended long ago, and sooner what it carried."""
        now = self._clock()
        while (
            await self._store.prune(
                finished_before=now - self._retention, payloads_before=now - self._payload_retention, limit=PRUNED
            )
            >= PRUNED
        ):
            continue
