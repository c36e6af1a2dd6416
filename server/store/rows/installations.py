"""Installations and their config revisions as rows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import ConfigContent
from installations.installation import Config, Connection, Installation
from installations.operation import PublicStatus, public_status
from server.store.contract import (
    ConnectionEvent,
    InstallationChange,
    InstallationEvent,
    NewInstallation,
    Superseded,
    Taken,
)
from server.store.engine import Row
from server.store.rows.connections import IDS_AT_ONCE, build_connections, pointed_at
from server.store.rows.events import store_event
from server.store.rows.people import group, keep_group
from server.store.rows.scope import Rows, find, given, insert, or_unset, text_of
from server.store.tables import ConfigRevisions, Connections, Groups, Installations, Integrations, Revisions

LAST_STATES = (
    "SELECT i.id, (SELECT o.state FROM operations o WHERE o.project_id = i.project_id AND o.installation_id = i.id "
    "ORDER BY o.create_time DESC, o.id DESC LIMIT 1) AS state FROM installations i WHERE i.project_id = {}"
)


class InstallationRows(Rows):
    """Implements `contract.Installations`."""

    async def create_installation(
        self, new: NewInstallation, *, event_for: InstallationEvent | None = None
    ) -> Installation:
        """Store one with its first config."""
        async with self.changing():
            await find(Integrations, new.project_id, new.integration_id, noun="integration")
            await find(Connections, new.project_id, new.connection_id, noun="connection")
            await find(Revisions, new.project_id, new.config.revision_id, noun="revision")
            group_id = await keep_group(new.project_id, new.group_ref, fresh_id=f"{new.id}.g", now=new.now)
            await _refuse_taken(new, group_id)
            await insert(
                Installations,
                id=new.id,
                project_id=new.project_id,
                integration_id=new.integration_id,
                group_id=group_id,
                connection_id=new.connection_id,
                config_id=new.config.id,
                created_by=new.created_by,
                create_time=new.now,
            )
            await _insert_config(new.project_id, new.id, new.config)
            made = await _load(new.project_id, new.id)
            await store_event(new.project_id, event_for(made) if event_for else None)
            return made

    async def installations(
        self, project_id: str, *, integration_id: str | None = None, group_ref: str | None = None
    ) -> list[Installation]:
        """List, oldest first."""
        query = Installations.select().where(Installations.project_id == project_id)
        if integration_id is not None:
            query = query.where(Installations.integration_id == integration_id)
        if group_ref is not None:
            query = query.where(Installations.group_id.group_ref == group_ref)
        async with self.reading():
            rows = await query.order_by(Installations.create_time, Installations.id)
            return await _build(project_id, rows)

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one."""
        async with self.reading():
            return await _load(project_id, installation_id)

    async def update_installation(
        self,
        project_id: str,
        installation_id: str,
        *,
        now: datetime,
        if_config: str,
        config: Config | UnsetType = UNSET,
        connection_id: str | UnsetType = UNSET,
        event_for: InstallationChange | None = None,
    ) -> Installation:
        """Add a config revision, or swap the connection, if the config is still the expected one."""
        mine = (Installations.project_id == project_id) & (Installations.id == installation_id)
        async with self.changing():
            row = await find(Installations, project_id, installation_id, noun="installation")
            if row["config_id"] != if_config:
                raise Superseded(f"the config of installation {installation_id!r} was changed meanwhile")
            before = await _load(project_id, installation_id)
            changes = given({Installations.connection_id: connection_id, Installations.update_time: now})
            if connection_id is not UNSET:
                await find(Connections, project_id, connection_id, noun="connection")
            if config is not UNSET:
                await find(Revisions, project_id, config.revision_id, noun="revision")
                await _insert_config(project_id, installation_id, config)
                changes[Installations.config_id] = config.id
            await Installations.update(changes).where(mine)
            after = await _load(project_id, installation_id)
            await store_event(project_id, event_for(after, before) if event_for else None)
            return after

    async def delete_installation(
        self,
        project_id: str,
        installation_id: str,
        *,
        event_for: ConnectionEvent | None = None,
        removed: InstallationEvent | None = None,
    ) -> None:
        """Remove one, and its connection if nothing else uses it."""
        mine = (Installations.project_id == project_id) & (Installations.id == installation_id)
        async with self.changing():
            await find(Installations, project_id, installation_id, noun="installation")
            await remove_installations(project_id, mine, event_for, removed)


