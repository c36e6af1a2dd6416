"""Changes that nobody may make to a connection by way of the embedded UI, and refusals that blame the right one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from connectors.provider import MetadataInput, Module, OAuth2Opts, Provider, ProviderMetadata, Support
from tests.server.house import House, open_house
from tests.server.proxied import BY_HEADER, Bare
from tests.server.signing import bearer, register, token

WORKSPACE = ProviderMetadata(input=(MetadataInput(name="workspace"), MetadataInput(name="hub", default_value="one")))
_HOSTED = replace(BY_HEADER, base_url="https://{{.workspace}}.echo.test", modules=UNSET, metadata=WORKSPACE)
_MODULE = Module(base_url="https://{{.workspace}}.echo.test", display_name="Hub", support=Support())
_OPTIONS = OAuth2Opts(grant_type="clientCredentials", token_url="https://{{.workspace}}.echo.test/token")
HOSTED: tuple[Provider, ...] = (
    replace(_HOSTED, name="hosted"),
    replace(_HOSTED, name="hub", base_url="https://{{.hub}}.echo.test"),
    replace(_HOSTED, name="module", base_url="https://echo.test", modules={"crm": _MODULE}),
    replace(_HOSTED, name="endpoint", base_url="https://echo.test", auth_type="oauth2", oauth2_opts=_OPTIONS),
)
"""Each sends credentials to an address that depends on what the customer filled in."""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(connectors=[Bare(provider=provider) for provider in HOSTED]) as opened:
        yield opened


def entry(value: str, source: str = "input") -> dict[str, str]:
    return {"value": value, "source": source}


async def made(house: House, provider: str, **rest: Any) -> str:
    """Make a connection to the workspace ``acme``; its id."""
    filled = {"providerMetadata": {"workspace": entry("acme")}, **rest}
    return str((await house.connect(provider=provider, apiKey="the-customers-key", **filled))["id"])


async def change(house: House, connection_id: str, credential: dict[str, str], **members: Any) -> Any:
    body = {"updateMask": list(members), "connection": members}
    path = f"/v1/projects/{house.project_id}/connections/{connection_id}"
    return await house.client.patch(path, headers=credential, json=body)


async def sources(house: House, connection_id: str) -> dict[str, str]:
    """Answer who said what a connection knows of its account."""
    stored = await house.services.store.connection(house.project_id, connection_id)
    return {name: value.source for name, value in (stored.provider_metadata or {}).items()}


async def base_url(house: House, connection_id: str) -> str:
    """Answer where the connection's credentials go."""
    connection = await house.services.store.connection(house.project_id, connection_id)
    _, account, _ = await house.services.accounts.open(connection)
    return account.base_url


async def browsers(house: House) -> list[dict[str, str]]:
    return [{"X-Api-Key": house.frontend_key}, bearer(token(await register(house)))]


MOVES: list[tuple[str, dict[str, Any]]] = [
    ("hosted", {"providerMetadata": {"workspace": entry("evil")}}),
    ("hosted", {"providerMetadata": {"workspace": entry("evil.deeper", "token")}}),
    ("hosted", {"providerMetadata": {"workspace": entry("evil")}, "providerWorkspaceRef": "acme"}),
    ("hosted", {"providerWorkspaceRef": "evil", "providerMetadata": {}}),
    ("hub", {"providerMetadata": {"workspace": entry("acme"), "hub": entry("evil")}}),
    ("module", {"providerMetadata": {"workspace": entry("evil")}}),
    ("endpoint", {"providerMetadata": {"workspace": entry("evil")}}),
]


@pytest.mark.parametrize(("provider", "members"), MOVES)
async def test_stored_credentials_go_nowhere_else_because_a_browser_says_so(
    house: House, provider: str, members: dict[str, Any]
) -> None:
    """T9: whoever has the key that ships in pages could have every customer's credentials sent to a host of theirs."""
    connection_id = await made(house, provider)
    before = await house.services.store.connection(house.project_id, connection_id)
    for credential in await browsers(house):
        answer = await change(house, connection_id, credential, **members)
        (issue,) = answer.json()["issues"]
        assert (answer.status_code, issue["name"], issue["code"]) == (422, "connection", "credentials")
    assert await house.services.store.connection(house.project_id, connection_id) == before
    assert (await change(house, connection_id, house.headers, **members)).status_code == 200


async def test_credentials_that_come_along_may_go_elsewhere(house: House) -> None:
    connection_id = await made(house, "hosted")
    for credential in await browsers(house):
        moved = {"providerMetadata": {"workspace": entry("globex")}, "apiKey": "the-key-for-globex"}
        assert (await change(house, connection_id, credential, **moved)).status_code == 200
    assert await base_url(house, connection_id) == "https://globex.echo.test"


async def test_what_decides_no_address_may_change(house: House) -> None:
    connection_id = await made(house, "hosted")
    for credential in await browsers(house):
        members = {"providerMetadata": {"workspace": entry("acme"), "note": entry("x")}, "providerWorkspaceRef": "a"}
        assert (await change(house, connection_id, credential, **members)).status_code == 200
    assert await base_url(house, connection_id) == "https://acme.echo.test"


async def test_nobody_but_the_provider_says_what_the_provider_said(house: House) -> None:
    """Whether a consent is for the same workspace is decided by what the provider told with the tokens."""
    connection_id = await made(house, "hosted", providerMetadata={"workspace": entry("acme", "token")})
    assert await sources(house, connection_id) == {"workspace": "input", "hub": "input"}
    await change(house, connection_id, house.headers, providerMetadata={"workspace": entry("acme", "token")})
    assert await sources(house, connection_id) == {"workspace": "input", "hub": "input"}


async def test_a_client_may_send_back_what_the_provider_said(house: House) -> None:
    connection_id = await made(house, "hosted")
    store, now = house.services.store, house.services.clock()
    known = (await store.connection(house.project_id, connection_id)).provider_metadata or {}
    told = {name: replace(value, source="token") for name, value in known.items()}
    await store.update_connection(house.project_id, connection_id, now=now, provider_metadata=told)
    again = {"workspace": entry("acme", "token"), "note": entry("x", "provider")}
    assert (await change(house, connection_id, house.headers, providerMetadata=again)).status_code == 200
    assert await sources(house, connection_id) == {"workspace": "token", "hub": "input", "note": "input"}


async def test_a_provider_that_may_not_be_called_is_the_operators_matter() -> None:
    async with open_house(provider_urls={"hubspot": "http://10.255.255.1"}) as house:
        body = {"provider": "hubspot", "groupRef": "g1", "consumerRef": "c1", "apiKey": "k"}
        answer = await house.call("POST", "/connections:generate", json=body)
    (issue,) = answer.json()["issues"]
    assert (answer.status_code, issue["code"], issue["name"]) == (422, "address-denied", "provider")
    assert "ISTHMUS_ALLOWED_NETWORKS" in issue["remedy"]
