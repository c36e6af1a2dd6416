"""The moves of every delivery, as driver-level SQL: what is asked for, and what came of it.

Nothing is built at run time here, because building a query costs more than running it.
"""

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from installations.operation import Operation
from server.store.steps import Visit

OPERATION_COLUMNS: tuple[str, ...] = Operation.__struct_fields__
INSERTED_COLUMNS = tuple(name for name in OPERATION_COLUMNS if name != "sequence")
"""What `Begin` brings along; the database knows the place in the order of acceptance, and who is behind whom."""
ATTEMPT_COLUMNS = (
    *("id", "project_id", "operation_id", "number", "started_at", "finished_at", "effect", "status", "fault_kind"),
    "message",
)
EVENT_COLUMNS = ("id", "project_id", "type", "data", "create_time", "sequence")
ALWAYS_WRITTEN = ("state", "owner", "reason", "look_at", "update_time")
LEFT_WHERE_NULL = (
    *("outcome", "summary", "successful_record_ids", "run_at", "looks", "crashes", "doubtful", "repeat", "batch_key"),
    *("replayed_by", "deadline_at", "lone_crashes"),
)
SETTLED_COLUMNS = (*ALWAYS_WRITTEN, *LEFT_WHERE_NULL, "attempts", "first_sent_at", "fault_given", "fault_kind")

Row = tuple[Any, ...]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An idempotency key on its way in."""

    id: str
    project_id: str
    operation_id: str
    fingerprint: bytes
    expire_time: datetime
    now: datetime


class Wake(msgspec.Struct, frozen=True, kw_only=True):
    """A lane that has work from then on, or is parked, or is only to be held to the end of the transaction."""

    lane_id: str
    project_id: str
    at: datetime | None = None
    due: bool = False
    """That is now, as far as whoever stores it knows."""
    parked: bool = False
    hold_until: datetime | None = None
    """It is on hold until then, or for longer if it was."""


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """An operation on its way in, in the order of `INSERTED_COLUMNS`."""

    operation: Row
    claim: Claim | None = None
    wake: Wake | None = None
    turns: tuple[str, ...] = ()
    replay_of: str = ""
    """The failed operation that gets our id as ``replayed_by``; stored with that or not at all."""
    instead: "Begin | None" = None
    """Stored in place of this one where anybody waits for one of its turns."""
    sealed_by: str = ""
    """The data key, which must not have been retired."""


class Gather(msgspec.Struct, frozen=True, kw_only=True):
    """A record on its way into the open auto-batch of a key, and the operation that becomes it where none is open."""

    begin: Begin
    gather_key: str
    lane_id: str
    project_id: str
    record: bytes
    """Sealed for the id of the operation that came with it."""
    most: int
    now: datetime

    @property
    def sealed_by(self) -> str:
        """As in `Begin`."""
        return self.begin.sealed_by


class Settle(msgspec.Struct, frozen=True, kw_only=True):
    """A guarded move, with the attempt in the order of `ATTEMPT_COLUMNS` and the event in that of `EVENT_COLUMNS`."""

    operation_id: str
    project_id: str
    from_state: str
    owner: str
    from_attempts: int | None
    settled: Row
    """In the order of `SETTLED_COLUMNS`."""
    attempt: Row | None = None
    event: Row | None = None
    """Its sequence is given as it is stored."""
    to_state: str
    run_at: datetime | None
    look_at: datetime | None
    now: datetime
    gives_way: bool = False
    hold_until: datetime | None = None
    sealed_by: str = ""
    """As in `Begin`."""

    @property
    def guard(self) -> Row:
        """What must be so: id, project, state, owner, attempts."""
        return (self.operation_id, self.project_id, self.from_state, self.owner, self.from_attempts)

    @property
    def gives_up(self) -> bool:
        """Whether its turns are given up."""
        return self.gives_way or self.to_state in {"success", "failure"}

    @property
    def may_turn(self) -> bool:
        """Whether others may wait for its turns, or wait with it."""
        return self.gives_up or self.from_state in {"queued", "parked", "unknown"}

    @property
    def tells_lane(self) -> bool:
        """Whether the lane must know."""
        if self.hold_until is not None:
            return True
        return self.to_state in {"queued", "parked"} or (self.to_state == "unknown" and self.look_at is not None)

    def wake(self, lane_id: str, run_at: datetime) -> Wake:
        """Tell what the move means for its lane, of which ``run_at`` is what the operation had before."""
        at = {"queued": self.run_at or run_at, "unknown": self.look_at}.get(self.to_state)
        if self.gives_up:
            at = self.now
        due = at is not None and at <= self.now
        return Wake(
            lane_id=lane_id,
            project_id=self.project_id,
            at=at,
            due=due,
            parked=self.to_state == "parked",
            hold_until=self.hold_until,
        )


class Visiting(msgspec.Struct, frozen=True, kw_only=True):
    """Anything else that shares the commit, on the database with one writer."""

    visit: Visit


Move = Begin | Gather | Settle | Visiting


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The key belongs to an operation already."""

    operation: Row
    fingerprint: bytes


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """The auto-batch that took the record."""

    operation_id: str


