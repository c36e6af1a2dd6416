"""From what came of a share to its next move, and that move written down. Pure."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from installations.operation import Operation, State
from installations.outlook import Move, after_attempt, judge, lost
from installations.record import Fault, FaultKind, Outcome
from installations.repetition import Reaction, credited
from installations.retrying import pause
from server.delivering.attempts import Tried
from server.delivering.recognising import Safety
from server.delivering.settlements import attempt_row, settlement
from server.delivering.shares import Share, merged
from server.store.contract import Settlement

OF_ONE_RECORD: frozenset[FaultKind] = frozenset({"invalid", "unknown_field", "conflict", "not_found"})
"""Why a whole batch may have been refused for the sake of one of its records."""


class Course(msgspec.Struct, kw_only=True):
    """How far a call got."""

    started: datetime
    marked: bool = False
    """Its operations are stored as sent, or may be."""
    departed: bool = False
    """They are, and a byte may have left."""
    safeties: dict[str, Safety] = msgspec.field(default_factory=dict)
    """What sending each operation again would do, by their ids; known once it is prepared."""

    @property
    def state(self) -> State:
        """Where its operations are."""
        return "sent" if self.marked else "claimed"


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a share, and what that means for each record of its operation."""

    share: Share
    tried: Tried
    safety: Safety
    outcome: Outcome
    """Of all records of the operation."""
    reactions: tuple[Reaction, ...]


def judged(share: Share, tried: Tried, *, safety: Safety, stuck: bool) -> Judged:
    """Judge every record of an operation after an attempt."""
    outcome = merged(share, tried.outcome)
    reactions = judge(
        outcome.records,
        effect=tried.effect,
        repeat=safety.repeat,
        operation=share.operation,
        sent=share.open,
        all_or_none=share.plan.all_or_none,
        stuck=stuck,
    )
    return Judged(share=share, tried=tried, safety=safety, outcome=outcome, reactions=reactions)


def corrected(one: Judged, outcome: Outcome, reactions: Sequence[Reaction]) -> Judged:
    """Replace what was judged of the records that went out by what reading them told."""
    records, decided = list(one.outcome.records), list(one.reactions)
    for index, record, reaction in zip(one.share.due, outcome.records, reactions, strict=True):
        records[index], decided[index] = record, reaction
    return replace(one, outcome=replace(one.outcome, records=tuple(records)), reactions=tuple(decided))


def concluded(one: Judged, course: Course, *, now: datetime, jitter: float, failures: int) -> tuple[Settlement, Move]:
    """Decide the next move of an operation after an attempt. ``failures`` counts this one, if it is one."""
    operation, outcome = one.share.operation, credited(one.outcome, one.reactions)
    move = after_attempt(
        operation,
        outcome,
        one.reactions,
        now=now,
        can_look_up=one.safety.can_look_up,
        jitter=jitter,
        failures=failures,
    )
    if move.to_state == "queued" and GOES_ON.isdisjoint(one.reactions[index] for index in one.share.due):
        # What goes on has only waited behind another write to the same record.
        move = replace(move, run_at=now)
    attempt = attempt_row(operation, one.tried, started_at=course.started, finished_at=now)
    return (
        settlement(
            operation,
            move,
            now=now,
            from_state=course.state,
            outcome=outcome,
            attempt=attempt if one.share.due else None,
        ),
        move,
    )


GOES_ON: frozenset[Reaction] = frozenset({"retry", "wait"})
"""What a record needs that is sent again."""


def apart(shares: Sequence[Share], tried: Tried) -> bool:
    """Whether a call is made again one by one: it was refused as a whole, and perhaps for one record's sake."""
    fault = tried.fault
    return len(shares) > 1 and tried.refused_whole and fault is not None and fault.kind in OF_ONE_RECORD


def separated(share: Share, tried: Tried, course: Course, *, now: datetime) -> Settlement:
    """Send an operation again by itself; nothing has happened."""
    operation = share.operation
    move = Move(to_state="queued", run_at=now, doubtful=operation.doubtful, looks=operation.looks)
    attempt = attempt_row(operation, tried, started_at=course.started, finished_at=now)
    said = f"Sent again by itself: the batch was refused, {tried.fault.message}" if tried.fault else ""
    return settlement(operation, move, now=now, from_state=course.state, attempt=attempt, said=said, batch_key="")


def ended(operation: Operation, move: Move, *, now: datetime) -> Settlement:
    """Write down the end of a claimed or waiting operation that is not sent again."""
    outcome = "Outcome unknown" if move.to_state == "unknown" else "Not written"
    return settlement(operation, move, now=now, said=f"{outcome}: {WORDS.get(move.reason, move.reason)}")


WORDS = {
    "deadline": "its time was over",
    "gone": "its installation is gone",
    "window": "the provider no longer recognises a repetition",
    "poison": "it failed in a way that nobody foresaw, three times",
}
"""How an end reads for which no provider is to blame."""


def broken(operation: Operation, course: Course, *, now: datetime, can_look_up: bool, jitter: float) -> Settlement:
    """Decide the move of an operation whose handling raised what nobody foresaw: that counts as a crash of its own.

    The third one ends it. What was marked as sent may have happened.
    """
    move = lost(
        replace(operation, state="sent" if course.departed else "claimed"), now=now, alone=True, can_look_up=can_look_up
    )
    crashes = operation.crashes + 1
    if move.to_state == "queued":
        move = replace(move, run_at=now + pause(crashes, age=now - operation.create_time, jitter=jitter))
    message = "an unforeseen error ended the attempt"
    fault = Fault(kind="ambiguous" if course.departed else "not_sent", message=message)
    tried = Tried(outcome=Outcome(records=()), effect="ambiguous" if course.departed else "not_sent", fault=fault)
    attempt = attempt_row(operation, tried, started_at=course.started, finished_at=now)
    said = WORDS["poison"] if move.reason == "poison" else message
    return settlement(
        operation,
        move,
        now=now,
        from_state=course.state,
        attempt=attempt,
        said=said,
        crashes=crashes,
        lone_crashes=operation.lone_crashes + 1,
        batch_key="",
    )
