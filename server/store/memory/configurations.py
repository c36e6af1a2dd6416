"""Integrations and installations in memory."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import Config, Installation, Integration, Revision
from installations.manifest import IntegrationSpec
from installations.operation import public_status
from server.store.contract import (
    ConnectionEvent,
    InstallationChange,
    InstallationEvent,
    InUse,
    Missing,
    NewInstallation,
    Superseded,
    Taken,
)
from server.store.memory.connections import MemoryConnections
from server.store.memory.shelf import find, of, oldest_first
from server.store.memory.tenants import replaced


class MemoryIntegrations(MemoryConnections):
    """Implements `contract.Integrations`."""

    async def deploy(
        self, project_id: str, specs: Sequence[IntegrationSpec], *, spec_version: str, now: datetime, ids: Sequence[str]
    ) -> list[Integration]:
        """Upsert by name; equal content keeps its revision."""
        self.require_project(project_id)
        known = {integration.name: integration for integration in of(self.integrations_by_id, project_id)}
        fresh: list[Integration] = []
        for spec, integration_id, revision_id in zip(specs, ids[::2], ids[1::2], strict=False):
            revision = Revision(id=revision_id, spec_version=spec_version, create_time=now, content=spec)
            known[spec.name] = self._deployed(
                known.get(spec.name), project_id=project_id, integration_id=integration_id, revision=revision
            )
            fresh.append(known[spec.name])
        self.changed()
        for integration in fresh:
            self.integrations_by_id[integration.id] = integration
            self.revisions[integration.latest_revision.id] = (integration.id, integration.latest_revision)
        return [known[spec.name] for spec in specs]

    async def integrations(self, project_id: str) -> list[Integration]:
        """List with latest revisions, oldest first."""
        return oldest_first(of(self.integrations_by_id, project_id))

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one; an id stands before a name."""
        found = of(self.integrations_by_id, project_id)
        for integration in sorted(found, key=lambda one: one.id != id_or_name):
            if id_or_name in (integration.id, integration.name):
                return integration
        raise Missing(f"no integration {id_or_name!r}")

    async def revision(self, project_id: str, revision_id: str) -> Revision:
        """Find any revision."""
        integration_id, revision = self.revisions.get(revision_id, ("", None))
        integration = self.integrations_by_id.get(integration_id)
        if revision is None or integration is None or integration.project_id != project_id:
            raise Missing(f"no revision {revision_id!r}")
        return revision

    async def delete_integration(
        self,
        project_id: str,
        integration_id: str,
        *,
        event_for: ConnectionEvent | None = None,
        removed: InstallationEvent | None = None,
    ) -> None:
        """Remove an integration with its revisions, its installations and the connections only they used."""
        find(self.integrations_by_id, project_id, integration_id, noun="integration")
        self.changed()
        for installation in list(self.installations_by_id.values()):
            if installation.integration_id == integration_id:
                remove_installation(self, installation, event_for, removed)
        del self.integrations_by_id[integration_id]
        self.revisions = {key: pair for key, pair in self.revisions.items() if pair[0] != integration_id}

    def _deployed(
        self, known: Integration | None, *, project_id: str, integration_id: str, revision: Revision
    ) -> Integration:
        """Tell what an integration becomes."""
        spec = revision.content
        if known is None:
            return Integration(
                id=integration_id,
                project_id=project_id,
                name=spec.name,
                provider=spec.provider,
                create_time=revision.create_time,
                latest_revision=revision,
            )
        latest = known.latest_revision
        if (latest.content, latest.spec_version) == (spec, revision.spec_version):
            return known
        in_use = any(one.integration_id == known.id for one in self.installations_by_id.values())
        if spec.provider != known.provider and in_use:
            raise InUse(f"{spec.name!r} has installations at {known.provider!r}; its provider cannot change")
        return msgspec.structs.replace(
            known, provider=spec.provider, latest_revision=revision, update_time=revision.create_time
        )