async def remove_installations(
    project_id: str, which: Any, event_for: ConnectionEvent | None, removed: InstallationEvent | None
) -> None:
    """Remove installations inside the session at hand, and the connections that nothing else uses."""
    rows = await Installations.select().where(which).order_by(Installations.create_time, Installations.id)
    gone = await _build(project_id, rows) if removed else []
    await Installations.delete().where(which)
    for installation in gone:
        await store_event(project_id, removed(installation) if removed else None)
    used = await Installations.select(Installations.connection_id).where(Installations.project_id == project_id)
    idle = sorted({row["connection_id"] for row in rows} - {row["connection_id"] for row in used})
    for start in range(0, len(idle), IDS_AT_ONCE):
        await _remove_connections(project_id, idle[start : start + IDS_AT_ONCE], event_for)


async def _remove_connections(project_id: str, ids: Sequence[str], event_for: ConnectionEvent | None) -> None:
    these = (Connections.project_id == project_id) & Connections.id.is_in(list(ids))
    gone = await build_connections(project_id, await Connections.select().where(these)) if event_for else []
    await Connections.delete().where(these)
    for connection in gone:
        await store_event(project_id, event_for(connection) if event_for else None)


async def _refuse_taken(new: NewInstallation, group_id: str) -> None:
    rows = await Installations.select(Installations.id).where(
        Installations.project_id == new.project_id,
        Installations.integration_id == new.integration_id,
        Installations.group_id == group_id,
    )
    if rows:
        raise Taken(f"the group {new.group_ref!r} has this integration already", existing_id=rows[0]["id"])


async def _insert_config(project_id: str, installation_id: str, config: Config) -> None:
    await insert(
        ConfigRevisions,
        id=config.id,
        project_id=project_id,
        installation_id=installation_id,
        revision_id=config.revision_id,
        created_by=config.created_by,
        content=text_of(config.content),
        create_time=config.create_time,
    )


async def _load(project_id: str, installation_id: str) -> Installation:
    row = await find(Installations, project_id, installation_id, noun="installation")
    return (await _build(project_id, [row]))[0]


async def _build(project_id: str, rows: Sequence[Row]) -> list[Installation]:
    """Make structs of rows, each table asked once."""
    groups = await pointed_at(Groups, project_id, rows, column="group_id")
    configs = await pointed_at(ConfigRevisions, project_id, rows, column="config_id")
    connection_rows = await pointed_at(Connections, project_id, rows, column="connection_id")
    built = await build_connections(project_id, list(connection_rows.values()))
    connections = {connection.id: connection for connection in built}
    statuses = await _last_statuses(project_id, [row["id"] for row in rows])
    return [
        _installation(
            row,
            group_row=groups[row["group_id"]],
            config_row=configs[row["config_id"]],
            connection=connections[row["connection_id"]],
            last_status=statuses.get(row["id"]),
        )
        for row in rows
    ]


async def _last_statuses(project_id: str, installation_ids: Sequence[str]) -> dict[str, PublicStatus]:
    """Tell how the newest operation of each installation stands."""
    found: dict[str, PublicStatus] = {}
    for start in range(0, len(installation_ids), IDS_AT_ONCE):
        some = installation_ids[start : start + IDS_AT_ONCE]
        rows = await Installations.raw(
            f"{LAST_STATES} AND i.id IN ({', '.join('{}' for _ in some)})", project_id, *some
        )
        found |= {row["id"]: public_status(row["state"]) for row in rows if row["state"]}
    return found


def _installation(
    row: Row, *, group_row: Row, config_row: Row, connection: Connection, last_status: PublicStatus | None
) -> Installation:
    return Installation(
        id=row["id"],
        project_id=row["project_id"],
        integration_id=row["integration_id"],
        group=group(group_row),
        connection=connection,
        create_time=row["create_time"],
        created_by=row["created_by"],
        config=_config(config_row),
        health_status="unhealthy" if connection.status == "bad_credentials" else "healthy",
        last_operation_status=or_unset(last_status),
        update_time=or_unset(row["update_time"]),
    )


def _config(row: Row) -> Config:
    return Config(
        id=row["id"],
        revision_id=row["revision_id"],
        create_time=row["create_time"],
        created_by=row["created_by"],
        content=msgspec.json.decode(row["content"], type=ConfigContent),
    )
