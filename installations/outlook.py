"""What becomes of an operation after an attempt, a crash, a look-up or its deadline: the next move, decided purely.

Every record of the operation is judged by itself (`installations.repetition`); the operation goes where its records
together need it. While one may still be sent it is ``queued``; if none may and the fate of one is open it is
``unknown``; else it is final.

A write is called failed only where it is known not to have happened, or where doing it again does no harm. So a create
of which an earlier attempt is in doubt ends ``unknown`` wherever another write would fail: at its deadline, cancelled,
refused, as poison. An update in doubt fails: whoever sends it again sets the same values.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from installations.operation import FINAL, EffectClass, Operation, Reason, Repeat, State
from installations.record import Fault, FaultKind, Outcome, RecordOutcome
from installations.repetition import Reaction, already_gone, event_of, in_doubt, react, repeat_at
from installations.retrying import LOOK_AFTER, asked, next_attempt

MOST_CRASHES = 3
"""An operation that was alone so often when its process died is not tried again: no chance makes that likely."""
QUARANTINE_AFTER = 3
"""From so many crashes on it runs while nothing else does, so that it alone can be to blame for the next."""

Verdict = Literal["happened", "retry", "discard"]
"""What a person says of an unknown operation."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """The next move of an operation, all but the guard. Every member but ``run_at`` is written."""

    to_state: State
    reason: Reason = ""
    run_at: datetime | UnsetType = UNSET
    """When it is next due, where it goes on."""
    look_at: datetime | None = None
    """For ``unknown``: when to look it up; ``None`` where nobody can."""
    looks: int = 0
    """How often that was done since it became ``unknown``: a new doubt is looked up as patiently as the first."""
    doubtful: bool = False
    hold_until: datetime | None = None
    """The provider asked the whole connection to wait; stored with the move, so that no crash forgets it."""


def judge(
    records: Sequence[RecordOutcome],
    *,
    effect: EffectClass,
    repeat: Repeat,
    operation: Operation,
    sent: Collection[int] | None = None,
    all_or_none: bool = False,
    stuck: bool = False,
) -> tuple[Reaction, ...]:
    """Tell for each record what to do; `Operation.on_ambiguous` turns ``reconcile`` into ``retry``.

    ``sent``: the indexes that this attempt was about, of a batch that goes on; the others keep what came of them
    before. ``all_or_none``: the records share one fate, unless the provider wrote some all the same. ``stuck``: the
    provider replays a stored failure (`repetition.replays_failure`).
    """
    reactions = tuple(
        _react(record, effect=effect, repeat=repeat, operation=operation, stuck=stuck)
        if sent is None or index in sent
        else _kept(record)
        for index, record in enumerate(records)
    )
    if not all_or_none or "succeed" in reactions:
        return reactions
    return (next(reaction for reaction in _GRAVEST if reaction in reactions),) * len(reactions)


def after_attempt(
    operation: Operation,
    outcome: Outcome,
    reactions: Sequence[Reaction],
    *,
    now: datetime,
    can_look_up: bool,
    jitter: float,
    failures: int | None = None,
) -> Move:
    """Decide the move after an attempt that was sent, or could not be.

    ``can_look_up`` says that the provider can be asked for what an ambiguous create may have made. ``failures`` are
    the attempts made, where there were fewer than claims: what was given back untried failed at nothing. ``compare``
    and ``look_up`` are for the caller to turn into what it finds; left as they are, they are a failure and a doubt.
    """
    doubtful = operation.doubtful or any(map(in_doubt, outcome.records))
    going_on = [record for record, reaction in zip(outcome.records, reactions, strict=True) if reaction in _GOING_ON]
    hold = _hold(outcome, reactions, now=now)
    if _has_a_caller(operation):
        move = _once(reactions, now=now, can_look_up=can_look_up, ambiguous=any(map(in_doubt, outcome.records)))
    elif "park" in reactions:
        move = Move(to_state="parked", reason="auth")
    elif going_on:
        move = _again(operation, going_on, now=now, jitter=jitter, failures=failures or operation.attempts)
    else:
        move = _at_last(reactions, now=now, can_look_up=can_look_up)
    return msgspec.structs.replace(move, doubtful=doubtful or move.doubtful, hold_until=hold)


_GOING_ON: frozenset[Reaction] = frozenset({"retry", "wait"})
_OPEN: frozenset[Reaction] = frozenset({"reconcile", "look_up"})
_GRAVEST: tuple[Reaction, ...] = ("park", "reconcile", "look_up", "fail", "compare", "wait", "retry")
"""What one record needs decides for all, in this order, where they go together."""
_OF_THE_CONNECTION: frozenset[FaultKind] = frozenset({"rate_limited", "provider", "ambiguous"})
"""Whose wait the whole connection keeps; a lock is one record's affair."""
_CREATES: frozenset[Repeat] = frozenset({"keyed", "bare"})
"""What another write of the same would do twice: a key recognises its own operation only."""


