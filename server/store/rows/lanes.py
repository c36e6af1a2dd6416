"""Lanes as rows: who attends to what, and what is due. Each method is a few statements in one transaction.

The lane's row is taken first and held to the end. Whoever stores an operation of it holds the row, too: what they store
is either seen here, or wakes the lane after we have left it.
"""

from collections.abc import Sequence
from datetime import datetime

from msgspec.structs import replace

from server.store.clocks import MILLISECONDS
from server.store.contract import Lane
from server.store.engine import Dialect, Session
from server.store.rows.committing import CommittingRows
from server.store.rows.moments import moment
from server.store.steps import Statement, Steps
from server.store.tables import Lanes

DEAD = (
    "{clock} - lanes.attended_at > {{}} AND NOT EXISTS (SELECT 1 FROM processes p "
    "WHERE p.id = lanes.owner AND {clock} - (p.seen_at + 1) * 1000 <= {{}})"
)
"""To take a lane is to be heard of. ``seen_at`` is in whole seconds; the second that is added lets nobody die early."""
CLAIMABLE = "connection_id = {} AND state = 'queued' AND behind = false AND deadline_at > {}"
HELD = "SELECT id FROM lanes WHERE id = {} AND owner = {}"
OPEN = f"{HELD} AND (hold_until IS NULL OR hold_until <= {{}})"
"""The owner's own hold is known to them; another process may have been told to wait since."""


class LaneRows(CommittingRows):
    """Implements the part of `contract.Lanes` about who attends."""

    async def due_lanes(self, *, now: datetime, dead_after_seconds: float, limit: int) -> list[str]:
        """List lanes with work that nobody alive attends to, the longest due first."""
        patience = round(dead_after_seconds * 1000)
        async with self.reading() as session:
            dead = DEAD.format(clock=MILLISECONDS[session.dialect])
            rows = await Lanes.raw(
                "SELECT id FROM lanes WHERE wake_at <= {} AND (hold_until IS NULL OR hold_until <= {}) "  # noqa: S608 -- constants
                f"AND (owner = '' OR {dead}) ORDER BY wake_at, id LIMIT {{}}",
                now,
                now,
                patience,
                patience,
                limit,
            )
        return [row["id"] for row in rows]

    async def take_lane(self, lane_id: str, *, owner: str, now: datetime, dead_after_seconds: float) -> Lane | None:
        """Attend to a lane, unless somebody else alive does."""
        patience = round(dead_after_seconds * 1000)

        def steps(dialect: Dialect) -> Steps[Lane | None]:
            clock = MILLISECONDS[dialect]
            dead = DEAD.format(clock=clock)
            take = (
                f"UPDATE lanes SET owner = {{}}, attended_at = {clock} "  # noqa: S608 -- constants
                f"WHERE id = {{}} AND (owner IN ('', {{}}) OR {dead}) RETURNING id"
            )
            if not (yield Statement(take, (owner, lane_id, owner, patience, patience))):
                return None
            yield from _give_back_claims(lane_id, owner=owner, now=now)
            (row,) = yield Statement(
                "SELECT id, project_id, hold_until, failures, parked FROM lanes WHERE id = {}", (lane_id,)
            )
            return Lane(**row)

        lane: Lane | None = await self.visit(steps)
        return lane

    async def leave_lane(self, lane: Lane, *, owner: str, now: datetime, stay: bool) -> datetime | None:
        """Write down what was learnt of a lane, and answer when it has work next."""

        def steps(_: Dialect) -> Steps[datetime | None]:
            known = yield Statement("SELECT owner, hold_until FROM lanes WHERE id = {}", (lane.id,), "wait")
            if not known or known[0]["owner"] != owner:
                # It is not ours to come back to: whoever finds it due does.
                return None
            hold = _later(lane.hold_until, moment(known[0]["hold_until"]))
            wake_at, parked = yield from _next_work(replace(lane, hold_until=hold), now=now)
            staying = stay and wake_at is not None and wake_at <= now
            yield Statement(
                "UPDATE lanes SET wake_at = {}, hold_until = {}, failures = {}, parked = {}, owner = {} WHERE id = {}",
                (wake_at, hold, lane.failures, parked, owner if staying else "", lane.id),
            )
            return wake_at

        return moment(await self.visit(steps))

    async def park(self, lane_id: str, *, now: datetime, limit: int) -> int:
        """Park queued operations of a lane."""

        def steps(_: Dialect) -> Steps[int]:
            if not (yield Statement("UPDATE lanes SET parked = true WHERE id = {} RETURNING id", (lane_id,))):
                return 0
            queued = "SELECT id FROM operations WHERE connection_id = {} AND state = 'queued' LIMIT {}"
            rows = yield Statement(queued, (lane_id, limit), "skip")
            ids = [row["id"] for row in rows]
            if ids:
                yield Statement(
                    "UPDATE operations SET state = 'parked', reason = 'auth', gather_key = '', update_time = {} "
                    "WHERE id IN {}",
                    (now, ids),
                )
            return len(ids)

        return int(await self.visit(steps))

    async def mended_lanes(self, *, limit: int) -> list[str]:
        """List parked lanes whose credentials are no longer refused."""
        async with self.reading():
            rows = await Lanes.raw(
                "SELECT l.id AS id FROM lanes l LEFT JOIN connections c ON c.id = l.id "
                "WHERE l.parked AND (c.id IS NULL OR c.status <> 'bad_credentials') ORDER BY l.id LIMIT {}",
                limit,
            )
        return [row["id"] for row in rows]

    async def unpark(self, lane_id: str, *, run_at: Sequence[datetime], now: datetime) -> int:
        """Let parked operations of a lane go on, oldest first."""

        def steps(_: Dialect) -> Steps[int]:
            if not (yield Statement("SELECT id FROM lanes WHERE id = {}", (lane_id,), "wait")):
                return 0
            parked = (
                "SELECT id FROM operations WHERE connection_id = {} AND state = 'parked' ORDER BY sequence LIMIT {}"
            )
            rows = yield Statement(parked, (lane_id, len(run_at)), "skip")
            for row, due in zip(rows, run_at, strict=False):
                yield Statement(
                    "UPDATE operations SET state = 'queued', reason = '', run_at = {}, update_time = {} WHERE id = {}",
                    (due, now, row["id"]),
                )
            yield from _open(lane_id, now=now)
            return len(rows)

        return int(await self.visit(steps, wakes=(lane_id,)))

    async def wake_lane(self, lane_id: str, *, project_id: str, at: datetime) -> None:
        """Say that a lane has work from then on."""
        await self.box(project_id)

        def steps(_: Dialect) -> Steps[None]:
            yield Statement(
                "INSERT INTO lanes AS l (id, project_id, owner, attended_at, wake_at, failures, parked) "
                "VALUES ({}, {}, '', 0, {}, 0, false) ON CONFLICT (id) DO UPDATE SET wake_at = excluded.wake_at "
                "WHERE l.wake_at IS NULL OR l.wake_at > excluded.wake_at",
                (lane_id, project_id, at),
            )

        await self.visit(steps, wakes=(lane_id,))


