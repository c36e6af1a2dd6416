"""Drafts over HTTP: what saving one would say, and what a write would become under it. For pages that configure."""

from typing import Any

import msgspec
from litestar import post
from litestar.params import FromPath, RawBody
from msgspec import UNSET, UnsetType

from headless.answers import Reviewed
from installations.explain import Explanation
from installations.record import Action, Record
from server.access.keyring import Access
from server.api.bodies import Name, parse_body
from server.api.provided import Entered, FromAccess, FromApp, takes
from server.door.address import unescape
from server.drafting import Draft, Trial, preview, review_draft
from server.services import Services


class ReviewConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A config that nobody has saved."""

    group_ref: Name
    content: dict[str, Any]
    """As for an installation: much may be left out."""
    connection_id: Name | UnsetType = UNSET
    """Without it, that of the group's installation, else the one that installing would take."""
    refresh: bool = False
    """Ask the account again for what it has."""


class PreviewWrite(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A config that nobody has saved, and a write that it is tried on."""

    group_ref: Name
    content: dict[str, Any]
    object_name: Name
    type: Action
    record: Record
    connection_id: Name | UnsetType = UNSET
    match_key: str | UnsetType = UNSET
    current: Record | UnsetType | None = UNSET
    """What the provider has, in its own names, for rules that look at it: ``null`` where it has no such record. Without
    the member, what depends on it is ``pending``.
    """


@post("/integrations/{integration_id_or_name:str}/:review", status_code=200, opt=takes(ReviewConfig))
async def review_config(
    services: FromApp, access: FromAccess, project_id: Entered, integration_id_or_name: FromPath[str], body: RawBody
) -> Reviewed:
    """Say what saving a config would say: errors, which would keep it from being saved, and warnings.

    The config is held against the manifest and, where there is a connection, against the fields of its account.
    """
    wanted = parse_body(body, ReviewConfig)
    draft = await _draft(services, access, project_id, integration_id_or_name, wanted)
    return await review_draft(services, draft, look="anew" if wanted.refresh else "live")


@post("/integrations/{integration_id_or_name:str}/:preview", status_code=200, opt=takes(PreviewWrite))
async def preview_write(
    services: FromApp, access: FromAccess, project_id: Entered, integration_id_or_name: FromPath[str], body: RawBody
) -> Explanation:
    """Explain what a write would send and why, if a config were saved. No provider is called."""
    wanted = parse_body(body, PreviewWrite)
    draft = await _draft(services, access, project_id, integration_id_or_name, wanted)
    trial = Trial(
        object_name=wanted.object_name,
        type=wanted.type,
        record=wanted.record,
        match_key=wanted.match_key,
        current=wanted.current,
    )
    return await preview(services, draft, trial)


async def _draft(
    services: Services, access: Access, project_id: str, name: str, wanted: ReviewConfig | PreviewWrite
) -> Draft:
    """Find what is drafted for. Raises `Forbidden` for a group that the caller may not speak for."""
    access.require_person(wanted.group_ref)
    return Draft(
        integration=await services.store.integration(project_id, unescape(name)),
        group_ref=wanted.group_ref,
        content=wanted.content,
        connection_id=wanted.connection_id,
    )
