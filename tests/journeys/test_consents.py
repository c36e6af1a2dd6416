"""Customers of HubSpot and Salesforce give consent, and stay connected, as these two answer."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import msgspec
import pytest

from tests.server.connecting.answering import answered
from tests.server.connecting.desk import CLIENT, Desk, asked, notice, open_desk
from tests.simulators.door import on_loopback
from tests.simulators.hubspot import HubSpotSimulator
from tests.simulators.salesforce import SalesforceSimulator
from tests.simulators.tokens import Force, Hub, TokenEndpoint

RECORDS: dict[str, tuple[str, dict[str, Any]]] = {
    "hubspot": ("contacts", {"email": "ann@acme.test"}),
    "salesforce": ("Account", {"Name": "Acme"}),
}


class Visit(msgspec.Struct, kw_only=True):
    """A product with an application at a provider."""

    provider: str
    desk: Desk
    crm: HubSpotSimulator | SalesforceSimulator
    tokens: TokenEndpoint

    async def link(self) -> str:
        workspace = {"providerWorkspaceRef": "acme"} if self.provider == "salesforce" else {}
        return await self.desk.link(provider=self.provider, **workspace)

    async def connected(self) -> Any:
        """Connect by a consent that nobody has to give; the connection as the page is told of it."""
        browser = self.desk.browser()
        page = await browser.client.get(answered(await browser.set_out(await self.link())))
        return notice(page)["message"]["data"]["connection"]

    async def moved_in(self) -> None:
        name, _ = RECORDS[self.provider]
        head = f"specVersion: 1.0.0\nintegrations:\n  - name: crm\n    provider: {self.provider}\n"
        await self.desk.house.deploy(f"{head}    write:\n      objects:\n        - objectName: {name}\n")
        objects = {name: {"objectName": name}}
        await self.desk.house.install(content={"provider": self.provider, "write": {"objects": objects}})

    async def write(self) -> httpx.Response:
        name, record = RECORDS[self.provider]
        number = len(self.crm.requests)
        record = {key: f"{number}{value}" for key, value in record.items()}
        return await self.desk.house.write(name, {"type": "create", "record": record})

    async def told(self) -> list[str]:
        return [event.type for event in await self.desk.house.services.store.events(self.desk.house.project_id)]


@pytest.fixture(params=["hubspot", "salesforce"])
async def visit(request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    provider = request.param
    crm, kind = (HubSpotSimulator(), Hub) if provider == "hubspot" else (SalesforceSimulator(), Force)
    tokens: TokenEndpoint = kind(crm)
    application = crm.application()
    application.router.add_post(tokens.path, tokens.answer)
    async with AsyncExitStack() as stack:
        crm.url = await stack.enter_async_context(on_loopback(application))
        desk = await stack.enter_async_context(open_desk(provider_urls={provider: crm.url}))
        scopes = ["crm.objects.contacts.write", "oauth"] if provider == "hubspot" else ["api", "refresh_token"]
        app = {"provider": provider, **CLIENT, "scopes": scopes}
        answer = await desk.house.call("POST", "/provider-apps", json=app)
        assert answer.status_code == 200, answer.text
        yield Visit(provider=provider, desk=desk, crm=crm, tokens=tokens)


async def test_a_customer_is_sent_where_the_provider_asks_for_consent(visit: Visit) -> None:
    address = await visit.desk.browser().set_out(await visit.link())
    pages = {
        "hubspot": "https://app.hubspot.com/oauth/authorize",
        "salesforce": f"{visit.crm.url}/services/oauth2/authorize",
    }
    said = asked(address)
    assert address.partition("?")[0] == pages[visit.provider]
    assert said["redirect_uri"] == visit.desk.callback(visit.provider)
    assert ("code_challenge" in said) is (visit.provider == "salesforce")


async def test_what_the_provider_tells_of_the_account_is_kept(visit: Visit) -> None:
    made = await visit.connected()
    form = visit.tokens.asked[0]
    assert (form["client_id"], form["client_secret"]) == (CLIENT["clientId"], CLIENT["clientSecret"])
    facts = {name: (entry["value"], entry["source"]) for name, entry in made["providerMetadata"].items()}
    refs = (made["providerWorkspaceRef"], made["providerConsumerRef"], made["authScheme"])
    if visit.provider == "hubspot":
        assert refs == ("62515", "293199", "oauth2/authorizationCode")
        assert facts == {"hub_id": ("62515", "token")}
    else:
        user = "https://test.salesforce.com/id/00Dxx0000001gPLEAY/005xx000001SwiUAAS"
        assert refs == ("acme", user, "oauth2/authorizationCodePKCE")
        assert facts == {
            "workspace": ("acme--dev.sandbox", "token"),
            "instance_url": ("https://acme--dev.sandbox.my.salesforce.com", "token"),
        }


async def test_a_customer_stays_connected_from_token_to_token(visit: Visit) -> None:
    await visit.connected()
    await visit.moved_in()
    for _ in range(3):
        assert (await visit.write()).status_code == 200
        visit.tokens.expire()
    assert [form["grant_type"] for form in visit.tokens.asked] == ["authorization_code", *["refresh_token"] * 2]
    assert await visit.told() == ["connection.created", "installation.created", *["connection.refreshed"] * 2]


async def test_a_customer_who_took_access_back_gives_it_again(visit: Visit) -> None:
    first = await visit.connected()
    await visit.moved_in()
    visit.tokens.expire()
    visit.tokens.dead = True
    refused = await visit.write()
    assert refused.status_code == 422, refused.text
    assert (await visit.desk.connections())[0]["status"] == "bad_credentials"
    visit.tokens.dead = False
    again = await visit.connected()
    assert (again["id"], again["status"]) == (first["id"], "working")
    assert (await visit.write()).status_code == 200
    said = ["connection.created", "installation.created", "connection.error", "connection.updated"]
    assert await visit.told() == said
