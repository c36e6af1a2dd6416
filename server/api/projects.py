"""Projects over HTTP: a key sees its own, and no other."""

from typing import Annotated, Any

import msgspec
from litestar import get, patch
from litestar.params import QueryParameter, RawBody
from msgspec import UNSET, Meta, UnsetType

from installations.errors import InvalidInput, Issue
from installations.installation import AccessPolicy, Project, ProjectName
from installations.shape import decode
from server.api.bodies import Malformed, UpdateMask, parse_body, parse_masked
from server.api.provided import Entered, FromAccess, FromApp, takes
from server.connecting.origins import is_origin, is_safe

AppName = Annotated[str, Meta(min_length=1, max_length=128)]


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    """Whether something is granted."""

    value: bool


class Entitlements(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the plan grants. There are no plans here, so everything is granted."""

    branding_removal: Entitlement = Entitlement(value=True)


class EntitledProject(Project, frozen=True, kw_only=True, rename="camel"):
    """A project as the embedded UI asks for it."""

    entitlements: Entitlements | UnsetType = UNSET


class AccessPolicyChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How strictly browsers shall be let in, as a whole: what is not said is the default."""

    require_jwt: bool = False
    strict_connect: bool = False
    allowed_origins: Annotated[tuple[Annotated[str, Meta(max_length=300)], ...], Meta(max_length=100)] = ()


class ProjectChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What may be changed of a project."""

    app_name: AppName | UnsetType = UNSET
    name: ProjectName | UnsetType = UNSET
    access_policy: AccessPolicyChange | UnsetType = UNSET


class UpdateProject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A masked change."""

    update_mask: UpdateMask
    project: ProjectChange


@get("/v1/projects")
async def list_projects(services: FromApp, access: FromAccess) -> list[Project]:
    """List the projects this key opens: one."""
    return [await services.store.project(access.project_id)]


@get("/")
async def get_project(
    services: FromApp,
    project_id: Entered,
    include_entitlements: Annotated[bool, QueryParameter(name="includeEntitlements")] = False,  # noqa: FBT002 -- a query flag
) -> EntitledProject:
    """Show a project."""
    project = await services.store.project(project_id)
    extra = Entitlements() if include_entitlements else UNSET
    return EntitledProject(**msgspec.structs.asdict(project), entitlements=extra)


@patch("/", opt=takes(UpdateProject))
async def update_project(services: FromApp, project_id: Entered, body: RawBody) -> Project:
    """Change names, and how browsers are let in; a project's name is kept in lower case."""
    members = parse_masked(body, UpdateProject)
    if "access_policy" in members:
        members["access_policy"] = _policy(parse_body(body, dict[str, Any])["project"]["accessPolicy"])
    if "name" in members:
        members["name"] = members["name"].lower()
    return await services.store.update_project(project_id, now=services.clock(), **members)


def _policy(given: Any) -> AccessPolicy:
    """Raises `InvalidInput` with every origin that no browser would send, or that anybody on the way could pose as.

    A member that is misspelt is refused, for it would leave a door open that somebody believes to be shut.
    """
    try:
        wanted = decode(given, AccessPolicyChange, path="project.accessPolicy", unknown="refuse")
    except InvalidInput as error:
        raise Malformed(error.issues) from error
    issues = [
        Issue(
            path=f"project.accessPolicy.allowedOrigins[{index}]",
            message=f"{origin!r} is no origin such as https://app.example.com",
            code="bad-value",
            remedy="Scheme, host and port as browsers send them: https, or http on this machine; lower case, no path.",
        )
        for index, origin in enumerate(wanted.allowed_origins)
        if not (is_origin(origin) and is_safe(origin))
    ]
    if issues:
        raise InvalidInput(issues)
    origins = tuple(dict.fromkeys(wanted.allowed_origins))
    return AccessPolicy(require_jwt=wanted.require_jwt, strict_connect=wanted.strict_connect, allowed_origins=origins)