class MemoryInstallations(MemoryIntegrations):
    """Implements `contract.Installations`."""

    async def create_installation(
        self, new: NewInstallation, *, event_for: InstallationEvent | None = None
    ) -> Installation:
        """Store one with its first config."""
        find(self.integrations_by_id, new.project_id, new.integration_id, noun="integration")
        connection = find(self.connections_by_id, new.project_id, new.connection_id, noun="connection")
        await self.revision(new.project_id, new.config.revision_id)
        for other in of(self.installations_by_id, new.project_id):
            if (other.integration_id, other.group.group_ref) == (new.integration_id, new.group_ref):
                raise Taken(f"the group {new.group_ref!r} has this integration already", existing_id=other.id)
        self.changed()
        self.keep_group(new.project_id, new.group_ref, now=new.now)
        self.installations_by_id[new.id] = Installation(
            id=new.id,
            project_id=new.project_id,
            integration_id=new.integration_id,
            group=self.groups[new.project_id, new.group_ref],
            connection=connection,
            create_time=new.now,
            created_by=new.created_by,
            config=new.config,
        )
        made = as_now(self, self.installations_by_id[new.id])
        self.tell(new.project_id, event_for(made) if event_for else None)
        return made

    async def installations(
        self, project_id: str, *, integration_id: str | None = None, group_ref: str | None = None
    ) -> list[Installation]:
        """List, oldest first."""
        return [
            as_now(self, installation)
            for installation in oldest_first(of(self.installations_by_id, project_id))
            if integration_id in (None, installation.integration_id)
            and group_ref in (None, installation.group.group_ref)
        ]

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one."""
        return as_now(self, find(self.installations_by_id, project_id, installation_id, noun="installation"))

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
        installation = find(self.installations_by_id, project_id, installation_id, noun="installation")
        if installation.config.id != if_config:
            raise Superseded(f"the config of installation {installation_id!r} was changed meanwhile")
        changes: dict[str, object] = {"update_time": now, "config": config}
        if connection_id is not UNSET:
            changes["connection"] = find(self.connections_by_id, project_id, connection_id, noun="connection")
        if config is not UNSET:
            await self.revision(project_id, config.revision_id)
        before = as_now(self, installation)
        self.changed()
        self.installations_by_id[installation_id] = replaced(installation, changes)
        after = as_now(self, self.installations_by_id[installation_id])
        self.tell(project_id, event_for(after, before) if event_for else None)
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
        installation = find(self.installations_by_id, project_id, installation_id, noun="installation")
        self.changed()
        remove_installation(self, installation, event_for, removed)


def as_now(shelf: MemoryConnections, installation: Installation) -> Installation:
    """Show an installation with everything it points at as that is now."""
    connection = shelf.shown(shelf.connections_by_id[installation.connection.id])
    writes = [one for one in shelf.operations_by_id.values() if one.installation_id == installation.id]
    newest = max(writes, key=lambda one: (one.create_time, one.id), default=None)
    return msgspec.structs.replace(
        installation,
        group=shelf.groups[installation.project_id, installation.group.group_ref],
        connection=connection,
        health_status="unhealthy" if connection.status == "bad_credentials" else "healthy",
        last_operation_status=public_status(newest.state) if newest else UNSET,
    )


def remove_installation(
    shelf: MemoryConnections,
    installation: Installation,
    event_for: ConnectionEvent | None,
    removed: InstallationEvent | None,
) -> None:
    """Take an installation away, and its connection if nothing else uses it."""
    shelf.tell(installation.project_id, removed(as_now(shelf, installation)) if removed else None)
    del shelf.installations_by_id[installation.id]
    used = {one.connection.id for one in shelf.installations_by_id.values()}
    if installation.connection.id in used:
        return
    connection = shelf.shown(shelf.connections_by_id[installation.connection.id])
    shelf.tell(connection.project_id, event_for(connection) if event_for else None)
    shelf.forget_connection(connection.id)
