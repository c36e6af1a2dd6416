"""May a write be sent again? One table: what happened, what repeating would do, and so what to do now.

The table is data, so that every cell can be tested and none hides in a branch. Whatever is not listed is ``ambiguous``.
"""

from typing import Literal

from installations.operation import EffectClass, Repeat
from installations.record import Fault, FaultKind, RecordOutcome

Event = Literal[
    "done",
    "unreadable",
    "not_sent",
    "blocked",
    "throttled",
    "unauthorized",
    "refused",
    "conflict",
    "ambiguous",
    "crashed",
]
"""What is known of one record after an attempt.

``done``: written. ``unreadable``: written, but the answer made no sense. ``not_sent``: no byte left. ``blocked``: no
byte may leave, ever (the operator's policy, a URL that is none). ``throttled``: the provider did nothing and may later
(429, locked, a documented "not processed"). ``unauthorized``: 401 after a renewed token. ``refused``: it did nothing
and never will. ``conflict``: 409 or 412. ``ambiguous``: nobody knows. ``crashed``: our process died after the ``sent``
mark.
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
    "conflict": {"read": "fail", "safe": "compare", "keyed": "look_up", "bare": "look_up"},
    "ambiguous": {"read": "retry", "safe": "retry", "keyed": "retry", "bare": "reconcile"},
    "crashed": {"read": "retry", "safe": "retry", "keyed": "retry", "bare": "reconcile"},
}
"""Every cell. ``look_up`` without an ambiguous attempt before is a failure: the conflict is somebody else's record."""

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
    "unrecognised": "refused",
    "not_sent": "not_sent",
    "ambiguous": "ambiguous",
}
"""How a record's fault reads. ``provider`` is a refusal that says "not processed"; an unclear 5xx is ``ambiguous``."""


def event_of(record: RecordOutcome, *, effect: EffectClass) -> Event:
    """Tell what is known of a record. ``effect`` is the whole attempt's: what never left may look like a refusal."""
    if record.success:
        return "done" if record.fault is None else "unreadable"
    if record.fault is None:
        return "ambiguous"
    event = EVENT_OF_KIND[record.fault.kind]
    return "blocked" if effect == "not_sent" and event == "refused" else event


def react(event: Event, repeat: Repeat, *, doubtful: bool = False) -> Reaction:
    """Look the cell up. ``doubtful`` says that an earlier attempt was ambiguous."""
    reaction = CLASSIFIER[event][repeat]
    return "fail" if reaction == "look_up" and not doubtful else reaction


def already_gone(fault: Fault | None, *, action: str, doubtful: bool) -> bool:
    """Whether a delete that finds nothing has done its work before: only where an earlier attempt may have done it."""
    return action == "delete" and doubtful and fault is not None and fault.kind == "not_found"
