"""Which processes live, the epoch, and what is swept away when its time is over."""

from datetime import datetime, timedelta

from server.store.engine import Session
from server.store.rows.scope import Rows, only
from server.store.tables import ConnectSessions, Counters, Events, IdempotencyKeys, Processes, Uploads

CLOCK = {"sqlite": "CAST(strftime('%s', 'now') AS INTEGER)", "postgres": "CAST(extract(epoch FROM now()) AS BIGINT)"}
"""Seconds of the database's own clock."""

FORGET_SECONDS = 86_400
"""For how long a dead process stays listed for the operator."""

EVENTS_KEPT = timedelta(days=7)


class HeartbeatRows(Rows):
    """Implements `contract.Heartbeats`."""

    async def beat(self, owner: str, *, kind: str) -> None:
        """Say that this process lives."""
        async with self.writing() as session:
            clock = CLOCK[session.dialect]
            await Processes.raw(
                f"INSERT INTO processes (id, kind, seen_at) VALUES ({{}}, {{}}, {clock}) "  # noqa: S608 -- a constant
                "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, seen_at = excluded.seen_at",
                owner,
                kind,
            )
            await Processes.raw(f"DELETE FROM processes WHERE seen_at < {clock} - {FORGET_SECONDS}")  # noqa: S608 -- constants

    async def living(self, *, within_seconds: float) -> list[str]:
        """List the processes heard of lately."""
        async with self.reading() as session:
            rows = await Processes.raw(
                f"SELECT id FROM processes WHERE seen_at >= {CLOCK[session.dialect]} - {{}} ORDER BY id",  # noqa: S608 -- a constant
                int(within_seconds),
            )
        return [row["id"] for row in rows]

    async def epoch(self) -> int:
        """Tell a number that grows with every change of configuration."""
        async with self.reading():
            rows = await Counters.select(Counters.value).where(Counters.id == "config")
        return int(only(rows, noun="counter", name="config")["value"])

    async def sweep(self, *, now: datetime) -> None:
        """Forget idempotency keys, uploads and connect sessions whose time is over, and old events."""
        async with self.writing():
            await IdempotencyKeys.delete().where(IdempotencyKeys.expire_time <= now)
            await Uploads.delete().where(Uploads.expire_time <= now)
            await ConnectSessions.delete().where(ConnectSessions.expire_time <= now)
            await Events.delete().where(Events.create_time <= now - EVENTS_KEPT)


async def forget_processes(session: Session) -> None:
    """Forget every process and what it held: where only one can live, the others are dead."""
    await session.fetch("DELETE FROM processes", ())
    await session.fetch("DELETE FROM leases", ())
