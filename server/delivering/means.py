"""What every visit of a process works with: the parts of the store, the calls, the bounds."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from connectors.departure import Permit
from installations.operation import Operation
from server.clock import Clock
from server.delivering.calls import Calls
from server.delivering.holds import Holds
from server.delivering.looking import Looking
from server.delivering.quarantine import Quarantine
from server.delivering.settling import Settling
from server.store.contract import Lane


class VisitStore(Protocol):
    """The part of the store that visits use."""

    async def claim(self, lane_id: str, *, owner: str, now: datetime, calls: int, batch: int) -> list[Operation]:
        """Claim what is due."""
        ...

    async def due_looks(
        self, lane_id: str, *, owner: str, now: datetime, again_at: datetime, limit: int
    ) -> list[Operation]:
        """List unknown operations to look up now."""
        ...

    async def park(self, lane_id: str, *, now: datetime, limit: int) -> int:
        """Park queued operations."""
        ...

    async def leave_lane(self, lane: Lane, *, owner: str, now: datetime, stay: bool) -> datetime | None:
        """Write down what was learnt of a lane."""
        ...


class Budget(Protocol):
    """How often a connection may be called."""

    def grant(self, connection_id: str, count: int) -> tuple[int, int]:
        """Take up to so many calls; answer how many, and in how many seconds there is another one if it is none."""
        ...

    def give_back(self, connection_id: str, count: int) -> None:
        """Return calls that were not made."""
        ...


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What every visit of a process works with."""

    store: VisitStore
    calls: Calls
    looking: Looking
    settling: Settling
    quarantine: Quarantine
    holds: Holds
    budget: Budget
    clock: Clock
    monotonic: Callable[[], float]
    jitter: Callable[[], float]
    permit: Permit
    """Whether this process may begin anything: it lives, as far as others can tell, and is not to stop."""
    slots: asyncio.Semaphore
    """Calls at once in this process."""
    concurrency: int
    """Calls at once of a lane."""
    owner: str
