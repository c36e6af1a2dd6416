"""What the builder is told, in the published shape: the data of a notification, never a secret.

An event is stored in the transaction of the change it tells of; delivering it comes later.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from connectors.secret import Veiled
from installations.errors import Issue
from installations.installation import Connection, Installation
from installations.operation import Operation, Reason
from installations.record import Outcome
from installations.review import breaks
from server.clock import NewId
from server.delivering.write_results import error_message
from server.store.contract import (
    ConnectionEvent,
    Destination,
    Event,
    EventType,
    InstallationChange,
    InstallationEvent,
    NewConnection,
    SchemaCheck,
)


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


class InstallationFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What every notification about an installation carries."""

    project_id: str
    provider: str
    integration_id: str
    integration_name: str
    installation_id: str
    connection_id: str
    group_ref: str
    group_name: str
    consumer_ref: str
    consumer_name: str


class WriteDoneData(InstallationFields, frozen=True, kw_only=True, rename="camel"):
    """``WriteAsyncDoneData``, and which operation it was."""

    object_name: str
    success: bool
    operation_id: str
    """Ours: the published notification does not say what it is about."""
    successful_record_ids: tuple[str, ...] | UnsetType = UNSET
    errors: tuple[str, ...] | UnsetType = UNSET


class WriteUnknownData(WriteDoneData, frozen=True, kw_only=True, rename="camel"):
    """*Isthmus*: an asynchronous write of which nobody knows whether it happened. ``success`` is false."""

    reason: Reason


CONFIG_LIMIT = 300 * 1024
"""The most bytes of a config that a notification carries. Receivers refuse large bodies, and then hear nothing."""


class Omitted(msgspec.Struct, frozen=True, kw_only=True):
    """*Isthmus*: stands for a config that is too large, where the published server would sign a URL for it."""

    omitted: str
    """A sentence for a person."""
    bytes: int


class InstallationData(InstallationFields, frozen=True, kw_only=True, rename="camel"):
    """``Installation{Created,Updated,Deleted}Data``."""

    config: msgspec.Raw
    """A `ConfigContent`, or `Omitted`."""
    last_config: msgspec.Raw | UnsetType = UNSET


class DisabledData(Veiled, frozen=True, kw_only=True, rename="camel"):
    """``DestinationWebhookDisabledData``. The URL may hold a secret of the builder's own, to whom it goes."""

    project_id: str
    destination_id: str
    destination_name: str
    url: str


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


def operation_event(
    operation: Operation,
    outcome: Outcome | None,
    *,
    installation: Installation | None,
    integration_name: str,
    event_id: str,
    now: datetime,
) -> Event:
    """Build ``write.async.done`` for an operation as it is when it is over, ``write.async.unknown`` where nobody knows.

    ``outcome`` tells what came of each record, and some failed is ``success: false`` with both lists. Without one, or
    where a look-up or a person proved that it happened, the operation's own state, ids and summary say it.
    ``installation`` is ``None`` where it is gone; then what only it knew is empty.
    """
    told = outcome if operation.reason not in _PROVED else None
    success = operation.state == "success" if told is None else all(record.success for record in told.records)
    members: dict[str, Any] = {
        **_installation_fields(operation, installation, integration_name),
        "object_name": operation.object_name,
        "operation_id": operation.id,
        "successful_record_ids": _written(operation, told) or UNSET,
    }
    if operation.state == "unknown":
        open_question = WriteUnknownData(
            **members, success=False, reason=operation.reason, errors=_said(operation, told) or _said(operation, None)
        )
        return _event("write.async.unknown", open_question, event_id=event_id, now=now)
    data = WriteDoneData(**members, success=success, errors=UNSET if success else _said(operation, told))
    return _event("write.async.done", data, event_id=event_id, now=now)


_PROVED = frozenset({"found", "resolved"})


def _written(operation: Operation, outcome: Outcome | None) -> tuple[str, ...]:
    if outcome is None:
        return operation.successful_record_ids
    return tuple(record.record_id for record in outcome.records if record.success and record.record_id is not None)


def _said(operation: Operation, outcome: Outcome | None) -> tuple[str, ...]:
    """Say what went wrong; equal sentences once, as in the answer to a batch."""
    if outcome is None:
        return (operation.summary or f"error writing {operation.object_name}: {operation.reason or 'no reason given'}",)
    failed = (record.fault for record in outcome.records if not record.success)
    return tuple(dict.fromkeys(error_message(operation.object_name, fault) for fault in failed))


