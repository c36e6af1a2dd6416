"""What a person may decide of an operation, and the move that it comes to. Pure.

InterventionError
├── Unfit       the operation is in a state in which this cannot be done
└── Forgotten   what it carried is no longer kept
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from installations.errors import invalid
from installations.operation import WAITING, Operation, State
from installations.outlook import Move, Verdict, cancelled, resolved
from installations.record import Fault, Outcome, RecordOutcome
from installations.repetition import is_settled
from server.delivering.payloads import Stored, stored, stored_outcome
from server.delivering.settlements import settlement
from server.store.contract import Settlement


class InterventionError(Exception):
    """The root: the operation cannot be treated so."""


class Unfit(InterventionError):
    """The operation is in a state in which this cannot be done."""


class Forgotten(InterventionError):
    """What the operation carried is no longer kept."""


def kept(operation: Operation) -> Stored:
    """Read what an operation was to do. Raises `Forgotten` once that is pruned."""
    if not operation.payload:
        raise Forgotten("What this operation carried is no longer kept; only what became of it is.")
    return stored(operation)


def resolution(operation: Operation, *, verdict: Verdict, record_id: str | None = None, now: datetime) -> Settlement:
    """Decide an unknown operation by a person's word. Raises `Unfit`, and `InvalidInput` for the id.

    Whoever says ``retry`` vouches that it did not happen: it is sent as if for the first time, and has as much time
    for that as it had at first.
    """
    if operation.state != "unknown":
        raise Unfit(f"Only what is unknown can be resolved, and this operation {_STANDING[operation.state]}.")
    if record_id is not None and verdict != "happened":
        raise invalid("recordId", 'only goes with the outcome "happened"', code="misplaced")
    if verdict == "retry":
        return _retry(operation, now=now)
    move = resolved(operation, verdict, now=now)
    if verdict == "discard":
        return settlement(operation, move, now=now, said="Discarded: nobody knows whether it happened")
    return settlement(operation, move, now=now, outcome=_happened(operation, record_id))


def _retry(operation: Operation, *, now: datetime) -> Settlement:
    if not operation.connection_id:
        raise Unfit("This operation was stored by an older version, which sent nothing again: discard it, write anew.")
    deadline = now + span(operation)
    move = resolved(replace(operation, deadline_at=deadline), "retry", now=now)
    return settlement(operation, move, now=now, deadline_at=deadline, outcome=_did_not_happen(operation))


def span(operation: Operation) -> timedelta:
    """Tell how much time an operation was given."""
    return operation.deadline_at - operation.create_time


def cancellation(operation: Operation, *, now: datetime, can_look_up: bool) -> Settlement:
    """Take a waiting operation back. Raises `Unfit` for any other.

    One that may have happened already becomes unknown: then there is nothing to take back, and no failure to report.
    Where the provider can be asked for it (``can_look_up``), it will be.
    """
    if operation.state not in WAITING:
        raise Unfit(f"Only what waits can be cancelled, and this operation {_STANDING[operation.state]}.")
    move = cancelled(operation, now=now, can_look_up=can_look_up)
    said = "Cancelled" if move.to_state == "failure" else "Cancelled, but it may have happened"
    return settlement(operation, move, now=now, said=said)


def hurrying(operation: Operation, *, now: datetime) -> Settlement:
    """Let a waiting operation be tried now. Raises `Unfit` for any other."""
    if operation.state not in WAITING:
        raise Unfit(f"Only what waits or has failed can be retried, and this operation {_STANDING[operation.state]}.")
    move = Move(to_state="queued", reason="", run_at=now, looks=operation.looks, doubtful=operation.doubtful)
    return settlement(operation, move, now=now)


_STANDING: dict[State, str] = {
    "queued": "waits to be sent",
    "claimed": "is about to be sent",
    "sent": "is being sent",
    "parked": "waits for its connection",
    "success": "has succeeded",
    "failure": "has failed",
    "unknown": "is unknown: nobody knows whether it happened; say so with :resolve",
}
"""How each state reads behind "this operation"."""


def _happened(operation: Operation, record_id: str | None) -> Outcome:
    """Write down that every record happened of which nobody knew."""
    records = _so_far(operation)
    ids = [record.id for record in kept(operation).plan.records]
    opened = _open(records)
    if record_id is not None and len(opened) != 1:
        message = f"{len(opened)} records of this operation are open, and one id cannot be that of all"
        raise invalid("recordId", message, code="misplaced")
    told = list(records)
    for index in opened:
        known = record_id or (ids[index] if index < len(ids) else None)
        told[index] = RecordOutcome(success=True, record_id=known)
    return Outcome(records=tuple(told))


def _did_not_happen(operation: Operation) -> Outcome | None:
    """Write down that nothing happened of which nobody knew, so that all of it is sent, and nothing else."""
    outcome = stored_outcome(operation)
    if outcome is None:
        return None
    told = list(outcome.records)
    for index in _open(outcome.records):
        told[index] = _NOT_SENT
    return replace(outcome, records=tuple(told))


_NOT_SENT = RecordOutcome(success=False, fault=Fault(kind="not_sent", message="a person said that it did not happen"))


def _so_far(operation: Operation) -> tuple[RecordOutcome, ...]:
    outcome = stored_outcome(operation)
    if outcome is not None:
        return outcome.records
    return (RecordOutcome(success=False),) * (operation.gathered or len(kept(operation).plan.records))


def _open(records: Sequence[RecordOutcome]) -> list[int]:
    """List the records that the provider has neither written nor, beyond doubt, refused: at least one.

    A refusal that may speak of an earlier attempt is kept as a doubt (`credited`), record by record.
    """
    undone = [index for index, record in enumerate(records) if not record.success]
    return [index for index in undone if not is_settled(records[index])] or undone
