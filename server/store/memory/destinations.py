"""Destinations, topics and routes in memory."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from server.store.contract import (
    Delivery,
    Destination,
    DestinationRoute,
    EventRoute,
    Missing,
    Superseded,
    Taken,
    Topic,
)
from server.store.memory.shelf import Shelf, find, of, oldest_first
from server.store.memory.tenants import replaced

RouteT = TypeVar("RouteT", EventRoute, DestinationRoute)


class NotificationShelf(Shelf):
    """What the memory store holds of notifications."""

    def __init__(self) -> None:
        super().__init__()
        self.destinations_by_id: dict[str, Destination] = {}
        self.signing_keys_by_id: dict[str, bytes] = {}
        self.topics_by_id: dict[str, Topic] = {}
        self.event_routes_by_id: dict[str, EventRoute] = {}
        self.destination_routes_by_id: dict[str, DestinationRoute] = {}
        self.deliveries_by_id: dict[str, Delivery] = {}
        self.fanned: dict[str, int] = {}
        """The place of each project's last event whose deliveries are stored."""


class MemoryDestinations(NotificationShelf):
    """Implements `contract.Destinations`."""

    async def create_destination(self, destination: Destination, *, signing_keys: bytes) -> None:
        """Store one."""
        self.require_project(destination.project_id)
        self._refuse_taken_destination(destination)
        self.changed()
        self.destinations_by_id[destination.id] = destination
        self.signing_keys_by_id[destination.id] = signing_keys

    async def destinations(self, project_id: str) -> list[Destination]:
        """List, oldest first."""
        return oldest_first(of(self.destinations_by_id, project_id))

    async def destination(self, project_id: str, id_or_name: str) -> Destination:
        """Find one; an id stands before a name."""
        found = of(self.destinations_by_id, project_id)
        for destination in sorted(found, key=lambda one: one.id != id_or_name):
            if id_or_name in (destination.id, destination.name):
                return destination
        raise Missing(f"no destination {id_or_name!r}")

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
        """Change what is given."""
        before = find(self.destinations_by_id, project_id, destination_id, noun="destination")
        after = replaced(before, {"name": name, "url": url, "headers": headers, "update_time": now})
        if enabled is not UNSET:
            after = msgspec.structs.replace(after, disabled="", failing_since=None)
        self._refuse_taken_destination(after)
        self.changed()
        self.destinations_by_id[destination_id] = after
        return after

    async def delete_destination(self, project_id: str, destination_id: str) -> None:
        """Remove one with its routes and deliveries."""
        find(self.destinations_by_id, project_id, destination_id, noun="destination")
        self.changed()
        del self.destinations_by_id[destination_id], self.signing_keys_by_id[destination_id]
        routes, deliveries = self.destination_routes_by_id, self.deliveries_by_id
        self.destination_routes_by_id = {k: v for k, v in routes.items() if v.destination_id != destination_id}
        self.deliveries_by_id = {k: v for k, v in deliveries.items() if v.destination_id != destination_id}

    async def signing_keys(self, project_id: str, destination_id: str) -> bytes:
        """Open the signing keys."""
        return self.signing_keys_by_id[find(self.destinations_by_id, project_id, destination_id, noun="destination").id]

    async def replace_signing_keys(
        self, project_id: str, destination_id: str, signing_keys: bytes, *, if_keys: bytes, now: datetime
    ) -> None:
        """Replace the signing keys, if they are still the expected ones."""
        before = find(self.destinations_by_id, project_id, destination_id, noun="destination")
        if self.signing_keys_by_id[destination_id] != if_keys:
            raise Superseded("the signing keys were rotated by somebody else; ask again")
        self.changed()
        self.signing_keys_by_id[destination_id] = signing_keys
        self.destinations_by_id[destination_id] = msgspec.structs.replace(before, update_time=now)

    def _refuse_taken_destination(self, destination: Destination) -> None:
        for other in of(self.destinations_by_id, destination.project_id):
            if other.name == destination.name and other.id != destination.id:
                raise Taken(f"there is a destination {destination.name!r} already", existing_id=other.id)


