"""Editing an installation over HTTP: named changes of what a customer chose, for any language."""

import asyncio
from typing import Annotated

import msgspec
from litestar import post
from litestar.params import FromPath, RawBody
from msgspec import UNSET, Meta, UnsetType

from headless.answers import Edited
from headless.edits import Edit
from server.api.bodies import Name, parse_strictly
from server.api.installations import find_installation
from server.api.provided import Entered, FromAccess, FromApp, takes
from server.editing import edit


class EditInstallation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Changes of an installation's config, made one after the other: all of them, or none."""

    edits: Annotated[tuple[Edit, ...], Meta(min_length=1, max_length=1000)]
    dry_run: bool = False
    """Do everything but save."""
    created_by: Name | UnsetType = UNSET
    """Who changes it; as for an installation."""
    if_config: Name | UnsetType = UNSET
    """The id of the only config that they are meant for: refused with 409 when it is another one by now."""


@post(
    "/integrations/{integration_id_or_name:str}/installations/{installation_id:str}/:edit",
    status_code=200,
    opt=takes(EditInstallation),
)
async def edit_installation(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
    body: RawBody,
) -> Edited:
    """Edit an installation. The edits are made on the config as it is then, so two callers lose nothing."""
    # Edits are many small things with many names; writes must not wait until all are read.
    wanted = await asyncio.to_thread(parse_strictly, body, EditInstallation)
    found = await find_installation(services, project_id, integration_id_or_name, installation_id, access=access)
    return await edit(
        services,
        access,
        found,
        wanted.edits,
        created_by=wanted.created_by,
        if_config=wanted.if_config,
        rehearsal=wanted.dry_run,
    )
