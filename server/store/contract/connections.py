"""What the store promises about connections: access to providers, its credentials, and customers on the way to one."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from connectors.secret import Veiled
from installations.installation import AuthScheme, Connection, ConnectionStatus, MetadataValue


class NewConnection(Veiled, frozen=True, kw_only=True):
    """What makes a connection; group and consumer are made or renamed along with it."""

    id: str
    project_id: str
    provider: str
    group_ref: str
    consumer_ref: str
    auth_scheme: AuthScheme
    status: ConnectionStatus
    now: datetime
    credentials: bytes
    """Encoded credentials; sealed at rest."""
    group_name: str | UnsetType = UNSET
    consumer_name: str | UnsetType = UNSET
    provider_app_id: str | UnsetType = UNSET
    provider_workspace_ref: str | UnsetType = UNSET
    provider_consumer_ref: str | UnsetType = UNSET
    provider_metadata: Mapping[str, MetadataValue] | UnsetType = UNSET
    keep_alive_at: datetime | None = None
    """When the refresh token must be used lest it die."""


class StoredCredentials(Veiled, frozen=True, kw_only=True):
    """A connection's credentials, opened, and which ones they are."""

    content: bytes
    version: int
    """Grows with every change of the credentials, by a person or by a refresh."""


EventType = Literal[
    "connection.created",
    "connection.updated",
    "connection.deleted",
    "connection.error",
    "connection.refreshed",
    "installation.created",
    "installation.updated",
    "installation.deleted",
    "write.async.done",
    "write.async.unknown",
    "installation.schema.broken",
    "installation.schema.mended",
    "destination.webhook.disabled",
]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that the builder is told of: stored in the transaction of the change itself, so that neither is alone."""

    id: str
    project_id: str
    type: EventType
    data: bytes
    """JSON as published; never a secret."""
    create_time: datetime
    sequence: int = 0
    """Its place among its project's events, from 1 on; the store gives it when the change is committed."""


ConnectionEvent = Callable[[Connection], Event]
"""Builds the event for a connection that goes because something else does."""


class Events(Protocol):
    """The outbox."""

    async def events(self, project_id: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        """List events in the order in which they were committed, from behind the sequence number ``after`` on.

        Whoever goes on from the last number seen misses none, however many processes store events meanwhile: what
        comes later has a greater number. They are kept for a week (`Deliveries.prune_notifications`); numbers are not
        used again.
        """


class Connections(Protocol):
    """Groups' access to providers. ``event`` is stored in the same transaction, if given."""

    async def create_connection(self, new: NewConnection, *, event: Event | None = None) -> Connection:
        """Store a connection; names default to refs. Several for one group and provider are allowed."""

    async def connections(
        self,
        project_id: str,
        *,
        provider: str | None = None,
        group_ref: str | None = None,
        consumer_ref: str | None = None,
    ) -> list[Connection]:
        """List: usable ones (``working``, then ``created``) before ``bad_credentials``, newest first."""

    async def connection(self, project_id: str, connection_id: str) -> Connection:
        """Find one. Raises `Missing`."""

    async def update_connection(
        self,
        project_id: str,
        connection_id: str,
        *,
        now: datetime,
        status: ConnectionStatus | UnsetType = UNSET,
        credentials: bytes | UnsetType = UNSET,
        provider_workspace_ref: str | UnsetType = UNSET,
        provider_metadata: Mapping[str, MetadataValue] | UnsetType = UNSET,
        provider_consumer_ref: str | UnsetType = UNSET,
        provider_app_id: str | UnsetType = UNSET,
        keep_alive_at: datetime | UnsetType | None = UNSET,
        if_version: int | None = None,
        event: Event | None = None,
    ) -> Connection:
        """Change what is given; new credentials raise the credential version. Raises `Missing`.

        ``keep_alive_at`` says when the refresh token must be used lest it die. With ``if_version`` raises `Superseded`
        unless the credentials are of that version still.
        """

    async def delete_connection(self, project_id: str, connection_id: str, *, event: Event | None = None) -> None:
        """Remove one. Raises `Missing`, and `InUse` while an installation uses it."""

    async def credentials(self, project_id: str, connection_id: str) -> StoredCredentials:
        """Open the credentials. Raises `Missing`."""

    async def renew_credentials(
        self,
        project_id: str,
        connection_id: str,
        *,
        if_version: int,
        credentials: bytes,
        keep_alive_at: datetime | None,
        now: datetime,
        event: Event | None = None,
        refreshed: Event | None = None,
    ) -> int:
        """Store renewed tokens and answer their version; ``bad_credentials`` becomes ``working``.

        No change of configuration unless it heals, which is what ``event`` tells of: else the epoch stays, for caches
        would be emptied with every token, and ``refreshed`` tells of it. Raises `Missing`, and `Superseded` unless the
        credentials are of ``if_version`` still.
        """

    async def dying_connections(self, *, now: datetime, limit: int) -> list[Connection]:
        """List connections of any project whose ``keep_alive_at`` has come and that are not ``bad_credentials``.

        The most urgent come first.
        """


Stage = Literal["made", "started", "returned", "spent"]


class ConnectSession(Veiled, frozen=True, kw_only=True):
    """One customer on the way to a connection. Only digests of what opens it are stored."""

    id: str
    project_id: str
    stage: Stage
    key_digest: bytes
    """SHA-256 of what opens the next stage: the link's ticket, then the OAuth state, then the completion code.

    Unique. A session that is spent keeps its last one, so that a second use is told from an unknown one.
    """
    browser_digest: bytes = b""
    """SHA-256 of the cookie of the browser that started."""
    details: bytes = b""
    """What the flow must remember (PKCE verifier, names, origin, ...), encoded. Sealed at rest."""
    expire_time: datetime


class ConnectSessions(Protocol):
    """Customers on the way. Short-lived; each stage is passed once."""

    async def create_connect_session(self, session: ConnectSession) -> None:
        """Store one."""

    async def connect_session(self, key_digest: bytes, *, now: datetime) -> ConnectSession:
        """Find one by what it is opened with, in any project and stage. Raises `Missing` when unknown or expired."""

    async def advance_connect_session(self, session: ConnectSession, *, from_stage: Stage, now: datetime) -> None:
        """Replace a session by its next stage, in one conditional update. Raises `Superseded` when it is not in
        ``from_stage`` any more, `Missing` when it is gone or expired.
        """  # noqa: D205