def _react(
    record: RecordOutcome, *, effect: EffectClass, repeat: Repeat, operation: Operation, stuck: bool
) -> Reaction:
    if already_gone(record.fault, action=operation.action, doubtful=operation.doubtful):
        return "succeed"
    event = event_of(record, effect=effect)
    if event != "ambiguous":
        return react(event, repeat, doubtful=operation.doubtful)
    if stuck and repeat == "keyed":
        return "reconcile"
    reaction = react(event, repeat, doubtful=operation.doubtful)
    return "retry" if reaction == "reconcile" and operation.on_ambiguous == "retry" else reaction


def _has_a_caller(operation: Operation) -> bool:
    """Whether it was promised one attempt: synchronous, and not sent again by a person's word."""
    return operation.mode == "synchronous" and operation.attempts <= 1


def _kept(record: RecordOutcome) -> Reaction:
    if record.success:
        return "succeed"
    return "reconcile" if in_doubt(record) else "fail"


def _seconds(fault: Fault | None) -> float:
    return 0.0 if fault is None or fault.retry_after_seconds is None else fault.retry_after_seconds


def _hold(outcome: Outcome, reactions: Sequence[Reaction], *, now: datetime) -> datetime | None:
    faults = [
        record.fault
        for record, reaction in zip(outcome.records, reactions, strict=True)
        if reaction in _GOING_ON | _OPEN and record.fault is not None and record.fault.kind in _OF_THE_CONNECTION
    ]
    longest = max(map(_seconds, faults), default=0.0)
    return now + asked(longest) if longest > 0 else None


def _again(
    operation: Operation, going_on: Sequence[RecordOutcome], *, now: datetime, jitter: float, failures: int
) -> Move:
    longest = max(_seconds(record.fault) for record in going_on)
    due = next_attempt(
        now=now,
        # An auto-batch may be a day old before it is first sent.
        since=operation.first_sent_at or operation.create_time,
        deadline_at=operation.deadline_at,
        failures=failures,
        retry_after_seconds=longest if longest > 0 else None,
        jitter=jitter,
    )
    return Move(to_state="queued", run_at=due)


def _at_last(reactions: Sequence[Reaction], *, now: datetime, can_look_up: bool) -> Move:
    """Decide where none is sent again."""
    if not _OPEN.isdisjoint(reactions):
        return _unknown("ambiguous", now=now, can_look_up=can_look_up)
    done = "succeed" in reactions
    return Move(to_state="success" if done else "failure", reason="" if done else "refused")


def _once(reactions: Sequence[Reaction], *, now: datetime, can_look_up: bool, ambiguous: bool) -> Move:
    """Decide for a synchronous write, which was promised one attempt."""
    if ambiguous:
        return _unknown("ambiguous", now=now, can_look_up=can_look_up)
    if "succeed" in reactions:
        return Move(to_state="success")
    if "park" in reactions:
        return Move(to_state="failure", reason="auth")
    return Move(to_state="failure", reason="abandoned" if not _GOING_ON.isdisjoint(reactions) else "refused")


def _unknown(reason: Reason, *, now: datetime, can_look_up: bool) -> Move:
    return Move(to_state="unknown", reason=reason, look_at=now + LOOK_AFTER[0] if can_look_up else None, doubtful=True)


def _ended(operation: Operation, reason: Reason, *, now: datetime | None = None, can_look_up: bool = False) -> Move:
    """Decide where it is not sent again although nobody refused it."""
    if operation.doubtful and operation.repeat in _CREATES:
        return _unknown(reason, now=now or operation.update_time, can_look_up=can_look_up)
    return Move(to_state="failure", reason=reason, doubtful=operation.doubtful)


def expired(operation: Operation, *, now: datetime | None = None, can_look_up: bool = False) -> Move:
    """Decide the move of a waiting or claimed operation whose deadline is over."""
    return _ended(operation, "deadline", now=now, can_look_up=can_look_up)


def cancelled(operation: Operation, *, now: datetime | None = None, can_look_up: bool = False) -> Move:
    """Decide the move of a waiting operation that a person takes back."""
    return _ended(operation, "cancelled", now=now, can_look_up=can_look_up)


def gone(operation: Operation) -> Move:
    """Decide the move of a waiting or claimed operation whose installation is no more, so that nobody can be asked."""
    return _ended(operation, "gone")


def forgotten(operation: Operation, *, now: datetime, window: timedelta | None) -> bool:
    """Whether the provider no longer knows our key: sending again would then be a fresh create. 90 % of its word."""
    if not operation.doubtful:
        return False
    return (
        repeat_at(operation.repeat, first_sent_at=operation.first_sent_at, window=window, now=now) != operation.repeat
    )


