"""The use case of installing: from what a client sent to a config that stands, checked against its manifest."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import ConfigContent
from installations.errors import InvalidInput, Issue, invalid
from installations.installation import Config, Connection, Installation, Integration
from server.access.keyring import Access
from server.events import creation_of_installation
from server.reviewing import Look, judge
from server.services import Services
from server.store.contract import Missing, NewInstallation, Taken


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """An installation as it was asked for."""

    group_ref: str
    content: dict[str, Any]
    created_by: str | UnsetType = UNSET
    connection_id: str | UnsetType = UNSET


async def install(
    services: Services, access: Access, integration: Integration, wanted: Wanted, *, look: Look = "live"
) -> Installation:
    """Install under the latest revision. Raises `InvalidInput` with every issue.

    There is one installation for each (integration, group): asking again for what is there answers it, asking for
    something else is an `InvalidInput`. ``look`` says whether the config is held against the customer's account too.
    """
    connection, latest = await _connection(services, integration, wanted), integration.latest_revision
    there = await services.store.installations(
        integration.project_id, integration_id=integration.id, group_ref=wanted.group_ref
    )
    # What is there already is answered whatever has become of the account since.
    judged = await judge(services, (latest,), wanted.content, connection=connection, look="away" if there else look)
    judged.require_sound()
    created_by = wanted.created_by or author(access, connection, act="create-installation")
    now = services.clock()
    new = NewInstallation(
        id=services.new_id(),
        project_id=integration.project_id,
        integration_id=integration.id,
        connection_id=connection.id,
        group_ref=wanted.group_ref,
        created_by=created_by,
        config=new_config(services, judged.content, revision_id=latest.id, created_by=created_by),
        now=now,
    )
    try:
        told = creation_of_installation(integration_name=integration.name, event_id=services.new_id(), now=now)
        return await services.store.create_installation(new, event_for=told)
    except Taken as error:
        return await _existing(services, new, existing_id=error.existing_id)


def author(access: Access, connection: Connection, *, act: str) -> str:
    """Name who acts, where they do not say: the person in front of the page, or the API itself (published).

    A frontend key names nobody, so there it is the person who connected.
    """
    if access.reach == "full":
        return f"api:{act}"
    return f"consumer:{access.consumer_ref or connection.consumer.consumer_ref}"


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


async def found_connection(
    services: Services, integration: Integration, *, group_ref: str, connection_id: str | UnsetType = UNSET
) -> Connection | None:
    """Find the connection that a group would install over: the one it names, else its best one; `None` without any.

    Raises `InvalidInput` for one that is not the group's.
    """
    if connection_id is not UNSET:
        return await usable_connection(services, integration.project_id, connection_id, group_ref=group_ref)
    found = await services.store.connections(integration.project_id, provider=integration.provider, group_ref=group_ref)
    return found[0] if found else None


async def _connection(services: Services, integration: Integration, wanted: Wanted) -> Connection:
    found = await found_connection(
        services, integration, group_ref=wanted.group_ref, connection_id=wanted.connection_id
    )
    if found is None:
        message = f"group {wanted.group_ref!r} has no connection to {integration.provider}"
        remedy = "Make one with oauth-connect or connections:generate, or name one in connectionId."
        raise invalid("connectionId", message, code="required", remedy=remedy)
    return found


async def _existing(services: Services, new: NewInstallation, *, existing_id: str) -> Installation:
    existing = await services.store.installation(new.project_id, existing_id)
    if existing.config.content == new.config.content and existing.connection.id == new.connection_id:
        return existing
    message = f"group {new.group_ref!r} has installed this integration already, with another config or connection"
    issue = Issue(
        path="groupRef", message=message, code="already-installed", remedy=f"Update installation {existing.id} instead."
    )
    raise InvalidInput([issue])
