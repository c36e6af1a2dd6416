"""What the builder is told of connections, in the published shape: the data of a notification, never a secret.

An event is stored in the transaction of the change it tells of; delivering it comes later.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import Connection
from server.clock import NewId
from server.store.contract import ConnectionEvent, Event, EventType, NewConnection


class ConnectionData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """``ConnectionData``, or with errors ``ConnectionErrorData``. There is no ``groupName`` in either."""

    project_id: str
    connection_id: str
    provider: str
    group_ref: str
    consumer_ref: str
    consumer_name: str
    errors: tuple[str, ...] | UnsetType = UNSET
    error: tuple[str, ...] | UnsetType = UNSET
    """Deprecated where it was published: the same as ``errors``."""


def connection_event(
    kind: EventType, connection: Connection, *, event_id: str, now: datetime, errors: tuple[str, ...] = ()
) -> Event:
    """Build the event for a connection. ``errors`` are sentences for ``connection.error``, and for nothing else."""
    said = errors if kind == "connection.error" else UNSET
    data = ConnectionData(
        project_id=connection.project_id,
        connection_id=connection.id,
        provider=connection.provider,
        group_ref=connection.group.group_ref,
        consumer_ref=connection.consumer.consumer_ref,
        consumer_name=connection.consumer.consumer_name,
        errors=said,
        error=said,
    )
    return _event(kind, data, event_id=event_id, now=now)


def creation_event(new: NewConnection, *, known: Sequence[Connection], event_id: str) -> Event:
    """Build the event for a connection about to be made. ``known`` are its consumer's others, which have their name."""
    called = known[0].consumer.consumer_name if known else new.consumer_ref
    data = ConnectionData(
        project_id=new.project_id,
        connection_id=new.id,
        provider=new.provider,
        group_ref=new.group_ref,
        consumer_ref=new.consumer_ref,
        consumer_name=new.consumer_name or called,
    )
    return _event("connection.created", data, event_id=event_id, now=new.now)


def deletion_events(*, new_id: NewId, now: datetime) -> ConnectionEvent:
    """Answer what builds the events for connections that go because the last installation that used them does."""
    return lambda connection: connection_event("connection.deleted", connection, event_id=new_id(), now=now)


def _event(kind: EventType, data: ConnectionData, *, event_id: str, now: datetime) -> Event:
    return Event(id=event_id, project_id=data.project_id, type=kind, data=_ENCODER.encode(data), create_time=now)


_ENCODER = msgspec.json.Encoder()
