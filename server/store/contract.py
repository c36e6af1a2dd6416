"""What the store promises, whatever database stands behind it. Every implementation passes ``tests/server/store``.

Every method that touches a tenant's rows takes ``project_id`` first; a row of another project is not found. A method
is one transaction: when it returns, everything it did is durable; when it raises, nothing was done. Records travel as
the structs of ``installations``; secrets travel as bytes and are sealed by the store. Text or numbers that no database
can keep (NUL, a lone surrogate, an integer beyond 64 bits) raise `installations.errors.InvalidInput`.

    StoreError
    ├── Missing          no such row in this project
    ├── Taken            a unique name or pair exists already; carries the id of the row that has it
    ├── InUse            the row cannot go while others point at it
    ├── Superseded       a guarded update found another state, owner or version: somebody else was faster
    └── Unavailable      the database cannot answer now; the caller may try again
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import (
    ApiKey,
    AuthScheme,
    Config,
    Connection,
    ConnectionStatus,
    Installation,
    Integration,
    MetadataValue,
    Project,
    ProviderApp,
    Revision,
)
from installations.manifest import IntegrationSpec
from installations.operation import Attempt, Operation, State
from installations.record import FaultKind


class StoreError(Exception):
    """The root of the store's errors."""


class Missing(StoreError):
    """No such row in this project."""


class Taken(StoreError):
    """A unique name or pair exists already."""

    def __init__(self, message: str, *, existing_id: str) -> None:
        super().__init__(message)
        self.existing_id = existing_id


class InUse(StoreError):
    """The row cannot go while others point at it."""


class Superseded(StoreError):
    """A guarded update found another state: somebody else was faster."""


class Unavailable(StoreError):
    """The database cannot answer now."""


class Projects(Protocol):
    """Tenants and their keys."""

    async def create_project(self, project: Project, *, key: ApiKey | None = None) -> None:
        """Store a project and its first key. Raises `Taken` if the name is."""

    async def project(self, id_or_name: str) -> Project:
        """Find a project. Raises `Missing`."""

    async def projects(self) -> list[Project]:
        """List all, oldest first."""

    async def update_project(
        self, project_id: str, *, now: datetime, name: str | UnsetType = UNSET, app_name: str | UnsetType = UNSET
    ) -> Project:
        """Change names. Raises `Missing`, `Taken`."""

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


class Integrations(Protocol):
    """Integrations and their immutable revisions."""

    async def deploy(
        self, project_id: str, specs: Sequence[IntegrationSpec], *, spec_version: str, now: datetime, ids: Sequence[str]
    ) -> list[Integration]:
        """Upsert by name, in one transaction; an integration whose content is equal keeps its revision.

        ``ids`` are fresh ids to draw from, two for each spec. A changed ``provider`` of an existing name is allowed
        only while it has no installation; otherwise raises `InUse`.
        """

    async def integrations(self, project_id: str) -> list[Integration]:
        """List with latest revisions, oldest first."""

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one. Raises `Missing`."""

    async def revision(self, project_id: str, revision_id: str) -> Revision:
        """Find any revision, old ones too. Raises `Missing`."""

    async def delete_integration(self, project_id: str, integration_id: str, *, now: datetime) -> None:
        """Remove an integration with its installations. Raises `Missing`."""


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


class NewConnection(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a connection; group and consumer are made or renamed along with it."""

    id: str
    project_id: str
    provider: str
    group_ref: str
    consumer_ref: str
    auth_scheme: AuthScheme
    status: ConnectionStatus
    now: datetime
    credentials: bytes
    """Encoded credentials; sealed at rest."""
    group_name: str | UnsetType = UNSET
    consumer_name: str | UnsetType = UNSET
    provider_app_id: str | UnsetType = UNSET
    provider_workspace_ref: str | UnsetType = UNSET
    provider_consumer_ref: str | UnsetType = UNSET
    provider_metadata: Mapping[str, MetadataValue] | UnsetType = UNSET


class Connections(Protocol):
    """Groups' access to providers."""

    async def create_connection(self, new: NewConnection) -> Connection:
        """Store a connection; names default to refs. Several for one group and provider are allowed."""

    async def connections(
        self,
        project_id: str,
        *,
        provider: str | None = None,
        group_ref: str | None = None,
        consumer_ref: str | None = None,
    ) -> list[Connection]:
        """List: usable ones (``working``, then ``created``) before ``bad_credentials``, newest first."""

    async def connection(self, project_id: str, connection_id: str) -> Connection:
        """Find one. Raises `Missing`."""

    async def update_connection(
        self,
        project_id: str,
        connection_id: str,
        *,
        now: datetime,
        status: ConnectionStatus | UnsetType = UNSET,
        credentials: bytes | UnsetType = UNSET,
        provider_workspace_ref: str | UnsetType = UNSET,
        provider_metadata: Mapping[str, MetadataValue] | UnsetType = UNSET,
    ) -> Connection:
        """Change what is given; new credentials raise the credential version. Raises `Missing`."""

    async def delete_connection(self, project_id: str, connection_id: str) -> None:
        """Remove one. Raises `Missing`, and `InUse` while an installation uses it."""

    async def credentials(self, project_id: str, connection_id: str) -> bytes:
        """Open the credentials. Raises `Missing`."""


