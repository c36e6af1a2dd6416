"""Installations over HTTP: an integration switched on for a group, and what that group chose."""

from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, QueryParameter, RawBody
from msgspec import UNSET, Meta, UnsetType

from installations.errors import InvalidInput, Issue
from installations.install import write_spelled_out
from installations.installation import Installation
from installations.manifest import IntegrationSpec
from installations.mask import apply_mask
from installations.patch import ConfigChange, apply_changes
from server.access.keyring import Access
from server.api.bodies import Malformed, Name, UpdateMask, parse_body
from server.api.provided import Entered, FromAccess, FromApp, takes
from server.door.address import unescape
from server.events import deletion_events, removal_events
from server.installing import Wanted, install
from server.reviewing import Look
from server.revising import Revised, revise
from server.services import Services
from server.store.contract import Missing

GroupRef = Annotated[str | None, QueryParameter(name="groupRef", max_length=255)]
SkipSampling = Annotated[bool, QueryParameter(name="skipSampling")]
"""Published as: do not try the account before saving. No record is read here, so it leaves out the review of the config
against the account's fields; the manifest is minded all the same.
"""


class SubmittedConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A config as clients send it: much may be left out, and ``revisionId`` is ignored."""

    content: dict[str, Any]
    created_by: Name | UnsetType = UNSET
    """Who installs it, such as ``consumer:{ref}`` or ``builder:{id}``. Without it, it is the person whom a browser's
    credential stands for; with a key of a server ``api:create-installation``.
    """


class CreateInstallation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a new installation shall be."""

    group_ref: Name
    config: SubmittedConfig
    connection_id: Name | UnsetType = UNSET


class UpdateInstallation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A masked change. The installation is the client's whole draft, most of it outside the mask."""

    update_mask: UpdateMask
    installation: dict[str, Any]


class PatchConfigContent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Changes of one object's config, by group or by installation."""

    action: Literal["read", "write", "subscribe"]
    changes: Annotated[tuple[ConfigChange, ...], Meta(min_length=1, max_length=1000)]
    group_ref: Name | UnsetType = UNSET
    installation_id: Name | UnsetType = UNSET


@post("/integrations/{integration_id_or_name:str}/installations", opt=takes(CreateInstallation))
async def create_installation(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    body: RawBody,
    skip_sampling: SkipSampling = False,  # noqa: FBT002 -- a query flag
) -> Installation:
    """Switch an integration on for a group. Asking twice for the same is answered with the same installation.

    What the customer's account cannot do is refused, unless it cannot be asked or ``skipSampling`` says not to.
    """
    wanted = parse_body(body, CreateInstallation)
    access.require_person(wanted.group_ref)
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    return await install(
        services,
        access,
        integration,
        Wanted(
            group_ref=wanted.group_ref,
            connection_id=wanted.connection_id,
            content=wanted.config.content,
            created_by=wanted.config.created_by,
        ),
        look="away" if skip_sampling else "live",
    )


@get("/integrations/{integration_id_or_name:str}/installations")
async def list_installations(
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    group_ref: GroupRef = None,
) -> list[Installation]:
    """List the installations of one integration, oldest first; to a browser, one group's only."""
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    access.require_one_group(group_ref)
    if access.hides(group_ref):
        return []
    group_ref = access.group_ref if group_ref is None else group_ref
    return await services.store.installations(project_id, integration_id=integration.id, group_ref=group_ref)


@get("/installations")
async def list_all_installations(
    services: FromApp, access: FromAccess, project_id: Entered, group_ref: GroupRef = None
) -> list[Installation]:
    """List installations across integrations, oldest first; to a browser, one group's only."""
    access.require_one_group(group_ref)
    if access.hides(group_ref):
        return []
    group_ref = access.group_ref if group_ref is None else group_ref
    return await services.store.installations(project_id, group_ref=group_ref)


@get("/integrations/{integration_id_or_name:str}/installations/{installation_id:str}")
async def get_installation(
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
) -> Installation:
    """Show an installation with its latest config."""
    return await find_installation(services, project_id, integration_id_or_name, installation_id, access=access)


