"""The end of the way by OAuth: the provider's code becomes tokens, and they become a connection."""

from connectors.credentials import AuthorizationCodeTokens
from connectors.grants import Client, Granted, exchange_code
from connectors.provider import OAuth2Opts, Provider
from connectors.secret import Secret
from connectors.signatures import ConnectionAuth
from installations.errors import invalid
from installations.installation import AuthScheme
from server.connecting.asking import known_provider, web_options
from server.connecting.keeping import Given, Kept, keep
from server.connecting.passage import Customer, Direct, Passage, values_of
from server.connecting.workspaces import Told
from server.services import Services

_SCHEMES: dict[str, AuthScheme] = {
    "authorizationCode": "oauth2/authorizationCode",
    "authorizationCodePKCE": "oauth2/authorizationCodePKCE",
}


async def land(services: Services, project_id: str, passage: Passage, way: Direct, *, code: Secret) -> Kept:
    """Trade the code and store the connection; when this answers, it is committed.

    Raises `ConnectorError` where the provider gives nothing, `InvalidInput` where the consent does not fit, `Missing`
    where what it was for is gone.
    """
    customer = passage.customer
    provider = known_provider(services, customer.provider)
    client = await client_of(services, project_id, customer)
    granted = await _exchange(services, customer, way, client=client, code=code)
    now = services.clock()
    given = Given(
        project_id=project_id,
        customer=customer,
        provider=provider,
        scheme=_SCHEMES[options_of(provider).grant_type],
        status="working",
        credentials=AuthorizationCodeTokens(
            access_token=granted.access_token,
            refresh_token=granted.refresh_token,
            expires_at=granted.expires_at(now),
            issued_at=now,
            # RFC 6749, section 5.1: scopes that are not mentioned are those that were asked for.
            scopes=granted.scopes or client.scopes,
            client_id=client.client_id,
        ),
        now=now,
        told=Told(workspace_ref=granted.workspace_ref, consumer_ref=granted.consumer_ref, facts=granted.facts),
    )
    return await keep(services, given, connection_id=way.connection_id)


async def client_of(services: Services, project_id: str, customer: Customer) -> Client:
    """Open the builder's OAuth client. Raises `Missing` where it was deleted meanwhile."""
    app = await services.store.provider_app(project_id, customer.provider_app_id or "")
    secret = (await services.store.client_secret(project_id, app.id)).decode()
    return Client(client_id=app.client_id, client_secret=Secret(secret) if secret else None, scopes=app.scopes or ())


def options_of(provider: Provider) -> OAuth2Opts:
    """Answer how to run the grant. Raises `InvalidInput` where a provider's data has changed under a customer."""
    options = web_options(provider)
    if options is None:
        raise invalid("provider", f"{provider.display_name} has no consent of its own any more", code="not-supported")
    return options


async def _exchange(services: Services, customer: Customer, way: Direct, *, client: Client, code: Secret) -> Granted:
    url = services.accounts.endpoints(customer.provider, values_of(customer)).token
    flow = exchange_code(
        options_of(known_provider(services, customer.provider)),
        url=url,
        client=client,
        code=code,
        redirect_uri=way.redirect_uri,
        verifier=way.verifier,
    )
    return await services.perform(flow, auth=ConnectionAuth(), origin=url)
