"""What a provider is, as data: served to the UI, printed in the docs, read by the server. Never how to call it.

The members are those of the published catalog (``ProviderInfo``).
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

AuthType = Literal["none", "apiKey", "basic", "oauth2", "custom"]


class BatchSupport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether one kind of write takes many records at once."""

    supported: bool = False
    default_record_limit: int | UnsetType = UNSET


class BatchWriteSupport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Batches by kind of write."""

    create: BatchSupport | UnsetType = UNSET
    update: BatchSupport | UnsetType = UNSET
    delete: BatchSupport | UnsetType = UNSET
    upsert: BatchSupport | UnsetType = UNSET


class BulkWriteSupport(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The provider's asynchronous bulk interfaces; none of ours uses one yet."""

    insert: bool = False
    update: bool = False
    upsert: bool = False
    delete: bool = False


class Support(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What our connector can do with this provider."""

    read: bool = False
    write: bool = False
    delete: bool = False
    proxy: bool = False
    subscribe: bool = False
    bulk_write: BulkWriteSupport = BulkWriteSupport()
    batch_write: BatchWriteSupport | UnsetType = UNSET
    search: dict[str, Any] = msgspec.field(default_factory=lambda: {"operators": {"equals": False}})
    """The published catalog requires the member and what stands in it."""


class ApiKeyHeader(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an API key goes: ``{value_prefix}{key}`` in the header ``name``."""

    name: str
    value_prefix: str | UnsetType = UNSET


class ApiKeyQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where an API key goes: the query parameter ``name``."""

    name: str


class ApiKeyOpts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to send an API key."""

    attachment_type: Literal["header", "query"]
    header: ApiKeyHeader | UnsetType = UNSET
    query: ApiKeyQuery | UnsetType = UNSET
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")


class TokenMetadataFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where in a token answer facts about the account stand."""

    workspace_ref_field: str | UnsetType = UNSET
    consumer_ref_field: str | UnsetType = UNSET
    scopes_field: str | UnsetType = UNSET


class OAuth2Opts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to run OAuth 2 with this provider."""

    grant_type: Literal["authorizationCode", "authorizationCodePKCE", "clientCredentials", "password"]
    token_url: str = msgspec.field(name="tokenURL")
    auth_url: str | UnsetType = msgspec.field(default=UNSET, name="authURL")
    explicit_scopes_required: bool = False
    explicit_workspace_required: bool = False
    token_metadata_fields: TokenMetadataFields = TokenMetadataFields()
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")


class MetadataInput(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A value the customer fills in before connecting, such as a workspace or a region."""

    name: str
    display_name: str | UnsetType = UNSET
    default_value: str | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")


class ProviderMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The values that fill a base URL template: asked from the customer, or learnt after authentication."""

    input: tuple[MetadataInput, ...] = ()


class Module(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One part of a provider with its own base URL and support, such as a CRM beside a marketing suite."""

    base_url: str = msgspec.field(name="baseURL")
    display_name: str
    support: Support


class Provider(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One provider. ``base_url`` may hold ``{{.name}}`` placeholders, each declared in ``metadata.input``."""

    name: str
    display_name: str
    auth_type: AuthType
    base_url: str = msgspec.field(name="baseURL")
    support: Support
    default_module: str = ""
    """The name in ``modules`` that counts when nobody names one; empty if there are none."""
    modules: dict[str, Module] | UnsetType = UNSET
    api_key_opts: ApiKeyOpts | UnsetType = UNSET
    oauth2_opts: OAuth2Opts | UnsetType = msgspec.field(default=UNSET, name="oauth2Opts")
    basic_opts: dict[str, Any] | UnsetType = UNSET
    custom_opts: dict[str, Any] | UnsetType = UNSET
    metadata: ProviderMetadata | UnsetType = UNSET
    media: dict[str, Any] | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")
    provider_opts: dict[str, str] = msgspec.field(default_factory=dict)
    """Nothing of ours is in it. It left the published schema, but clients made from an older one refuse a provider
    without it (seen in sdk-node-platform 0.2.3, 2026-11-22)."""
