"""The whole way by HTTP: a link, the provider's own consent page, the callback, and the connection it ends in."""

import asyncio
from datetime import timedelta

import pytest

from connectors.sandbox.access import DEMO_WORKSPACE
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.conftest import Published
from tests.server.connecting.answering import answering
from tests.server.connecting.desk import (
    CLIENT,
    PAGE,
    PERSON,
    PROVIDER,
    Desk,
    asked,
    decided,
    notice,
    open_desk,
    tells,
    with_query,
)
from tests.server.signing import bearer, register, token

ON_EVERY_STORE = pytest.mark.parametrize("desk", ["memory", "sqlite", "postgres"], indirect=True)


@ON_EVERY_STORE
async def test_a_customer_connects(desk: Desk, published: Published) -> None:
    app_id = await desk.registered()
    answer = await desk.ask(groupName="Acme Ltd", consumerName="Ann", providerAppId=app_id, enableCSRFProtection=True)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    browser = desk.browser()
    page = await browser.client.get(await decided(await browser.set_out(answer.text)))
    told = notice(page)
    assert (page.status_code, told["targets"]) == (200, [PAGE])
    (stored,) = await desk.connections()
    assert told["message"] == {"eventType": "AUTHORIZATION_SUCCEEDED", "data": {"connection": stored}}
    assert published.errors("api.bundled", "Connection", stored) == []
    assert (stored["status"], stored["authScheme"]) == ("working", "oauth2/authorizationCodePKCE")
    assert (stored["group"]["groupName"], stored["consumer"]["consumerName"]) == ("Acme Ltd", "Ann")
    assert stored["providerWorkspaceRef"] == DEMO_WORKSPACE
    assert stored["providerMetadata"]["workspace_id"] == {"value": DEMO_WORKSPACE, "source": "token"}
    tokens = await desk.tokens(stored["id"])
    for secret in (tokens["accessToken"]["token"], tokens["refreshToken"]["token"], CLIENT["clientSecret"]):
        assert secret not in page.text


@ON_EVERY_STORE
async def test_the_builder_is_told_once_and_a_write_goes_through(desk: Desk) -> None:
    await desk.registered()
    connection = await desk.connected(consumerName="Ann")
    events = await desk.house.services.store.events(desk.house.project_id)
    assert [(event.type, b'"consumerName":"Ann"' in event.data) for event in events] == [("connection.created", True)]
    await desk.house.deploy(MANIFEST)
    content = {"provider": PROVIDER, "write": {"objects": {"contacts": {"objectName": "contacts"}}}}
    await desk.house.install(content=content, connectionId=connection["id"])
    written = await desk.house.write("contacts", {"type": "create", "record": {"email": "ann@acme.test"}})
    assert written.status_code == 200, written.text


@ON_EVERY_STORE
async def test_the_second_callback_changes_nothing_and_tells_nobody(desk: Desk) -> None:
    await desk.registered()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.link()))
    first, second = await asyncio.gather(browser.client.get(back), browser.client.get(back))
    third = await browser.client.get(back)
    assert sorted([tells(first), tells(second), tells(third)]) == [False, False, True]
    assert sorted([first.status_code, second.status_code, third.status_code]) == [200, 400, 400]
    assert len(await desk.connections()) == 1


@ON_EVERY_STORE
async def test_the_same_customer_heals_the_connection_they_had(desk: Desk) -> None:
    await desk.registered()
    first = await desk.connected()
    old = await desk.tokens(first["id"])
    await desk.house.services.store.update_connection(
        desk.house.project_id, first["id"], now=desk.clock(), status="bad_credentials"
    )
    again = await desk.connected()
    assert (again["id"], again["status"]) == (first["id"], "working")
    assert len(await desk.connections()) == 1
    assert (await desk.tokens(first["id"]))["refreshToken"] != old["refreshToken"]
    assert (await desk.house.services.store.credentials(desk.house.project_id, first["id"])).version == 2
    events = await desk.house.services.store.events(desk.house.project_id)
    assert [event.type for event in events] == ["connection.created", "connection.updated"]


@pytest.mark.parametrize(
    "other", [{"groupRef": "g2"}, {"consumerRef": "c2"}, {"provider": "sandboxOAuthCode"}], ids=str
)
async def test_another_customer_gets_a_connection_of_their_own(desk: Desk, other: dict[str, str]) -> None:
    await desk.registered()
    first = await desk.connected()
    if "provider" in other:
        await desk.registered(other["provider"])
    assert (await desk.connected(**other))["id"] != first["id"]


async def test_another_application_makes_another_connection(desk: Desk) -> None:
    first_app = await desk.registered()
    first = await desk.connected(providerAppId=first_app)
    body = {"provider": PROVIDER, "clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET}
    second_app = (await desk.house.call("POST", "/provider-apps", json=body)).json()["id"]
    await desk.known_at_the_sandbox(desk.callback(), **body)
    assert (await desk.connected(providerAppId=second_app))["id"] != first["id"]


async def test_a_consent_for_another_workspace_is_another_connection(desk: Desk) -> None:
    await desk.registered()
    await desk.workspace("beta")
    first = await desk.connected()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.link()), workspace="beta")
    other = notice(await browser.client.get(back))["message"]["data"]["connection"]
    assert other["id"] != first["id"]
    assert {each["providerWorkspaceRef"] for each in await desk.connections()} == {"beta", DEMO_WORKSPACE}


