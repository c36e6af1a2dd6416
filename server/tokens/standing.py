"""Whether a connection's credentials are any good: what providers said to them, kept as the connection's status.

Every move is guarded by the version of the credentials that were tried, so that a late refusal of old ones does not
break a connection that was healed meanwhile; and it is made alone, so that the builder is told once.
"""

import logging
from typing import Any

from installations.installation import Connection, ConnectionStatus
from installations.record import Fault
from server import logs
from server.clock import Clock, NewId
from server.events import connection_event
from server.store.contract import Connections, Event, EventType, Missing, StoreError, Superseded
from server.tokens.errands import Errands
from server.tokens.solitude import NotAlone, Solitude, lease_name


class Standing:
    """The only one who changes a connection's status because of what a provider said."""

    def __init__(self, store: Connections, solitude: Solitude, *, clock: Clock, new_id: NewId) -> None:
        self._store = store
        self._solitude = solitude
        self._clock = clock
        self._new_id = new_id

    async def fell(self, connection: Connection, *, version: int, fault: Fault) -> None:
        """Mark a connection whose credentials were refused; the caller is alone with it. Never raises `StoreError`.

        One that cannot be marked now is refused again by the next request.
        """
        try:
            await self._move(connection, "bad_credentials", version=version, fault=fault)
        except StoreError as error:
            logs.failed("store.unavailable", error, connection_id=connection.id)

    async def fell_alone(self, connection: Connection, *, version: int, fault: Fault) -> bool:
        """Do so alone. False if that could not be: somebody at the credentials already finds out by themselves."""
        return await self._move_alone(connection, "bad_credentials", version=version, fault=fault)

    async def rose_alone(self, connection: Connection, *, version: int) -> bool:
        """Take the mark from a connection whose credentials were taken after all. False if that could not be."""
        return await self._move_alone(connection, "working", version=version, fault=None)

    async def _move_alone(
        self, connection: Connection, status: ConnectionStatus, *, version: int, fault: Fault | None
    ) -> bool:
        try:
            name = lease_name(connection.project_id, connection.id)
            async with self._solitude.alone(name, patience=0.0):
                await self._move(connection, status, version=version, fault=fault)
        except NotAlone:
            return False
        except StoreError as error:
            logs.failed("store.unavailable", error, connection_id=connection.id)
            return False
        return True

    async def _move(
        self, connection: Connection, status: ConnectionStatus, *, version: int, fault: Fault | None
    ) -> None:
        try:
            stands = await self._store.connection(connection.project_id, connection.id)
            if (stands.status == "bad_credentials") == (status == "bad_credentials"):
                return
            await self._store.update_connection(
                connection.project_id,
                connection.id,
                now=self._clock(),
                status=status,
                if_version=version,
                event=self.news(stands, fault),
            )
        except (Missing, Superseded):
            # Deleted, or connected again: the credentials that were tried are nobody's concern any more.
            return
        _record(stands, fault)

    def refreshed(self, connection: Connection) -> Event:
        """Build what the builder is told when tokens were renewed and nothing else changed."""
        return connection_event("connection.refreshed", connection, event_id=self._new_id(), now=self._clock())

    def news(self, connection: Connection, fault: Fault | None = None) -> Event:
        """Build what the builder is told when a connection breaks by a fault, or heals."""
        kind: EventType = "connection.updated" if fault is None else "connection.error"
        errors = () if fault is None else (fault.message,)
        return connection_event(kind, connection, event_id=self._new_id(), now=self._clock(), errors=errors)


class FixedVerdicts:
    """Takes note of what a provider says to credentials that never change: a key, or a user name and a password."""

    def __init__(self, connection: Connection, *, version: int, standing: Standing, errands: Errands) -> None:
        self.version = version
        self.troubled = connection.status == "bad_credentials"
        self._connection = connection
        self._standing = standing
        self._errands = errands

    async def refused(self, fault: Fault, *, version: int) -> None:
        """Mark the connection, once."""
        if not self.troubled:
            # Set at once, so that of many requests that are refused together one does the work.
            self.troubled = True
            work = self._standing.fell_alone(self._connection, version=version, fault=fault)
            self.troubled = await self._errands.see_through(work)

    def accepted(self) -> None:
        """Take the mark away, beside the request."""
        if self.troubled:
            self.troubled = False
            work = self._standing.rose_alone(self._connection, version=self.version)
            self._errands.run("connection.healing_failed", work)


def _record(connection: Connection, fault: Fault | None) -> None:
    who: dict[str, Any] = {
        "project_id": connection.project_id,
        "connection_id": connection.id,
        "provider": connection.provider,
    }
    if fault is None:
        logs.event("connection.healed", **who)
    else:
        logs.event("connection.broken", level=logging.WARNING, **who, fault=fault.kind, status=fault.status)
