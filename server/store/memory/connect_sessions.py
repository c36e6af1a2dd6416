"""Customers on the way to a connection, and the outbox, in memory."""

from datetime import datetime

from server.store.contract import ConnectSession, Event, Missing, Stage, Superseded
from server.store.memory.shelf import Shelf, of


class MemoryConnectSessions(Shelf):
    """Implements `contract.ConnectSessions`."""

    async def create_connect_session(self, session: ConnectSession) -> None:
        """Store one."""
        self.require_project(session.project_id)
        self.sessions[session.id] = session

    async def connect_session(self, key_digest: bytes, *, now: datetime) -> ConnectSession:
        """Find one by what it is opened with, whatever its project and stage."""
        for session in self.sessions.values():
            if session.key_digest == key_digest and session.expire_time > now:
                return session
        raise Missing("no such connect session")

    async def advance_connect_session(self, session: ConnectSession, *, from_stage: Stage, now: datetime) -> None:
        """Replace one by its next stage, if it is still in the stage before."""
        self.require_project(session.project_id)
        known = self.sessions.get(session.id)
        if known is None or known.project_id != session.project_id or known.expire_time <= now:
            raise Missing("no such connect session")
        if known.stage != from_stage:
            raise Superseded(f"connect session {session.id!r} is no longer {from_stage}")
        self.sessions[session.id] = session


class MemoryEvents(Shelf):
    """Implements `contract.Events`."""

    async def events(self, project_id: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """List events behind a place, in order."""
        return [event for event in of(self.outbox, project_id) if event.sequence > after][:limit]