def outlived(operation: Operation, *, now: datetime, can_look_up: bool) -> Move:
    """Decide the move of an operation whose key is `forgotten`: never a fresh create."""
    return _ended(operation, "window", now=now, can_look_up=can_look_up)


def lost(operation: Operation, *, now: datetime, alone: bool, can_look_up: bool) -> Move:
    """Decide the move of an operation whose process died. ``alone``: it was all that the process had in flight.

    It keeps its place before what was accepted later. One that lost a process before goes behind all that is due: were
    it to blame, nothing else would get on while it takes down one process after the other.
    """
    sent = operation.state == "sent"
    known = msgspec.structs.replace(operation, doubtful=operation.doubtful or sent)
    if alone and operation.lone_crashes + 1 >= MOST_CRASHES:
        # Not looked up either: that might take the next process down.
        return _ended(known, "poison")
    if _has_a_caller(operation):
        if sent:
            return _unknown("ambiguous", now=now, can_look_up=can_look_up)
        return Move(to_state="failure", reason="abandoned")
    reaction = react("crashed" if sent else "not_sent", operation.repeat, doubtful=operation.doubtful)
    if reaction == "reconcile" and operation.on_ambiguous == "park":
        return _unknown("ambiguous", now=now, can_look_up=can_look_up)
    if now >= operation.deadline_at:
        return expired(known, now=now, can_look_up=can_look_up)
    return Move(to_state="queued", run_at=now if operation.crashes else UNSET, doubtful=known.doubtful)


def restored(
    operation: Operation, *, now: datetime, repeat: Repeat = "bare", window: timedelta | None = None
) -> Move | None:
    """Decide the move of an operation that a backup brought back; ``None`` where it may go on as it was.

    It may have been sent after the backup was made. What harms nobody when it is sent twice goes on. So does a create
    that the provider recognises (``repeat``, as it would be sent now; ``window``: for how long), but in doubt, so that
    a conflict may be with its own record. No other is sent before it is known whether it was.
    """
    harmless = operation.action in {"update", "delete"} or operation.repeat not in _CREATES or repeat not in _CREATES
    if operation.mode == "synchronous" or operation.state in FINAL or operation.state == "unknown" or harmless:
        return None
    since = operation.first_sent_at or operation.create_time
    recognised = repeat_at(repeat, first_sent_at=since, window=window, now=now) == "keyed"
    if not recognised or now >= operation.deadline_at:
        return _unknown("ambiguous", now=now, can_look_up=True)
    if operation.state == "parked":
        return Move(to_state="parked", reason=operation.reason, doubtful=True)
    return Move(to_state="queued", doubtful=True)


def looked_up(operation: Operation, *, found: int, exact: bool, now: datetime) -> Move:
    """Decide the move of an unknown create after a look-up that found so many records with its marker.

    Of a batch ``found`` is the fewest of any record in doubt, or the most where one is there several times.
    ``exact``: the provider shows every record at once, so that one it does not show does not exist.
    """
    looks = operation.looks + 1
    still = Move(to_state="unknown", reason=operation.reason or "ambiguous", looks=looks, doubtful=True)
    if found == 1:
        return Move(to_state="success", reason="found", looks=looks, doubtful=True)
    if found > 1:
        return still
    if looks < len(LOOK_AFTER):
        return msgspec.structs.replace(still, look_at=now + LOOK_AFTER[looks] - LOOK_AFTER[looks - 1])
    return _absent(operation, now=now, looks=looks) if exact else still


def _absent(operation: Operation, *, now: datetime, looks: int) -> Move:
    """Decide the move of a create that is proved not to have happened."""
    if operation.reason in _NOT_AGAIN:
        return Move(to_state="failure", reason=operation.reason, looks=looks)
    if _has_a_caller(operation):
        return Move(to_state="failure", reason="abandoned", looks=looks)
    if now >= operation.deadline_at:
        return Move(to_state="failure", reason="deadline", looks=looks)
    return Move(to_state="queued", run_at=now)


_NOT_AGAIN: frozenset[Reason] = frozenset({"cancelled", "gone", "poison"})
"""Why a create that did not happen shall not happen either."""


def resolved(operation: Operation, verdict: Verdict, *, now: datetime) -> Move:
    """Decide the move of an unknown operation of which a person knows what to think.

    ``retry`` past the deadline is a failure with reason ``deadline``: its time is over, a replay gives it another.
    """
    if verdict == "happened":
        return Move(to_state="success", reason="resolved", looks=operation.looks, doubtful=True)
    if verdict == "discard":
        return Move(to_state="failure", reason="discarded", looks=operation.looks, doubtful=True)
    if now >= operation.deadline_at:
        return Move(to_state="failure", reason="deadline", looks=operation.looks)
    return Move(to_state="queued", reason="", run_at=now)
