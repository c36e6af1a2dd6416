"""API keys over HTTP. A key is shown whole once, when it is made; later only its first characters are."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import delete, get, patch, post
from litestar.params import FromPath, FromQuery, RawBody
from msgspec import UNSET, Meta, UnsetType

from connectors.secret import Veiled
from installations.installation import ApiKey
from server.access.keys import digest, is_well_formed, new_key, shown_prefix
from server.api.bodies import Name, UpdateMask, parse_body, parse_masked
from server.api.provided import Entered, FromApp, takes
from server.door.address import unescape
from server.services import Services
from server.store.contract import Missing

Scope = Literal["full", "frontend"]
Scopes = Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=2)]


class ApiKeyAnswer(Veiled, frozen=True, kw_only=True, rename="camel"):
    """A key as its owner sees it. ``id`` stands wherever the path asks for the key, which then stays out of logs."""

    id: str
    key: str
    """The key itself in the answer that creates it, else its first characters and an ellipsis."""
    label: str
    scopes: tuple[str, ...]
    project_id: str
    active: bool
    create_time: datetime


class CreateApiKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a new key shall be."""

    label: Name
    scopes: Scopes = ("full",)


class ApiKeyChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What may be changed of a key."""

    label: Name | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET


class UpdateApiKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A masked change."""

    update_mask: UpdateMask
    api_key: ApiKeyChange


@post("/api-keys", opt=takes(CreateApiKey))
async def create_api_key(services: FromApp, project_id: Entered, body: RawBody) -> ApiKeyAnswer:
    """Make a key. This is the only time that it is shown."""
    wanted = parse_body(body, CreateApiKey)
    text = new_key()
    key = ApiKey(
        id=services.new_id(),
        project_id=project_id,
        label=wanted.label,
        prefix=shown_prefix(text),
        digest=digest(text),
        scopes=wanted.scopes,
        active=True,
        create_time=services.clock(),
    )
    await services.store.add_api_key(project_id, key)
    return _answer(key, text=text)


@get("/api-keys")
async def list_api_keys(
    services: FromApp,
    project_id: Entered,
    active: FromQuery[bool] = False,  # noqa: FBT002 -- a query flag
) -> list[ApiKeyAnswer]:
    """List keys, oldest first; with ``active=true``, those that are in use."""
    return [_answer(key) for key in await services.store.api_keys(project_id, active=True if active else None)]


@get("/api-keys/{api_key:str}")
async def get_api_key(services: FromApp, project_id: Entered, api_key: FromPath[str]) -> ApiKeyAnswer:
    """Show a key."""
    return _answer(await _find(services, project_id, api_key))


@patch("/api-keys/{api_key:str}", opt=takes(UpdateApiKey))
async def update_api_key(services: FromApp, project_id: Entered, api_key: FromPath[str], body: RawBody) -> ApiKeyAnswer:
    """Change a key; switching it off takes effect everywhere within a second."""
    members = parse_masked(body, UpdateApiKey)
    key = await _find(services, project_id, api_key)
    return _answer(await services.store.update_api_key(project_id, key.id, **members))


@delete("/api-keys/{api_key:str}")
async def delete_api_key(services: FromApp, project_id: Entered, api_key: FromPath[str]) -> None:
    """Remove a key."""
    key = await _find(services, project_id, api_key)
    await services.store.delete_api_key(project_id, key.id)


async def _find(services: Services, project_id: str, key_or_id: str) -> ApiKey:
    """Find a key of this project by itself or by its id. Raises `Missing`."""
    text = unescape(key_or_id)
    wanted = digest(text) if is_well_formed(text) else None
    keys = await services.store.api_keys(project_id)
    found = next((key for key in keys if key.id == text or key.digest == wanted), None)
    if found is None:
        raise Missing("There is no such API key.")
    return found


def _answer(key: ApiKey, *, text: str | None = None) -> ApiKeyAnswer:
    return ApiKeyAnswer(
        id=key.id,
        key=text or f"{key.prefix}…",
        label=key.label,
        scopes=key.scopes,
        project_id=key.project_id,
        active=key.active,
        create_time=key.create_time,
    )
