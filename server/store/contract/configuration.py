"""What the store promises about configuration: integrations, their revisions, and installations."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import Config, Installation, Integration, Revision
from installations.manifest import IntegrationSpec
from server.store.contract.connections import ConnectionEvent, Event

InstallationEvent = Callable[[Installation], Event]
"""Builds the event for an installation that was made, or goes."""
InstallationChange = Callable[[Installation, Installation], Event]
"""Builds the event for an installation that changed: as it is now, and as it was."""


class Integrations(Protocol):
    """Integrations and their immutable revisions."""

    async def deploy(
        self, project_id: str, specs: Sequence[IntegrationSpec], *, spec_version: str, now: datetime, ids: Sequence[str]
    ) -> list[Integration]:
        """Upsert by name, in one transaction; an integration whose content is equal keeps its revision.

        ``ids`` are fresh ids to draw from, two for each spec. A changed ``provider`` of an existing name is allowed
        only while it has no installation; otherwise raises `InUse`.
        """

    async def integrations(self, project_id: str) -> list[Integration]:
        """List with latest revisions, oldest first."""

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one. Raises `Missing`."""

    async def revision(self, project_id: str, revision_id: str) -> Revision:
        """Find any revision, old ones too. Raises `Missing`."""

    async def delete_integration(
        self,
        project_id: str,
        integration_id: str,
        *,
        event_for: ConnectionEvent | None = None,
        removed: InstallationEvent | None = None,
    ) -> None:
        """Remove an integration with its installations and the connections that only they used. Raises `Missing`.

        ``event_for`` builds what is told of each of these connections, ``removed`` what is told of each installation,
        in the same transaction.
        """


class NewInstallation(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an installation."""

    id: str
    project_id: str
    integration_id: str
    connection_id: str
    group_ref: str
    created_by: str
    config: Config
    now: datetime


class Installations(Protocol):
    """Integrations switched on for groups."""

    async def create_installation(
        self, new: NewInstallation, *, event_for: InstallationEvent | None = None
    ) -> Installation:
        """Store one with its first config. Raises `Taken` if (integration, group) has one, `Missing` for dead ids.

        ``event_for`` builds what is told of it, in the same transaction.
        """

    async def installations(
        self, project_id: str, *, integration_id: str | None = None, group_ref: str | None = None
    ) -> list[Installation]:
        """List, oldest first."""

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one. Raises `Missing`."""

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
        """Add a config revision, or swap the connection. Raises `Missing`.

        ``if_config`` is the config id the change was made from; raises `Superseded` if it is no longer the latest.
        ``event_for`` builds what is told of it, in the same transaction.
        """

    async def delete_installation(
        self,
        project_id: str,
        installation_id: str,
        *,
        event_for: ConnectionEvent | None = None,
        removed: InstallationEvent | None = None,
    ) -> None:
        """Remove one, and its connection if nothing else uses it. Operations stay readable. Raises `Missing`.

        ``event_for`` builds what is told of that connection, ``removed`` what is told of the installation, in the same
        transaction.
        """
