"""The use case of changing an installation: its config, its connection, or both at once."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.errors import Issue
from installations.installation import Config, Connection, Installation, Integration, Revision
from server.access.keyring import Access
from server.events import installation_change
from server.installing import author, new_config, usable_connection
from server.reviewing import Look, judge
from server.services import Services
from server.store.contract import Superseded

replace = msgspec.structs.replace

_RACES = 5


class Revised(msgspec.Struct, frozen=True, kw_only=True):
    """What an update asks for; `UNSET` stays as it is, and where all of it does, nothing is saved."""

    content: dict[str, Any] | UnsetType = UNSET
    connection_id: str | UnsetType = UNSET
    created_by: str | UnsetType = UNSET


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    installation: Installation
    """As it is now; in a rehearsal, as it would be. The config of a rehearsal has an id that nothing else has."""
    before: Installation
    """What the change was made to."""
    issues: tuple[Issue, ...] = ()
    """Warnings: what may go wrong with the config as it is now."""


async def revise(
    services: Services,
    access: Access,
    installation: Installation,
    ask: Callable[[Installation], Revised],
    *,
    look: Look = "live",
    rehearsal: bool = False,
) -> Saved:
    """Change an installation. ``ask`` works out the change from what is there, again if somebody was faster.

    A changed config is judged by the latest revision, which is what the customer's form shows, and moves to it; where
    it cannot (the latest dropped an object that this customer still has), it stays with its own revision. It is held
    against the customer's account too, unless ``look`` says not to; what was wrong with the config before is a warning.
    A ``rehearsal`` does all of it but save.

    Raises what ``ask`` raises, `InvalidInput` with every issue, and `Superseded` after several races.
    """
    current = installation
    for _ in range(_RACES):
        asked = await asyncio.to_thread(ask, current)  # a thousand edits of a large config take a while
        try:
            return await _revise(services, access, current, asked, look=look, rehearsal=rehearsal)
        except Superseded:
            current = await services.store.installation(current.project_id, current.id)
    raise Superseded("The installation is being changed by others; try again.")


async def _revise(
    services: Services, access: Access, current: Installation, asked: Revised, *, look: Look, rehearsal: bool
) -> Saved:
    connection = current.connection
    if asked.connection_id is not UNSET:
        connection = await usable_connection(
            services, current.project_id, asked.connection_id, group_ref=current.group.group_ref
        )
    config, issues = await _revised_config(services, access, current, asked, connection=connection, look=look)
    if rehearsal or (config is UNSET and asked.connection_id is UNSET):
        after = replace(current, connection=connection, config=config or current.config)
    else:
        after = await _save(services, current, asked, config)
    return Saved(installation=after, before=current, issues=issues)


async def _save(services: Services, current: Installation, asked: Revised, config: Config | UnsetType) -> Installation:
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
    services: Services, access: Access, current: Installation, asked: Revised, *, connection: Connection, look: Look
) -> tuple[Config | UnsetType, tuple[Issue, ...]]:
    # Of another account nothing is old: whatever it lacks is this change's doing.
    moved = connection.id != current.connection.id
    if asked.content is UNSET:
        submitted = msgspec.to_builtins(current.config.content)
        revisions: tuple[Revision, ...] = (await _own(services, current),)
        look = look if moved else "away"
    else:
        integration = await services.store.integration(current.project_id, current.integration_id)
        revisions, submitted = await revisions_for(services, integration, current), asked.content
    standing = None if moved else current.config.content
    judged = await judge(services, revisions, submitted, connection=connection, standing=standing, look=look)
    judged.require_sound()
    if asked.content is UNSET and asked.created_by is UNSET:
        return UNSET, judged.issues
    created_by = asked.created_by or author(access, connection, act="update-installation")
    return new_config(services, judged.content, revision_id=judged.revision.id, created_by=created_by), judged.issues


async def revisions_for(
    services: Services, integration: Integration, installation: Installation
) -> tuple[Revision, ...]:
    """List the revisions that may judge a changed config: the latest, then the installation's own."""
    latest = integration.latest_revision
    if latest.id == installation.config.revision_id:
        return (latest,)
    return latest, await _own(services, installation)


async def _own(services: Services, current: Installation) -> Revision:
    return await services.store.revision(current.project_id, current.config.revision_id)
