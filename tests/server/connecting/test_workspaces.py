"""Which connection a consent is for where the provider does not tell: what the customer filled in decides."""

from typing import Any

import pytest

from connectors.connector import Connector
from connectors.provider import MetadataInput, OAuth2Opts, Provider, ProviderMetadata, Support, TokenMetadataFields
from tests.oauth_servers.providers import connector
from tests.server.connecting.answering import Answering, answering
from tests.server.connecting.desk import Desk, open_desk

HOSTED = "hosted"


def hosted(server: Answering, *, fields: TokenMetadataFields | None = None) -> Connector:
    """Describe a provider with a workspace and a region in its address."""
    return connector(
        Provider(
            name=HOSTED,
            display_name="Hosted",
            auth_type="oauth2",
            base_url=f"{server.origin}/{{{{.workspace}}}}/{{{{.region}}}}",
            support=Support(write=True),
            oauth2_opts=OAuth2Opts(
                grant_type="authorizationCodePKCE",
                auth_url=f"{server.origin}/authorize",
                token_url=f"{server.origin}/token",
                token_metadata_fields=fields or TokenMetadataFields(),
                explicit_workspace_required=True,
            ),
            metadata=ProviderMetadata(
                input=(MetadataInput(name="workspace"), MetadataInput(name="region", default_value="eu"))
            ),
        )
    )


def filled(workspace: str, **more: str) -> dict[str, Any]:
    named = {name: {"value": value} for name, value in more.items()}
    return {"provider": HOSTED, "providerWorkspaceRef": workspace, "providerMetadata": named}


async def base_url(desk: Desk, connection_id: str) -> str:
    connection = await desk.house.services.store.connection(desk.house.project_id, connection_id)
    _, account, _ = await desk.house.services.accounts.open(connection)
    return account.base_url


@pytest.mark.parametrize("other", [filled("beta"), filled("alpha", region="us")], ids=["workspace", "region"])
async def test_another_account_of_theirs_is_another_connection(other: dict[str, Any]) -> None:
    """Healing would point installations for the first account at the second one's data."""
    async with answering() as server, open_desk(connectors=[hosted(server)]) as desk:
        first = await server.connected(desk, **filled("alpha", region="eu"))
        assert (await server.connected(desk, **other))["id"] != first["id"]
        assert await base_url(desk, first["id"]) == f"{server.origin}/alpha/eu"


async def test_the_same_account_in_other_letters_is_healed() -> None:
    async with answering() as server, open_desk(connectors=[hosted(server)]) as desk:
        first = await server.connected(desk, **filled("alpha"))
        assert (await server.connected(desk, **filled("Alpha")))["id"] == first["id"]


async def test_the_providers_word_counts_more_than_the_customers() -> None:
    """Customers name one account by several names: a domain of theirs, or the one the provider gave them."""
    told = TokenMetadataFields(workspace_ref_field="team")
    async with answering() as server, open_desk(connectors=[hosted(server, fields=told)]) as desk:
        first = await server.connected(desk, **filled("alpha"))
        assert (await server.connected(desk, **filled("alpha-inc")))["id"] == first["id"]