class NewInstallation(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an installation."""

    id: str
    project_id: str
    integration_id: str
    connection_id: str
    group_ref: str
    created_by: str
    config: Config
    now: datetime


class Installations(Protocol):
    """Integrations switched on for groups."""

    async def create_installation(self, new: NewInstallation) -> Installation:
        """Store one with its first config. Raises `Taken` if (integration, group) has one, `Missing` for dead ids."""

    async def installations(
        self, project_id: str, *, integration_id: str | None = None, group_ref: str | None = None
    ) -> list[Installation]:
        """List, oldest first."""

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one. Raises `Missing`."""

    async def update_installation(
        self,
        project_id: str,
        installation_id: str,
        *,
        now: datetime,
        if_config: str,
        config: Config | UnsetType = UNSET,
        connection_id: str | UnsetType = UNSET,
    ) -> Installation:
        """Add a config revision, or swap the connection. Raises `Missing`.

        ``if_config`` is the config id the change was made from; raises `Superseded` if it is no longer the latest.
        """

    async def delete_installation(self, project_id: str, installation_id: str, *, now: datetime) -> None:
        """Remove one, and its connection if nothing else uses it. Operations stay readable. Raises `Missing`."""


class IdempotencyKey(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's promise that equal requests are one request. Unique within (project, route)."""

    key: str
    route: str
    """The write's path, so that one key may serve different objects."""
    fingerprint: bytes
    """SHA-256 of the canonical body."""
    expire_time: datetime


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The operation that an idempotency key belongs to already."""

    operation: Operation
    fingerprint: bytes


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """One move of an operation, with the attempt that caused it."""

    operation_id: str
    project_id: str
    from_state: State
    owner: str
    """Must still hold the operation; one that nobody holds (``queued``, ``parked``, ``unknown``) is free to take.

    The owner holds it afterwards, unless ``to_state`` is one that nobody holds.
    """
    to_state: State
    now: datetime
    attempt: Attempt | None = None
    outcome: bytes = b""
    summary: str = ""
    fault_kind: FaultKind | None = None
    successful_record_ids: tuple[str, ...] = ()
    run_at: datetime | UnsetType = UNSET


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of operations, newest first."""

    results: tuple[Operation, ...]
    next_page_token: str | None


class Operations(Protocol):
    """Deliveries. `begin` and `settle` are the hot path: they share commits with whatever else is waiting."""

    async def begin(self, operation: Operation, *, idempotency: IdempotencyKey | None = None) -> Earlier | None:
        """Store an operation, and its idempotency key in the same transaction.

        Answers ``None`` when it was stored, or the operation that has the key already, and then nothing was stored.
        """

    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key, without taking it: a repetition is answered before anything is planned."""

    async def settle(self, settlement: Settlement) -> None:
        """Move an operation and store the attempt. Raises `Superseded` unless state and owner are as expected."""

    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one. Raises `Missing`."""

    async def operations(
        self, project_id: str, installation_id: str, *, page_size: int, page_token: str | None = None
    ) -> Page:
        """List one installation's, newest first. An unknown token raises `Missing`."""

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation, first to last."""

    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations ``claimed`` or ``sent`` whose owner is not among the living processes."""


class Heartbeats(Protocol):
    """Which processes live. Time is the database's own where processes share one."""

    async def beat(self, owner: str, *, kind: str) -> None:
        """Say that this process lives."""

    async def living(self, *, within_seconds: float) -> list[str]:
        """List the processes heard of lately."""

    async def epoch(self) -> int:
        """Tell a number that grows with every change of configuration, so that caches know when to forget."""

    async def sweep(self, *, now: datetime) -> None:
        """Forget idempotency keys and uploads whose time is over. Call it now and then."""


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A place where a manifest archive may be put once."""

    id: str
    project_id: str
    md5: str
    """Base64, as announced; empty where the client did not say."""
    expire_time: datetime
    content: bytes = b""


class Uploads(Protocol):
    """Archives on their way to a deployment. Short-lived, single use."""

    async def create_upload(self, upload: Upload) -> None:
        """Open a place."""

    async def fill_upload(self, upload_id: str, content: bytes, *, now: datetime) -> None:
        """Put the archive there. Raises `Missing` when unknown or expired, `Taken` when filled already."""

    async def upload(self, upload_id: str, *, now: datetime) -> Upload:
        """Look at it without taking it; the project is not known yet. Raises `Missing`."""

    async def take_upload(self, project_id: str, upload_id: str, *, now: datetime) -> Upload:
        """Take a filled one out, once. Raises `Missing`."""


class Store(
    Projects, Integrations, ProviderApps, Connections, Installations, Operations, Heartbeats, Uploads, Protocol
):
    """Everything, for the place that wires it. Others ask for the part they use."""

    async def start(self) -> None:
        """Connect, bring the schema up to date and prove the master keys.

        Raises `Unavailable` or `SettingsError`, with a sentence for the operator; then nothing is left open.
        """

    async def close(self) -> None:
        """Finish what is under way and disconnect."""

    async def ready(self) -> None:
        """Prove that the database takes writes. Raises `Unavailable`."""
