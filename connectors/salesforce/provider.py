"""What Salesforce is, as data.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_oauth_and_connected_apps.htm
"""

from connectors.provider import (
    BatchSupport,
    BatchWriteSupport,
    MetadataInput,
    Module,
    OAuth2Opts,
    Provider,
    ProviderMetadata,
    Support,
    TokenField,
    TokenMetadataFields,
)

COLLECTION_LIMIT = 200
"""Records of one collection.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm
"""

_HOST = "https://{{.workspace}}.my.salesforce.com"
_BATCH = BatchSupport(supported=True, default_record_limit=COLLECTION_LIMIT)
SUPPORT = Support(
    write=True,
    delete=True,
    batch_write=BatchWriteSupport(create=_BATCH, update=_BATCH, delete=_BATCH, upsert=_BATCH),
    search={"operators": {"equals": False}},
)

SALESFORCE = Provider(
    name="salesforce",
    display_name="Salesforce",
    auth_type="oauth2",
    # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_list.htm
    base_url=_HOST,
    support=SUPPORT,
    default_module="crm",
    modules={"crm": Module(base_url=_HOST, display_name="Salesforce CRM", support=SUPPORT)},
    oauth2_opts=OAuth2Opts(
        # Salesforce wants PKCE of every partner's app, whether it has a secret or not.
        # https://developer.salesforce.com/docs/atlas.en-us.packagingGuide.meta/packagingGuide/secure_code_ac_eca.htm
        grant_type="authorizationCodePKCE",
        # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_oauth_and_connected_apps.htm
        auth_url=f"{_HOST}/services/oauth2/authorize",
        token_url=f"{_HOST}/services/oauth2/token",
        # In the body or as Basic credentials; the secret is wanted unless the app says otherwise. The answer has no
        # ``expires_in``, and no refresh token unless the app rotates them.
        # https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
        client_authentication="client_secret_post",
        explicit_scopes_required=False,
        explicit_workspace_required=True,
        token_metadata_fields=TokenMetadataFields(
            workspace_ref_field="instance_url",
            consumer_ref_field="id",
            scopes_field="scope",
            # The account may live elsewhere than the customer said, a sandbox for instance; never outside of the
            # provider's own domain. The embedded UI asks again while a connection lacks this entry.
            other_fields=(
                TokenField(
                    name="workspace",
                    display_name="My Domain",
                    path="instance_url",
                    capture=r"^https://(?<result>[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)\.my\.salesforce\.com/?$",
                ),
            ),
        ),
        # The customer's administrator may let refresh tokens die that were not used for some hours, days or months.
        # https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_oauth.htm
        keep_alive_interval_hours=24,
        docs_url="https://help.salesforce.com/s/articleView?id=xcloud.connected_app_create_api_integration.htm",
    ),
    metadata=ProviderMetadata(
        input=(
            MetadataInput(
                name="workspace",
                display_name="My Domain",
                prompt="The part of your Salesforce address before .my.salesforce.com",
                docs_url="https://help.salesforce.com/s/articleView?id=sf.domain_name_overview.htm",
            ),
        )
    ),
    docs_url="https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest.htm",
)
