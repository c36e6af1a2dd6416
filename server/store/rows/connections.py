"""Connections as rows, their credentials sealed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import Connection, ConnectionStatus, MetadataValue
from server.store.contract import Event, InUse, NewConnection, StoredCredentials, Superseded
from server.store.engine import Row
from server.store.keyring import hold
from server.store.rows.events import store_event
from server.store.rows.people import consumer, group, keep_consumer, keep_group
from server.store.rows.provider_apps import provider_app
from server.store.rows.scope import Rows, find, given, insert, or_unset, text_of, with_fresh_keys
from server.store.tables import Connections, Consumers, Groups, Installations, ProviderApps
from server.store.vault import Box

TABLE = "connections"
IDS_AT_ONCE = 1000
"""Both databases bound the number of values in one statement."""
USABLE_FIRST: dict[str, int] = {"working": 0, "created": 1, "bad_credentials": 2}


class ConnectionRows(Rows):
    """Implements `contract.Connections`."""

    @with_fresh_keys
    async def create_connection(self, new: NewConnection, *, event: Event | None = None) -> Connection:
        """Store a connection, and its group and consumer where they are new."""
        box = await self.box(new.project_id)
        sealed = box.seal(new.credentials, table=TABLE, column="credentials", row_id=new.id)
        async with self.changing():
            if new.provider_app_id is not UNSET:
                await find(ProviderApps, new.project_id, new.provider_app_id, noun="provider app")
            await hold(box)
            await _insert(new, sealed)
            await store_event(new.project_id, event)
            return await load_connection(new.project_id, new.id)

    async def connections(
        self,
        project_id: str,
        *,
        provider: str | None = None,
        group_ref: str | None = None,
        consumer_ref: str | None = None,
    ) -> list[Connection]:
        """List: usable ones first, then newest first."""
        query = Connections.select().where(Connections.project_id == project_id)
        if provider is not None:
            query = query.where(Connections.provider == provider)
        if group_ref is not None:
            query = query.where(Connections.group_id.group_ref == group_ref)
        if consumer_ref is not None:
            query = query.where(Connections.consumer_id.consumer_ref == consumer_ref)
        async with self.reading():
            rows = await query.order_by(Connections.create_time, Connections.id, ascending=False)
            found = await build_connections(project_id, rows)
        return sorted(found, key=lambda connection: USABLE_FIRST[connection.status])

    async def connection(self, project_id: str, connection_id: str) -> Connection:
        """Find one."""
        async with self.reading():
            return await load_connection(project_id, connection_id)

    @with_fresh_keys
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
        """Change what is given, if the credentials are still the expected ones."""
        box = await self.box(project_id)
        changes = given(
            {
                Connections.update_time: now,
                Connections.status: status,
                Connections.provider_workspace_ref: provider_workspace_ref,
                Connections.provider_metadata: UNSET if provider_metadata is UNSET else text_of(provider_metadata),
                Connections.provider_consumer_ref: provider_consumer_ref,
                Connections.provider_app_id: provider_app_id,
                Connections.keep_alive_at: keep_alive_at,
            }
        )
        if credentials is not UNSET:
            changes |= _renewed(box, connection_id, credentials)
        async with self.changing():
            if provider_app_id is not UNSET:
                await find(ProviderApps, project_id, provider_app_id, noun="provider app")
            if credentials is not UNSET:
                await hold(box)
            await _update(changes, project_id, connection_id, if_version=if_version)
            await store_event(project_id, event)
            return await load_connection(project_id, connection_id)

    async def delete_connection(self, project_id: str, connection_id: str, *, event: Event | None = None) -> None:
        """Remove one that no installation uses."""
        async with self.changing():
            await find(Connections, project_id, connection_id, noun="connection")
            if await Installations.exists().where(
                Installations.project_id == project_id, Installations.connection_id == connection_id
            ):
                raise InUse(f"the connection {connection_id!r} is used by an installation; delete that first")
            await Connections.delete().where(Connections.project_id == project_id, Connections.id == connection_id)
            await store_event(project_id, event)

    @with_fresh_keys
    async def credentials(self, project_id: str, connection_id: str) -> StoredCredentials:
        """Open the credentials."""
        box = await self.box(project_id)
        async with self.reading():
            row = await find(Connections, project_id, connection_id, noun="connection")
        content = box.open(row["credentials"], table=TABLE, column="credentials", row_id=connection_id)
        return StoredCredentials(content=content, version=row["credential_version"])

    @with_fresh_keys
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
        """Store renewed tokens, in one guarded statement that leaves the epoch alone."""
        box = await self.box(project_id)
        renewed = _renewed(box, connection_id, credentials)
        changes = renewed | {Connections.update_time: now, Connections.keep_alive_at: keep_alive_at}
        mine = (
            (Connections.project_id == project_id)
            & (Connections.id == connection_id)
            & (Connections.credential_version == if_version)
        )
        async with self.writing():
            await hold(box)
            usable = Connections.status != "bad_credentials"
            if await Connections.update(changes).where(mine, usable).returning(Connections.id):
                await store_event(project_id, refreshed)
                return if_version + 1
        # A connection that heals is a change of configuration: caches must not go on refusing it.
        async with self.changing():
            await hold(box)
            await _update(changes | {Connections.status: "working"}, project_id, connection_id, if_version=if_version)
            await store_event(project_id, event)
            return if_version + 1

    async def dying_connections(self, *, now: datetime, limit: int) -> list[Connection]:
        """List connections of any project whose refresh token must be used now, the most urgent first."""
        async with self.reading():
            rows = await (
                Connections.select()
                .where(Connections.keep_alive_at <= now, Connections.status != "bad_credentials")
                .order_by(Connections.keep_alive_at, Connections.id)
                .limit(limit)
            )
            found: dict[str, Connection] = {}
            for project_id in sorted({row["project_id"] for row in rows}):
                mine = [row for row in rows if row["project_id"] == project_id]
                found |= {connection.id: connection for connection in await build_connections(project_id, mine)}
        return [found[row["id"]] for row in rows]


async def load_connection(project_id: str, connection_id: str) -> Connection:
    """Find one inside the session at hand. Raises `Missing`."""
    row = await find(Connections, project_id, connection_id, noun="connection")
    return (await build_connections(project_id, [row]))[0]


async def build_connections(project_id: str, rows: Sequence[Row]) -> list[Connection]:
    """Make structs of rows, with their groups, consumers and provider apps."""
    groups = await pointed_at(Groups, project_id, rows, column="group_id")
    consumers = await pointed_at(Consumers, project_id, rows, column="consumer_id")
    apps = await pointed_at(ProviderApps, project_id, rows, column="provider_app_id")
    return [
        _connection(row, groups[row["group_id"]], consumers[row["consumer_id"]], apps.get(row["provider_app_id"]))
        for row in rows
    ]


async def pointed_at(table: Any, project_id: str, rows: Sequence[Row], *, column: str) -> dict[str, Row]:
    """Fetch the rows that a column of other rows points at, by id."""
    ids = sorted({row[column] for row in rows if row[column] is not None})
    found: dict[str, Row] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = table.id.is_in(ids[start : start + IDS_AT_ONCE])
        found |= {row["id"]: row for row in await table.select().where(table.project_id == project_id, some)}
    return found


def _renewed(box: Box, connection_id: str, credentials: bytes) -> dict[Any, Any]:
    """Say what changes with new credentials."""
    return {
        Connections.credentials: box.seal(credentials, table=TABLE, column="credentials", row_id=connection_id),
        Connections.credential_version: Connections.credential_version + 1,
    }


async def _update(changes: Any, project_id: str, connection_id: str, *, if_version: int | None) -> None:
    """Change a row if its credentials are of the given version, if any. Raises `Missing`, `Superseded`."""
    query = Connections.update(changes).where(Connections.project_id == project_id, Connections.id == connection_id)
    if if_version is not None:
        query = query.where(Connections.credential_version == if_version)
    if not await query.returning(Connections.id):
        await find(Connections, project_id, connection_id, noun="connection")
        raise Superseded(f"the credentials of connection {connection_id!r} are no longer of version {if_version}")


async def _insert(new: NewConnection, sealed: bytes) -> None:
    group_id = await keep_group(new.project_id, new.group_ref, fresh_id=f"{new.id}.g", now=new.now, name=new.group_name)
    consumer_id = await keep_consumer(
        new.project_id, new.consumer_ref, fresh_id=f"{new.id}.c", now=new.now, name=new.consumer_name
    )
    await insert(
        Connections,
        id=new.id,
        project_id=new.project_id,
        provider=new.provider,
        group_id=group_id,
        consumer_id=consumer_id,
        provider_app_id=new.provider_app_id or None,
        auth_scheme=new.auth_scheme,
        status=new.status,
        credentials=sealed,
        provider_workspace_ref=None if new.provider_workspace_ref is UNSET else new.provider_workspace_ref,
        provider_consumer_ref=None if new.provider_consumer_ref is UNSET else new.provider_consumer_ref,
        provider_metadata=None if new.provider_metadata is UNSET else text_of(new.provider_metadata),
        keep_alive_at=new.keep_alive_at,
        create_time=new.now,
    )


def _connection(row: Row, group_row: Row, consumer_row: Row, app_row: Row | None) -> Connection:
    metadata = row["provider_metadata"]
    return Connection(
        id=row["id"],
        project_id=row["project_id"],
        provider=row["provider"],
        group=group(group_row),
        consumer=consumer(consumer_row),
        auth_scheme=row["auth_scheme"],
        status=row["status"],
        create_time=row["create_time"],
        provider_app=provider_app(app_row) if app_row else UNSET,
        provider_workspace_ref=or_unset(row["provider_workspace_ref"]),
        provider_consumer_ref=or_unset(row["provider_consumer_ref"]),
        provider_metadata=msgspec.json.decode(metadata, type=dict[str, MetadataValue]) if metadata else UNSET,
        update_time=or_unset(row["update_time"]),
    )