@ON_EVERY_STORE
async def test_an_update_heals_exactly_its_connection(desk: Desk) -> None:
    await desk.registered()
    first, other = await desk.connected(), await desk.connected(consumerRef="c2")
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.update_link(first["id"])))
    told = notice(await browser.client.get(back))["message"]["data"]["connection"]
    assert (told["id"], told["consumer"]) == (first["id"], first["consumer"])
    versions = [
        (await desk.house.services.store.credentials(desk.house.project_id, each["id"])).version
        for each in (first, other)
    ]
    assert versions == [2, 1]


async def test_an_update_for_another_workspace_is_refused_and_changes_nothing(desk: Desk) -> None:
    await desk.registered()
    await desk.workspace("beta")
    first = await desk.connected()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.update_link(first["id"])), workspace="beta")
    page = await browser.client.get(back)
    assert page.status_code == 400
    told = notice(page)["message"]
    assert told["eventType"] == "AUTHORIZATION_FAILED"
    assert "another Sandbox CRM (OAuth) account than this connection's" in told["message"]
    assert await desk.connections() == [first]
    assert (await desk.house.services.store.credentials(desk.house.project_id, first["id"])).version == 1


async def test_an_update_of_a_connection_deleted_meanwhile_makes_none(desk: Desk) -> None:
    await desk.registered()
    first = await desk.connected()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.update_link(first["id"])))
    await desk.house.call("DELETE", f"/connections/{first['id']}")
    told = notice(await browser.client.get(back))["message"]
    assert told["data"]["error"] == "What this was for has been deleted meanwhile."
    assert await desk.connections() == []


async def test_a_connection_by_key_is_not_updated_by_consent(desk: Desk) -> None:
    connection = await desk.house.connect()
    answer = await desk.house.call("PATCH", f"/connections/{connection['id']}:oauth-update")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


@ON_EVERY_STORE
async def test_a_customer_denies(desk: Desk) -> None:
    await desk.registered()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.link()), "deny")
    page = await browser.client.get(back)
    reason = "Access to Sandbox CRM (OAuth) was not given."
    message = {"eventType": "AUTHORIZATION_FAILED", "message": reason, "data": {"error": reason}}
    assert notice(page)["message"] == message
    assert reason in page.text
    assert await desk.connections() == []
    again = await browser.client.get(with_query(back, error=None, code="x"))
    assert (again.status_code, tells(again)) == (400, False)


@ON_EVERY_STORE
async def test_a_link_is_good_for_ten_minutes_and_then_a_consent_for_ten_more(desk: Desk) -> None:
    await desk.registered()
    link, late = await desk.link(), await desk.link()
    desk.clock.pass_by(minutes=9, seconds=58)
    browser = desk.browser()
    back = await decided(await browser.set_out(link))
    desk.clock.pass_by(seconds=4)
    assert (await desk.browser().open(late)).status_code == 400
    desk.clock.pass_by(minutes=9, seconds=50)
    assert tells(await browser.client.get(back))


@ON_EVERY_STORE
async def test_a_consent_that_comes_too_late_is_none(desk: Desk) -> None:
    await desk.registered()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.link()))
    desk.clock.pass_by(minutes=10, seconds=1)
    page = await browser.client.get(back)
    assert (page.status_code, tells(page)) == (400, False)
    assert await desk.connections() == []


async def test_a_window_that_is_closed_leaves_nothing_and_a_new_one_works(desk: Desk) -> None:
    await desk.registered()
    browser = desk.browser()
    await browser.set_out(await desk.link())
    connection = await desk.connected()
    assert [each["id"] for each in await desk.connections()] == [connection["id"]]


async def test_two_flows_in_one_browser_do_not_disturb_each_other(desk: Desk) -> None:
    await desk.registered()
    browser = desk.browser()
    one = await browser.set_out(await desk.link(groupRef="one"))
    two = await browser.set_out(await desk.link(groupRef="two"))
    pages = [await browser.client.get(await decided(address)) for address in (two, one)]
    groups = [notice(page)["message"]["data"]["connection"]["group"]["groupRef"] for page in pages]
    assert groups == ["two", "one"]


async def test_a_public_client_and_one_without_pkce_connect_as_the_provider_declares(desk: Desk) -> None:
    await desk.registered("sandboxOAuthCode")
    browser = desk.browser()
    address = await browser.set_out(await desk.link(provider="sandboxOAuthCode"))
    assert "code_challenge" not in asked(address)
    told = notice(await browser.client.get(await decided(address)))["message"]["data"]["connection"]
    assert told["authScheme"] == "oauth2/authorizationCode"


