"""The published React library connects in a real browser: by every scheme that it knows, and again."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from msgspec.structs import replace
from playwright.async_api import BrowserContext

from connectors.provider import MetadataInput, ProviderMetadata
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOXES
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.browser.library import bundle, product
from tests.browser.sites import toolkit_site
from tests.browser.stage import Stage, open_stage, photograph
from tests.oauth_servers.servers import OAuthServer

__all__ = ["bundle"]

pytestmark = pytest.mark.asyncio(loop_scope="session")


REGION = MetadataInput(name="region", display_name="Region", prompt="eu or us")
PLAN = MetadataInput(name="plan", display_name="Plan", default_value="free")
INPUTS = ProviderMetadata(input=(REGION, PLAN))
BY_NAME = {provider.name: provider for provider in SANDBOXES}
ASKING = replace(BY_NAME["sandbox"], name="asking", display_name="Asking", metadata=INPUTS)
CONSENTING = replace(BY_NAME["sandboxOAuth"], name="consenting", display_name="Consenting", metadata=INPUTS)
"""Providers whose address depends on what the customer fills in."""


@pytest_asyncio.fixture(loop_scope="session")
async def stage(bundle: Path, toolkit_server: OAuthServer) -> AsyncIterator[Stage]:
    further = [SandboxConnector(provider) for provider in (ASKING, CONSENTING)]
    async with open_stage([toolkit_site(toolkit_server)], product_folder=bundle, further=further) as opened:
        opened.sites["consenting"] = replace(opened.sites["sandboxOAuth"], provider=CONSENTING)
        yield opened


@pytest.mark.parametrize("name", ["sandboxOAuth", "sandboxOAuthCode", "toolkit"])
async def test_it_connects_by_oauth(stage: Stage, context: BrowserContext, name: str) -> None:
    site = await stage.prepare(name)
    async with product(stage, context, provider=name) as shown:
        await site.decide(await shown.popup("Next"), "allow")
        await shown.page.get_by_text("You have successfully connected your").wait_for()
        await photograph(shown.page, f"react-connected-{name}")
        (connection,) = await stage.connections()
        assert [each["id"] for each in await shown.told("connected")] == [connection["id"]]
        assert (connection["status"], connection["group"]["groupName"]) == ("working", "Umbrella")


CLIENT = {"clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET}
SECRETS: list[tuple[str, dict[str, str], str]] = [
    ("sandbox", {"apiKey": DEMO_KEY}, "apiKey"),
    ("sandboxBasic", {"username": "demo", "password": DEMO_KEY}, "basic"),
    ("sandboxCustom", {"workspace": "demo", "secret": DEMO_KEY, "region": "eu"}, "none"),
    ("sandboxSession", {"workspace": "demo", "secret": DEMO_KEY}, "none"),
    (
        "sandboxOAuthClient",
        {"clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET},
        "oauth2/clientCredentials",
    ),
    ("sandboxOpen", {}, "none"),
]


async def test_it_connects_by_what_a_customer_types(stage: Stage, context: BrowserContext) -> None:
    for provider, typed, scheme in SECRETS:
        async with product(stage, context, provider=provider) as shown:
            for name, value in typed.items():
                await shown.page.locator(f"input[name={name}]").fill(value)
            await photograph(shown.page, f"react-{provider}")
            await shown.press("Next")
            (made,) = await shown.told("connected")
            assert (made["status"], made["authScheme"]) == ("working", scheme), provider
    assert sorted(each["provider"] for each in await stage.connections()) == sorted(name for name, *_ in SECRETS)


FILLED = {"region": {"value": "eu", "source": "input"}, "plan": {"value": "gold", "source": "input"}}


async def test_it_asks_for_what_an_address_depends_on_and_only_once(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("consenting")
    for provider in ("asking", "consenting"):
        async with product(stage, context, provider=provider) as shown:
            if provider == "asking":
                await shown.page.locator("input[name=apiKey]").fill(DEMO_KEY)
            for name, given in FILLED.items():
                await shown.page.locator(f"input[name={name}]").fill(given["value"])
            await photograph(shown.page, f"react-{provider}")
            if provider == "asking":
                await shown.press("Next")
            else:
                await site.decide(await shown.popup("Next"), "allow")
            await shown.page.get_by_text("You have successfully connected your").wait_for()
    told = {"workspace_id": {"value": "demo", "source": "token"}}
    by_provider = {each["provider"]: each["providerMetadata"] for each in await stage.connections()}
    assert by_provider == {"asking": FILLED, "consenting": {**FILLED, **told}}


async def test_it_asks_for_what_a_connection_lacks(stage: Stage, context: BrowserContext) -> None:
    made = await stage.connect("asking", apiKey=DEMO_KEY, providerMetadata={"region": FILLED["region"]})
    async with product(stage, context, provider="asking") as shown:
        await shown.page.get_by_text("You have successfully connected your").wait_for()
    # One that was made before the provider wanted to know.
    store, project_id = stage.house.services.store, stage.house.project_id
    await store.update_connection(project_id, made["id"], now=stage.clock(), provider_metadata={})
    async with product(stage, context, provider="asking") as shown:
        await shown.page.get_by_text("Additional information needed").wait_for()
        for name, given in FILLED.items():
            await shown.page.locator(f"input[name={name}]").fill(given["value"])
        await shown.press("Submit")
        await shown.page.get_by_text("You have successfully connected your").wait_for()
    assert [each["providerMetadata"] for each in await stage.connections()] == [FILLED]


async def test_it_cannot_ask_for_an_oauth_password(stage: Stage, context: BrowserContext) -> None:
    async with product(stage, context, provider="sandboxOAuthPassword") as shown:
        await shown.shows("Password flow not supported yet")


async def test_it_connects_by_a_custom_scheme_in_steps(stage: Stage, context: BrowserContext) -> None:
    site = stage.sites["sandboxOAuth"]
    await asyncio.to_thread(site.register, f"{stage.origin}/callbacks/v1/custom-auth/default")
    async with product(stage, context, provider="sandboxSteps") as shown:
        popup = await shown.popup("Next")
        async with popup.expect_event("close"):
            await site.decide(popup, "allow")
        await shown.page.get_by_text("You have successfully connected your").wait_for()
        (connection,) = await stage.connections()
        assert (connection["provider"], connection["status"]) == ("sandboxSteps", "working")


async def test_it_shows_why_not(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    async with product(stage, context, expects=["OAuth failed"], provider="sandboxOAuth") as shown:
        popup = await shown.popup("Next")
        async with popup.expect_event("close"):
            await site.decide(popup, "deny")
        await shown.shows("Access to Sandbox CRM (OAuth) was not given.")
        await photograph(shown.page, "react-denied")
        assert await stage.connections() == []


REFUSED = r"status of 422|Response returned an error code|ResponseError|Error \(422\)|\[Error Message\]|\[Remedy\]"


async def test_it_shows_an_error_and_opens_nothing_where_a_project_takes_strict_flows_only(
    stage: Stage, context: BrowserContext
) -> None:
    await stage.prepare("sandboxOAuth")
    await stage.let_in(strict_connect=True)
    async with product(stage, context, expects=[REFUSED], provider="sandboxOAuth") as shown:
        async with shown.page.expect_response(lambda answer: answer.status == HTTPStatus.UNPROCESSABLE_ENTITY):
            await shown.press("Next")
        # All that the library says of a refusal; what is wrong, and what helps, stands in the answer.
        await shown.shows("Response returned an error code")
        await photograph(shown.page, "react-strict")
        assert len(context.pages) == 1


async def test_it_connects_again_by_oauth(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    async with product(stage, context, provider="sandboxOAuth") as shown:
        await site.decide(await shown.popup("Next"), "allow")
        await shown.press("Update connection")
        connections = await stage.connections()
        await site.decide(await shown.popup("Next"), "allow")
        await shown.shows("Connection updated successfully")
        assert [each["id"] for each in await stage.connections()] == [each["id"] for each in connections]


AGAIN: list[tuple[str, dict[str, str]]] = [
    ("sandbox", {"apiKey": DEMO_KEY}),
    ("sandboxBasic", {"username": "demo", "password": DEMO_KEY}),
    ("sandboxOAuthClient", CLIENT),
]


async def test_it_heals_what_was_refused_and_removes_it(stage: Stage, context: BrowserContext) -> None:
    members: dict[str, dict[str, Any]] = {
        "sandbox": {"apiKey": DEMO_KEY},
        "sandboxBasic": {"basicAuth": {"username": "demo", "password": DEMO_KEY}},
        "sandboxOAuthClient": {"oauth2ClientCredentials": CLIENT},
    }
    for provider, typed in AGAIN:
        made = await stage.connect(provider, **members[provider])
        await stage.break_off(made["id"])
        async with product(stage, context, expects=[REFUSED], provider=provider) as shown:
            await shown.press("Update connection")
            wrong = dict.fromkeys(typed, "wrong")
            for given in (wrong, typed):
                for name, value in given.items():
                    await shown.page.locator(f"input[name={name}]").fill(value)
                await shown.press("Next")
                said = "Connection updated successfully" if given is typed else "Error updating connection"
                await shown.page.get_by_text(said).first.wait_for()
            (healed,) = await stage.connections()
            assert (healed["id"], healed["status"]) == (made["id"], "working"), provider
            await shown.press("Remove connection")
            assert [each["id"] for each in await shown.told("disconnected")] == [made["id"]]
            assert await stage.connections() == []
