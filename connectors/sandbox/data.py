"""What the sandbox is, as provider data: once for each way that the protocol knows to authenticate.

They are one CRM at one address, so an override of ``sandbox`` in ``ISTHMUS_PROVIDER_URLS`` moves all of them.
"""

from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from connectors.provider import (
    ApiKeyAsBasicOpts,
    ApiKeyHeader,
    ApiKeyOpts,
    ApiKeyQuery,
    AuthType,
    BasicOpts,
    BatchSupport,
    BatchWriteSupport,
    CustomInput,
    CustomOpts,
    InputOption,
    OAuth2Opts,
    Provider,
    Support,
    TokenMetadataFields,
    TokenRequest,
    ValueTemplate,
)
from connectors.sandbox.access import (
    KEY_HEADER,
    KEY_PARAMETER,
    OPEN_PREFIX,
    REGION_PARAMETER,
    SECRET_HEADER,
    SESSION_HEADER,
    WORKSPACE_HEADER,
)

BATCH_LIMIT = 100
DEFAULT_PORT = 8090
BASE_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
"""Where ``isthmus sandbox`` listens unless told otherwise; ``ISTHMUS_PROVIDER_URLS`` overrides it."""

_DOCS = f"{BASE_URL}/"
_BATCH = BatchSupport(supported=True, default_record_limit=BATCH_LIMIT)
_SUPPORT = Support(
    write=True,
    delete=True,
    proxy=True,
    batch_write=BatchWriteSupport(create=_BATCH, update=_BATCH, delete=_BATCH, upsert=_BATCH),
)

SANDBOX = Provider(
    name="sandbox",
    display_name="Sandbox CRM",
    auth_type="apiKey",
    base_url=BASE_URL,
    support=_SUPPORT,
    api_key_opts=ApiKeyOpts(attachment_type="header", header=ApiKeyHeader(name=KEY_HEADER), docs_url=_DOCS),
    docs_url=_DOCS,
)


_PLAIN = replace(SANDBOX, api_key_opts=UNSET)


def _variant(name: str, how: str, auth_type: AuthType, **options: Any) -> Provider:
    """Build the sandbox with another way to authenticate."""
    return replace(_PLAIN, name=name, display_name=f"Sandbox CRM ({how})", auth_type=auth_type, **options)


_CODE = OAuth2Opts(
    grant_type="authorizationCode",
    auth_url=f"{BASE_URL}/oauth/authorize",
    token_url=f"{BASE_URL}/oauth/token",
    explicit_scopes_required=False,
    token_metadata_fields=TokenMetadataFields(workspace_ref_field="workspace_id", scopes_field="scope"),
    issuer=BASE_URL,
    docs_url=_DOCS,
)
_OWN_CLIENT = replace(_CODE, grant_type="clientCredentials", auth_url=UNSET, issuer=UNSET)

_WORKSPACE = CustomInput(
    name="workspace", display_name="Workspace", prompt="Such as demo", docs_url=_DOCS, field_type="fieldTypeText"
)
_SECRET = CustomInput(name="secret", display_name="Secret", prompt="A key of the workspace", docs_url=_DOCS)
_REGION = CustomInput(
    name="region",
    display_name="Region",
    prompt="Where the workspace is",
    field_type="fieldTypeSelect",
    options=(InputOption(value="eu", label="Europe"), InputOption(value="us", label="United States")),
)
_SEVERAL = CustomOpts(
    headers=(
        ValueTemplate(name=WORKSPACE_HEADER, value_template="{{ .workspace }}"),
        ValueTemplate(name=SECRET_HEADER, value_template="{{ .secret }}"),
    ),
    query_params=(ValueTemplate(name=REGION_PARAMETER, value_template="{{ .region }}"),),
    inputs=(_WORKSPACE, _SECRET, _REGION),
)
_SESSION = CustomOpts(
    headers=(ValueTemplate(name=SESSION_HEADER, value_template="{{ .token }}"),),
    inputs=(_WORKSPACE, _SECRET),
    token_request=TokenRequest(
        url=f"{BASE_URL}/session",
        headers=(ValueTemplate(name=WORKSPACE_HEADER, value_template="{{ .workspace }}"),),
        body={"secret": "{{ .secret }}"},
        token_path="data.token",  # noqa: S106 -- where it stands
        expires_in_path="data.ttl",
    ),
)
_STEPS = replace(
    _SEVERAL,
    inputs=UNSET,
    multi_step=True,
    redirect_url=f"{BASE_URL}/connect?callback={{{{ .callbackURL }}}}&session={{{{ .sessionId }}}}",
    callback_params=("workspace", "secret", "region"),
)

SANDBOX_OAUTH = _variant(
    "sandboxOAuth", "OAuth", "oauth2", oauth2_opts=replace(_CODE, grant_type="authorizationCodePKCE")
)

SANDBOXES: tuple[Provider, ...] = (
    SANDBOX,
    _variant(
        "sandboxKeyInQuery",
        "key in the query",
        "apiKey",
        api_key_opts=ApiKeyOpts(attachment_type="query", query=ApiKeyQuery(name=KEY_PARAMETER), docs_url=_DOCS),
    ),
    _variant(
        "sandboxKeyAsBasic",
        "key as a user name",
        "basic",
        basic_opts=BasicOpts(
            api_key_as_basic=True, api_key_as_basic_opts=ApiKeyAsBasicOpts(key_format="%s:"), docs_url=_DOCS
        ),
    ),
    _variant("sandboxBasic", "user name and password", "basic", basic_opts=BasicOpts(docs_url=_DOCS)),
    _variant("sandboxCustom", "several inputs", "custom", custom_opts=_SEVERAL),
    _variant("sandboxSession", "a session for the inputs", "custom", custom_opts=_SESSION),
    _variant("sandboxSteps", "a page of its own", "custom", custom_opts=_STEPS),
    SANDBOX_OAUTH,
    _variant("sandboxOAuthCode", "OAuth without PKCE", "oauth2", oauth2_opts=_CODE),
    _variant("sandboxOAuthClient", "OAuth, the customer's own client", "oauth2", oauth2_opts=_OWN_CLIENT),
    _variant(
        "sandboxOAuthPassword",
        "OAuth with a password",
        "oauth2",
        oauth2_opts=replace(_OWN_CLIENT, grant_type="password"),
    ),
    _variant("sandboxOpen", "no credentials", "none", base_url=f"{BASE_URL}{OPEN_PREFIX}"),
)
"""Keys first, from the plainest way to the oddest, then OAuth from the safest grant to the least safe, then nothing."""
