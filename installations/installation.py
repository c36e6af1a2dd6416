"""Who: projects, integrations and their revisions, groups, consumers, connections, and installations.

Every value is immutable; a change makes a new one. Times are timezone-aware UTC. None of these carries a secret: a
connection's credentials travel separately.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from installations.config import ConfigContent
from installations.manifest import IntegrationSpec

AuthScheme = Literal[
    "none",
    "apiKey",
    "basic",
    "oauth2/authorizationCode",
    "oauth2/authorizationCodePKCE",
    "oauth2/clientCredentials",
    "oauth2/password",
]
ConnectionStatus = Literal["created", "working", "bad_credentials"]
ProjectName = Annotated[str, Meta(min_length=2, max_length=128, pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9])*$(?!\n)")]


class AccessPolicy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How strictly a project lets browsers in. Ours; not in the published schema."""

    require_jwt: bool = False
    """Browsers need a signed token; frontend keys are refused."""
    strict_connect: bool = False
    """Only consents that the page that asks says it will finish (`POST /v1/oauth-connect:complete`)."""
    allowed_origins: tuple[str, ...] = ()
    """The exact origins of pages that may use frontend keys and tokens; empty means any."""


class Project(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The tenant."""

    id: str
    name: str
    app_name: str
    org_id: str
    create_time: datetime
    update_time: datetime | UnsetType = UNSET
    access_policy: AccessPolicy | UnsetType = UNSET
    """Absent while it is the default."""


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An API key as it is stored: never the key itself."""

    id: str
    project_id: str
    label: str
    prefix: str
    """The first characters, shown so that a person can tell keys apart."""
    digest: bytes
    """SHA-256 of the whole key."""
    scopes: tuple[str, ...]
    active: bool
    create_time: datetime


class JwtKey(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The public half of a key with which the builder signs tokens for browsers. Its id is the ``kid``."""

    id: str
    project_id: str
    label: str
    public_key_pem: str
    active: bool
    create_time: datetime
    update_time: datetime
    algorithm: Literal["RSA"] = "RSA"


class Revision(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One immutable deployment of an integration."""

    id: str
    spec_version: str
    create_time: datetime
    content: IntegrationSpec


class Integration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An integration with its latest revision."""

    id: str
    project_id: str
    name: str
    provider: str
    create_time: datetime
    latest_revision: Revision
    update_time: datetime | UnsetType = UNSET


class Group(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The builder's customer."""

    group_ref: str
    group_name: str
    project_id: str
    create_time: datetime


class Consumer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The person at the customer who connected."""

    consumer_ref: str
    consumer_name: str
    project_id: str
    create_time: datetime


class ProviderApp(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The builder's OAuth client at a provider, without its secret."""

    id: str
    project_id: str
    provider: str
    client_id: str
    create_time: datetime
    external_ref: str | UnsetType = UNSET
    scopes: tuple[str, ...] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    update_time: datetime | UnsetType = UNSET


class MetadataValue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A fact about the customer's account that a connection carries, such as its workspace."""

    value: str
    source: Literal["input", "token", "provider"] = "input"
    display_name: str | UnsetType = UNSET


class Connection(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A group's access to a provider, without the credentials."""

    id: str
    project_id: str
    provider: str
    group: Group
    consumer: Consumer
    auth_scheme: AuthScheme
    status: ConnectionStatus
    create_time: datetime
    provider_app: ProviderApp | UnsetType = UNSET
    provider_workspace_ref: str | UnsetType = UNSET
    provider_consumer_ref: str | UnsetType = UNSET
    provider_metadata: dict[str, MetadataValue] | UnsetType = UNSET
    update_time: datetime | UnsetType = UNSET


class Config(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One immutable revision of an installation's config."""

    id: str
    revision_id: str
    create_time: datetime
    created_by: str
    content: ConfigContent


class Installation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An integration switched on for a group, over a connection."""

    id: str
    project_id: str
    integration_id: str
    group: Group
    connection: Connection
    create_time: datetime
    created_by: str
    config: Config
    health_status: Literal["healthy", "unhealthy"] = "healthy"
    last_operation_status: Literal["success", "failure", "in_progress"] | UnsetType = UNSET
    update_time: datetime | UnsetType = UNSET
