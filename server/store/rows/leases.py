"""Leases as rows: each is taken in one conditional statement, so that of two who come together one wins."""

from server.store.clocks import MILLISECONDS
from server.store.rows.scope import Rows
from server.store.tables import Leases

TAKE = (
    "INSERT INTO leases (id, owner, over_at) VALUES ({{}}, {{}}, {clock} + {{}}) "
    "ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, over_at = {clock} + {{}} "
    "WHERE leases.owner = excluded.owner OR leases.over_at <= {clock} OR leases.over_at - {clock} <= {{}} AND EXISTS ("
    "SELECT 1 FROM processes p WHERE p.id = leases.owner AND {clock} - (p.seen_at + 1) * 1000 > {{}}) "
    "RETURNING id"
)
"""``seen_at`` is in whole seconds; the second that is added lets nobody die early. To take a lease is a sign of life as
good as a beat: a busy process may beat late."""

ABANDONED = (
    "SELECT id FROM leases WHERE substr(id, 1, {{}}) = {{}} AND (over_at <= {clock} OR EXISTS ("
    "SELECT 1 FROM processes p WHERE p.id = leases.owner AND {clock} - (p.seen_at + 1) * 1000 > {{}})) "
    "ORDER BY over_at, id LIMIT {{}}"
)


class LeaseRows(Rows):
    """Implements `contract.Leases`."""

    async def take_lease(self, name: str, *, owner: str, seconds: float, dead_after_seconds: float) -> bool:
        """Take a lease if nobody alive holds it."""
        length, patience = round(seconds * 1000), round(dead_after_seconds * 1000)
        async with self.writing() as session:
            take = TAKE.format(clock=MILLISECONDS[session.dialect])
            return bool(await Leases.raw(take, name, owner, length, length, length - patience, patience))

    async def abandoned_leases(self, prefix: str, *, dead_after_seconds: float, limit: int) -> list[str]:
        """List leases that nobody gave back."""
        async with self.reading() as session:
            left = ABANDONED.format(clock=MILLISECONDS[session.dialect])
            rows = await Leases.raw(left, len(prefix), prefix, round(dead_after_seconds * 1000), limit)
        return [row["id"] for row in rows]

    async def release_lease(self, name: str, *, owner: str) -> None:
        """Give a lease back, if it is still ours."""
        async with self.writing():
            await Leases.delete().where(Leases.id == name, Leases.owner == owner)
