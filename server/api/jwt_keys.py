"""JWT keys over HTTP: the public halves of the keys with which a builder signs tokens for browsers.

As published, problems of these routes are labelled ``application/json`` and repeat their issues as
``validationIssues``; an update without a value is a 422.
"""

from typing import Annotated, Any, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, RawBody
from msgspec import UNSET, Meta, UnsetType

from installations.errors import InvalidInput, Issue
from installations.installation import JwtKey
from server.access.tokens import read_public_key
from server.api.bodies import Malformed, Name, UpdateMask, parse_body, parse_masked
from server.api.problems import ProblemDocument
from server.api.provided import Entered, FromApp, takes
from server.door.address import unescape
from server.services import Services
from server.store.contract import Missing


class JwtKeyCreated(msgspec.Struct, frozen=True, kw_only=True):
    """The name that tokens give as their ``kid``."""

    kid: str


class CreateJwtKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a new key shall be. ``name`` is another word for ``label``, and RSA for RS256, as in published examples."""

    algorithm: Literal["RS256", "RSA"]
    public_key_pem: Annotated[str, Meta(min_length=1, max_length=20_000)]
    label: Name | UnsetType = UNSET
    name: Name | UnsetType = UNSET


class JwtKeyChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What may be changed of a key."""

    active: bool | UnsetType = UNSET
    label: Name | UnsetType = UNSET
    name: Name | UnsetType = UNSET


class UpdateJwtKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A masked change."""

    update_mask: UpdateMask
    jwt_key: JwtKeyChange


class ValidationIssue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing wrong with the input, as these routes say it."""

    field: str
    detail: str
    value: Any = UNSET
    remedy: str | UnsetType = UNSET


class JwtKeyProblem(ProblemDocument, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A problem of these routes."""

    validation_issues: tuple[ValidationIssue, ...] | UnsetType = UNSET


@post("/jwt-keys", opt=takes(CreateJwtKey))
async def create_jwt_key(services: FromApp, project_id: Entered, body: RawBody) -> JwtKeyCreated:
    """Register a public key; tokens signed with its private half are good at once."""
    wanted = parse_body(body, CreateJwtKey)
    now = services.clock()
    key = JwtKey(
        id=services.new_id(),
        project_id=project_id,
        label=_checked_label(wanted),
        public_key_pem=wanted.public_key_pem,
        active=True,
        create_time=now,
        update_time=now,
    )
    await services.store.add_jwt_key(key)
    return JwtKeyCreated(kid=key.id)


@get("/jwt-keys")
async def list_jwt_keys(
    services: FromApp,
    project_id: Entered,
    active: FromQuery[bool] = False,  # noqa: FBT002 -- a query flag
) -> list[JwtKey]:
    """List keys, oldest first; with ``active=true``, those that are in use."""
    return await services.store.jwt_keys(project_id, active=True if active else None)


@get("/jwt-keys/{key_id:str}")
async def get_jwt_key(services: FromApp, project_id: Entered, key_id: FromPath[str]) -> JwtKey:
    """Show a key."""
    return await _find(services, project_id, key_id)


@patch("/jwt-keys/{key_id:str}", opt=takes(UpdateJwtKey))
async def update_jwt_key(services: FromApp, project_id: Entered, key_id: FromPath[str], body: RawBody) -> JwtKey:
    """Change a key; switching it off takes effect everywhere within a second, for tokens signed before too."""
    members = _changes(body)
    key = await _find(services, project_id, key_id)
    return await services.store.update_jwt_key(project_id, key.id, now=services.clock(), **members)


@delete("/jwt-keys/{key_id:str}")
async def delete_jwt_key(services: FromApp, project_id: Entered, key_id: FromPath[str]) -> None:
    """Remove a key, and with it every token it signed."""
    key = await _find(services, project_id, key_id)
    await services.store.delete_jwt_key(project_id, key.id)


def as_published(document: ProblemDocument) -> JwtKeyProblem:
    """Repeat the issues of a problem under the name that these routes have for them."""
    issues = tuple(
        ValidationIssue(field=issue.name, detail=issue.detail, value=issue.value, remedy=issue.remedy)
        for issue in document.issues or ()
    )
    return JwtKeyProblem(**msgspec.structs.asdict(document), validation_issues=issues or UNSET)


def _checked_label(wanted: CreateJwtKey) -> str:
    """Answer the label. Raises `Malformed` with all that is wrong, as published, with the key too."""
    label, issues = wanted.label or wanted.name or "", []
    if not label:
        issues.append(Issue(path="label", message="is required", code="required"))
    try:
        read_public_key(wanted.public_key_pem)
    except InvalidInput as error:
        issues += error.issues
    if issues:
        raise Malformed(issues)
    return label


def _changes(body: bytes) -> dict[str, Any]:
    """Read a masked change. Raises `Malformed`, and `InvalidInput` where nothing but values is missing."""
    try:
        members = parse_masked(body, UpdateJwtKey)
    except Malformed as error:
        if all(issue.code == "no-value" for issue in error.issues):
            raise InvalidInput(error.issues) from error
        raise
    if "name" in members:
        members = {"label": members.pop("name"), **members}
    return members


async def _find(services: Services, project_id: str, key_id: str) -> JwtKey:
    """Find a key of this project. Raises `Missing`."""
    name = unescape(key_id)
    key = await services.store.jwt_key(name)
    if key is None or key.project_id != project_id:
        raise Missing(f"no JWT key {name!r}")
    return key
