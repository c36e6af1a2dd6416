"""The two moves of every delivery, as driver-level SQL: what `begin` and `settle` ask for, and what came of it.

Nothing is built at run time here, because building a query costs more than running it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

OPERATION_COLUMNS = (
    *("id", "project_id", "integration_id", "installation_id", "config_id", "group_ref", "object_name", "action"),
    *("mode", "state", "payload", "outcome", "summary", "fault_kind", "successful_record_ids", "attempts", "owner"),
    *("record_key", "run_at", "deadline_at", "create_time", "update_time"),
)
ATTEMPT_COLUMNS = (
    *("id", "project_id", "operation_id", "number", "started_at", "finished_at", "effect", "status", "fault_kind"),
    "message",
)
SETTLED_COLUMNS = (
    *("state", "owner", "outcome", "summary", "fault_kind", "successful_record_ids", "attempts", "run_at"),
    "update_time",
)

Row = tuple[Any, ...]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """An idempotency key on its way in."""

    id: str
    project_id: str
    operation_id: str
    fingerprint: bytes
    expire_time: datetime
    now: datetime


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """An operation on its way in, in the order of `OPERATION_COLUMNS`."""

    operation: Row
    claim: Claim | None = None
    sealed_by: str = ""
    """The data key, which must not have been retired."""


class Settle(msgspec.Struct, frozen=True, kw_only=True):
    """A guarded move, with the attempt in the order of `ATTEMPT_COLUMNS`."""

    operation_id: str
    project_id: str
    from_state: str
    owner: str
    settled: Row
    """In the order of `SETTLED_COLUMNS`; ``None`` for attempts and run_at leaves them."""
    attempt: Row | None = None
    sealed_by: str = ""
    """As in `Begin`."""


Move = Begin | Settle


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The key belongs to an operation already."""

    operation: Row
    fingerprint: bytes


Result = Held | Literal["stored", "superseded", "retired"]
"""``retired`` says that the data key was, and that nothing was done."""


def insert_into(table: str, columns: Sequence[str], *, marks: Sequence[str]) -> str:
    """Write an INSERT that does nothing when the id is there already: the same row, sent again."""
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(marks)}) ON CONFLICT (id) DO NOTHING"  # noqa: S608 -- constants of this package
