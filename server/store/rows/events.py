"""The outbox as rows: written inside the transaction of the change that an event tells of, in the order of commits.

An event's place comes from its project's counter, whose row stays locked until the transaction ends: the next event
gets the next place only once the one before can be seen, or never will be.
"""

from msgspec.structs import asdict

from server.store.contract import Event
from server.store.engine import Row
from server.store.rows.scope import Rows, insert
from server.store.tables import Counters, Events


class EventRows(Rows):
    """Implements `contract.Events`."""

    async def events(self, project_id: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """List events behind a place, in order."""
        async with self.reading():
            rows = await (
                Events.select()
                .where(Events.project_id == project_id, Events.sequence > after)
                .order_by(Events.sequence)
                .limit(limit)
            )
        return [_event(row) for row in rows]


async def store_event(project_id: str, event: Event | None) -> None:
    """Store an event, if there is one, inside the session at hand; better late in it, for others wait for its place."""
    if event:
        place = await _next_place(project_id)
        await insert(Events, **(asdict(event) | {"project_id": project_id, "sequence": place}))


async def _next_place(project_id: str) -> int:
    rows = await Counters.raw(
        "INSERT INTO counters (id, value) VALUES ({}, 1) "
        "ON CONFLICT (id) DO UPDATE SET value = counters.value + 1 RETURNING value",
        f"events:{project_id}",
    )
    return int(rows[0]["value"])


def _event(row: Row) -> Event:
    return Event(**row)
