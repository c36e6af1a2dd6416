"""The life of one delivery: its states and the allowed moves between them.

A row of this is the truth about a write; engines only say when to look at a connection's rows. What to do after an
attempt is decided by `installations.repetition` (may it be repeated), `installations.retrying` (when) and
`installations.outlook` (both together: the next move).
"""

from datetime import datetime
from typing import Literal

import msgspec

from installations.record import Action, FaultKind

State = Literal["queued", "claimed", "sent", "parked", "success", "failure", "unknown"]
Mode = Literal["synchronous", "asynchronous"]
PublicStatus = Literal["in_progress", "success", "failure"]
EffectClass = Literal["not_sent", "rejected", "done", "ambiguous"]
"""What an attempt did at the provider, as far as can be known."""
Repeat = Literal["read", "safe", "keyed", "bare"]
"""What sending a write twice would do.

``read``: nothing was changed. ``safe``: the same again (absolute values by id, a native upsert, a delete). ``keyed``:
nothing, because the provider recognises it. ``bare``: it would be done twice.
"""
OnAmbiguous = Literal["park", "retry"]
"""What the caller wants done with a bare create of which nobody knows whether it happened: ``retry`` risks doing it
twice."""
Reason = Literal[
    "",
    "refused",
    "auth",
    "deadline",
    "cancelled",
    "poison",
    "gone",
    "ambiguous",
    "window",
    "discarded",
    "found",
    "resolved",
    "abandoned",
]
"""Why an operation is where it is, beyond its last fault.

``refused``: the provider said no for good. ``auth``: the connection's credentials are refused. ``deadline``: its time
was over. ``cancelled``, ``discarded``, ``resolved``: a person decided so. ``poison``: it took its process down three
times. ``gone``: its installation is. ``ambiguous``: nobody knows whether it happened. ``window``: the provider has
forgotten its key. ``found``: a look-up proved that it happened. ``abandoned``: it is known not to have happened and is
not tried again, because it was synchronous.
"""

FINAL: frozenset[State] = frozenset({"success", "failure"})
"""States that never change again. ``unknown`` is left only by proof or by a person."""
UNOWNED: frozenset[State] = frozenset({"queued", "parked", "unknown"})
"""States in which nobody holds the operation."""
WAITING: frozenset[State] = frozenset({"queued", "parked"})
"""States from which a person may cancel."""

MOVES: dict[State, frozenset[State]] = {
    "queued": frozenset({"claimed", "parked", "failure", "unknown"}),
    "claimed": frozenset({"sent", "success", "queued", "parked", "failure", "unknown"}),
    "sent": frozenset({"success", "failure", "queued", "parked", "unknown"}),
    "parked": frozenset({"queued", "failure", "unknown"}),
    "unknown": frozenset({"success", "queued", "failure", "unknown"}),
    "success": frozenset(),
    "failure": frozenset(),
}
"""Every allowed move. ``unknown`` to itself is a look-up that found nothing yet; ``claimed`` to ``success``, a write of
which the rules left nothing to send.
"""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One write as it is stored. Times are UTC."""

    id: str
    project_id: str
    integration_id: str
    installation_id: str
    config_id: str
    """The config revision whose rules made the plan."""
    group_ref: str
    object_name: str
    """The provider's name."""
    action: Action
    mode: Mode
    state: State
    payload: bytes
    """Encoded plan, with its trace. Sealed at rest by the store."""
    outcome: bytes = b""
    """Encoded `Outcome` as far as it is known: of a batch that goes on, what came of each record so far. Sealed."""
    summary: str = ""
    """One line for a person: the published ``result``."""
    fault_kind: FaultKind | None = None
    """Of the last attempt: the error class that lists filter by. Of a record that was not written, if there is one."""
    reason: Reason = ""
    successful_record_ids: tuple[str, ...] = ()
    attempts: int = 0
    """How often it was claimed; with the owner the fence of every move."""
    lone_crashes: int = 0
    """Of `crashes`, how often it was all that the process had in flight. Others happen to whoever is there."""
    crashes: int = 0
    """How often the process that had it in flight died."""
    owner: str = ""
    """The process that holds it; every move is guarded by it."""
    connection_id: str = ""
    """Its lane: operations of one connection share concurrency, rates, waits and the breaker."""
    batch_key: str = ""
    """Operations of a lane with equal keys may go out as one provider batch; empty: alone."""
    gather_key: str = ""
    """Of an auto-batch that still takes records: which ones. Unique while set."""
    gathered: int = 0
    """How many records an auto-batch holds (`Operations.gathered` reads them); 0 for any other operation."""
    repeat: Repeat = "bare"
    """As of the last time it was sent."""
    on_ambiguous: OnAmbiguous = "park"
    doubtful: bool = False
    """An attempt ended without anybody knowing what it did."""
    first_sent_at: datetime | None = None
    """When a byte may first have left; a provider's memory of our key counts from here."""
    look_at: datetime | None = None
    """In ``unknown``: when to look it up at the provider next; ``None``: only a person can tell."""
    looks: int = 0
    """How often that was done since it became ``unknown``."""
    replay_of: str = ""
    """The failed operation that this one does again."""
    replayed_by: str = ""
    """The operation that did this one again, so that nobody does it twice."""
    record_key: str = ""
    """Orders writes to one record: ``{object}/{record id}``; empty where there is none, or several."""
    run_at: datetime
    """Not to be claimed before; its next attempt while it is ``queued``."""
    deadline_at: datetime
    create_time: datetime
    update_time: datetime
    sequence: int = 0
    """Its place in the order of acceptance; given by the store."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One try at the provider."""

    operation_id: str
    number: int
    started_at: datetime
    finished_at: datetime
    effect: EffectClass
    status: int | None = None
    fault_kind: FaultKind | None = None
    message: str = ""


UNREAD: FaultKind = "unrecognised"
"""The fault of a success of which everything was written, and an answer made no sense."""


def is_partial(operation: Operation) -> bool:
    """Whether it succeeded although some of its records were not written: then it has the fault of one of those."""
    return operation.state == "success" and operation.fault_kind not in {None, UNREAD}


def public_status(state: State) -> PublicStatus:
    """Tell one of the three published statuses. ``unknown`` is in progress until somebody settles it."""
    if state == "success" or state == "failure":  # noqa: PLR1714 -- narrows the type
        return state
    return "in_progress"
