"""What the store promises about lanes: one for each connection, whose operations share its concurrency and waits.

A lane is attended by one process at a time. It has work when ``wake_at`` has come: the earliest time at which one of
its operations can be claimed, or looked up. Whoever stores such an operation moves it forward in the same transaction;
who leaves a lane sets it anew, so that no work is ever without a time at which somebody comes for it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from installations.operation import Operation


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a connection's way to its provider."""

    id: str
    """The connection's id."""
    project_id: str
    hold_until: datetime | None = None
    """Nothing is sent before: the provider said so, or the breaker is open."""
    failures: int = 0
    """Failures of the provider in a row, for the breaker."""
    parked: bool = False
    """The credentials are refused: its operations wait for somebody to connect again."""


class Lanes(Protocol):
    """Who attends to what, and what is due."""

    async def due_lanes(self, *, now: datetime, dead_after_seconds: float, limit: int) -> list[str]:
        """List lanes with work that nobody alive attends to, the longest due first. One on hold is not due.

        A lane that is left while it has work goes behind all that are due already, however old its backlog is.
        """

    async def take_lane(self, lane_id: str, *, owner: str, now: datetime, dead_after_seconds: float) -> Lane | None:
        """Attend to a lane, unless somebody else alive does, or there is none: then ``None``.

        To take one is to be heard of. Its owner may take it again, and must once it failed to leave it: nobody else
        will, as long as it lives. What the owner had claimed in it without ever marking it sent is queued again: the
        claim's answer was lost.
        """

    async def claim(self, lane_id: str, *, owner: str, now: datetime, calls: int, batch: int) -> list[Operation]:
        """Claim what is due, oldest first, up to so many calls: equal batch keys, up to ``batch`` of them, are one.

        What took its process down repeatedly shares no call (`server.store.claiming`). Left out is whatever waits for
        an earlier operation's turn at a record, and what does not open: that is logged. Each has its attempt counted.
        Answers none where the lane is not attended by ``owner``, is parked, or on hold: a synchronous write may have
        been told to wait in another process.
        """

    async def due_looks(
        self, lane_id: str, *, owner: str, now: datetime, again_at: datetime, limit: int
    ) -> list[Operation]:
        """List unknown operations to look up now; they come up again at ``again_at`` unless they are settled before.

        Answers none where the lane is not attended by ``owner``, or is on hold.
        """

    async def leave_lane(self, lane: Lane, *, owner: str, now: datetime, stay: bool) -> datetime | None:
        """Write down what was learnt of a lane, and answer when it has work next; ``None``: never, as far as is known.

        With ``stay`` the owner goes on attending to it if there is work now; else somebody else may. What was stored
        meanwhile is seen: an operation is claimed by its owner, or wakes the lane after it is left. A lane in which an
        operation is parked is parked, whatever was learnt, and has nothing to do until it is mended. A hold is never
        shortened. A lane that is no longer the owner's stays as it is, and has no work for them.
        """

    async def park(self, lane_id: str, *, now: datetime, limit: int) -> int:
        """Park queued operations of a lane (reason ``auth``), and answer how many: fewer than ``limit``, all are."""

    async def mended_lanes(self, *, limit: int) -> list[str]:
        """List parked lanes whose connection's credentials are no longer refused, or whose connection is gone."""

    async def unpark(self, lane_id: str, *, run_at: Sequence[datetime], now: datetime) -> int:
        """Let as many parked operations of a lane go on as there are times; the lane is open with the last of them.

        Answers how many went on.
        """

    async def wake_lane(self, lane_id: str, *, project_id: str, at: datetime) -> None:
        """Say that a lane has work from then on."""
