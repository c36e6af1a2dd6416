"""What an operator does to the database itself: a first project, another key."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from connectors.secret import Veiled
from installations.installation import ApiKey, Project, ProjectName
from server.access.keys import digest, new_key, shown_prefix
from server.clock import new_id, utc_now
from server.settings import Settings
from server.store.contract import Store
from server.store.opening import open_store


class NewProject(Veiled, frozen=True, kw_only=True, rename="camel"):
    """A project and the key to it, shown this once."""

    project_id: str
    project_name: str
    api_key: str


class BadName(Exception):
    """The name cannot be a project's; the message says what can."""


async def create_project(settings: Settings, *, name: str) -> NewProject:
    """Make a project with a full key. Raises `BadName`, `Taken`, `Unavailable` and `SettingsError`."""
    try:
        checked = msgspec.convert(name, ProjectName).lower()
    except msgspec.ValidationError as error:
        raise BadName("A project's name has 2 to 128 letters and digits, with single hyphens between them.") from error
    project = Project(id=new_id(), name=checked, app_name=name, org_id=new_id(), create_time=utc_now())
    text = new_key()
    async with _opened(settings) as store:
        await store.create_project(project, key=_stored(project.id, text, label="made by isthmus init"))
    return NewProject(project_id=project.id, project_name=project.name, api_key=text)


async def create_key(settings: Settings, *, project: str, label: str, scope: str) -> NewProject:
    """Make another key. Raises `Missing`, `Unavailable` and `SettingsError`."""
    text = new_key()
    async with _opened(settings) as store:
        found = await store.project(project)
        await store.add_api_key(found.id, _stored(found.id, text, label=label, scope=scope))
    return NewProject(project_id=found.id, project_name=found.name, api_key=text)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Store]:
    store = open_store(settings)
    await store.start()
    try:
        yield store
    finally:
        await store.close()


def _stored(project_id: str, text: str, *, label: str, scope: str = "full") -> ApiKey:
    return ApiKey(
        id=new_id(),
        project_id=project_id,
        label=label,
        prefix=shown_prefix(text),
        digest=digest(text),
        scopes=(scope,),
        active=True,
        create_time=utc_now(),
    )