def _installation_fields(
    operation: Operation, installation: Installation | None, integration_name: str
) -> dict[str, str]:
    connection = None if installation is None else installation.connection
    return {
        "project_id": operation.project_id,
        "provider": "" if connection is None else connection.provider,
        "integration_id": operation.integration_id,
        "integration_name": integration_name,
        "installation_id": operation.installation_id,
        "connection_id": operation.connection_id or ("" if connection is None else connection.id),
        "group_ref": operation.group_ref,
        "group_name": operation.group_ref if installation is None else installation.group.group_name,
        "consumer_ref": "" if connection is None else connection.consumer.consumer_ref,
        "consumer_name": "" if connection is None else connection.consumer.consumer_name,
    }


def disabled_event(destination: Destination, *, event_id: str, now: datetime) -> Event:
    """Build the event for a webhook that is sent nothing any more, because it fails."""
    data = DisabledData(
        project_id=destination.project_id,
        destination_id=destination.id,
        destination_name=destination.name,
        url=destination.url,
    )
    return _event("destination.webhook.disabled", data, event_id=event_id, now=now)


def installation_event(
    kind: EventType, installation: Installation, *, integration_name: str, event_id: str, now: datetime
) -> Event:
    """Build the event for an installation that was made, or that goes."""
    fields = _of_installation(installation, integration_name)
    return _event(kind, InstallationData(**fields, config=_config(installation)), event_id=event_id, now=now)


def creation_of_installation(*, integration_name: str, event_id: str, now: datetime) -> InstallationEvent:
    """Answer what builds the event for an installation that is made."""
    return lambda installation: installation_event(
        "installation.created", installation, integration_name=integration_name, event_id=event_id, now=now
    )


def removal_events(*, integration_name: str, new_id: NewId, now: datetime) -> InstallationEvent:
    """Answer what builds the events for installations that go."""
    return lambda installation: installation_event(
        "installation.deleted", installation, integration_name=integration_name, event_id=new_id(), now=now
    )


def installation_change(*, integration_name: str, event_id: str, now: datetime) -> InstallationChange:
    """Answer what builds the event for an installation that changes, with its config of before."""

    def build(after: Installation, before: Installation) -> Event:
        fields = _of_installation(after, integration_name)
        data = InstallationData(**fields, config=_config(after), last_config=_config(before))
        return _event("installation.updated", data, event_id=event_id, now=now)

    return build


class SchemaData(InstallationFields, frozen=True, kw_only=True, rename="camel"):
    """*Isthmus*: an installation that its account does not fit any more, or again. ``issues`` are those that break."""

    broken: bool
    issues: tuple[Issue, ...] = ()


def schema_event(
    check: SchemaCheck, installation: Installation, *, integration_name: str, event_id: str, now: datetime
) -> Event:
    """Build the event for an installation that broke or is mended, as its account changed or its config did."""
    data = SchemaData(
        **_of_installation(installation, integration_name),
        broken=check.broken,
        issues=tuple(issue for issue in check.issues if breaks(issue))[:MOST_TOLD],
    )
    kind: EventType = "installation.schema.broken" if check.broken else "installation.schema.mended"
    return _event(kind, data, event_id=event_id, now=now)


MOST_TOLD = 50
"""How many issues a notification carries; the installation's check has them all."""


def _of_installation(installation: Installation, integration_name: str) -> dict[str, Any]:
    connection = installation.connection
    return {
        "project_id": installation.project_id,
        "provider": connection.provider,
        "integration_id": installation.integration_id,
        "integration_name": integration_name,
        "installation_id": installation.id,
        "connection_id": connection.id,
        "group_ref": installation.group.group_ref,
        "group_name": installation.group.group_name,
        "consumer_ref": connection.consumer.consumer_ref,
        "consumer_name": connection.consumer.consumer_name,
    }


def _config(installation: Installation) -> msgspec.Raw:
    """Encode a config, or say that it is too large."""
    encoded = _ENCODER.encode(installation.config.content)
    if len(encoded) <= CONFIG_LIMIT:
        return msgspec.Raw(encoded)
    said = f"This config has {len(encoded)} bytes; no more than {CONFIG_LIMIT} are sent. Ask for the installation."
    return msgspec.Raw(_ENCODER.encode(Omitted(omitted=said, bytes=len(encoded))))


def _event(
    kind: EventType, data: ConnectionData | InstallationFields | DisabledData, *, event_id: str, now: datetime
) -> Event:
    return Event(id=event_id, project_id=data.project_id, type=kind, data=_ENCODER.encode(data), create_time=now)


_ENCODER = msgspec.json.Encoder()
