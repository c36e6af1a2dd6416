"""Topics and routes over HTTP: what joins types of events to destinations."""

import re
from typing import Annotated, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, QueryParameter, RawBody

from installations.errors import invalid
from server.api.bodies import Name, parse_body
from server.api.destinations import find_destination
from server.api.provided import Entered, FromApp, takes
from server.door.address import unescape
from server.store.contract import DestinationRoute, EventRoute, Topic

NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
NotificationType = Literal[
    "connection.created",
    "connection.error",
    "connection.refreshed",
    "connection.updated",
    "connection.deleted",
    "installation.created",
    "installation.updated",
    "installation.deleted",
    "installation.schema.broken",
    "installation.schema.mended",
    "read.schedule.paused",
    "read.backfill.done",
    "read.triggered.done",
    "read.triggered.error",
    "write.async.done",
    "write.async.unknown",
    "subscribe.create.error",
    "destination.webhook.disabled",
]
"""The published types, and three of ours: ``write.async.unknown`` and ``installation.schema.*``. Those of reads and
subscriptions can be routed, and do not happen yet."""
TopicId = Annotated[str | None, QueryParameter(name="topicId", max_length=255)]


class TopicName(msgspec.Struct, frozen=True, kw_only=True):
    """What a topic is called: letters, digits and dashes, at most 64 of them."""

    name: str


class CreateEventRoute(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which type of event goes to which topic."""

    event_type: NotificationType
    topic_id: Name


class CreateDestinationRoute(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which topic goes to which destination, by its id or name."""

    topic_id: Name
    destination_id: Name


@post("/topics", opt=takes(TopicName))
async def create_topic(services: FromApp, project_id: Entered, body: RawBody) -> Topic:
    """Name a topic."""
    name = _named(body)
    topic = Topic(id=services.new_id(), name=name, project_id=project_id, create_time=services.clock())
    await services.store.create_topic(topic)
    return topic


@get("/topics")
async def list_topics(services: FromApp, project_id: Entered) -> list[Topic]:
    """List topics, oldest first."""
    return await services.store.topics(project_id)


@patch("/topics/{topic_id:str}", opt=takes(TopicName))
async def update_topic(services: FromApp, project_id: Entered, topic_id: FromPath[str], body: RawBody) -> Topic:
    """Give a topic another name."""
    return await services.store.rename_topic(project_id, unescape(topic_id), name=_named(body), now=services.clock())


@delete("/topics/{topic_id:str}")
async def delete_topic(services: FromApp, project_id: Entered, topic_id: FromPath[str]) -> None:
    """Remove a topic with its routes."""
    await services.store.delete_topic(project_id, unescape(topic_id))


@post("/notification-event-topic-routes", opt=takes(CreateEventRoute))
async def create_event_topic_route(services: FromApp, project_id: Entered, body: RawBody) -> EventRoute:
    """Send a type of event to a topic. Asking twice for the same is answered with the same route."""
    wanted = parse_body(body, CreateEventRoute)
    route = EventRoute(
        id=services.new_id(),
        event_type=wanted.event_type,
        topic_id=wanted.topic_id,
        project_id=project_id,
        create_time=services.clock(),
    )
    return await services.store.create_event_route(route)


@get("/notification-event-topic-routes")
async def list_event_topic_routes(
    services: FromApp,
    project_id: Entered,
    topic_id: TopicId = None,
    event_type: Annotated[NotificationType | None, QueryParameter(name="eventType")] = None,
) -> list[EventRoute]:
    """List which types of events go to which topics, oldest first."""
    return await services.store.event_routes(project_id, topic_id=topic_id, event_type=event_type)


@delete("/notification-event-topic-routes/{route_id:str}")
async def delete_event_topic_route(services: FromApp, project_id: Entered, route_id: FromPath[str]) -> None:
    """Remove the route."""
    await services.store.delete_event_route(project_id, unescape(route_id))


@post("/topic-destination-routes", opt=takes(CreateDestinationRoute))
async def create_topic_destination_route(services: FromApp, project_id: Entered, body: RawBody) -> DestinationRoute:
    """Send a topic to a destination. Asking twice for the same is answered with the same route."""
    wanted = parse_body(body, CreateDestinationRoute)
    destination = await find_destination(services, project_id, wanted.destination_id)
    route = DestinationRoute(
        id=services.new_id(),
        topic_id=wanted.topic_id,
        destination_id=destination.id,
        project_id=project_id,
        create_time=services.clock(),
    )
    return await services.store.create_destination_route(route)


@get("/topic-destination-routes")
async def list_topic_destination_routes(
    services: FromApp,
    project_id: Entered,
    topic_id: TopicId = None,
    destination_id: Annotated[str | None, QueryParameter(name="destinationId", max_length=255)] = None,
) -> list[DestinationRoute]:
    """List which topics go to which destinations, oldest first."""
    return await services.store.destination_routes(project_id, topic_id=topic_id, destination_id=destination_id)


@delete("/topic-destination-routes/{route_id:str}")
async def delete_topic_destination_route(services: FromApp, project_id: Entered, route_id: FromPath[str]) -> None:
    """Remove the route."""
    await services.store.delete_destination_route(project_id, unescape(route_id))


def _named(body: bytes) -> str:
    name = parse_body(body, TopicName).name
    if not NAME.fullmatch(name):
        raise invalid("name", "a name has letters, digits and dashes, at most 64 of them", code="bad-name")
    return name
