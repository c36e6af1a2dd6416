"""What the store promises about where notifications go: destinations, topics and the routes between them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from connectors.secret import Veiled

Disabled = Literal["", "gone", "failing"]
"""Why nothing is sent: the receiver said 410, or it failed for days. Empty: it is sent to."""
NotificationType: TypeAlias = str
"""A published type of notification (`server.events`)."""


class Destination(Veiled, frozen=True, kw_only=True):
    """A webhook. Its URL and headers may hold secrets."""

    id: str
    project_id: str
    name: str
    """Unique within the project."""
    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Sent along with each message."""
    disabled: Disabled = ""
    failing_since: datetime | None = None
    """The first failure since something arrived last."""
    create_time: datetime
    update_time: datetime | UnsetType = UNSET


class Topic(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A name that events are routed to, and destinations listen to."""

    id: str
    name: str
    project_id: str
    create_time: datetime
    update_time: datetime | UnsetType = UNSET


class EventRoute(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One type of event goes to a topic."""

    id: str
    event_type: NotificationType
    topic_id: str
    project_id: str
    create_time: datetime


class DestinationRoute(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A topic goes to a destination."""

    id: str
    topic_id: str
    destination_id: str
    project_id: str
    create_time: datetime


class Destinations(Protocol):
    """Where messages go. URLs, headers and signing keys are sealed."""

    async def create_destination(self, destination: Destination, *, signing_keys: bytes) -> None:
        """Store one. Raises `Taken` if the name is."""

    async def destinations(self, project_id: str) -> list[Destination]:
        """List, oldest first."""

    async def destination(self, project_id: str, id_or_name: str) -> Destination:
        """Find one; an id stands before a name. Raises `Missing`."""

    async def update_destination(
        self,
        project_id: str,
        destination_id: str,
        *,
        now: datetime,
        name: str | UnsetType = UNSET,
        url: str | UnsetType = UNSET,
        headers: Mapping[str, str] | UnsetType = UNSET,
        enabled: Literal[True] | UnsetType = UNSET,
    ) -> Destination:
        """Change what is given; ``enabled`` lets a disabled one be sent to again. Raises `Missing`, `Taken`."""

    async def delete_destination(self, project_id: str, destination_id: str) -> None:
        """Remove one with its routes and everything that was to be delivered there. Raises `Missing`."""

    async def signing_keys(self, project_id: str, destination_id: str) -> bytes:
        """Open the signing keys. Raises `Missing`."""

    async def replace_signing_keys(
        self, project_id: str, destination_id: str, signing_keys: bytes, *, if_keys: bytes, now: datetime
    ) -> None:
        """Replace the signing keys. Raises `Missing`, and `Superseded` unless they are ``if_keys`` still."""


class Topics(Protocol):
    """What joins events to destinations."""

    async def create_topic(self, topic: Topic) -> None:
        """Store one. Raises `Taken` if the name is."""

    async def topics(self, project_id: str) -> list[Topic]:
        """List, oldest first."""

    async def topic(self, project_id: str, topic_id: str) -> Topic:
        """Find one. Raises `Missing`."""

    async def rename_topic(self, project_id: str, topic_id: str, *, name: str, now: datetime) -> Topic:
        """Give it another name. Raises `Missing`, `Taken`."""

    async def delete_topic(self, project_id: str, topic_id: str) -> None:
        """Remove one with its routes. Raises `Missing`."""

    async def create_event_route(self, route: EventRoute) -> EventRoute:
        """Store one, or answer the equal one that is there. Raises `Missing` for an unknown topic."""

    async def event_routes(
        self, project_id: str, *, topic_id: str | None = None, event_type: NotificationType | None = None
    ) -> list[EventRoute]:
        """List, oldest first."""

    async def delete_event_route(self, project_id: str, route_id: str) -> None:
        """Remove one. Raises `Missing`."""

    async def create_destination_route(self, route: DestinationRoute) -> DestinationRoute:
        """Store one, or answer the equal one that is there. Raises `Missing` for an unknown topic or destination."""

    async def destination_routes(
        self, project_id: str, *, topic_id: str | None = None, destination_id: str | None = None
    ) -> list[DestinationRoute]:
        """List, oldest first."""

    async def delete_destination_route(self, project_id: str, route_id: str) -> None:
        """Remove one. Raises `Missing`."""
