"""The two servers as Isthmus knows them: provider data, and a tiny connector for each so that a catalog may list it."""

from connectors.provider import OAuth2Opts, Provider, Support, TokenMetadataFields
from connectors.rest import DescribedRestConnector, RestObject
from installations.schema import FieldMetadata

_SUPPORT = Support(read=False, write=True, proxy=True)
_SCOPES = TokenMetadataFields(scopes_field="scope")


def toolkit_provider(origin: str) -> Provider:
    """Describe django-oauth-toolkit: it asks for PKCE, sends no ``iss``, and takes the client's secret either way."""
    return Provider(
        name="toolkit",
        display_name="Django Toolkit",
        auth_type="oauth2",
        base_url=origin,
        support=_SUPPORT,
        oauth2_opts=OAuth2Opts(
            grant_type="authorizationCodePKCE",
            auth_url=f"{origin}/o/authorize/",
            token_url=f"{origin}/o/token/",
            client_authentication="client_secret_basic",
            token_metadata_fields=_SCOPES,
        ),
    )


def toolkit_for_clients(origin: str) -> Provider:
    """Describe django-oauth-toolkit by client credentials."""
    return Provider(
        name="toolkitForClients",
        display_name="Django Toolkit for clients",
        auth_type="oauth2",
        base_url=origin,
        support=_SUPPORT,
        oauth2_opts=OAuth2Opts(
            grant_type="clientCredentials", token_url=f"{origin}/o/token/", token_metadata_fields=_SCOPES
        ),
    )


def toolkit_for_passwords(origin: str) -> Provider:
    """Describe django-oauth-toolkit by user name and password."""
    return Provider(
        name="toolkitForPasswords",
        display_name="Django Toolkit for passwords",
        auth_type="oauth2",
        base_url=origin,
        support=_SUPPORT,
        oauth2_opts=OAuth2Opts(grant_type="password", token_url=f"{origin}/o/token/", token_metadata_fields=_SCOPES),
    )


def oidc_provider(origin: str) -> Provider:
    """Describe oidc-provider: it asks for PKCE, sends ``iss`` back, and wants the client's secret in the form."""
    return Provider(
        name="oidc",
        display_name="OpenID Provider",
        auth_type="oauth2",
        base_url=origin,
        support=_SUPPORT,
        oauth2_opts=OAuth2Opts(
            grant_type="authorizationCodePKCE",
            auth_url=f"{origin}/auth",
            token_url=f"{origin}/token",
            issuer=origin,
            # Else it asks a customer once, and never again while its cookie lives.
            auth_url_params={"prompt": "consent"},
            token_metadata_fields=_SCOPES,
        ),
    )


def connector(provider: Provider) -> DescribedRestConnector:
    """Make a connector that creates contacts and tries a credential by listing them."""
    fields = tuple(
        FieldMetadata(field_name=name, display_name=name.title(), value_type="string") for name in ("email", "name")
    )
    contacts = RestObject(path="contacts", methods=frozenset({"create"}), fields=fields)
    return DescribedRestConnector(provider=provider, objects={"contacts": contacts}, probe_path="contacts")
