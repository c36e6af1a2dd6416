"""Tokens by way of the API: made with a connection, and refreshed when somebody asks."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from connectors.rest import DescribedRestConnector, RestObject
from installations.schema import FieldMetadata
from tests.server.house import House, open_house
from tests.server.tokens.rig import START, Clockwork, providers
from tests.server.tokens.token_server import CLIENT_ID, CLIENT_SECRET, TokenServer, refusal, serving


@pytest.fixture
def clockwork() -> Clockwork:
    return Clockwork()


@pytest.fixture
async def server(clockwork: Clockwork) -> AsyncIterator[TokenServer]:
    made = TokenServer(monotonic=clockwork.monotonic)
    async with serving(made):
        yield made


@pytest.fixture
async def house(server: TokenServer, clockwork: Clockwork) -> AsyncIterator[House]:
    fields = (FieldMetadata(field_name="email", display_name="Email", value_type="string"),)
    contacts = RestObject(path="contacts", methods=frozenset({"create"}), fields=fields)
    connectors = [
        DescribedRestConnector(provider=one, objects={"contacts": contacts}, probe_path="things")
        for one in providers(server.url)
    ]
    async with open_house(connectors=connectors, clock=clockwork.now) as made:
        yield made


GENERATED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "client",
        {"oauth2ClientCredentials": {"clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}},
        {"oauth2ClientCredentials": {"clientId": CLIENT_ID, "clientSecret": "wrong-secret"}},
    ),
    (
        "password",
        {
            "oauth2PasswordCredentials": {
                "username": "jo",
                "password": "right-password",
                "clientId": CLIENT_ID,
                "clientSecret": CLIENT_SECRET,
            }
        },
        {
            "oauth2PasswordCredentials": {
                "username": "jo",
                "password": "wrong-password",
                "clientId": CLIENT_ID,
                "clientSecret": CLIENT_SECRET,
            }
        },
    ),
    (
        "custom",
        {"customAuth": {"tenant": "acme", "password": "right-password"}},
        {"customAuth": {"tenant": "acme", "password": "wrong-password"}},
    ),
]
EACH = pytest.mark.parametrize(("provider", "good", "bad"), GENERATED, ids=[row[0] for row in GENERATED])


async def generate(house: House, provider: str, forms: dict[str, Any]) -> Any:
    body = {"provider": provider, "groupRef": "g1", "consumerRef": "c1", **forms}
    return await house.call("POST", "/connections:generate", json=body)


@EACH
async def test_a_connection_is_answered_once_its_token_is_had_and_tried(
    house: House, server: TokenServer, provider: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    del bad
    answer = await generate(house, provider, good)
    assert (answer.status_code, answer.json()["status"]) == (201, "working"), answer.text
    assert len(server.asked) + len(server.logins) == 1
    assert server.calls.total() == 1
    stored = await house.services.store.credentials(house.project_id, answer.json()["id"])
    assert b"access-" in stored.content


@EACH
async def test_refused_credentials_make_no_connection_and_are_told_in_the_provider_s_words(
    house: House, provider: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    del good
    answer = await generate(house, provider, bad)
    (issue,) = answer.json()["issues"]
    assert (answer.status_code, issue["code"], issue["name"]) == (422, "credentials-refused", next(iter(bad)))
    assert "it is invalid" in issue["detail"] or "wrong password" in issue["detail"]
    assert "wrong-secret" not in answer.text
    assert (await house.call("GET", "/connections")).json() == []


@EACH
async def test_while_the_token_endpoint_is_away_no_connection_is_made(
    house: House, server: TokenServer, provider: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    del bad
    server.instead = [web.Response(status=503)]
    answer = await generate(house, provider, good)
    assert (answer.status_code, answer.json()["retryable"]) == (502, True)
    assert (await house.call("GET", "/connections")).json() == []


@EACH
async def test_new_credentials_come_with_their_token(
    house: House, server: TokenServer, provider: str, good: dict[str, Any], bad: dict[str, Any]
) -> None:
    made = (await generate(house, provider, good)).json()
    (name,) = good
    for forms, status in ((bad, 422), (good, 200)):
        body = {"updateMask": [name], "connection": forms}
        answer = await house.call("PATCH", f"/connections/{made['id']}", json=body)
        assert answer.status_code == status, answer.text
    assert len(server.asked) + len(server.logins) == 3


@pytest.fixture
async def connection_id(house: House, server: TokenServer, clockwork: Clockwork) -> str:
    """A connection with tokens of the authorization code grant, good for an hour."""
    body = {"provider": "code", "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    assert (await house.call("POST", "/provider-apps", json=body)).status_code == 200
    access, refresh = server.grant("c1")
    tokens = {
        "accessToken": {"token": access, "expiresAt": (START + timedelta(hours=1)).isoformat()},
        "refreshToken": {"token": refresh},
    }
    answer = await generate(house, "code", {"oauth2AuthorizationCode": tokens})
    assert answer.status_code == 201, answer.text
    clockwork.tick(1)
    return str(answer.json()["id"])


async def shown(house: House, connection_id: str, **query: Any) -> Any:
    return await house.call("GET", f"/connections/{connection_id}", params=query)


async def token_of(house: House, connection_id: str, **query: Any) -> str:
    answer = await shown(house, connection_id, includeCreds=True, **query)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["oauth2AuthorizationCode"]["accessToken"]["token"])


async def test_force_renews_a_token_that_is_fresh(house: House, connection_id: str) -> None:
    assert await token_of(house, connection_id) == "access-c1-1"
    assert await token_of(house, connection_id, refresh="ifExpired") == "access-c1-1"
    assert await token_of(house, connection_id, refresh="force") == "access-c1-2"
    assert await token_of(house, connection_id) == "access-c1-2"


async def test_a_token_that_is_over_is_renewed_if_expired(
    house: House, clockwork: Clockwork, connection_id: str
) -> None:
    clockwork.tick(3600)
    assert await token_of(house, connection_id) == "access-c1-1"
    assert await token_of(house, connection_id, refresh="ifExpired") == "access-c1-2"


async def test_the_refresh_token_is_shown_to_who_asks_for_it(house: House, connection_id: str) -> None:
    answer = await shown(house, connection_id, includeRefreshToken=True, refresh="force")
    assert answer.json()["oauth2AuthorizationCode"]["refreshToken"]["token"] == "refresh-c1-2"


async def test_a_refresh_shows_no_tokens_by_itself(house: House, connection_id: str) -> None:
    answer = await shown(house, connection_id, refresh="force")
    assert (answer.status_code, "oauth2AuthorizationCode" in answer.json()) == (200, False)
    assert await token_of(house, connection_id) == "access-c1-2"


async def test_browsers_may_not_refresh(house: House, server: TokenServer, connection_id: str) -> None:
    path = f"/connections/{connection_id}"
    answer = await house.call("GET", path, params={"refresh": "force"}, key=house.frontend_key)
    assert (answer.status_code, server.asked) == (403, [])


async def test_a_dead_grant_is_said_and_the_connection_marked(
    house: House, server: TokenServer, connection_id: str
) -> None:
    server.revoke("c1")
    answer = await shown(house, connection_id, refresh="force")
    assert answer.status_code == 422
    assert "the customer has to connect again" in answer.json()["detail"]
    assert (await shown(house, connection_id)).json()["status"] == "bad_credentials"


async def test_a_wrong_provider_app_is_the_builder_s_to_mend(
    house: House, server: TokenServer, connection_id: str
) -> None:
    (app,) = (await house.call("GET", "/provider-apps")).json()
    body = {"updateMask": ["clientSecret"], "providerApp": {"clientSecret": "wrong"}}
    assert (await house.call("PATCH", f"/provider-apps/{app['id']}", json=body)).status_code == 200
    answer = await shown(house, connection_id, refresh="force")
    assert answer.status_code == 422
    assert "the builder has to correct the provider app" in answer.json()["detail"]
    assert (await shown(house, connection_id)).json()["status"] == "working"
    assert len(server.asked) == 1


async def test_force_asks_again_although_others_have_to_wait(
    house: House, server: TokenServer, connection_id: str
) -> None:
    server.instead = [refusal("invalid_request")]
    assert (await shown(house, connection_id, refresh="force")).status_code == 422
    assert await token_of(house, connection_id, refresh="force") == "access-c1-2"


async def test_a_connection_without_tokens_has_nothing_to_refresh(house: House) -> None:
    made = await house.connect()
    answer = await shown(house, made["id"], refresh="force")
    assert (answer.status_code, answer.json()["id"]) == (200, made["id"])


async def test_tokens_that_die_unused_are_kept_alive_from_the_start(
    house: House, server: TokenServer, clockwork: Clockwork, connection_id: str
) -> None:
    store = house.services.store
    clockwork.tick(89 * 3600)
    assert await store.dying_connections(now=clockwork.now(), limit=10) == []
    clockwork.tick(3600)
    assert [one.id for one in await store.dying_connections(now=clockwork.now(), limit=10)] == [connection_id]
    assert server.asked == []


async def test_a_connection_s_life_is_told(house: House, connection_id: str) -> None:
    body = {"updateMask": ["providerWorkspaceRef"], "connection": {"providerWorkspaceRef": "w"}}
    assert (await house.call("PATCH", f"/connections/{connection_id}", json=body)).status_code == 200
    assert (await house.call("DELETE", f"/connections/{connection_id}")).status_code == 204
    told = await house.services.store.events(house.project_id)
    assert [event.type for event in told] == ["connection.created", "connection.updated", "connection.deleted"]


async def test_a_time_without_a_zone_is_refused(house: House) -> None:
    tokens = {"accessToken": {"token": "abc", "expiresAt": "2026-11-22T12:00:00"}}
    answer = await generate(house, "code", {"oauth2AuthorizationCode": tokens})
    assert answer.status_code in {400, 422}
    assert "expiresAt" in answer.text
