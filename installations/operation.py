"""The life of one delivery: its states and the allowed moves between them.

A row of this is the truth about a write; engines only say "attempt operation X, not before T".
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

FINAL: frozenset[State] = frozenset({"success", "failure"})
"""States that never change again. ``unknown`` is left only by proof or by a person."""

MOVES: dict[State, frozenset[State]] = {
    "queued": frozenset({"claimed", "parked", "failure", "unknown"}),
    "claimed": frozenset({"sent", "queued", "failure"}),
    "sent": frozenset({"success", "failure", "queued", "unknown"}),
    "parked": frozenset({"queued", "failure", "unknown"}),
    "unknown": frozenset({"success", "queued", "failure"}),
    "success": frozenset(),
    "failure": frozenset(),
}
"""Every allowed move."""


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
    """Encoded `Plan`, with its trace. Sealed at rest by the store."""
    outcome: bytes = b""
    """Encoded `Outcome` or failure, once there is one. Sealed at rest by the store."""
    summary: str = ""
    """One line for a person: the published ``result``."""
    fault_kind: FaultKind | None = None
    successful_record_ids: tuple[str, ...] = ()
    attempts: int = 0
    owner: str = ""
    """The process that holds it; every move is guarded by it."""
    record_key: str = ""
    """Orders writes to one record: ``{object}/{record id}``; empty where there is none."""
    run_at: datetime
    deadline_at: datetime
    create_time: datetime
    update_time: datetime


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


def public_status(state: State) -> PublicStatus:
    """Tell one of the three published statuses. ``unknown`` is in progress until somebody settles it."""
    if state == "success" or state == "failure":  # noqa: PLR1714 -- narrows the type
        return state
    return "in_progress"
