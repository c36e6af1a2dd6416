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
    proxy: bool = True
    """Calls are passed through to any provider: nothing of the connector's is needed for it."""
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


class TokenField(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A fact about the account that a token answer carries; it becomes an entry of ``providerMetadata``."""

    name: str
    display_name: str
    path: str
    """Dotted, such as ``owner.siteId``."""
    capture: str | UnsetType = UNSET
    """A regular expression with one group named ``result``, where the fact is only a part of the value."""


class TokenMetadataFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where in a token answer facts about the account stand. Fields are dotted paths."""

    workspace_ref_field: str | UnsetType = UNSET
    consumer_ref_field: str | UnsetType = UNSET
    scopes_field: str | UnsetType = UNSET
    other_fields: tuple[TokenField, ...] | UnsetType = UNSET


class AccessTokenOpts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How an access token goes onto a request, where that is not ``Authorization: Bearer``."""

    header: ApiKeyHeader
    attachment_type: Literal["accessTokenHeaderAttachment"] = "accessTokenHeaderAttachment"
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")


ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]
"""How our client proves itself at a token endpoint (RFC 6749, section 2.3.1)."""


class OAuth2Opts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to run OAuth 2 with this provider."""

    grant_type: Literal["authorizationCode", "authorizationCodePKCE", "clientCredentials", "password"]
    token_url: str = msgspec.field(name="tokenURL")
    auth_url: str | UnsetType = msgspec.field(default=UNSET, name="authURL")
    explicit_scopes_required: bool = False
    explicit_workspace_required: bool = False
    token_metadata_fields: TokenMetadataFields = TokenMetadataFields()
    audience: tuple[str, ...] | UnsetType = UNSET
    """Sent as ``audience`` with client credentials."""
    scope_mappings: dict[str, str] | UnsetType = UNSET
    """From a short scope to the provider's full one; it may hold ``{{.name}}`` placeholders. Others go as they are."""
    auth_url_params: dict[str, str] | UnsetType = msgspec.field(default=UNSET, name="authURLParams")
    """Further parameters of the authorization URL, such as ``access_type=offline``."""
    access_token_opts: AccessTokenOpts | UnsetType = UNSET
    keep_alive_interval_hours: int | UnsetType = UNSET
    """A refresh token that is not used for longer dies, so it is used at least this often."""
    client_authentication: ClientAuthentication = "client_secret_post"
    """Ours; not in the published schema."""
    issuer: str | UnsetType = UNSET
    """Ours. Where the provider sends ``iss`` back (RFC 9207): the only value it may have. Placeholders are filled."""
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")


class ApiKeyAsBasicOpts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How an API key becomes a user name and a password."""

    field_used: Literal["username", "password"] = "username"
    key_format: str | UnsetType = UNSET
    """``%s`` stands for the key. With a colon it is the whole pair, such as ``api:%s``."""


class BasicOpts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to use Basic authentication with this provider."""

    api_key_as_basic: bool | UnsetType = UNSET
    api_key_as_basic_opts: ApiKeyAsBasicOpts | UnsetType = UNSET
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")


class ValueTemplate(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A header or query parameter whose value is a template such as ``Bearer {{ .token }}``."""

    name: str
    value_template: str


class InputOption(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One choice of an input."""

    value: str
    label: str


class CustomInput(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Something the customer must fill in before connecting, such as a token or a tenant."""

    name: str
    display_name: str
    prompt: str | UnsetType = UNSET
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")
    field_type: Literal["fieldTypeText", "fieldTypePassword", "fieldTypeSelect"] | UnsetType = UNSET
    """Absent means a masked field."""
    options: tuple[InputOption, ...] | UnsetType = UNSET


class TokenRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to trade the inputs for a token: a POST of JSON to an authorization URL. Ours; not in the published schema.

    All texts may hold ``{{ .input }}`` placeholders.
    """

    url: str
    headers: tuple[ValueTemplate, ...] = ()
    body: dict[str, str] = msgspec.field(default_factory=dict)
    """The JSON object to send; values are templates."""
    token_path: str = "access_token"  # noqa: S105 -- a member's name
    """Where in the answer the token stands, dotted. The templates of `CustomOpts` then know it as ``token``."""
    expires_in_path: str = "expires_in"
    """Where its life in seconds stands; it may be absent."""


class CustomOpts(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How to authenticate where no standard fits."""

    headers: tuple[ValueTemplate, ...] | UnsetType = UNSET
    query_params: tuple[ValueTemplate, ...] | UnsetType = UNSET
    inputs: tuple[CustomInput, ...] | UnsetType = UNSET
    multi_step: bool | UnsetType = UNSET
    """Connected by ``custom-auth/connect``: the customer is sent to ``redirect_url`` and comes back with parameters."""
    redirect_url: str | UnsetType = msgspec.field(default=UNSET, name="redirectURL")
    """Ours. Where a multi-step customer goes; ``{{ .callbackURL }}`` and ``{{ .sessionId }}`` are known in it. What
    they bring back are further values for the templates. A provider that is told the session has to send it back, in
    any parameter: only so is a callback known to be an answer."""
    callback_params: tuple[str, ...] | UnsetType = UNSET
    """Ours. The parameters that a multi-step customer brings back; all are needed, and no other is kept."""
    token_request: TokenRequest | UnsetType = UNSET


class MetadataInput(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A value the customer fills in before connecting, such as a workspace or a region."""

    name: str
    display_name: str | UnsetType = UNSET
    default_value: str | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")
    module_dependencies: dict[str, dict[str, Any]] | UnsetType = UNSET


class LearntMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A value that only the provider knows, learnt after authentication."""

    name: str
    module_dependencies: dict[str, dict[str, Any]] | UnsetType = UNSET


class ProviderMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The values that fill a base URL template: asked from the customer, or learnt after authentication."""

    input: tuple[MetadataInput, ...] = ()
    post_authentication: tuple[LearntMetadata, ...] | UnsetType = UNSET


class HealthCheck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A request that changes nothing and succeeds if the credentials work."""

    url: str
    method: str | UnsetType = UNSET
    success_status_codes: tuple[int, ...] | UnsetType = UNSET


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
    basic_opts: BasicOpts | UnsetType = UNSET
    custom_opts: CustomOpts | UnsetType = UNSET
    auth_health_check: HealthCheck | UnsetType = UNSET
    post_auth_info_needed: bool | UnsetType = UNSET
    metadata: ProviderMetadata | UnsetType = UNSET
    media: dict[str, Any] | UnsetType = UNSET
    labels: dict[str, str] | UnsetType = UNSET
    docs_url: str | UnsetType = msgspec.field(default=UNSET, name="docsURL")
    follows_redirects: bool | UnsetType = UNSET
    """Ours. Whether a redirect is followed that answers a GET or HEAD, stays within the origin and is among the first
    three. No other is, and none of the proxy's."""
    provider_opts: dict[str, str] = msgspec.field(default_factory=dict)
    """Nothing of ours is in it. It left the published schema, but clients made from an older one refuse a provider
    without it (seen in sdk-node-platform 0.2.3, 2026-11-22)."""
