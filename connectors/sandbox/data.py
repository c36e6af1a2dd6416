"""What the sandbox is, as provider data: once with an API key, once with OAuth 2."""

from connectors.provider import (
    ApiKeyHeader,
    ApiKeyOpts,
    BatchSupport,
    BatchWriteSupport,
    OAuth2Opts,
    Provider,
    Support,
    TokenMetadataFields,
)

BATCH_LIMIT = 100
BASE_URL = "http://127.0.0.1:8090"
"""Where ``isthmus sandbox`` listens unless told otherwise; ``ISTHMUS_PROVIDER_URLS`` overrides it."""

_BATCH = BatchSupport(supported=True, default_record_limit=BATCH_LIMIT)
_SUPPORT = Support(
    write=True,
    delete=True,
    batch_write=BatchWriteSupport(create=_BATCH, update=_BATCH, delete=_BATCH, upsert=_BATCH),
)

SANDBOX = Provider(
    name="sandbox",
    display_name="Sandbox CRM",
    auth_type="apiKey",
    base_url=BASE_URL,
    support=_SUPPORT,
    api_key_opts=ApiKeyOpts(
        attachment_type="header", header=ApiKeyHeader(name="X-Sandbox-Key"), docs_url=f"{BASE_URL}/"
    ),
    docs_url=f"{BASE_URL}/",
)

SANDBOX_OAUTH = Provider(
    name="sandboxOAuth",
    display_name="Sandbox CRM (OAuth)",
    auth_type="oauth2",
    base_url=BASE_URL,
    support=_SUPPORT,
    oauth2_opts=OAuth2Opts(
        grant_type="authorizationCodePKCE",
        auth_url=f"{BASE_URL}/oauth/authorize",
        token_url=f"{BASE_URL}/oauth/token",
        explicit_scopes_required=False,
        token_metadata_fields=TokenMetadataFields(workspace_ref_field="workspace_id", scopes_field="scope"),
        docs_url=f"{BASE_URL}/",
    ),
    docs_url=f"{BASE_URL}/",
)
