"""A customer connects at authorization servers that others wrote, uses the connection, denies, and connects again."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from server.settings import Settings
from server.store.opening import open_store
from tests.oauth_servers.customers import Customer, Decision
from tests.oauth_servers.fixtures import ON_EVERY_SERVER
from tests.oauth_servers.providers import connector
from tests.oauth_servers.servers import SCOPES, Application, OAuthServer
from tests.server.api.conftest import DATABASES
from tests.server.connecting.desk import Desk, asked, notice, open_desk, with_query
from tests.server.store.samples import MASTER_KEY


class Visit(msgspec.Struct, kw_only=True):
    """A product with an application of its own at a server."""

    desk: Desk
    server: OAuthServer
    application: Application

    @property
    def provider(self) -> str:
        return self.server.provider.name

    async def link(self, **body: Any) -> str:
        return await self.desk.link(provider=self.provider, **body)

    async def told(self, link: str, decision: Decision = "allow", *, name: str = "alice") -> Any:
        """Follow a link to its end; what the page that asked is told."""
        browser = self.desk.browser()
        back = await Customer(name).decide(await browser.set_out(link), decision)
        return notice(await browser.client.get(back))["message"]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def visit(request: pytest.FixtureRequest, oauth_server: OAuthServer) -> AsyncIterator[Visit]:
    if request.param == "memory":
        async with open_desk(connectors=[connector(oauth_server.provider)]) as desk:
            yield await visited(desk, oauth_server)
        return
    url = request.getfixturevalue(DATABASES[request.param])
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        async with open_desk(store, connectors=[connector(oauth_server.provider)]) as desk:
            yield await visited(desk, oauth_server)
    finally:
        await store.close()


async def visited(desk: Desk, server: OAuthServer) -> Visit:
    application = server.register(desk.callback(server.provider.name))
    body = {"provider": server.provider.name, "clientId": application.client_id, "scopes": SCOPES}
    answer = await desk.house.call("POST", "/provider-apps", json={**body, "clientSecret": application.client_secret})
    assert answer.status_code == 200, answer.text
    return Visit(desk=desk, server=server, application=application)


@ON_EVERY_SERVER
async def test_a_customer_connects_writes_and_connects_again(visit: Visit) -> None:
    desk = visit.desk
    told = await visit.told(await visit.link())
    connection = told["data"]["connection"]
    assert (connection["status"], connection["authScheme"]) == ("working", "oauth2/authorizationCodePKCE")
    tokens = await desk.tokens(connection["id"])
    assert set(tokens["scopes"]) >= set(SCOPES)
    assert tokens["refreshToken"]["token"]
    manifest = f"specVersion: 1.0.0\nintegrations:\n  - name: crm\n    provider: {visit.provider}\n{OBJECTS}"
    await desk.house.deploy(manifest)
    content = {"provider": visit.provider, "write": {"objects": {"contacts": {"objectName": "contacts"}}}}
    await desk.house.install(content=content, connectionId=connection["id"])
    written = await desk.house.write("contacts", {"type": "create", "record": {"name": "Ann"}})
    assert written.status_code == 200, written.text

    again = await visit.told(await visit.link())
    assert again["data"]["connection"]["id"] == connection["id"]
    updated = await visit.told(await desk.update_link(connection["id"]))
    assert updated["data"]["connection"]["id"] == connection["id"]
    assert len(await desk.connections()) == 1
    requests = visit.server.token_requests(visit.application.client_id, grant_type="authorization_code")
    assert [each.status for each in requests] == [200, 200, 200]


@ON_EVERY_SERVER
async def test_a_customer_denies(visit: Visit) -> None:
    told = await visit.told(await visit.link(), "deny")
    assert told["eventType"] == "AUTHORIZATION_FAILED"
    assert told["message"] == told["data"]["error"] != ""
    assert await visit.desk.connections() == []
    assert visit.server.token_requests(visit.application.client_id) == []


@ON_EVERY_SERVER
async def test_a_strict_flow_trades_the_code_at_its_end(visit: Visit) -> None:
    told = await visit.told(await visit.link(flow="strict"))
    assert visit.server.token_requests(visit.application.client_id) == []
    body = {"projectIdOrName": visit.desk.house.project_id, "completionCode": told["data"]["completionCode"]}
    answer = await visit.desk.house.client.post(
        "/v1/oauth-connect:complete", json=body, headers=visit.desk.house.headers
    )
    assert answer.status_code == 201, answer.text
    assert [each.status for each in visit.server.token_requests(visit.application.client_id)] == [200]


@ON_EVERY_SERVER
async def test_a_code_from_another_flow_is_refused_by_its_challenge(visit: Visit) -> None:
    victim, attacker = visit.desk.browser(), visit.desk.browser()
    back = await Customer("alice").decide(await victim.set_out(await visit.link()))
    stolen = await Customer("bob").decide(await attacker.set_out(await visit.link(groupRef="evil")))
    page = await victim.client.get(with_query(back, code=asked(stolen)["code"]))
    assert notice(page)["message"]["eventType"] == "AUTHORIZATION_FAILED"
    assert await visit.desk.connections() == []


OBJECTS = """    write:
      objects:
        - objectName: contacts
          inheritMapping: true
"""
