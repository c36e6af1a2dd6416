"""What the store promises about tenants: projects, their keys, and their OAuth clients."""

from datetime import datetime
from typing import Protocol

from msgspec import UNSET, UnsetType

from connectors.secret import Veiled
from installations.installation import AccessPolicy, ApiKey, JwtKey, Project, ProviderApp


class Projects(Protocol):
    """Tenants and their keys."""

    async def create_project(self, project: Project, *, key: ApiKey | None = None) -> None:
        """Store a project and its first key. Raises `Taken` if the name is."""

    async def project(self, id_or_name: str) -> Project:
        """Find a project. Raises `Missing`."""

    async def projects(self) -> list[Project]:
        """List all, oldest first."""

    async def update_project(
        self,
        project_id: str,
        *,
        now: datetime,
        name: str | UnsetType = UNSET,
        app_name: str | UnsetType = UNSET,
        access_policy: AccessPolicy | UnsetType = UNSET,
    ) -> Project:
        """Change what is given. Raises `Missing`, `Taken`."""

    async def add_api_key(self, project_id: str, key: ApiKey) -> None:
        """Store a key."""

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """Find a key by the SHA-256 of the presented one; the only look-up across projects."""

    async def api_keys(self, project_id: str, *, active: bool | None = None) -> list[ApiKey]:
        """List keys, oldest first."""

    async def update_api_key(
        self,
        project_id: str,
        key_id: str,
        *,
        label: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
        scopes: tuple[str, ...] | UnsetType = UNSET,
    ) -> ApiKey:
        """Change a key. Raises `Missing`."""

    async def delete_api_key(self, project_id: str, key_id: str) -> None:
        """Remove a key. Raises `Missing`."""


class SessionKey(Veiled, frozen=True, kw_only=True):
    """A key with which the server signs tokens for a project, opened. The id is the ``kid``."""

    id: str
    private_key: bytes


class JwtKeys(Protocol):
    """Public keys that verify browsers' tokens, and the private halves of those with which the server signs."""

    async def add_jwt_key(self, key: JwtKey) -> None:
        """Store one."""

    async def jwt_key(self, key_id: str) -> JwtKey | None:
        """Find one by its ``kid``; the key tells the project, so this looks across projects."""

    async def jwt_keys(self, project_id: str, *, active: bool | None = None) -> list[JwtKey]:
        """List, oldest first."""

    async def keep_session_key(self, key: JwtKey, *, private_key: bytes) -> SessionKey:
        """Store a key with its private half, unless the project has one in use; answer the one that is in use then.

        Raises `Missing` for a project that does not exist.
        """

    async def session_key(self, project_id: str) -> SessionKey | None:
        """Open the newest key in use with which the server signs for a project. Raises `Missing` as above."""

    async def update_jwt_key(
        self,
        project_id: str,
        key_id: str,
        *,
        now: datetime,
        label: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
    ) -> JwtKey:
        """Change a key. Raises `Missing`."""

    async def delete_jwt_key(self, project_id: str, key_id: str) -> None:
        """Remove a key. Raises `Missing`."""


class ProviderApps(Protocol):
    """OAuth clients of the builder."""

    async def create_provider_app(self, app: ProviderApp, *, client_secret: bytes) -> None:
        """Store one. Raises `Taken` if (provider, client id) is."""

    async def provider_apps(self, project_id: str) -> list[ProviderApp]:
        """List, oldest first."""

    async def provider_app(self, project_id: str, app_id: str) -> ProviderApp:
        """Find one. Raises `Missing`."""

    async def update_provider_app(
        self, project_id: str, app: ProviderApp, *, client_secret: bytes | None = None
    ) -> ProviderApp:
        """Replace all members, and the secret where one is given. Raises `Missing`, `Taken`."""

    async def delete_provider_app(self, project_id: str, app_id: str) -> None:
        """Remove one. Raises `Missing`."""

    async def client_secret(self, project_id: str, app_id: str) -> bytes:
        """Open the secret. Raises `Missing`."""
