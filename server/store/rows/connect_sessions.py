"""Customers on the way to a connection as rows, what must be remembered of them sealed."""

from datetime import datetime

from server.store.contract import ConnectSession, Missing, Stage, Superseded
from server.store.engine import Row
from server.store.keyring import hold
from server.store.rows.scope import Rows, insert, with_fresh_keys
from server.store.tables import ConnectSessions
from server.store.vault import Box

TABLE = "connect_sessions"


class ConnectSessionRows(Rows):
    """Implements `contract.ConnectSessions`."""

    @with_fresh_keys
    async def create_connect_session(self, session: ConnectSession) -> None:
        """Store one."""
        box = await self.box(session.project_id)
        async with self.writing():
            await hold(box)
            await insert(
                ConnectSessions,
                id=session.id,
                project_id=session.project_id,
                stage=session.stage,
                key_digest=session.key_digest,
                browser_digest=session.browser_digest,
                details=_seal(box, session),
                expire_time=session.expire_time,
            )

    @with_fresh_keys
    async def connect_session(self, key_digest: bytes, *, now: datetime) -> ConnectSession:
        """Find one by what it is opened with, whatever its project and stage."""
        async with self.reading():
            rows = await ConnectSessions.select().where(
                ConnectSessions.key_digest == key_digest, ConnectSessions.expire_time > now
            )
        if not rows:
            raise Missing("no such connect session")
        box = await self.box(rows[0]["project_id"])
        return _connect_session(rows[0], box)

    @with_fresh_keys
    async def advance_connect_session(self, session: ConnectSession, *, from_stage: Stage, now: datetime) -> None:
        """Replace one by its next stage, if it is still in the stage before."""
        box = await self.box(session.project_id)
        mine = (ConnectSessions.project_id == session.project_id) & (ConnectSessions.id == session.id)
        alive = mine & (ConnectSessions.expire_time > now)
        async with self.writing():
            await hold(box)
            moved = await (
                ConnectSessions.update(
                    {
                        ConnectSessions.stage: session.stage,
                        ConnectSessions.key_digest: session.key_digest,
                        ConnectSessions.browser_digest: session.browser_digest,
                        ConnectSessions.details: _seal(box, session),
                        ConnectSessions.expire_time: session.expire_time,
                    }
                )
                .where(alive, ConnectSessions.stage == from_stage)
                .returning(ConnectSessions.id)
            )
            if not moved:
                if await ConnectSessions.exists().where(alive):
                    raise Superseded(f"connect session {session.id!r} is no longer {from_stage}")
                raise Missing("no such connect session")


def _seal(box: Box, session: ConnectSession) -> bytes:
    return box.seal(session.details, table=TABLE, column="details", row_id=session.id)


def _connect_session(row: Row, box: Box) -> ConnectSession:
    details = box.open(row["details"], table=TABLE, column="details", row_id=row["id"])
    return ConnectSession(**(row | {"details": details}))
