"""Schema checks over HTTP: whether installations still fit their customers' accounts, and why not."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath, QueryParameter
from msgspec import UNSET, UnsetType

from installations.errors import Issue
from installations.installation import Installation
from server.api.installations import GroupRef, find_installation
from server.api.provided import Entered, FromAccess, FromApp
from server.schema_checks import Turn, check_schema
from server.services import Services
from server.store.contract import SchemaCheck

Status = Literal["broken", "sound", "unchecked"]
OfIntegration = Annotated[str | None, QueryParameter(name="integrationId", max_length=255)]


class SchemaCheckView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was found when an installation was last compared with its account."""

    installation_id: str
    integration_id: str
    integration_name: str
    group_ref: str
    connection_id: str
    provider: str
    status: Status
    """``unchecked`` until the first time."""
    issues: tuple[Issue, ...] = ()
    """Those that break something come first."""
    check_time: datetime | UnsetType = UNSET
    config_id: str | UnsetType = UNSET
    """The config that was compared; the installation may have another by now."""
    broken_since: datetime | UnsetType = UNSET
    turn: Turn | UnsetType = UNSET
    """Where it was checked just now: whether it ``broke`` or is ``mended`` since the time before."""


@get("/integrations/{integration_id_or_name:str}/installations/{installation_id:str}/:schema-check")
async def get_schema_check(
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
) -> SchemaCheckView:
    """Show what was last found. Nobody is asked."""
    found = await find_installation(services, project_id, integration_id_or_name, installation_id, access=access)
    return await _view(services, found, await services.store.schema_check(project_id, found.id))


@post("/integrations/{integration_id_or_name:str}/installations/{installation_id:str}/:schema-check", status_code=200)
async def run_schema_check(
    services: FromApp,
    access: FromAccess,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
) -> SchemaCheckView:
    """Compare an installation with its account as that is now, and keep what is found."""
    found = await find_installation(services, project_id, integration_id_or_name, installation_id, access=access)
    checked = await check_schema(services, found, anew=True)
    return await _view(services, found, checked.check, turn=checked.turn)


@get("/schema-checks")
async def list_schema_checks(
    services: FromApp,
    project_id: Entered,
    integration_id: OfIntegration = None,
    group_ref: GroupRef = None,
    status: Annotated[Status | None, QueryParameter(name="status")] = None,
) -> list[SchemaCheckView]:
    """List what was last found in each installation, oldest installations first. ``integrationId`` may be a name."""
    wanted = await services.store.integration(project_id, integration_id) if integration_id is not None else None
    installations = await services.store.installations(
        project_id, integration_id=wanted.id if wanted else None, group_ref=group_ref
    )
    names = {each.id: each.name for each in await services.store.integrations(project_id)}
    checks = {each.installation_id: each for each in await services.store.schema_checks(project_id)}
    views = [build_view(each, checks.get(each.id), name=names.get(each.integration_id, "")) for each in installations]
    return [each for each in views if status in (None, each.status)]


async def _view(
    services: Services, installation: Installation, check: SchemaCheck | None, *, turn: Turn | UnsetType = UNSET
) -> SchemaCheckView:
    integration = await services.store.integration(installation.project_id, installation.integration_id)
    return msgspec.structs.replace(build_view(installation, check, name=integration.name), turn=turn)


def build_view(installation: Installation, check: SchemaCheck | None, *, name: str) -> SchemaCheckView:
    """Put an installation and its last check together; ``name`` is the integration's."""
    view = SchemaCheckView(
        installation_id=installation.id,
        integration_id=installation.integration_id,
        integration_name=name,
        group_ref=installation.group.group_ref,
        connection_id=installation.connection.id,
        provider=installation.connection.provider,
        status="unchecked",
    )
    if check is None:
        return view
    return msgspec.structs.replace(
        view,
        status="broken" if check.broken else "sound",
        issues=check.issues,
        check_time=check.check_time,
        config_id=check.config_id,
        broken_since=check.broken_since or UNSET,
    )
