"""Leases as rows: each is taken in one conditional statement, so that of two who come together one wins."""

from server.store.engine import Dialect
from server.store.rows.scope import Rows
from server.store.tables import Leases

CLOCK: dict[Dialect, str] = {
    "sqlite": "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)",
    "postgres": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
}
"""Milliseconds of the database's own clock, at the moment and not at the transaction's start: a statement may have
waited for the one that came first."""

TAKE = (
    "INSERT INTO leases (id, owner, over_at) VALUES ({{}}, {{}}, {clock} + {{}}) "
    "ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, over_at = {clock} + {{}} "
    "WHERE leases.owner = excluded.owner OR leases.over_at <= {clock} OR EXISTS ("
    "SELECT 1 FROM processes p WHERE p.id = leases.owner AND {clock} - (p.seen_at + 1) * 1000 > {{}}) "
    "RETURNING id"
)
"""``seen_at`` is in whole seconds; the second that is added lets nobody die early."""


class LeaseRows(Rows):
    """Implements `contract.Leases`."""

    async def take_lease(self, name: str, *, owner: str, seconds: float, dead_after_seconds: float) -> bool:
        """Take a lease if nobody alive holds it."""
        length, patience = round(seconds * 1000), round(dead_after_seconds * 1000)
        async with self.writing() as session:
            take = TAKE.format(clock=CLOCK[session.dialect])
            return bool(await Leases.raw(take, name, owner, length, length, patience))

    async def release_lease(self, name: str, *, owner: str) -> None:
        """Give a lease back, if it is still ours."""
        async with self.writing():
            await Leases.delete().where(Leases.id == name, Leases.owner == owner)
