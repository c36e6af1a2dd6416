"""Which processes live, the epoch, and what is swept away when its time is over."""

from datetime import UTC, datetime

from server.store.clocks import SECONDS
from server.store.engine import Session
from server.store.rows.deliveries import RELEASE
from server.store.rows.scope import Rows, text_of
from server.store.tables import ConnectSessions, Counters, IdempotencyKeys, Processes, Uploads

FORGET_SECONDS = 86_400
"""For how long a dead process stays listed for the operator."""


class HeartbeatRows(Rows):
    """Implements `contract.Heartbeats`."""

    async def beat(self, owner: str, *, kind: str) -> None:
        """Say that this process lives."""
        async with self.writing() as session:
            clock = SECONDS[session.dialect]
            await Processes.raw(
                f"INSERT INTO processes (id, kind, master_keys, seen_at) VALUES ({{}}, {{}}, {{}}, {clock}) "  # noqa: S608 -- a constant
                "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, master_keys = excluded.master_keys, "
                "seen_at = excluded.seen_at",
                owner,
                kind,
                text_of(self._keyring.master.names),
            )
            await Processes.raw(f"DELETE FROM processes WHERE seen_at < {clock} - {FORGET_SECONDS}")  # noqa: S608 -- constants

    async def living(self, *, within_seconds: float) -> list[str]:
        """List the processes heard of lately."""
        async with self.reading() as session:
            rows = await Processes.raw(
                f"SELECT id FROM processes WHERE seen_at >= {SECONDS[session.dialect]} - {{}} ORDER BY id",  # noqa: S608 -- a constant
                int(within_seconds),
            )
        return [row["id"] for row in rows]

    async def time(self) -> datetime:
        """Tell the database's own time; beside SQLite that is the system's."""
        if self._database.dialect == "sqlite":
            return datetime.now(UTC)
        async with self.reading() as session:
            (row,) = await session.fetch("SELECT clock_timestamp() AS time", ())
        time: datetime = row["time"]
        return time.astimezone(UTC)

    async def epoch(self) -> int:
        """Tell a number that grows with every change of configuration."""
        async with self.reading():
            rows = await Counters.select().where(Counters.id.is_in(["config", "keys"]))
        values = {row["id"]: int(row["value"]) for row in rows}
        self._keyring.notice(values["keys"])
        return values["config"]

    async def sweep(self, *, now: datetime) -> None:
        """Forget idempotency keys, uploads and connect sessions whose time is over."""
        async with self.writing():
            await IdempotencyKeys.delete().where(IdempotencyKeys.expire_time <= now)
            await Uploads.delete().where(Uploads.expire_time <= now)
            await ConnectSessions.delete().where(ConnectSessions.expire_time <= now)


async def forget_processes(session: Session) -> None:
    """Forget every process and end what it held: where only one can live, the others are dead."""
    await session.fetch("DELETE FROM processes", ())
    # Not deleted: they tell what was broken off.
    await session.fetch("UPDATE leases SET over_at = 0", ())
    await session.fetch(RELEASE, ())