async def free_lanes(session: Session) -> None:
    """Let go of every lane: where only one process can live, whoever held them is dead."""
    await session.fetch("UPDATE lanes SET owner = '' WHERE owner <> ''", ())


def _give_back_claims(lane_id: str, *, owner: str, now: datetime) -> Steps[None]:
    """Give back what this process once claimed without ever hearing that it had: the answer was lost."""
    yield Statement(
        "UPDATE operations SET state = 'queued', owner = '', update_time = {} "
        "WHERE state IN ('claimed', 'sent') AND state = 'claimed' AND owner = {} AND connection_id = {}",
        (now, owner, lane_id),
    )


def _next_work(lane: Lane, *, now: datetime) -> Steps[tuple[datetime | None, bool]]:
    """Tell when a lane has work next, and whether it is parked: an operation may be that was parked by itself."""
    ((row,)) = yield Statement(
        f"SELECT (SELECT run_at FROM operations WHERE {CLAIMABLE} ORDER BY run_at, sequence LIMIT 1) AS run_at, "  # noqa: S608 -- constants
        "(SELECT look_at FROM operations WHERE connection_id = {} AND state = 'unknown' AND look_at IS NOT NULL "
        "ORDER BY look_at LIMIT 1) AS look_at, "
        "EXISTS (SELECT 1 FROM operations WHERE connection_id = {} AND state = 'parked') AS parked",
        (lane.id, now, lane.id, lane.id),
    )
    parked = lane.parked or bool(row["parked"])
    # Nobody is asked anything with credentials that are refused.
    times = [] if parked else [moment(row["look_at"]), moment(row["run_at"])]
    due = min((time for time in times if time is not None), default=None)
    return None if due is None else max(due, now, lane.hold_until or now), parked


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)


def _open(lane_id: str, *, now: datetime) -> Steps[None]:
    """Open a lane that has nothing parked any more."""
    yield Statement(
        "UPDATE lanes SET parked = false, wake_at = {} WHERE id = {} AND NOT EXISTS "
        "(SELECT 1 FROM operations WHERE connection_id = {} AND state = 'parked')",
        (now, lane_id, lane_id),
    )
