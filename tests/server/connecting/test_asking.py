"""Whatever is wrong with a request for a link is said at once, with its path, before anybody is sent anywhere."""

from typing import Any

import pytest

from connectors.provider import MetadataInput, OAuth2Opts, Provider, ProviderMetadata, Support
from tests.oauth_servers.providers import connector
from tests.server.connecting.desk import CLIENT, OURS, PAGE, PROVIDER, Desk, asked, open_desk

FILLED_IN = connector(
    Provider(
        name="filled",
        display_name="Filled",
        auth_type="oauth2",
        base_url="https://{{.workspace}}.filled.test/{{.region}}",
        support=Support(write=True),
        oauth2_opts=OAuth2Opts(
            grant_type="authorizationCode",
            auth_url="https://{{.workspace}}.filled.test/authorize",
            token_url="https://{{.workspace}}.filled.test/token",
            explicit_scopes_required=True,
            explicit_workspace_required=True,
        ),
        metadata=ProviderMetadata(
            input=(
                MetadataInput(name="workspace"),
                MetadataInput(name="region", display_name="Region"),
                MetadataInput(name="plan", default_value="free"),
            )
        ),
    )
)


async def issues(desk: Desk, **body: Any) -> list[tuple[str, str]]:
    answer = await desk.ask(**body)
    assert answer.status_code == 422, answer.text
    return [(issue["name"], issue["code"]) for issue in answer.json()["issues"]]


async def test_everything_that_lacks_is_named_at_once() -> None:
    async with open_desk(connectors=[FILLED_IN]) as desk:
        found = await issues(desk, provider="filled", returnUrl="http://evil.test/")
        assert set(found) == {
            ("providerMetadata.workspace", "required"),
            ("providerMetadata.region", "required"),
            ("providerAppId", "no-provider-app"),
            ("returnUrl", "bad-value"),
        }


@pytest.mark.parametrize("path", ["/v1/oauth-connect", "/v1/oauth-connect:complete", "/v1/custom-auth/connect"])
async def test_a_project_that_is_not_named_is_named_among_what_lacks(desk: Desk, path: str) -> None:
    bodies: list[tuple[Any, bool]] = [({}, True), ({"projectId": 5}, False), ([], False)]
    for body, lacks in bodies:
        answer = await desk.house.client.post(path, headers=desk.house.headers, json=body)
        found = [issue["name"] for issue in answer.json()["issues"]]
        assert (answer.status_code, "projectIdOrName" in found) == (400, lacks), answer.text
    asked_for = await desk.house.client.post("/v1/oauth-connect", headers=desk.house.headers, json={})
    found = [issue["name"] for issue in asked_for.json()["issues"]]
    assert found == ["projectIdOrName", "provider", "groupRef", "consumerRef"]


async def test_values_that_cannot_stand_in_an_address_are_refused() -> None:
    async with open_desk(connectors=[FILLED_IN]) as desk:
        await desk.house.call("POST", "/provider-apps", json={"provider": "filled", **CLIENT})
        metadata = {"region": {"value": "eu/../us"}, "workspace": {"value": "evil.test/"}}
        found = await issues(desk, provider="filled", providerWorkspaceRef="acme", providerMetadata=metadata)
        assert set(found) == {
            ("providerMetadata.workspace", "bad-value"),
            ("providerMetadata.region", "bad-value"),
            ("providerAppId", "no-scopes"),
        }


async def test_the_workspace_may_come_either_way_and_stands_in_both() -> None:
    async with open_desk(connectors=[FILLED_IN]) as desk:
        app = {"provider": "filled", **CLIENT, "scopes": ["a", "b c"]}
        await desk.house.call("POST", "/provider-apps", json=app)
        region = {"region": {"value": "eu"}}
        ways: list[dict[str, Any]] = [
            {"providerWorkspaceRef": "acme", "providerMetadata": region},
            {"providerMetadata": {**region, "workspace": {"value": "acme", "source": "input"}}},
        ]
        for way in ways:
            address = await desk.browser().set_out(await desk.link(provider="filled", **way))
            assert address.startswith("https://acme.filled.test/authorize?")
            assert asked(address)["scope"] == "a b c"


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        ({"provider": "nothing"}, ("provider", "unknown-provider")),
        ({"provider": "sandbox"}, ("provider", "not-supported")),
        ({"provider": "sandboxSteps"}, ("provider", "not-supported")),
        ({"provider": "sandboxOAuthClient"}, ("provider", "not-supported")),
        ({"providerAppId": "nothing"}, ("providerAppId", "unknown-provider-app")),
        ({"projectIdOrName": ""}, None),
        ({"returnUrl": "javascript:alert(1)"}, ("returnUrl", "bad-value")),
        ({"returnUrl": "http://app.example.com/done"}, ("returnUrl", "bad-value")),
        ({"returnUrl": f"{PAGE}/dön"}, ("returnUrl", "bad-value")),
        ({"returnUrl": f"{PAGE}/done"}, ("returnUrl", "not-allowed")),
        ({"flow": "strict", "origin": None}, ("flow", "no-page")),
        ({"flow": "strict", "origin": "null"}, ("flow", "no-page")),
    ],
    ids=str,
)
async def test_what_cannot_be_is_refused(desk: Desk, body: dict[str, Any], issue: tuple[str, str] | None) -> None:
    await desk.registered()
    answer = await desk.ask(**body)
    if issue is None:
        assert answer.status_code == 400
        return
    assert await issues(desk, **body) == [issue]


async def test_a_missing_app_is_told_with_the_address_to_register(desk: Desk) -> None:
    problem = (await desk.ask()).json()
    assert problem["causes"] == ["providerAppId: there is no provider app for Sandbox CRM (OAuth) in this project"]
    assert desk.callback() in problem["remedy"]


async def test_several_apps_are_to_choose_from_and_another_provider_s_is_none(desk: Desk) -> None:
    first = await desk.registered()
    other = {"clientId": "two", "clientSecret": "two"}
    second = (await desk.house.call("POST", "/provider-apps", json={"provider": PROVIDER, **other})).json()["id"]
    hubspot = (await desk.house.call("POST", "/provider-apps", json={"provider": "hubspot", **other})).json()["id"]
    problem = (await desk.ask()).json()
    assert first in problem["detail"]
    assert second in problem["detail"]
    assert await issues(desk, providerAppId=hubspot) == [("providerAppId", "unknown-provider-app")]
    address = await desk.browser().set_out(await desk.link(providerAppId=second))
    assert asked(address)["client_id"] == "two"


async def test_only_registered_addresses_and_our_own_are_ever_named(desk: Desk) -> None:
    await desk.registered()
    link = await desk.link()
    assert link.startswith(f"{OURS}/connect/")
    assert len(link.removeprefix(f"{OURS}/connect/")) == 43
    assert asked(await desk.browser().set_out(link))["redirect_uri"] == desk.callback()
