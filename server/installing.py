"""The use case of installing: from what a client sent to a config that stands, checked against its manifest."""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import ConfigContent
from installations.config_checks import check_config
from installations.errors import InvalidInput, Issue, invalid
from installations.install import build_config
from installations.installation import Config, Connection, Installation, Integration, Revision
from server.access.keyring import Access
from server.deployments import provider_facts
from server.events import creation_of_installation, installation_change
from server.services import Services
from server.store.contract import Missing, NewInstallation, Superseded, Taken

_RACES = 5


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An installation as it was asked for."""

    group_ref: str
    content: dict[str, Any]
    created_by: str | UnsetType = UNSET
    connection_id: str | UnsetType = UNSET


async def install(services: Services, access: Access, integration: Integration, wanted: Wanted) -> Installation:
    """Install under the latest revision. Raises `InvalidInput` with every issue.

    There is one installation for each (integration, group): asking again for what is there answers it, asking for
    something else is an `InvalidInput`.
    """
    connection = await _connection(services, integration, wanted)
    content = checked_content(services, integration.latest_revision, wanted.content, connection=connection)
    created_by = wanted.created_by or author(access, connection, act="create-installation")
    now = services.clock()
    new = NewInstallation(
        id=services.new_id(),
        project_id=integration.project_id,
        integration_id=integration.id,
        connection_id=connection.id,
        group_ref=wanted.group_ref,
        created_by=created_by,
        config=new_config(services, content, revision_id=integration.latest_revision.id, created_by=created_by),
        now=now,
    )
    try:
        told = creation_of_installation(integration_name=integration.name, event_id=services.new_id(), now=now)
        return await services.store.create_installation(new, event_for=told)
    except Taken as error:
        return await _existing(services, new, existing_id=error.existing_id)


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """What an update asks for; `UNSET` stays as it is."""

    content: dict[str, Any] | UnsetType = UNSET
    connection_id: str | UnsetType = UNSET
    created_by: str | UnsetType = UNSET


def author(access: Access, connection: Connection, *, act: str) -> str:
    """Name who acts, where they do not say: the person in front of the page, or the API itself (published).

    A frontend key names nobody, so there it is the person who connected.
    """
    if access.reach == "full":
        return f"api:{act}"
    return f"consumer:{access.consumer_ref or connection.consumer.consumer_ref}"


async def revise(
    services: Services, access: Access, installation: Installation, ask: Callable[[Installation], Revised]
) -> Installation:
    """Change an installation. ``ask`` works out the change from what is there, again if somebody was faster.

    A changed config is judged by the latest revision, which is what the customer's form shows, and moves to it; where
    it cannot (the latest dropped an object that this customer still has), it stays with its own revision.
    Raises `InvalidInput` with every issue, and `Superseded` after several races.
    """
    current = installation
    for _ in range(_RACES):
        try:
            return await _revise(services, access, current, ask(current))
        except Superseded:
            current = await services.store.installation(current.project_id, current.id)
    raise Superseded("The installation is being changed by others; try again.")


async def _revise(services: Services, access: Access, current: Installation, asked: Revised) -> Installation:
    connection = current.connection
    if asked.connection_id is not UNSET:
        connection = await usable_connection(
            services, current.project_id, asked.connection_id, group_ref=current.group.group_ref
        )
    config = await _revised_config(services, access, current, asked, connection=connection)
    integration = await services.store.integration(current.project_id, current.integration_id)
    now = services.clock()
    return await services.store.update_installation(
        current.project_id,
        current.id,
        now=now,
        if_config=current.config.id,
        config=config,
        connection_id=asked.connection_id,
        event_for=installation_change(integration_name=integration.name, event_id=services.new_id(), now=now),
    )


async def _revised_config(
    services: Services, access: Access, current: Installation, asked: Revised, *, connection: Connection
) -> Config | UnsetType:
    own = await services.store.revision(current.project_id, current.config.revision_id)
    if asked.content is UNSET:
        submitted = msgspec.to_builtins(current.config.content)
        content, revision = checked_content(services, own, submitted, connection=connection), own
        if asked.created_by is UNSET:
            return UNSET
    else:
        content, revision = await _judged(services, current, asked.content, connection=connection, own=own)
    created_by = asked.created_by or author(access, connection, act="update-installation")
    return new_config(services, content, revision_id=revision.id, created_by=created_by)


async def _judged(
    services: Services, current: Installation, submitted: dict[str, Any], *, connection: Connection, own: Revision
) -> tuple[ConfigContent, Revision]:
    integration = await services.store.integration(current.project_id, current.integration_id)
    latest = integration.latest_revision
    try:
        return checked_content(services, latest, submitted, connection=connection), latest
    except InvalidInput:
        if own.id == latest.id:
            raise
        return checked_content(services, own, submitted, connection=connection), own


def checked_content(services: Services, revision: Revision, submitted: Any, *, connection: Connection) -> ConfigContent:
    """Fill in and check a config. Raises `InvalidInput` with every issue."""
    content = build_config(revision.content, submitted)
    provider = provider_facts(services).get(connection.provider)
    issues = check_config(revision.content, content, provider=provider)
    if any(issue.severity == "error" for issue in issues):
        raise InvalidInput(issues)
    return content


def new_config(services: Services, content: ConfigContent, *, revision_id: str, created_by: str) -> Config:
    """Make a config revision."""
    return Config(
        id=services.new_id(),
        revision_id=revision_id,
        create_time=services.clock(),
        created_by=created_by,
        content=content,
    )


async def usable_connection(services: Services, project_id: str, connection_id: str, *, group_ref: str) -> Connection:
    """Find a connection of this group. Raises `InvalidInput`, alike for an unknown one and for another group's."""
    unknown = invalid("connectionId", "the group has no such connection", code="unknown-connection")
    try:
        connection = await services.store.connection(project_id, connection_id)
    except Missing as error:
        raise unknown from error
    if connection.group.group_ref != group_ref:
        raise unknown
    return connection


async def _connection(services: Services, integration: Integration, wanted: Wanted) -> Connection:
    if wanted.connection_id is not UNSET:
        return await usable_connection(
            services, integration.project_id, wanted.connection_id, group_ref=wanted.group_ref
        )
    found = await services.store.connections(
        integration.project_id, provider=integration.provider, group_ref=wanted.group_ref
    )
    if not found:
        message = f"group {wanted.group_ref!r} has no connection to {integration.provider}"
        remedy = "Make one with oauth-connect or connections:generate, or name one in connectionId."
        raise invalid("connectionId", message, code="required", remedy=remedy)
    return found[0]


async def _existing(services: Services, new: NewInstallation, *, existing_id: str) -> Installation:
    existing = await services.store.installation(new.project_id, existing_id)
    if existing.config.content == new.config.content and existing.connection.id == new.connection_id:
        return existing
    message = f"group {new.group_ref!r} has installed this integration already, with another config or connection"
    issue = Issue(
        path="groupRef", message=message, code="already-installed", remedy=f"Update installation {existing.id} instead."
    )
    raise InvalidInput([issue])
