"""What becomes of an operation after an attempt, a crash, a look-up or its deadline: the next move, decided purely.

Every record of the operation is judged by itself (`installations.repetition`); the operation goes where its records
together need it. While one may still be sent it is ``queued``; if none may and the fate of one is open it is
``unknown``; else it is final.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from msgspec import UNSET, UnsetType

from installations.operation import Operation, Reason, Repeat, State
from installations.record import Fault, Outcome, RecordOutcome
from installations.repetition import Reaction, already_gone, event_of, react
from installations.retrying import LOOK_AFTER, next_attempt

MOST_CRASHES = 3
"""An operation that takes its process down so often is not tried again."""
QUARANTINE_AFTER = 3
"""From so many crashes on it runs while nothing else does, so that it alone is to blame for the next."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """The next move of an operation, all but the guard."""

    to_state: State
    reason: Reason = ""
    run_at: datetime | UnsetType = UNSET
    """When it is next due, where it goes on."""
    look_at: datetime | None = None
    """For ``unknown``: when to look it up; ``None`` where nobody can."""
    doubtful: bool = False
    hold_until: datetime | None = None
    """The provider asked the whole connection to wait."""


def judge(
    records: Sequence[RecordOutcome], *, effect: str, repeat: Repeat, operation: Operation
) -> tuple[Reaction, ...]:
    """Tell for each record what to do; `Operation.on_ambiguous` turns ``reconcile`` into ``retry``."""
    return tuple(_react(record, effect=effect, repeat=repeat, operation=operation) for record in records)


def after_attempt(
    operation: Operation,
    outcome: Outcome,
    reactions: Sequence[Reaction],
    *,
    now: datetime,
    can_look_up: bool,
    jitter: float,
) -> Move:
    """Decide the move after an attempt that was sent, or could not be.

    ``can_look_up`` says that the provider can be asked for what an ambiguous create may have made.
    """
    doubtful = operation.doubtful or any(
        record.fault is not None and record.fault.kind == "ambiguous" for record in outcome.records
    )
    if "park" in reactions:
        return Move(to_state="parked", reason="auth", doubtful=doubtful)
    going_on = [record for record, reaction in zip(outcome.records, reactions, strict=True) if reaction in _GOING_ON]
    if going_on:
        asked = max((_asked(record.fault) for record in going_on), default=0.0)
        return _again(operation, now=now, asked=asked or None, doubtful=doubtful, jitter=jitter)
    if "reconcile" in reactions:
        look_at = now + LOOK_AFTER[0] if can_look_up else None
        return Move(to_state="unknown", reason="ambiguous", look_at=look_at, doubtful=True)
    done = any(record.success for record in outcome.records)
    return Move(to_state="success" if done else "failure", reason="" if done else "refused", doubtful=doubtful)


_GOING_ON: frozenset[Reaction] = frozenset({"retry", "wait"})


def _react(record: RecordOutcome, *, effect: str, repeat: Repeat, operation: Operation) -> Reaction:
    if already_gone(record.fault, action=operation.action, doubtful=operation.doubtful):
        return "succeed"
    reaction = react(event_of(record, effect=effect), repeat, doubtful=operation.doubtful)  # type: ignore[arg-type]
    return "retry" if reaction == "reconcile" and operation.on_ambiguous == "retry" else reaction


def _asked(fault: Fault | None) -> float:
    return 0.0 if fault is None or fault.retry_after_seconds is None else fault.retry_after_seconds


def _again(operation: Operation, *, now: datetime, asked: float | None, doubtful: bool, jitter: float) -> Move:
    due = next_attempt(
        now=now,
        create_time=operation.create_time,
        deadline_at=operation.deadline_at,
        failures=operation.attempts,
        retry_after_seconds=asked,
        jitter=jitter,
    )
    hold = None if asked is None else now + timedelta(seconds=asked)
    return Move(to_state="queued", run_at=due, doubtful=doubtful, hold_until=hold)


def expired(operation: Operation) -> Move:
    """Decide the move of a waiting operation whose deadline is over."""
    if operation.doubtful and operation.repeat == "bare":
        return Move(to_state="unknown", reason="deadline", doubtful=True)
    return Move(to_state="failure", reason="deadline", doubtful=operation.doubtful)


def cancelled(operation: Operation) -> Move:
    """Decide the move of a waiting operation that a person takes back."""
    if operation.doubtful and operation.repeat == "bare":
        return Move(to_state="unknown", reason="cancelled", doubtful=True)
    return Move(to_state="failure", reason="cancelled", doubtful=operation.doubtful)


def forgotten(operation: Operation, *, now: datetime, window: timedelta | None) -> bool:
    """Whether the provider no longer knows our key: sending again would then be a fresh create. 90 % of its word."""
    if not operation.doubtful or operation.repeat != "keyed" or window is None or operation.first_sent_at is None:
        return False
    return now - operation.first_sent_at > window * 0.9


def lost(operation: Operation, *, now: datetime, alone: bool, can_look_up: bool) -> Move:
    """Decide the move of an operation whose process died. ``alone``: it was all that the process had in flight."""
    sent = operation.state == "sent"
    poison = operation.crashes + 1 >= MOST_CRASHES and alone
    bare = sent and operation.repeat == "bare" and operation.on_ambiguous == "park"
    if bare:
        look_at = now + LOOK_AFTER[0] if can_look_up and not poison else None
        return Move(to_state="unknown", reason="poison" if poison else "ambiguous", look_at=look_at, doubtful=True)
    if poison:
        return Move(to_state="failure", reason="poison", doubtful=operation.doubtful or sent)
    if operation.mode == "synchronous":
        # Its caller is gone, and was promised one attempt.
        state: State = "unknown" if sent else "failure"
        return Move(to_state=state, reason="ambiguous" if sent else "refused", doubtful=operation.doubtful or sent)
    return Move(to_state="queued", run_at=now, doubtful=operation.doubtful or sent)


def looked_up(operation: Operation, *, found: int, exact: bool, now: datetime) -> Move:
    """Decide the move of an unknown create after a look-up that found so many records with its marker.

    ``exact``: the provider shows every record at once, so that one it does not show does not exist.
    """
    if found == 1:
        return Move(to_state="success", reason="found", doubtful=True)
    if found > 1:
        return Move(to_state="unknown", reason="ambiguous", doubtful=True)
    if operation.looks + 1 < len(LOOK_AFTER):
        gap = LOOK_AFTER[operation.looks + 1] - LOOK_AFTER[operation.looks]
        return Move(to_state="unknown", reason="ambiguous", look_at=now + gap, doubtful=True)
    if not exact:
        return Move(to_state="unknown", reason="ambiguous", doubtful=True)
    if now >= operation.deadline_at or operation.mode == "synchronous":
        return Move(to_state="failure", reason="deadline", doubtful=False)
    return Move(to_state="queued", run_at=now, doubtful=False)
