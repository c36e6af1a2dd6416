"""Connections in memory."""

from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import Connection, ConnectionStatus, Consumer, Group, MetadataValue, ProviderApp
from server.store.contract import Event, InUse, NewConnection, StoredCredentials, Superseded
from server.store.memory.shelf import Shelf, find, of, oldest_first
from server.store.memory.tenants import replaced

USABLE_FIRST: dict[str, int] = {"working": 0, "created": 1, "bad_credentials": 2}


class MemoryConnections(Shelf):
    """Implements `contract.Connections`."""

    async def create_connection(self, new: NewConnection, *, event: Event | None = None) -> Connection:
        """Store a connection, and its group and consumer where they are new."""
        self.require_project(new.project_id)
        app: ProviderApp | UnsetType = UNSET
        if new.provider_app_id is not UNSET:
            app = find(self.apps, new.project_id, new.provider_app_id, noun="provider app")
        self.changed()
        self._keep_people(new)
        self._seal(new.id, new.credentials)
        self._keep_alive(new.id, new.keep_alive_at)
        self.tell(new.project_id, event)
        self.connections_by_id[new.id] = Connection(
            id=new.id,
            project_id=new.project_id,
            provider=new.provider,
            group=self.groups[new.project_id, new.group_ref],
            consumer=self.consumers[new.project_id, new.consumer_ref],
            auth_scheme=new.auth_scheme,
            status=new.status,
            create_time=new.now,
            provider_app=app,
            provider_workspace_ref=new.provider_workspace_ref,
            provider_consumer_ref=new.provider_consumer_ref,
            provider_metadata=UNSET if new.provider_metadata is UNSET else dict(new.provider_metadata),
        )
        return self.connections_by_id[new.id]

    async def connections(
        self,
        project_id: str,
        *,
        provider: str | None = None,
        group_ref: str | None = None,
        consumer_ref: str | None = None,
    ) -> list[Connection]:
        """List: usable ones first, then newest first."""
        newest = reversed(oldest_first(of(self.connections_by_id, project_id)))
        found = [
            self.shown(connection)
            for connection in newest
            if provider in (None, connection.provider)
            and group_ref in (None, connection.group.group_ref)
            and consumer_ref in (None, connection.consumer.consumer_ref)
        ]
        return sorted(found, key=lambda connection: USABLE_FIRST[connection.status])

    async def connection(self, project_id: str, connection_id: str) -> Connection:
        """Find one."""
        return self.shown(find(self.connections_by_id, project_id, connection_id, noun="connection"))

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
        connection = find(self.connections_by_id, project_id, connection_id, noun="connection")
        app: ProviderApp | UnsetType = UNSET
        if provider_app_id is not UNSET:
            app = find(self.apps, project_id, provider_app_id, noun="provider app")
        self._require_version(connection_id, if_version)
        self.changed()
        self.tell(project_id, event)
        if credentials is not UNSET:
            self._seal(connection_id, credentials)
        self._keep_alive(connection_id, keep_alive_at)
        changes: dict[str, object] = {
            "update_time": now,
            "status": status,
            "provider_app": app,
            "provider_workspace_ref": provider_workspace_ref,
            "provider_consumer_ref": provider_consumer_ref,
            "provider_metadata": UNSET if provider_metadata is UNSET else dict(provider_metadata),
        }
        self.connections_by_id[connection_id] = replaced(connection, changes)
        return self.shown(self.connections_by_id[connection_id])

    async def delete_connection(self, project_id: str, connection_id: str, *, event: Event | None = None) -> None:
        """Remove one that no installation uses."""
        find(self.connections_by_id, project_id, connection_id, noun="connection")
        if any(user.connection.id == connection_id for user in self.installations_by_id.values()):
            raise InUse(f"the connection {connection_id!r} is used by an installation; delete that first")
        self.changed()
        self.tell(project_id, event)
        self.forget_connection(connection_id)

    async def credentials(self, project_id: str, connection_id: str) -> StoredCredentials:
        """Open the credentials."""
        found = find(self.connections_by_id, project_id, connection_id, noun="connection").id
        return StoredCredentials(content=self.secrets[found], version=self.credential_versions[found])

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
        """Store renewed tokens. Only one that heals is a change of configuration."""
        connection = find(self.connections_by_id, project_id, connection_id, noun="connection")
        self._require_version(connection_id, if_version)
        if connection.status == "bad_credentials":
            self.changed()
            self.tell(project_id, event)
            connection = msgspec.structs.replace(connection, status="working")
        else:
            self.tell(project_id, refreshed)
        self._seal(connection_id, credentials)
        self._keep_alive(connection_id, keep_alive_at)
        self.connections_by_id[connection_id] = msgspec.structs.replace(connection, update_time=now)
        return self.credential_versions[connection_id]

    async def dying_connections(self, *, now: datetime, limit: int) -> list[Connection]:
        """List connections of any project whose refresh token must be used now, the most urgent first."""
        urgent = sorted((time, name) for name, time in self.keep_alive.items() if time <= now)
        found = [self.shown(self.connections_by_id[name]) for _, name in urgent]
        return [connection for connection in found if connection.status != "bad_credentials"][:limit]

    def _seal(self, connection_id: str, credentials: bytes) -> None:
        self.secrets[connection_id] = credentials
        self.credential_versions[connection_id] = self.credential_versions.get(connection_id, 0) + 1

    def _require_version(self, connection_id: str, version: int | None) -> None:
        if version not in (None, self.credential_versions[connection_id]):
            raise Superseded(f"the credentials of connection {connection_id!r} are no longer of version {version}")

    def _keep_alive(self, connection_id: str, time: datetime | UnsetType | None) -> None:
        if time is None:
            self.keep_alive.pop(connection_id, None)
        elif time is not UNSET:
            self.keep_alive[connection_id] = time

    def shown(self, connection: Connection) -> Connection:
        """Show people under their latest names."""
        place = connection.project_id
        return msgspec.structs.replace(
            connection,
            group=self.groups[place, connection.group.group_ref],
            consumer=self.consumers[place, connection.consumer.consumer_ref],
        )

    def _keep_people(self, new: NewConnection) -> None:
        self.keep_group(new.project_id, new.group_ref, now=new.now, name=new.group_name)
        known = self.consumers.get((new.project_id, new.consumer_ref))
        if known is None or new.consumer_name is not UNSET:
            self.consumers[new.project_id, new.consumer_ref] = Consumer(
                consumer_ref=new.consumer_ref,
                consumer_name=new.consumer_name or new.consumer_ref,
                project_id=new.project_id,
                create_time=known.create_time if known else new.now,
            )

    def keep_group(self, project_id: str, ref: str, *, now: datetime, name: str | UnsetType = UNSET) -> None:
        """Make a group, or rename it when a name is given."""
        known = self.groups.get((project_id, ref))
        if known is None or name is not UNSET:
            self.groups[project_id, ref] = Group(
                group_ref=ref,
                group_name=name or ref,
                project_id=project_id,
                create_time=known.create_time if known else now,
            )