@patch("/integrations/{integration_id_or_name:str}/installations/{installation_id:str}", opt=takes(UpdateInstallation))
async def update_installation(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
    body: RawBody,
    skip_sampling: SkipSampling = False,  # noqa: FBT002 -- as above
) -> Installation:
    """Replace what the mask names; what else was submitted is ignored.

    What the change makes and the customer's account cannot do is refused, as for a new installation.
    """
    change = parse_body(body, UpdateInstallation)
    found = await find_installation(services, project_id, integration_id_or_name, installation_id, access=access)
    spec = (await services.store.revision(project_id, found.config.revision_id)).content
    look: Look = "away" if skip_sampling else "live"
    saved = await revise(services, access, found, lambda current: _asked(current, change, spec), look=look)
    return saved.installation


def _asked(current: Installation, change: UpdateInstallation, spec: IntegrationSpec) -> Revised:
    content = current.config.content
    if any(path.startswith("config.content.write.objects.") for path in change.update_mask):
        content = write_spelled_out(spec, content)
    try:
        update = apply_mask(content, change.update_mask, change.installation)
    except InvalidInput as error:
        raise Malformed(error.issues) from error
    return Revised(content=update.content, connection_id=update.connection_id, created_by=update.created_by)


@patch(
    "/integrations/{integration_id_or_name:str}/objects/{object_name:str}/config-content", opt=takes(PatchConfigContent)
)
async def patch_config_content(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    object_name: FromPath[str],
    body: RawBody,
) -> Installation:
    """Change one object's config by JSON Patch: all of the changes, or none."""
    wanted = parse_body(body, PatchConfigContent)
    if (wanted.group_ref is UNSET) == (wanted.installation_id is UNSET):
        raise Malformed([Issue(path="", message="give exactly one of groupRef and installationId", code="required")])
    found = await _named(services, project_id, integration_id_or_name, wanted, access=access)
    name = unescape(object_name)
    spec = (await services.store.revision(project_id, found.config.revision_id)).content
    saved = await revise(services, access, found, lambda current: _patched(current, name, wanted, spec))
    return saved.installation


def _patched(current: Installation, object_name: str, wanted: PatchConfigContent, spec: IntegrationSpec) -> Revised:
    whole = current.config.content
    if wanted.action == "write":
        whole = write_spelled_out(spec, whole)
    content: dict[str, Any] = msgspec.to_builtins(whole)
    section = getattr(whole, wanted.action)
    if section is UNSET or object_name not in section.objects:
        raise Missing(f"The config has no {wanted.action} object {object_name!r}.")
    content[wanted.action]["objects"][object_name] = apply_changes(section.objects[object_name], wanted.changes)
    return Revised(content=content)


async def _named(
    services: Services, project_id: str, integration_id_or_name: str, wanted: PatchConfigContent, *, access: Access
) -> Installation:
    if wanted.installation_id is not UNSET:
        name = wanted.installation_id
        return await find_installation(services, project_id, integration_id_or_name, name, access=access)
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    found = await services.store.installations(
        project_id, integration_id=integration.id, group_ref=wanted.group_ref or ""
    )
    if not found:
        raise Missing(f"Group {wanted.group_ref!r} has not installed this integration.")
    return found[0]


@delete("/integrations/{integration_id_or_name:str}/installations/{installation_id:str}")
async def delete_installation(
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
) -> None:
    """Remove an installation, and its connection if nothing else uses it."""
    found = await find_installation(services, project_id, integration_id_or_name, installation_id, access=access)
    integration = await services.store.integration(project_id, found.integration_id)
    now = services.clock()
    await services.store.delete_installation(
        project_id,
        found.id,
        event_for=deletion_events(new_id=services.new_id, now=now),
        removed=removal_events(integration_name=integration.name, new_id=services.new_id, now=now),
    )


async def find_installation(
    services: Services, project_id: str, integration_id_or_name: str, installation_id: str, *, access: Access
) -> Installation:
    """Find an installation of this very integration by the path's names.

    Raises `Missing`, also for one of a group the caller may not see.
    """
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    name = unescape(installation_id)
    installation = await services.store.installation(project_id, name)
    access.require_sight(installation.group.group_ref, noun="installation", name=name)
    if installation.integration_id != integration.id:
        raise Missing("There is no such installation of this integration.")
    return installation
