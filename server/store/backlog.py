"""What waits in the database, and who is there to do it: counted for an operator. Changes nothing."""

from datetime import datetime

import msgspec

from server.store.clocks import SECONDS
from server.store.engine import Database, Row
from server.store.tables import Lanes, Operations, Processes

LONGEST_LIST = 10
_UNFINISHED = "('queued', 'claimed', 'sent', 'parked', 'unknown')"


class Heap(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Operations of one state, and of one reason where the state has any."""

    state: str
    reason: str
    count: int
    oldest: datetime
    """When the oldest was accepted."""


class StoppedLane(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A connection of which nothing is sent, or only to see whether its provider is back."""

    connection_id: str
    provider: str
    """Empty, as are the names below, where the connection was deleted meanwhile."""
    group_ref: str
    project_id: str
    project_name: str
    waiting: int
    parked: bool
    failures: int
    hold_until: datetime | None


class Alive(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A process that was heard of lately."""

    id: str
    kind: str
    seconds_ago: int


class Backlog(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is not over, of all projects."""

    time: datetime
    operations: tuple[Heap, ...]
    stopped: tuple[StoppedLane, ...]
    """Those with most operations, at most `LONGEST_LIST`."""
    processes: tuple[Alive, ...]


async def count_backlog(database: Database, *, now: datetime, alive_seconds: int) -> Backlog:
    """Look at one state of an open database."""
    async with database.reading() as session:
        counts = await Operations.raw(
            f"SELECT state, reason, count(*) AS count FROM operations WHERE state IN {_UNFINISHED} "  # noqa: S608 -- a constant
            "GROUP BY state, reason ORDER BY state, reason"
        )
        heaps = [await _heap(row) for row in counts]
        lanes = await Lanes.raw(
            "SELECT l.id, l.project_id, l.parked, l.failures, l.hold_until, (SELECT count(*) FROM operations o "
            "WHERE o.connection_id = l.id AND o.state IN ('queued', 'parked')) AS waiting, "
            "c.provider, g.group_ref, p.name AS project_name FROM lanes l LEFT JOIN connections c ON c.id = l.id "
            "LEFT JOIN groups g ON g.id = c.group_id LEFT JOIN projects p ON p.id = l.project_id "
            "WHERE l.parked OR (l.failures > 0 OR l.hold_until > {}) AND EXISTS (SELECT 1 FROM operations o "
            "WHERE o.connection_id = l.id AND o.state = 'queued') ORDER BY waiting DESC, l.id LIMIT {}",
            now,
            LONGEST_LIST,
        )
        ago = f"{SECONDS[session.dialect]} - seen_at"
        processes = await Processes.raw(
            f"SELECT id, kind, {ago} AS ago FROM processes WHERE {ago} <= {{}} ORDER BY kind, id",  # noqa: S608 -- constants
            alive_seconds,
        )
    return Backlog(
        time=now,
        operations=tuple(heaps),
        stopped=tuple(_stopped(row) for row in lanes),
        processes=tuple(Alive(id=row["id"], kind=row["kind"], seconds_ago=max(0, row["ago"])) for row in processes),
    )


async def _heap(row: Row) -> Heap:
    # Not min(): SQLite tells the type of a column, and not that of a sum over it.
    (oldest,) = await Operations.raw(
        "SELECT create_time FROM operations WHERE state = {} AND reason = {} ORDER BY create_time LIMIT 1",
        row["state"],
        row["reason"],
    )
    return Heap(state=row["state"], reason=row["reason"], count=row["count"], oldest=oldest["create_time"])


def _stopped(row: Row) -> StoppedLane:
    return StoppedLane(
        connection_id=row["id"],
        provider=row["provider"] or "",
        group_ref=row["group_ref"] or "",
        project_id=row["project_id"],
        project_name=row["project_name"] or "",
        waiting=row["waiting"],
        parked=bool(row["parked"]),
        failures=row["failures"],
        hold_until=row["hold_until"],
    )
