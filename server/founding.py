"""How a project begins: its row and its first key, in one step. The key's text exists only in what is answered."""

import msgspec

from installations.installation import ApiKey, Project
from server.access.keys import digest, new_key, shown_prefix
from server.clock import Clock, NewId
from server.store.contract import Projects, Taken

ORG = "self-hosted"


class Founded(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A project and a key with every scope."""

    project_id: str
    project_name: str
    api_key: str


async def found_project(store: Projects, *, name: str, clock: Clock, new_id: NewId) -> Founded:
    """Create a project with its first key. Raises `Taken` if there is one of this name."""
    now = clock()
    project = Project(id=new_id(), name=name.lower(), app_name=name, org_id=ORG, create_time=now)
    text = new_key()
    await store.create_project(project, key=full_key(text, project_id=project.id, clock=clock, new_id=new_id))
    return Founded(project_id=project.id, project_name=project.name, api_key=text)


async def found_or_enter_project(store: Projects, *, name: str, clock: Clock, new_id: NewId) -> Founded:
    """Create a project, or add a key to the one that has this name."""
    try:
        return await found_project(store, name=name, clock=clock, new_id=new_id)
    except Taken as error:
        project = await store.project(error.existing_id)
    text = new_key()
    await store.add_api_key(project.id, full_key(text, project_id=project.id, clock=clock, new_id=new_id))
    return Founded(project_id=project.id, project_name=project.name, api_key=text)


def full_key(text: str, *, project_id: str, clock: Clock, new_id: NewId) -> ApiKey:
    """Build the row of a key that may do everything in its project."""
    return ApiKey(
        id=new_id(),
        project_id=project_id,
        label="first key",
        prefix=shown_prefix(text),
        digest=digest(text),
        scopes=("full",),
        active=True,
        create_time=clock(),
    )
