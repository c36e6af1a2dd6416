"""What a builder sets up once so that customers can connect by OAuth: a client at the sandbox, and its provider app."""

import httpx

from connectors.sandbox.data import SANDBOX_OAUTH
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from headless.client import Client

PROVIDER = SANDBOX_OAUTH.name


async def consent_link(
    client: Client, *, sandbox_url: str, redirect_uri: str, group_ref: str, consumer_ref: str
) -> str:
    """Set it up, and answer a link for one customer. Raises `ApiError` and `httpx.HTTPError`."""
    await _register(sandbox_url, redirect_uri)
    app_id = await _provider_app(client)
    return await client.connect_link(PROVIDER, group_ref=group_ref, consumer_ref=consumer_ref, provider_app_id=app_id)


async def _register(sandbox_url: str, redirect_uri: str) -> None:
    client = {"name": "Demo", "clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET}
    async with httpx.AsyncClient(base_url=sandbox_url, trust_env=False) as http:
        answer = await http.post("/_sandbox/clients", json={**client, "redirectUris": [redirect_uri]})
        answer.raise_for_status()


async def _provider_app(client: Client) -> str:
    """Answer the id of the provider app, which an earlier demo may have left in the database."""
    for app in await client.provider_apps():
        if (app["provider"], app["clientId"]) == (PROVIDER, DEMO_CLIENT_ID):
            return str(app["id"])
    made = await client.add_provider_app(PROVIDER, client_id=DEMO_CLIENT_ID, client_secret=DEMO_CLIENT_SECRET)
    return str(made["id"])