async def test_scopes_and_parameters_of_the_provider_app_go_along(desk: Desk) -> None:
    parameters = {"prompt": ["consent"], "redirect_uri": ["https://evil.test"], "state": ["x"], "Client_Id": ["y"]}
    await desk.registered(scopes=["records.read"], metadata={"authQueryParams": parameters})
    address = await desk.browser().set_out(await desk.link())
    said = asked(address)
    assert (said["scope"], said["prompt"], said["redirect_uri"]) == ("records.read", "consent", desk.callback())
    assert (said["client_id"], said["code_challenge_method"]) == ("desk-client", "S256")
    assert "evil" not in address
    assert "Client_Id" not in said
    connection = await desk.connected()
    assert (await desk.tokens(connection["id"]))["scopes"] == ["records.read"]


async def test_older_clients_name_the_project_otherwise_and_any_media_type_will_do(desk: Desk) -> None:
    await desk.registered()
    body = {"projectId": "acme", "provider": PROVIDER, **PERSON, "enableCSRFProtection": False}
    headers = {**desk.house.headers, "Accept": "application/problem+json;q=1, text/plain;q=0"}
    answer = await desk.house.client.post("/v1/oauth-connect", json=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
    # There is no flow without the cookie, whatever is asked for.
    back = await decided(await desk.browser().set_out(answer.text))
    assert (await desk.browser().client.get(back)).status_code == 400
    assert await desk.connections() == []


@pytest.mark.parametrize(("said", "status"), [({}, 200), ({"groupRef": "g2"}, 403), ({"consumerRef": "c2"}, 403)])
async def test_a_token_asks_for_its_own_person_alone(desk: Desk, said: dict[str, str], status: int) -> None:
    await desk.registered()
    credential = bearer(token(await register(desk.house)))
    assert (await desk.ask(credential=credential, **said)).status_code == status


async def test_a_token_updates_its_own_groups_connections_alone(desk: Desk) -> None:
    await desk.registered()
    theirs = await desk.connected(groupRef="g2")
    credential = bearer(token(await register(desk.house)))
    path = f"/v1/projects/{desk.house.project_id}/connections/{theirs['id']}:oauth-update"
    assert (await desk.house.client.patch(path, headers=credential)).status_code == 404


async def test_a_server_s_link_tells_the_listed_pages_and_else_nobody_anything(desk: Desk) -> None:
    await desk.registered()
    told = []
    for origins in ([], [PAGE, "https://two.example.com"]):
        assert (await desk.policy(allowedOrigins=origins)).status_code == 200
        browser, link = desk.browser(), await desk.link(origin=None)
        pressed = await browser.press(link, await browser.open(link))
        told.append(notice(await browser.client.get(await decided(pressed.headers["location"]))))
    bare, whole = told
    assert bare == {"message": {"eventType": "AUTHORIZATION_SUCCEEDED", "data": {}}, "targets": ["*"], "nextUrl": ""}
    assert whole["targets"] == [PAGE, "https://two.example.com"]
    assert whole["message"]["data"]["connection"]["id"]


async def test_a_window_of_its_own_goes_on_in_the_product(desk: Desk) -> None:
    await desk.registered()
    await desk.policy(allowedOrigins=[PAGE])
    for decision, name in (("allow", "connectionId"), ("deny", "error")):
        browser, link = desk.browser(), await desk.link(returnUrl=f"{PAGE}/done?a=b#end")
        page = await browser.client.get(await decided(await browser.set_out(link), decision))  # type: ignore[arg-type]
        told = notice(page)
        assert told["nextUrl"].startswith(f"{PAGE}/done?a=b&{name}=")
        assert told["nextUrl"].endswith("#end")
        assert f'href="{told["nextUrl"].replace("&", "&amp;")}"' in page.text


async def test_what_the_provider_says_of_a_deleted_app_or_client_is_told_plainly(desk: Desk) -> None:
    app_id = await desk.registered()
    browser = desk.browser()
    back = await decided(await browser.set_out(await desk.link()))
    change = {"updateMask": ["clientSecret"], "providerApp": {"clientSecret": "wrong-client-secret"}}
    await desk.house.call("PATCH", f"/provider-apps/{app_id}", json=change)
    told = notice(await browser.client.get(back))["message"]["message"]
    assert told == ("Sandbox CRM (OAuth) does not know this product; whoever runs it has to correct its provider app.")
    link = await desk.link()
    await desk.house.call("DELETE", f"/provider-apps/{app_id}")
    assert (await desk.browser().open(link)).status_code == 404


async def test_what_the_token_says_is_kept_and_a_token_that_dies_unused_is_kept_alive() -> None:
    async with answering() as server, open_desk(connectors=[server.connector(keep_alive_interval_hours=10)]) as desk:
        connection = await server.connected(desk)
        assert connection["providerConsumerRef"] == "ann@acme"
        assert connection["providerMetadata"]["region"] == {"value": "eu", "source": "token", "displayName": "Region"}
        (dying,) = await desk.house.services.store.dying_connections(now=desk.clock() + timedelta(hours=9), limit=9)
        assert dying.id == connection["id"]
        assert await desk.house.services.store.dying_connections(now=desk.clock() + timedelta(hours=8), limit=9) == []


MANIFEST = f"""
specVersion: 1.0.0
integrations:
  - name: crm
    provider: {PROVIDER}
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
"""
