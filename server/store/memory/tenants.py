"""Projects, their keys and provider apps in memory."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import AccessPolicy, ApiKey, Connection, JwtKey, Project, ProviderApp
from server.store.contract import Missing, SessionKey, Taken
from server.store.memory.shelf import Shelf, find, of, oldest_first

T = TypeVar("T", bound=msgspec.Struct)


class MemoryProjects(Shelf):
    """Implements `contract.Projects`."""

    async def create_project(self, project: Project, *, key: ApiKey | None = None) -> None:
        """Store a project and its first key."""
        if project.id in self.projects_by_id:
            raise Taken(f"the project id {project.id!r} is taken", existing_id=project.id)
        self._refuse_taken(project.name, project.id)
        self.changed()
        self.projects_by_id[project.id] = _with_policy(project)
        if key:
            self.keys[key.id] = key

    async def project(self, id_or_name: str) -> Project:
        """Find a project; an id stands before a name."""
        if id_or_name in self.projects_by_id:
            return self.projects_by_id[id_or_name]
        for project in self.projects_by_id.values():
            if project.name == id_or_name:
                return project
        raise Missing(f"no project {id_or_name!r}")

    async def projects(self) -> list[Project]:
        """List all, oldest first."""
        return oldest_first(list(self.projects_by_id.values()))

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
        self.require_project(project_id)
        if name is not UNSET:
            self._refuse_taken(name, project_id)
        self.changed()
        changes = {"name": name, "app_name": app_name, "access_policy": access_policy, "update_time": now}
        project = _with_policy(replaced(self.projects_by_id[project_id], changes))
        self.projects_by_id[project_id] = project
        return project

    async def add_api_key(self, project_id: str, key: ApiKey) -> None:
        """Store a key."""
        self.require_project(project_id)
        self.changed()
        self.keys[key.id] = msgspec.structs.replace(key, project_id=project_id)

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """Find a key by its digest, whatever its project."""
        return next((key for key in self.keys.values() if key.digest == digest), None)

    async def api_keys(self, project_id: str, *, active: bool | None = None) -> list[ApiKey]:
        """List keys, oldest first."""
        return [key for key in oldest_first(of(self.keys, project_id)) if active in (None, key.active)]

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
        key = find(self.keys, project_id, key_id, noun="API key")
        self.changed()
        self.keys[key_id] = replaced(key, {"label": label, "active": active, "scopes": scopes})
        return self.keys[key_id]

    async def delete_api_key(self, project_id: str, key_id: str) -> None:
        """Remove a key."""
        find(self.keys, project_id, key_id, noun="API key")
        self.changed()
        del self.keys[key_id]

    def _refuse_taken(self, name: str, project_id: str) -> None:
        for other in self.projects_by_id.values():
            if other.name == name and other.id != project_id:
                raise Taken(f"a project is named {name!r} already", existing_id=other.id)


class MemoryJwtKeys(Shelf):
    """Implements `contract.JwtKeys`."""

    async def add_jwt_key(self, key: JwtKey) -> None:
        """Store one."""
        self.require_project(key.project_id)
        self.changed()
        self.jwt_keys_by_id[key.id] = key

    async def jwt_key(self, key_id: str) -> JwtKey | None:
        """Find one by its ``kid``, whatever its project."""
        return self.jwt_keys_by_id.get(key_id)

    async def jwt_keys(self, project_id: str, *, active: bool | None = None) -> list[JwtKey]:
        """List, oldest first."""
        return [key for key in oldest_first(of(self.jwt_keys_by_id, project_id)) if active in (None, key.active)]

    async def keep_session_key(self, key: JwtKey, *, private_key: bytes) -> SessionKey:
        """Store a key with its private half, unless there is one in use."""
        found = await self.session_key(key.project_id)
        if found is None:
            await self.add_jwt_key(key)
            self.private_halves[key.id] = private_key
        return found or SessionKey(id=key.id, private_key=private_key)

    async def session_key(self, project_id: str) -> SessionKey | None:
        """Open the newest key in use with which the server signs."""
        self.require_project(project_id)
        own = [key for key in await self.jwt_keys(project_id, active=True) if key.id in self.private_halves]
        return SessionKey(id=own[-1].id, private_key=self.private_halves[own[-1].id]) if own else None

    async def update_jwt_key(
        self,
        project_id: str,
        key_id: str,
        *,
        now: datetime,
        label: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
    ) -> JwtKey:
        """Change a key."""
        key = find(self.jwt_keys_by_id, project_id, key_id, noun="JWT key")
        self.changed()
        self.jwt_keys_by_id[key_id] = replaced(key, {"label": label, "active": active, "update_time": now})
        return self.jwt_keys_by_id[key_id]

    async def delete_jwt_key(self, project_id: str, key_id: str) -> None:
        """Remove a key."""
        find(self.jwt_keys_by_id, project_id, key_id, noun="JWT key")
        self.changed()
        del self.jwt_keys_by_id[key_id]
        self.private_halves.pop(key_id, None)


class MemoryProviderApps(Shelf):
    """Implements `contract.ProviderApps`."""

    async def create_provider_app(self, app: ProviderApp, *, client_secret: bytes) -> None:
        """Store one."""
        self.require_project(app.project_id)
        self._refuse_taken_app(app)
        self.changed()
        self.apps[app.id] = app
        self.secrets[app.id] = client_secret

    async def provider_apps(self, project_id: str) -> list[ProviderApp]:
        """List, oldest first."""
        return oldest_first(of(self.apps, project_id))

    async def provider_app(self, project_id: str, app_id: str) -> ProviderApp:
        """Find one."""
        return find(self.apps, project_id, app_id, noun="provider app")

    async def update_provider_app(
        self, project_id: str, app: ProviderApp, *, client_secret: bytes | None = None
    ) -> ProviderApp:
        """Replace all members but the ids and the time of creation, and the secret where one is given."""
        before = find(self.apps, project_id, app.id, noun="provider app")
        app = msgspec.structs.replace(app, project_id=project_id, create_time=before.create_time)
        self._refuse_taken_app(app)
        self.changed()
        self._show(app.id, app)
        if client_secret is not None:
            self.secrets[app.id] = client_secret
        return app

    async def delete_provider_app(self, project_id: str, app_id: str) -> None:
        """Remove one; connections made with it stay and forget it."""
        find(self.apps, project_id, app_id, noun="provider app")
        self.changed()
        self._show(app_id, None)
        del self.secrets[app_id]

    async def client_secret(self, project_id: str, app_id: str) -> bytes:
        """Open the secret."""
        return self.secrets[find(self.apps, project_id, app_id, noun="provider app").id]

    def _show(self, app_id: str, app: ProviderApp | None) -> None:
        """Replace an app, or remove it, wherever it is shown."""
        if app is None:
            del self.apps[app_id]
        else:
            self.apps[app_id] = app
        for connection in self.connections_by_id.values():
            if connection.provider_app and connection.provider_app.id == app_id:
                self.connections_by_id[connection.id] = _with_app(connection, app)

    def _refuse_taken_app(self, app: ProviderApp) -> None:
        for other in of(self.apps, app.project_id):
            if (other.provider, other.client_id) == (app.provider, app.client_id) and other.id != app.id:
                raise Taken(f"there is an app for {app.provider!r} with this client id", existing_id=other.id)


def _with_policy(project: Project) -> Project:
    """Leave out the policy that everybody has."""
    return msgspec.structs.replace(project, access_policy=UNSET) if project.access_policy == AccessPolicy() else project


def _with_app(connection: Connection, app: ProviderApp | None) -> Connection:
    return msgspec.structs.replace(connection, provider_app=app or UNSET)


def replaced(value: T, changes: Mapping[str, object]) -> T:
    """Replace the members that are given."""
    given = {name: change for name, change in changes.items() if change is not UNSET}
    return msgspec.structs.replace(value, **given)
