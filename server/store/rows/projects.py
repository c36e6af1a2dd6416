"""Projects and API keys as rows."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import AccessPolicy, ApiKey, Project
from server.store.contract import Taken
from server.store.engine import Row
from server.store.rows.scope import Rows, find, given, insert, insert_new, only, or_unset, require_project, text_of
from server.store.tables import ApiKeys, Projects


class ProjectRows(Rows):
    """Implements `contract.Projects`."""

    async def create_project(self, project: Project, *, key: ApiKey | None = None) -> None:
        """Store a project, its first key and its data key."""
        async with self.changing():
            await _refuse_taken(project.name, project.id)
            values = msgspec.structs.asdict(project) | {
                "update_time": project.update_time or None,
                "access_policy": _policy_text(project.access_policy),
            }
            if not await insert_new(Projects, **values):
                raise Taken(f"the project id {project.id!r} is taken", existing_id=project.id)
            await self._keyring.add_key(project.id, now=project.create_time)
            if key:
                await _insert_key(key)

    async def project(self, id_or_name: str) -> Project:
        """Find a project; an id stands before a name."""
        async with self.reading():
            rows = await Projects.select().where((Projects.id == id_or_name) | (Projects.name == id_or_name))
        rows.sort(key=lambda row: row["id"] != id_or_name)
        return _project(only(rows, noun="project", name=id_or_name))

    async def projects(self) -> list[Project]:
        """List all, oldest first."""
        async with self.reading():
            rows = await Projects.select().order_by(Projects.create_time, Projects.id)
        return [_project(row) for row in rows]

    async def update_project(
        self,
        project_id: str,
        *,
        now: datetime,
        name: str | UnsetType = UNSET,
        app_name: str | UnsetType = UNSET,
        access_policy: AccessPolicy | UnsetType = UNSET,
    ) -> Project:
        """Change what is given."""
        policy = UNSET if access_policy is UNSET else _policy_text(access_policy)
        changes = given(
            {
                Projects.name: name,
                Projects.app_name: app_name,
                Projects.access_policy: policy,
                Projects.update_time: now,
            }
        )
        async with self.changing():
            if name is not UNSET:
                await _refuse_taken(name, project_id)
            rows = await Projects.update(changes).where(Projects.id == project_id).returning(*Projects.all_columns())
        return _project(only(rows, noun="project", name=project_id))

    async def add_api_key(self, project_id: str, key: ApiKey) -> None:
        """Store a key."""
        async with self.changing():
            await require_project(project_id)
            await _insert_key(msgspec.structs.replace(key, project_id=project_id))

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """Find a key by its digest, whatever its project."""
        async with self.reading():
            rows = await ApiKeys.select().where(ApiKeys.digest == digest)
        return _api_key(rows[0]) if rows else None

    async def api_keys(self, project_id: str, *, active: bool | None = None) -> list[ApiKey]:
        """List keys, oldest first."""
        query = ApiKeys.select().where(ApiKeys.project_id == project_id)
        if active is not None:
            query = query.where(ApiKeys.active == active)
        async with self.reading():
            rows = await query.order_by(ApiKeys.create_time, ApiKeys.id)
        return [_api_key(row) for row in rows]

    async def update_api_key(
        self,
        project_id: str,
        key_id: str,
        *,
        label: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        scopes: tuple[str, ...] | UnsetType = UNSET,
    ) -> ApiKey:
        """Change a key."""
        encoded = UNSET if scopes is UNSET else text_of(scopes)
        changes = given({ApiKeys.label: label, ApiKeys.active: active, ApiKeys.scopes: encoded})
        mine = (ApiKeys.project_id == project_id) & (ApiKeys.id == key_id)
        async with self.changing():
            if changes:
                await ApiKeys.update(changes).where(mine)
            return _api_key(await find(ApiKeys, project_id, key_id, noun="API key"))

    async def delete_api_key(self, project_id: str, key_id: str) -> None:
        """Remove a key."""
        async with self.changing():
            await find(ApiKeys, project_id, key_id, noun="API key")
            await ApiKeys.delete().where(ApiKeys.project_id == project_id, ApiKeys.id == key_id)


async def _refuse_taken(name: str, project_id: str) -> None:
    rows = await Projects.select(Projects.id).where(Projects.name == name, Projects.id != project_id)
    if rows:
        raise Taken(f"a project is named {name!r} already", existing_id=rows[0]["id"])


async def _insert_key(key: ApiKey) -> None:
    await insert(ApiKeys, **(msgspec.structs.asdict(key) | {"scopes": text_of(key.scopes)}))


def _policy_text(policy: AccessPolicy | UnsetType) -> str | None:
    return None if policy in (UNSET, AccessPolicy()) else text_of(policy)


def _project(row: Row) -> Project:
    policy = row["access_policy"]
    members = {
        "update_time": or_unset(row["update_time"]),
        "access_policy": msgspec.json.decode(policy, type=AccessPolicy) if policy else UNSET,
    }
    return Project(**(row | members))


def _api_key(row: Row) -> ApiKey:
    return ApiKey(**(row | {"scopes": msgspec.json.decode(row["scopes"], type=tuple[str, ...])}))
