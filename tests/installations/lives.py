"""Operations and outcomes for tests of what becomes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from installations.operation import Operation, Repeat
from installations.outlook import Move, after_attempt, judge
from installations.record import Fault, FaultKind, Outcome, RecordOutcome

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

WRITTEN = RecordOutcome(success=True, record_id="7")

SENT = Operation(
    id="op",
    project_id="project",
    integration_id="integration",
    installation_id="installation",
    config_id="config",
    group_ref="group",
    object_name="contacts",
    action="create",
    mode="asynchronous",
    state="sent",
    payload=b"",
    attempts=1,
    owner="worker",
    connection_id="connection",
    run_at=NOW - MINUTE,
    deadline_at=NOW + HOUR,
    create_time=NOW - MINUTE,
    update_time=NOW,
    first_sent_at=NOW - MINUTE,
)
"""A bare create that has just been tried for the first time."""


def sent(**members: Any) -> Operation:
    """Build an operation that differs from `SENT` in these members."""
    return replace(SENT, **members)


def fault(kind: FaultKind, **members: Any) -> RecordOutcome:
    """Build a record that was not, or is not known to be, written."""
    return RecordOutcome(success=False, fault=Fault(kind=kind, message="no", **members))


def outcome(*records: RecordOutcome) -> Outcome:
    """Build an outcome."""
    return Outcome(records=records)


MISSING = RecordOutcome(success=False)
"""The answer says nothing of it."""


def attempted(
    operation: Operation, *records: RecordOutcome, repeat: Repeat = "bare", can_look_up: bool = False, **how: Any
) -> Move:
    """Judge an attempt and decide."""
    reactions = judge(records, effect=how.pop("effect", "rejected"), repeat=repeat, operation=operation, **how)
    return after_attempt(operation, outcome(*records), reactions, now=NOW, can_look_up=can_look_up, jitter=0.5)
