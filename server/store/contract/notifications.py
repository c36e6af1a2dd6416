"""What the store promises about messages: which event goes where, what was sent, and what is to be sent next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from server.store.contract.connections import Event
from server.store.contract.destinations import Disabled

DeliveryState = Literal["pending", "delivered", "failed", "skipped"]
"""``failed``: the last try failed. ``skipped``: the destination was disabled. Both wait for a replay."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event on its way to one destination. There is at most one for each pair."""

    id: str
    project_id: str
    destination_id: str
    event_id: str
    """Names the message to the receiver, at every attempt."""
    event_type: str
    data: bytes
    """The event's own. Empty in lists."""
    state: DeliveryState
    attempts: int
    """Since it was last asked for."""
    run_at: datetime
    """Of the next attempt while it is ``pending``."""
    owner: str = ""
    """The process that sends it."""
    status: int | None = None
    """What the receiver answered last."""
    error: str = ""
    """Why the last attempt failed."""
    create_time: datetime
    update_time: datetime


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt."""

    delivery: Delivery
    """As it was claimed: owner and attempts are the fence."""
    state: Literal["pending", "delivered", "failed"]
    now: datetime
    run_at: datetime
    """Of the next attempt, where there is one."""
    status: int | None = None
    error: str = ""
    disable: Disabled = ""
    """Says that the destination is not sent to any more: all that is pending there is ``skipped``."""
    event: Event | None = None
    """What the builder is told of that; stored unless it was disabled already."""


class DeliveryFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which deliveries of a destination are meant. Every member narrows."""

    ids: tuple[str, ...] = ()
    """Empty: any."""
    states: tuple[DeliveryState, ...] = ()
    event_type: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


class DeliveryPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deliveries, newest first."""

    results: tuple[Delivery, ...]
    next_page_token: str | None


class Unattended(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to do."""

    projects: tuple[str, ...]
    """Have events that were not fanned out."""
    destinations: tuple[tuple[str, str], ...]
    """Project and id of those for which something is due."""


class Deliveries(Protocol):
    """Messages. An event is fanned out once: its deliveries are stored before anybody counts it as done."""

    async def unattended(self, *, now: datetime, dead_after_seconds: float, limit: int) -> Unattended:
        """Tell what is to be done in all projects; cheap where nothing is.

        What was claimed by a process that was not heard of for so long since is due at once.
        """

    async def fan_out(self, project_id: str, *, now: datetime, limit: int) -> int:
        """Store what the next events lead to, by the routes as they are now; answer how many events that were.

        Deliveries to a disabled destination are ``skipped``.
        """

    async def claim_deliveries(
        self, project_id: str, destination_id: str, *, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Delivery]:
        """Take what is due at one destination, the longest due first, and count the attempt.

        It is due again at ``until`` unless it is settled before, and earlier if ``owner`` dies: a message may be sent
        twice, and none is lost.
        """

    async def settle_deliveries(self, tries: Sequence[Tried]) -> list[bool]:
        """Write down what came of attempts, in one transaction; tells for each whether it was still the claimer's."""

    async def deliveries(
        self,
        project_id: str,
        destination_id: str,
        which: DeliveryFilter,
        *,
        page_size: int,
        page_token: str | None = None,
    ) -> DeliveryPage:
        """List, newest first."""

    async def replay_deliveries(
        self, project_id: str, destination_id: str, which: DeliveryFilter, *, now: datetime, dry_run: bool
    ) -> int:
        """Send again what is not pending, with the same message ids; answer how many, or with ``dry_run`` would be."""

    async def prune_notifications(
        self, *, events_before: datetime, delivered_before: datetime, failed_before: datetime
    ) -> None:
        """Forget events, of those that were fanned out, and deliveries that are over, last changed before."""
