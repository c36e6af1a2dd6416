"""What HubSpot is, as data."""

from connectors.provider import (
    BatchSupport,
    BatchWriteSupport,
    Module,
    OAuth2Opts,
    Provider,
    Support,
    TokenMetadataFields,
)

BATCH_LIMIT = 100
"""Records in one batch request. https://developers.hubspot.com/docs/api/crm/contacts"""

BASE_URL = "https://api.hubapi.com"

_BATCH = BatchSupport(supported=True, default_record_limit=BATCH_LIMIT)

SUPPORT = Support(
    write=True,
    delete=True,
    batch_write=BatchWriteSupport(create=_BATCH, update=_BATCH, delete=_BATCH, upsert=_BATCH),
    search={"operators": {"equals": False}},
)

HUBSPOT = Provider(
    name="hubspot",
    display_name="HubSpot",
    auth_type="oauth2",
    base_url=BASE_URL,
    support=SUPPORT,
    default_module="crm",
    modules={"crm": Module(base_url=BASE_URL, display_name="HubSpot CRM", support=SUPPORT)},
    oauth2_opts=OAuth2Opts(
        grant_type="authorizationCode",
        # https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth/working-with-oauth
        auth_url="https://app.hubspot.com/oauth/authorize",
        # Version 1 of the token endpoint is deprecated from 2027-02-16. Client and code go into the body:
        # https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide
        token_url="https://api.hubapi.com/oauth/v3/token",  # noqa: S106 - an address, not a secret
        client_authentication="client_secret_post",
        explicit_scopes_required=True,
        # The portal and what it granted, optional scopes among it; told at each refresh as well. Refresh tokens live
        # until the app is uninstalled, so none has to be kept alive.
        # https://developers.hubspot.com/changelog/additional-details-returned-when-generating-oauth-access-tokens
        token_metadata_fields=TokenMetadataFields(
            workspace_ref_field="hub_id", consumer_ref_field="user_id", scopes_field="scopes"
        ),
        docs_url="https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/oauth/oauth-quickstart-guide",
    ),
    docs_url="https://developers.hubspot.com/docs/api/overview",
)