class MemoryTopics(NotificationShelf):
    """Implements `contract.Topics`."""

    async def create_topic(self, topic: Topic) -> None:
        """Store one."""
        self.require_project(topic.project_id)
        self._refuse_taken_topic(topic)
        self.changed()
        self.topics_by_id[topic.id] = topic

    async def topics(self, project_id: str) -> list[Topic]:
        """List, oldest first."""
        return oldest_first(of(self.topics_by_id, project_id))

    async def topic(self, project_id: str, topic_id: str) -> Topic:
        """Find one."""
        return find(self.topics_by_id, project_id, topic_id, noun="topic")

    async def rename_topic(self, project_id: str, topic_id: str, *, name: str, now: datetime) -> Topic:
        """Give it another name."""
        before = find(self.topics_by_id, project_id, topic_id, noun="topic")
        after = msgspec.structs.replace(before, name=name, update_time=now)
        self._refuse_taken_topic(after)
        self.changed()
        self.topics_by_id[topic_id] = after
        return after

    async def delete_topic(self, project_id: str, topic_id: str) -> None:
        """Remove one with its routes."""
        find(self.topics_by_id, project_id, topic_id, noun="topic")
        self.changed()
        del self.topics_by_id[topic_id]
        self.event_routes_by_id = _without(self.event_routes_by_id, topic_id)
        self.destination_routes_by_id = _without(self.destination_routes_by_id, topic_id)

    async def create_event_route(self, route: EventRoute) -> EventRoute:
        """Store one, or answer the equal one."""
        find(self.topics_by_id, route.project_id, route.topic_id, noun="topic")
        for known in await self.event_routes(route.project_id, topic_id=route.topic_id, event_type=route.event_type):
            return known
        self.changed()
        self.event_routes_by_id[route.id] = route
        return route

    async def event_routes(
        self, project_id: str, *, topic_id: str | None = None, event_type: str | None = None
    ) -> list[EventRoute]:
        """List, oldest first."""
        return [
            route
            for route in oldest_first(of(self.event_routes_by_id, project_id))
            if topic_id in (None, route.topic_id) and event_type in (None, route.event_type)
        ]

    async def delete_event_route(self, project_id: str, route_id: str) -> None:
        """Remove one."""
        find(self.event_routes_by_id, project_id, route_id, noun="route")
        self.changed()
        del self.event_routes_by_id[route_id]

    async def create_destination_route(self, route: DestinationRoute) -> DestinationRoute:
        """Store one, or answer the equal one."""
        find(self.topics_by_id, route.project_id, route.topic_id, noun="topic")
        find(self.destinations_by_id, route.project_id, route.destination_id, noun="destination")
        for known in await self.destination_routes(
            route.project_id, topic_id=route.topic_id, destination_id=route.destination_id
        ):
            return known
        self.changed()
        self.destination_routes_by_id[route.id] = route
        return route

    async def destination_routes(
        self, project_id: str, *, topic_id: str | None = None, destination_id: str | None = None
    ) -> list[DestinationRoute]:
        """List, oldest first."""
        return [
            route
            for route in oldest_first(of(self.destination_routes_by_id, project_id))
            if topic_id in (None, route.topic_id) and destination_id in (None, route.destination_id)
        ]

    async def delete_destination_route(self, project_id: str, route_id: str) -> None:
        """Remove one."""
        find(self.destination_routes_by_id, project_id, route_id, noun="route")
        self.changed()
        del self.destination_routes_by_id[route_id]

    def _refuse_taken_topic(self, topic: Topic) -> None:
        for other in of(self.topics_by_id, topic.project_id):
            if other.name == topic.name and other.id != topic.id:
                raise Taken(f"there is a topic {topic.name!r} already", existing_id=other.id)


def _without(routes: dict[str, RouteT], topic_id: str) -> dict[str, RouteT]:
    return {route_id: route for route_id, route in routes.items() if route.topic_id != topic_id}