class Visited(msgspec.Struct, frozen=True, kw_only=True):
    """What the visit returned."""

    value: Any


Result = Held | Gathered | Visited | Literal["stored", "behind", "superseded", "retired"]
"""``behind`` says that what was stored is `Begin.instead`; ``retired`` that the data key was, and nothing was done."""


def insert_into(table: str, columns: Sequence[str], *, marks: Sequence[str]) -> str:
    """Write an INSERT that does nothing when the id is there already: the same row, sent again."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(marks)}) ON CONFLICT (id) DO NOTHING"  # noqa: S608 -- constants of this package


def insert_arrays(table: str, columns: Sequence[str], *, types: Mapping[str, str], nullable: Container[str]) -> str:
    """Write PostgreSQL's INSERT of the rows of `arrays`; types not given are text."""
    names = ", ".join(columns)
    kinds = [types.get(name, "text") for name in columns]
    marks = [f"${number}::{kind}[]" for number, kind in enumerate(kinds, start=1)]
    values = [
        name if name in nullable or kind not in _NOTHING else f"coalesce({name}, {_NOTHING[kind]})"
        for name, kind in zip(columns, kinds, strict=True)
    ]
    return (
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM unnest({', '.join(marks)}) "  # noqa: S608 -- constants of this package
        f"WITH ORDINALITY AS n({names}, ordinality) ORDER BY ordinality ON CONFLICT (id) DO NOTHING"
    )


def arrays(rows: Sequence[Row]) -> list[list[Any]]:
    """Make an array of each column; one with nothing in it is empty, for the driver looks at each element at length."""
    return [list(column) if any(column) else [] for column in zip(*rows, strict=True)]


_NOTHING = {"text": "''", "bytea": "''::bytea", "int": "0", "bigint": "0", "bool": "false"}
"""What an empty array stands for where a column cannot be null."""


def sooner(wakes: Sequence[Wake]) -> list[Wake]:
    """Make one of the wakes of each lane, the earliest, in the one order in which lanes are taken."""
    merged: dict[str, Wake] = {}
    for wake in wakes:
        known = merged.get(wake.lane_id)
        if known is None:
            merged[wake.lane_id] = wake
            continue
        times = [at for at in (known.at, wake.at) if at is not None]
        holds = [until for until in (known.hold_until, wake.hold_until) if until is not None]
        merged[wake.lane_id] = Wake(
            lane_id=wake.lane_id,
            project_id=wake.project_id,
            at=min(times, default=None),
            due=known.due or wake.due,
            parked=known.parked or wake.parked,
            hold_until=max(holds, default=None),
        )
    return [merged[lane_id] for lane_id in sorted(merged) if lane_id]
