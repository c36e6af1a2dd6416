"""Writes moves down as the store takes them. Pure."""

from datetime import datetime
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from installations.operation import FINAL, Attempt, Operation, State
from installations.outlook import Move
from installations.record import Outcome
from server.delivering.attempts import Tried, foremost_fault, written_ids
from server.delivering.payloads import encoded
from server.delivering.write_results import summary
from server.store.contract import Settlement


def settlement(
    operation: Operation,
    move: Move,
    *,
    now: datetime,
    from_state: State | None = None,
    outcome: Outcome | None = None,
    attempt: Attempt | None = None,
    said: str = "",
    **rest: Any,
) -> Settlement:
    """Write a move down. ``outcome`` is of all records; ``said`` is its summary where there is none."""
    told: dict[str, Any] = {}
    if said:
        told["summary"] = f"[{operation.object_name}] {said}"
    if outcome is not None:
        fault = foremost_fault(outcome)
        told = {
            "outcome": encoded(outcome),
            "summary": told.get("summary") or summary(operation, outcome),
            "fault_kind": None if fault is None else fault.kind,
            "successful_record_ids": written_ids(outcome),
        }
    told |= rest
    return Settlement(
        operation_id=operation.id,
        project_id=operation.project_id,
        from_state=from_state or operation.state,
        owner=operation.owner,
        to_state=move.to_state,
        now=now,
        from_attempts=operation.attempts,
        attempt=attempt,
        reason=move.reason,
        run_at=move.run_at,
        look_at=move.look_at,
        looks=move.looks,
        doubtful=move.doubtful,
        gives_way=gives_way(operation, move.to_state),
        hold_until=move.hold_until,
        **told,
    )


def gives_way(operation: Operation, to_state: State) -> bool:
    """Whether others need not wait for it any longer: a synchronous write in doubt may be so for ever."""
    return to_state == "unknown" and operation.mode == "synchronous"


def marking(operation: Operation, *, now: datetime, **rest: Any) -> Settlement:
    """Mark a claimed operation as sent, before the first byte leaves."""
    return Settlement(
        operation_id=operation.id,
        project_id=operation.project_id,
        from_state="claimed",
        owner=operation.owner,
        to_state="sent",
        now=now,
        from_attempts=operation.attempts,
        first_sent_at=now,
        **rest,
    )


def release(
    operation: Operation, *, now: datetime, from_state: State = "claimed", run_at: datetime | None = None
) -> Settlement:
    """Give back what was claimed and has not left."""
    return Settlement(
        operation_id=operation.id,
        project_id=operation.project_id,
        from_state=from_state,
        owner=operation.owner,
        to_state="queued",
        now=now,
        from_attempts=operation.attempts,
        reason=operation.reason,
        run_at=UNSET if run_at is None else run_at,
    )


def abandoned(operation: Operation, *, now: datetime) -> Settlement:
    """End a synchronous write that was never sent, because nobody knows whether it was stored."""
    move = Move(to_state="failure", reason="abandoned")
    return settlement(operation, move, now=now, said="Not sent: the database did not say whether it was stored")


def last_word(settled: Settlement) -> Settlement | None:
    """Build the move of a write that came to its end while others took its process for dead and left it in doubt.

    What we know of its one attempt settles the doubt, unless it has moved on since. ``None`` for what is no end.
    """
    if settled.from_state != "sent" or settled.to_state not in FINAL or settled.attempt is None:
        return None
    return replace(settled, from_state="unknown", owner="")


def attempt_row(operation: Operation, tried: Tried, *, started_at: datetime, finished_at: datetime) -> Attempt:
    """Write down one try."""
    fault = tried.fault
    return Attempt(
        operation_id=operation.id,
        number=operation.attempts,
        started_at=started_at,
        finished_at=finished_at,
        effect=tried.effect,
        status=None if fault is None else fault.status,
        fault_kind=None if fault is None else fault.kind,
        message="" if fault is None else fault.message,
    )


def moved(operation: Operation, settlement: Settlement) -> Operation:
    """Tell what an operation is after a move."""
    told = {name: value for name in _TOLD if (value := getattr(settlement, name)) is not UNSET}
    return replace(operation, state=settlement.to_state, update_time=settlement.now, **told)


_TOLD = (
    *("outcome", "summary", "fault_kind", "reason", "successful_record_ids", "run_at", "look_at", "looks", "crashes"),
    *("lone_crashes", "doubtful", "repeat", "batch_key"),
)
