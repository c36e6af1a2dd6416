"""The outbox as rows: written inside the transaction of the change that an event tells of."""

import msgspec

from server.store.contract import Event
from server.store.engine import Row
from server.store.rows.scope import Rows, insert
from server.store.tables import Events


class EventRows(Rows):
    """Implements `contract.Events`."""

    async def events(self, project_id: str, *, after: str = "", limit: int = 100) -> list[Event]:
        """List events with greater ids, oldest first."""
        async with self.reading():
            rows = await (
                Events.select()
                .where(Events.project_id == project_id, Events.id > after)
                .order_by(Events.id)
                .limit(limit)
            )
        return [_event(row) for row in rows]


async def store_event(project_id: str, event: Event | None) -> None:
    """Store an event, if there is one, inside the session at hand."""
    if event:
        await insert(Events, **(msgspec.structs.asdict(event) | {"project_id": project_id}))


def _event(row: Row) -> Event:
    return Event(**row)
