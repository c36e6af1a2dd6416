"""Tokens stay fresh at authorization servers that others wrote: expiry, rotation, reuse detection, consent again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from tests.oauth_servers.customers import Customer
from tests.oauth_servers.fixtures import ON_EVERY_SERVER
from tests.oauth_servers.providers import connector, toolkit_for_clients, toolkit_for_passwords
from tests.oauth_servers.servers import SCOPES, Application, OAuthServer
from tests.server.connecting.desk import Desk, notice, open_desk

LIFE_SECONDS = 60


class Visit(msgspec.Struct, kw_only=True):
    """A product with an application at a server, whose customer has connected and installed."""

    desk: Desk
    server: OAuthServer
    application: Application
    connection_id: str = ""

    async def consent(self) -> Any:
        """Give access; the connection as the page is told of it."""
        browser = self.desk.browser()
        link = await self.desk.link(provider=self.server.provider.name)
        page = await browser.client.get(await Customer().decide(await browser.set_out(link)))
        return notice(page)["message"]["data"]["connection"]

    async def write(self, name: str = "Ann") -> httpx.Response:
        return await self.desk.house.write("contacts", {"type": "create", "record": {"name": name}})

    async def refresh_token(self) -> str:
        return str((await self.desk.tokens(self.connection_id))["refreshToken"]["token"])

    async def status(self) -> str:
        (connection,) = await self.desk.connections()
        return str(connection["status"])

    def refreshes(self) -> int:
        return self.server.refreshes(self.application.client_id)

    def expire(self) -> None:
        self.server.expire(self.application.client_id)


async def install(desk: Desk, provider: str, connection_id: str) -> None:
    await desk.house.deploy(f"specVersion: 1.0.0\nintegrations:\n  - name: crm\n    provider: {provider}\n{OBJECTS}")
    content = {"provider": provider, "write": {"objects": {"contacts": {"objectName": "contacts"}}}}
    await desk.house.install(content=content, connectionId=connection_id)


@pytest.fixture
async def visit(oauth_server: OAuthServer) -> AsyncIterator[Visit]:
    async with visiting(oauth_server) as made:
        yield made


@ON_EVERY_SERVER
async def test_a_token_of_a_minute_is_renewed_before_it_is_over_again_and_again(visit: Visit) -> None:
    spent = set()
    for number in range(1, 6):
        spent.add(await visit.refresh_token())
        visit.desk.clock.pass_by(seconds=0.9 * LIFE_SECONDS)
        assert (await visit.write()).status_code == 200
        await visit.desk.house.services.tokens.errands.finish()
        assert visit.refreshes() == number
    assert len(spent) == 5
    assert await visit.status() == "working"


@ON_EVERY_SERVER
async def test_a_token_that_is_over_is_renewed_before_it_is_sent(visit: Visit) -> None:
    visit.expire()
    visit.desk.clock.pass_by(seconds=LIFE_SECONDS + 1)
    assert (await visit.write()).status_code == 200
    assert visit.refreshes() == 1


@ON_EVERY_SERVER
async def test_many_refused_writes_cost_one_refresh_and_all_are_done(visit: Visit) -> None:
    for number in range(1, 4):
        visit.expire()
        answers = await asyncio.gather(*(visit.write(f"Ann {number} {each}") for each in range(30)))
        assert {answer.status_code for answer in answers} == {200}
        assert visit.refreshes() == number
    assert visit.server.living(visit.application.client_id).refresh == 1


@ON_EVERY_SERVER
async def test_a_stolen_and_reused_refresh_token_breaks_the_connection_until_the_customer_connects_again(
    visit: Visit,
) -> None:
    stolen = await visit.refresh_token()
    visit.expire()
    assert (await visit.write()).status_code == 200
    assert await use(visit, stolen) == 400
    visit.expire()

    refused = await visit.write()

    assert refused.status_code != 200
    assert "connect again" in refused.text
    assert await visit.status() == "bad_credentials"
    asked = len(visit.server.token_requests(visit.application.client_id))
    assert (await visit.write()).status_code != 200
    assert len(visit.server.token_requests(visit.application.client_id)) == asked

    healed = await visit.consent()

    assert (healed["id"], await visit.status()) == (visit.connection_id, "working")
    assert (await visit.write()).status_code == 200
    events = await visit.desk.house.services.store.events(visit.desk.house.project_id)
    told = [event.type for event in events if event.type not in {"connection.refreshed", "installation.created"}]
    assert told == ["connection.created", "connection.error", "connection.updated"]


async def use(visit: Visit, token: str) -> int:
    """Refresh behind our back, as a thief does, or a process that dies before it has stored anything."""
    options = visit.server.provider.oauth2_opts
    assert options
    client = {"client_id": visit.application.client_id, "client_secret": visit.application.client_secret}
    form = {"grant_type": "refresh_token", "refresh_token": token, **client}
    async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
        return (await http.post(options.token_url, data=form)).status_code


@asynccontextmanager
async def visiting(server: OAuthServer) -> AsyncIterator[Visit]:
    provider = server.provider.name
    async with open_desk(connectors=[connector(server.provider)]) as desk:
        application = server.register(desk.callback(provider), token_life=LIFE_SECONDS)
        body = {"provider": provider, "clientId": application.client_id, "scopes": SCOPES}
        body |= {"clientSecret": application.client_secret}
        assert (await desk.house.call("POST", "/provider-apps", json=body)).status_code == 200
        made = Visit(desk=desk, server=server, application=application)
        made.connection_id = (await made.consent())["id"]
        await install(desk, provider, made.connection_id)
        yield made


async def test_within_the_grace_a_lost_answer_costs_nothing(lenient_toolkit_server: OAuthServer) -> None:
    async with visiting(lenient_toolkit_server) as visit:
        visit.expire()
        assert await use(visit, await visit.refresh_token()) == 200
        assert (await visit.write()).status_code == 200
        assert await visit.status() == "working"


BY_CLIENT = [
    ("client-credentials", toolkit_for_clients, "oauth2ClientCredentials", {}),
    ("password", toolkit_for_passwords, "oauth2PasswordCredentials", {"username": "alice", "password": "password"}),
]


@pytest.mark.parametrize(("grant", "describe", "member", "more"), BY_CLIENT, ids=[row[0] for row in BY_CLIENT])
async def test_tokens_without_a_browser_are_had_tried_and_had_again(
    toolkit_server: OAuthServer, grant: Any, describe: Any, member: str, more: dict[str, str]
) -> None:
    provider = describe(toolkit_server.origin)
    application = toolkit_server.register(grant=grant, token_life=LIFE_SECONDS)
    forms = {"clientId": application.client_id, "clientSecret": application.client_secret, "scopes": SCOPES, **more}
    async with open_desk(connectors=[connector(provider)]) as desk:
        body = {"provider": provider.name, "groupRef": "g1", "consumerRef": "c1", member: forms}
        made = await desk.house.call("POST", "/connections:generate", json=body)
        assert (made.status_code, made.json()["status"]) == (201, "working"), made.text
        await install(desk, provider.name, made.json()["id"])
        visit = Visit(desk=desk, server=toolkit_server, application=application)
        for number in range(2, 5):
            toolkit_server.expire(application.client_id)
            assert (await visit.write()).status_code == 200
            assert len(toolkit_server.token_requests(application.client_id)) == number


OBJECTS = """    write:
      objects:
        - objectName: contacts
          inheritMapping: true
"""
