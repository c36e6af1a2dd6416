"""Stores what a customer gave: the connection they had is healed, or a new one is made.

A customer who connects again heals the connection they had, so that installations go on working. A consent for another
workspace never does: that would point them at somebody else's data.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET

from connectors.credentials import Credentials, build_credentials
from connectors.provider import Provider
from installations.errors import InvalidInput, invalid
from installations.installation import AuthScheme, Connection, ConnectionStatus
from server import logs
from server.connecting.passage import Customer
from server.connecting.workspaces import Metadata, Told, is_another, metadata_after, wants_another, workspace_after
from server.events import connection_event, creation_event
from server.services import Services
from server.store.contract import Missing, NewConnection, Unavailable
from server.tokens.held import keep_alive_at

PAUSES_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""The customer waits meanwhile."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A connection that stands."""

    connection: Connection
    is_new: bool


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer gave, and what the provider told along with it."""

    project_id: str
    customer: Customer
    provider: Provider
    scheme: AuthScheme
    status: ConnectionStatus
    credentials: Credentials
    now: datetime
    told: Told = Told()

    @property
    def keep_alive_at(self) -> datetime | None:
        """When the refresh token must be used lest it die."""
        return keep_alive_at(self.provider, self.credentials, now=self.now)


async def keep(services: Services, given: Given, *, connection_id: str | None = None) -> Kept:
    """Store it. When this answers, it is committed, told to the builder, and known to this process.

    ``connection_id`` names the only connection that may be healed. Raises `InvalidInput` where that one is of another
    workspace, `Missing` where it is gone. What a customer gave is given once, so a database that is away is waited for.
    """
    kept = await _stored_at_last(services, given, connection_id)
    services.changes.announce()
    logs.event("connect.finished", project_id=given.project_id, connection_id=kept.connection.id, new=kept.is_new)
    return kept


async def _stored_at_last(services: Services, given: Given, connection_id: str | None) -> Kept:
    """Store it, again where the database was away: whatever of it was stored already is found and healed then."""
    for pause in (*PAUSES_SECONDS, None):
        try:
            return await _stored(services, given, connection_id)
        except Unavailable:
            if pause is None:
                raise
            await services.tokens.pace.sleep(pause)
    raise AssertionError("unreachable: the last try raises or returns")


async def _stored(services: Services, given: Given, connection_id: str | None) -> Kept:
    if connection_id is not None:
        connection = await services.store.connection(given.project_id, connection_id)
        if is_another(connection, given.provider, given.told):
            raise _misplaced(given.provider)
        return await _heal(services, connection, given)
    known = await services.store.connections(given.project_id, consumer_ref=given.customer.consumer_ref)
    for connection in known:
        if _is_theirs(connection, given):
            try:
                return await _heal(services, connection, given)
            except Missing:
                # Somebody deleted it this very moment.
                break
    return await _create(services, given, known)


def _is_theirs(connection: Connection, given: Given) -> bool:
    """Tell whether a connection of this consumer is the one that they connect again."""
    customer = given.customer
    app_id = connection.provider_app.id if connection.provider_app else None
    return (
        connection.provider == customer.provider
        and connection.group.group_ref == customer.group_ref
        and connection.auth_scheme == given.scheme
        and app_id == customer.provider_app_id
        and not wants_another(connection, customer, given.provider, given.told)
    )


def _misplaced(provider: Provider) -> InvalidInput:
    message = (
        f"access was given to another {provider.display_name} account than this connection's, so nothing was changed; "
        "choose that account, or connect the other one anew"
    )
    return invalid("connection", message, code="another-workspace")


async def _heal(services: Services, connection: Connection, given: Given) -> Kept:
    healed = await services.store.update_connection(
        given.project_id,
        connection.id,
        now=given.now,
        status=given.status,
        credentials=build_credentials(given.credentials),
        provider_workspace_ref=workspace_after(given.customer, given.provider, given.told),
        provider_consumer_ref=given.told.consumer_ref or UNSET,
        provider_metadata={**(connection.provider_metadata or {}), **_metadata(given)} or UNSET,
        provider_app_id=given.customer.provider_app_id or UNSET,
        keep_alive_at=given.keep_alive_at,
        event=connection_event("connection.updated", connection, event_id=services.new_id(), now=given.now),
    )
    return Kept(connection=healed, is_new=False)


async def _create(services: Services, given: Given, known: Sequence[Connection]) -> Kept:
    new = _new_connection(given, connection_id=services.new_id())
    event = creation_event(new, known=known, event_id=services.new_id())
    return Kept(connection=await services.store.create_connection(new, event=event), is_new=True)


def _new_connection(given: Given, *, connection_id: str) -> NewConnection:
    customer = given.customer
    return NewConnection(
        id=connection_id,
        project_id=given.project_id,
        provider=customer.provider,
        group_ref=customer.group_ref,
        consumer_ref=customer.consumer_ref,
        auth_scheme=given.scheme,
        status=given.status,
        now=given.now,
        credentials=build_credentials(given.credentials),
        group_name=customer.group_name,
        consumer_name=customer.consumer_name,
        provider_app_id=customer.provider_app_id or UNSET,
        provider_workspace_ref=workspace_after(customer, given.provider, given.told),
        provider_consumer_ref=given.told.consumer_ref or UNSET,
        provider_metadata=_metadata(given) or UNSET,
        keep_alive_at=given.keep_alive_at,
    )


def _metadata(given: Given) -> Metadata:
    return metadata_after(given.customer, given.provider, given.told)
