"""May a write be sent again? One table: what happened, what repeating would do, and so what to do now.

The table is data, so that every cell can be tested and none hides in a branch. Whatever is not listed is ``ambiguous``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec.structs import replace

from installations.operation import Attempt, EffectClass, Repeat
from installations.record import Fault, FaultKind, Outcome, Record, RecordOutcome

Event = Literal[
    "done",
    "unreadable",
    "not_sent",
    "blocked",
    "throttled",
    "unauthorized",
    "refused",
    "conflict",
    "pending",
    "ambiguous",
    "crashed",
]
"""What is known of one record after an attempt.

``done``: written. ``unreadable``: written, but the answer made no sense. ``not_sent``: no byte left. ``blocked``: no
byte may leave, ever (the operator's policy, a URL that is none). ``throttled``: the provider did nothing and may later
(429, locked, a documented "not processed"). ``unauthorized``: 401 after a renewed token. ``refused``: it did nothing
and never will. ``conflict``: 409 or 412. ``pending``: 202, it has been taken and is done later. ``ambiguous``: nobody
knows. ``crashed``: our process died after the ``sent`` mark.
"""

Reaction = Literal["succeed", "retry", "wait", "park", "fail", "compare", "look_up", "reconcile"]
"""What to do.

``retry``: back off and send again. ``wait``: the same, but not before the provider said. ``park``: until somebody
connects again. ``compare``: read the record; what we wanted is there, or it failed. ``look_up``: the conflict may be
our own earlier attempt. ``reconcile``: find out, or stay unknown; never send.
"""

CLASSIFIER: dict[Event, dict[Repeat, Reaction]] = {
    "done": {"read": "succeed", "safe": "succeed", "keyed": "succeed", "bare": "succeed"},
    "unreadable": {"read": "retry", "safe": "succeed", "keyed": "succeed", "bare": "succeed"},
    "not_sent": {"read": "retry", "safe": "retry", "keyed": "retry", "bare": "retry"},
    "blocked": {"read": "fail", "safe": "fail", "keyed": "fail", "bare": "fail"},
    "throttled": {"read": "wait", "safe": "wait", "keyed": "wait", "bare": "wait"},
    "unauthorized": {"read": "park", "safe": "park", "keyed": "park", "bare": "park"},
    "refused": {"read": "fail", "safe": "fail", "keyed": "fail", "bare": "fail"},
    "conflict": {"read": "fail", "safe": "compare", "keyed": "fail", "bare": "fail"},
    "pending": {"read": "retry", "safe": "succeed", "keyed": "reconcile", "bare": "reconcile"},
    "ambiguous": {"read": "retry", "safe": "retry", "keyed": "retry", "bare": "reconcile"},
    "crashed": {"read": "retry", "safe": "retry", "keyed": "retry", "bare": "reconcile"},
}
"""Every cell, as long as no earlier attempt is in doubt.

``pending`` is never sent again: a connector that can ask for the job does so in its own flow, and answers what came of
it; where none can, a create is open until somebody has seen its record. What would only set the same again is done.
"""

DOUBTED: dict[Event, dict[Repeat, Reaction]] = {
    "blocked": {"keyed": "reconcile", "bare": "reconcile"},
    "refused": {"keyed": "reconcile", "bare": "reconcile"},
    "conflict": {"keyed": "look_up", "bare": "look_up"},
}
"""The cells that differ once an earlier attempt is in doubt.

A refusal speaks of the attempt that it answers. The customer may have lost a right between the two; to call the write
failed would be a guess, and whoever believes it and writes anew does it twice. A conflict may be with ourselves.
"""

EVENT_OF_KIND: dict[FaultKind, Event] = {
    "auth": "unauthorized",
    "forbidden": "refused",
    "rate_limited": "throttled",
    "invalid": "refused",
    "conflict": "conflict",
    "locked": "throttled",
    "not_found": "refused",
    "unknown_field": "refused",
    "unknown_object": "refused",
    "provider": "throttled",
    "unrecognised": "ambiguous",
    "not_sent": "not_sent",
    "ambiguous": "ambiguous",
}
"""How a record's fault reads. ``provider`` is a refusal that says "not processed"; an unclear 5xx is ``ambiguous``."""

ACCEPTED = 202
"""The status of an ``ambiguous`` fault that says: taken, and not done yet."""
REDIRECTS = range(300, 400)
"""Statuses whose faults are ``unrecognised``, and yet refusals: nothing is followed, so nothing was done."""
MOST_REPLAYS = 3
"""So often the same stored failure of a key is believed to be an outage."""
_STORED_STATUS = 500
USABLE_WINDOW = 0.9
"""How much of the time for which a provider says that it remembers a key is relied on."""


def event_of(record: RecordOutcome, *, effect: EffectClass) -> Event:
    """Tell what is known of a record. ``effect`` is the whole attempt's: what never left may look like a refusal.

    What is ambiguous stays so whatever the effect is: it may be what an earlier attempt left behind.
    """
    if record.success:
        return "done" if record.fault is None else "unreadable"
    if record.fault is None:
        return "ambiguous"
    event = EVENT_OF_KIND[record.fault.kind]
    if event == "ambiguous" and record.fault.status == ACCEPTED:
        event = "pending"
    if record.fault.kind == "unrecognised" and record.fault.status in REDIRECTS:
        event = "refused"
    return "blocked" if effect == "not_sent" and event == "refused" else event


def in_doubt(record: RecordOutcome) -> bool:
    """Whether nobody knows if it was written."""
    return event_of(record, effect="rejected") in {"ambiguous", "pending"}


def is_pending(record: RecordOutcome) -> bool:
    """Whether the provider has taken it and may do it at any time: that it is not there yet proves nothing."""
    return event_of(record, effect="rejected") == "pending"


def react(event: Event, repeat: Repeat, *, doubtful: bool = False) -> Reaction:
    """Look the cell up. ``doubtful`` says that an earlier attempt was ambiguous."""
    reaction = CLASSIFIER[event][repeat]
    return DOUBTED.get(event, {}).get(repeat, reaction) if doubtful else reaction


def already_gone(fault: Fault | None, *, action: str, doubtful: bool) -> bool:
    """Whether a delete that finds nothing has done its work before: only where an earlier attempt may have done it."""
    return action == "delete" and doubtful and fault is not None and fault.kind == "not_found"


def repeat_at(repeat: Repeat, *, first_sent_at: datetime | None, window: timedelta | None, now: datetime) -> Repeat:
    """Tell what sending would do now: a key that the provider may have forgotten protects no more."""
    if repeat != "keyed" or window is None or first_sent_at is None:
        return repeat
    return "bare" if now - first_sent_at > window * USABLE_WINDOW else "keyed"


def replays_failure(attempts: Sequence[Attempt]) -> bool:
    """Whether the provider only replays a failure that it stored with our key: the same 500 three times in a row.

    Sending again would never say more. Ask this of a write with the kind of recognition that stores answers (``key``).
    """
    last = attempts[-MOST_REPLAYS:]
    same = len({attempt.message for attempt in last}) == 1
    return len(last) == MOST_REPLAYS and same and all(attempt.status == _STORED_STATUS for attempt in last)


def holds(current: Record, wanted: Record) -> bool:
    """Whether a record as it is now has every value that was wanted, as text where providers turn values into text."""
    pairs: list[tuple[Any, Any]] = [(wanted, current)]
    while pairs:
        wish, is_now = pairs.pop()
        if isinstance(wish, dict) and isinstance(is_now, dict):
            pairs.extend((value, is_now.get(name)) for name, value in wish.items())
        elif wish != is_now and (_text(wish) is None or _text(wish) != _text(is_now)):
            return False
    return True


def credited(outcome: Outcome, reactions: Sequence[Reaction]) -> Outcome:
    """Tell every record as what the reactions take it for, whatever the provider's last word was.

    What counts as written is told as written. What is to be found out is told as in doubt, so that whoever looks it up,
    or is asked to decide, sees that it is open.
    """
    pairs = zip(outcome.records, reactions, strict=True)
    return replace(outcome, records=tuple(_credited(record, reaction) for record, reaction in pairs))


def _credited(record: RecordOutcome, reaction: Reaction) -> RecordOutcome:
    if reaction == "succeed" and not record.success:
        return replace(record, success=True, fault=None)
    if reaction not in _OPEN or in_doubt(record) or record.fault is None:
        return record
    message = f"an earlier attempt may have written it; the last one was refused: {record.fault.message}"
    return replace(record, fault=replace(record.fault, kind="ambiguous", message=message))


_OPEN: frozenset[Reaction] = frozenset({"reconcile", "look_up"})
_SETTLED: frozenset[Event] = frozenset({"done", "unreadable", "refused", "conflict"})


def is_settled(record: RecordOutcome) -> bool:
    """Whether the provider has written or refused it. All else may have been sent since: what waited, what is open."""
    return event_of(record, effect="rejected") in _SETTLED


def _text(value: object) -> str | None:
    """Write a plain value as providers do; ``None`` for what has parts. Nothing and empty text are the same to them."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value) if isinstance(value, str | int | float) else None
