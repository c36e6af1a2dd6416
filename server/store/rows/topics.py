"""Topics and routes as rows."""

from datetime import datetime

from server.store.contract import DestinationRoute, EventRoute, Taken, Topic
from server.store.engine import Row
from server.store.rows.scope import Rows, find, insert, or_unset, require_project
from server.store.tables import DestinationRoutes, Destinations, EventRoutes, Topics


class TopicRows(Rows):
    """Implements `contract.Topics`."""

    async def create_topic(self, topic: Topic) -> None:
        """Store one."""
        async with self.changing():
            await require_project(topic.project_id)
            await _refuse_taken(topic.project_id, topic.name)
            await insert(
                Topics,
                id=topic.id,
                project_id=topic.project_id,
                name=topic.name,
                create_time=topic.create_time,
                update_time=topic.update_time or None,
            )

    async def topics(self, project_id: str) -> list[Topic]:
        """List, oldest first."""
        async with self.reading():
            rows = await Topics.select().where(Topics.project_id == project_id).order_by(Topics.create_time, Topics.id)
        return [_topic(row) for row in rows]

    async def topic(self, project_id: str, topic_id: str) -> Topic:
        """Find one."""
        async with self.reading():
            return _topic(await find(Topics, project_id, topic_id, noun="topic"))

    async def rename_topic(self, project_id: str, topic_id: str, *, name: str, now: datetime) -> Topic:
        """Give it another name."""
        async with self.changing():
            await find(Topics, project_id, topic_id, noun="topic")
            await _refuse_taken(project_id, name, but=topic_id)
            await Topics.update({Topics.name: name, Topics.update_time: now}).where(
                Topics.project_id == project_id, Topics.id == topic_id
            )
            return _topic(await find(Topics, project_id, topic_id, noun="topic"))

    async def delete_topic(self, project_id: str, topic_id: str) -> None:
        """Remove one with its routes."""
        async with self.changing():
            await find(Topics, project_id, topic_id, noun="topic")
            await Topics.delete().where(Topics.project_id == project_id, Topics.id == topic_id)

    async def create_event_route(self, route: EventRoute) -> EventRoute:
        """Store one, or answer the equal one."""
        async with self.changing():
            await find(Topics, route.project_id, route.topic_id, noun="topic")
            for row in await EventRoutes.select().where(
                EventRoutes.project_id == route.project_id,
                EventRoutes.topic_id == route.topic_id,
                EventRoutes.event_type == route.event_type,
            ):
                return EventRoute(**row)
            await insert(
                EventRoutes,
                id=route.id,
                project_id=route.project_id,
                event_type=route.event_type,
                topic_id=route.topic_id,
                create_time=route.create_time,
            )
        return route

    async def event_routes(
        self, project_id: str, *, topic_id: str | None = None, event_type: str | None = None
    ) -> list[EventRoute]:
        """List, oldest first."""
        query = EventRoutes.select().where(EventRoutes.project_id == project_id)
        if topic_id is not None:
            query = query.where(EventRoutes.topic_id == topic_id)
        if event_type is not None:
            query = query.where(EventRoutes.event_type == event_type)
        async with self.reading():
            rows = await query.order_by(EventRoutes.create_time, EventRoutes.id)
        return [EventRoute(**row) for row in rows]

    async def delete_event_route(self, project_id: str, route_id: str) -> None:
        """Remove one."""
        async with self.changing():
            await find(EventRoutes, project_id, route_id, noun="route")
            await EventRoutes.delete().where(EventRoutes.project_id == project_id, EventRoutes.id == route_id)

    async def create_destination_route(self, route: DestinationRoute) -> DestinationRoute:
        """Store one, or answer the equal one."""
        async with self.changing():
            await find(Topics, route.project_id, route.topic_id, noun="topic")
            await find(Destinations, route.project_id, route.destination_id, noun="destination")
            for row in await DestinationRoutes.select().where(
                DestinationRoutes.project_id == route.project_id,
                DestinationRoutes.topic_id == route.topic_id,
                DestinationRoutes.destination_id == route.destination_id,
            ):
                return DestinationRoute(**row)
            await insert(
                DestinationRoutes,
                id=route.id,
                project_id=route.project_id,
                topic_id=route.topic_id,
                destination_id=route.destination_id,
                create_time=route.create_time,
            )
        return route

    async def destination_routes(
        self, project_id: str, *, topic_id: str | None = None, destination_id: str | None = None
    ) -> list[DestinationRoute]:
        """List, oldest first."""
        query = DestinationRoutes.select().where(DestinationRoutes.project_id == project_id)
        if topic_id is not None:
            query = query.where(DestinationRoutes.topic_id == topic_id)
        if destination_id is not None:
            query = query.where(DestinationRoutes.destination_id == destination_id)
        async with self.reading():
            rows = await query.order_by(DestinationRoutes.create_time, DestinationRoutes.id)
        return [DestinationRoute(**row) for row in rows]

    async def delete_destination_route(self, project_id: str, route_id: str) -> None:
        """Remove one."""
        async with self.changing():
            await find(DestinationRoutes, project_id, route_id, noun="route")
            await DestinationRoutes.delete().where(
                DestinationRoutes.project_id == project_id, DestinationRoutes.id == route_id
            )


async def _refuse_taken(project_id: str, name: str, *, but: str = "") -> None:
    rows = await Topics.select(Topics.id).where(Topics.project_id == project_id, Topics.name == name, Topics.id != but)
    if rows:
        raise Taken(f"there is a topic {name!r} already", existing_id=rows[0]["id"])


def _topic(row: Row) -> Topic:
    return Topic(
        id=row["id"],
        name=row["name"],
        project_id=row["project_id"],
        create_time=row["create_time"],
        update_time=or_unset(row["update_time"]),
    )
