"""The published React library itself, in a page and in a real browser: it connects, connects again, and installs."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from tests.browser.sites import toolkit_site
from tests.browser.stage import CONSUMER, GROUP, Stage, open_stage, photograph
from tests.oauth_servers.servers import OAuthServer
from tests.parts import absent

pytestmark = pytest.mark.asyncio(loop_scope="session")
SOURCES = Path(__file__).parent / "react"
# It leaves this name to the product's bundler; the page has the server's origin in its address.
SERVER = "--define:process.env.REACT_APP_AMP_SERVER=window.isthmus"
MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: crm
    provider: sandboxOAuth
    write:
      objects:
        - objectName: contacts
"""


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle the page as a product does."""
    esbuild = SOURCES / "node_modules" / ".bin" / "esbuild"
    if shutil.which("node") is None or not esbuild.exists():
        absent(f"REACT LIBRARY ABSENT: install node and npm, then run `npm ci` in {SOURCES}, or `make test`")
    folder = tmp_path_factory.mktemp("react")
    shutil.copy(SOURCES / "index.html", folder)
    command = (
        esbuild,
        SOURCES / "page.jsx",
        "--bundle",
        SERVER,
        f"--outfile={folder / 'page.js'}",
        "--log-level=error",
    )
    subprocess.run(command, check=True, timeout=60)  # noqa: S603 -- the tests' own tool
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def stage(bundle: Path, toolkit_server: OAuthServer) -> AsyncIterator[Stage]:
    async with open_stage([toolkit_site(toolkit_server)], product_folder=bundle) as opened:
        yield opened


async def react(stage: Stage, context: BrowserContext, **what: str) -> Page:
    """Open the product; ``what`` is a ``provider`` to connect or an ``integration`` to install."""
    page = await context.new_page()
    await page.goto(f"{stage.product_url}?server={stage.origin}")
    person = {"groupRef": GROUP, "groupName": "Umbrella", "consumerRef": CONSUMER, "consumerName": "Ann"}
    known: dict[str, Any] = {"key": stage.house.frontend_key, "project": stage.house.project_id, "person": person}
    await page.evaluate("given => window.start(given)", known | what)
    return page


async def clicked(page: Page, button: str) -> Page:
    """Click a button; the window that opens."""
    async with page.expect_popup() as opened:
        await page.get_by_role("button", name=button, exact=True).click()
    return await opened.value


@pytest.mark.parametrize("name", ["sandboxOAuth", "toolkit"])
async def test_it_connects(stage: Stage, context: BrowserContext, name: str) -> None:
    site = await stage.prepare(name)
    page = await react(stage, context, provider=name)
    await site.decide(await clicked(page, "Next"), "allow")
    await page.get_by_text("You have successfully connected your").wait_for()
    await photograph(page, f"react-connected-{name}")
    (connection,) = await stage.connections()
    assert await page.evaluate("window.connected.map((each) => each.id)") == [connection["id"]]
    assert (connection["status"], connection["group"]["groupName"]) == ("working", "Umbrella")


async def test_it_shows_why_not(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await react(stage, context, provider="sandboxOAuth")
    popup = await clicked(page, "Next")
    async with popup.expect_event("close"):
        await site.decide(popup, "deny")
    await page.get_by_text("Access to Sandbox CRM (OAuth) was not given.", exact=True).wait_for()
    await photograph(page, "react-denied")
    assert await stage.connections() == []


async def test_it_shows_an_error_and_opens_nothing_where_a_project_takes_strict_flows_only(
    stage: Stage, context: BrowserContext
) -> None:
    await stage.prepare("sandboxOAuth")
    await stage.let_in(strict_connect=True)
    page = await react(stage, context, provider="sandboxOAuth")
    async with page.expect_response(lambda answer: answer.status == HTTPStatus.UNPROCESSABLE_ENTITY):
        await page.get_by_role("button", name="Next", exact=True).click()
    # All that the library says of a refusal; what is wrong, and what helps, stands in the answer.
    await page.get_by_text("Response returned an error code", exact=True).wait_for()
    await photograph(page, "react-strict")
    assert len(context.pages) == 1


async def test_it_connects_again(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await react(stage, context, provider="sandboxOAuth")
    await site.decide(await clicked(page, "Next"), "allow")
    await page.get_by_role("button", name="Update connection").click()
    connections = await stage.connections()
    await site.decide(await clicked(page, "Next"), "allow")
    await page.get_by_text("Connection updated successfully").wait_for()
    assert [each["id"] for each in await stage.connections()] == [each["id"] for each in connections]


async def test_it_installs_after_connecting(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    await stage.house.deploy(MANIFEST)
    page = await react(stage, context, integration="crm")
    await site.decide(await clicked(page, "Next"), "allow")
    await page.get_by_text("Contacts", exact=True).click()
    await photograph(page, "react-installing")
    await page.get_by_role("button", name="Install").click()
    await page.wait_for_function("window.installed.length === 1")
    (installation,) = (await stage.house.call("GET", f"/installations?groupRef={GROUP}")).json()
    assert await page.evaluate("window.installed") == [installation["id"]]
    assert installation["connection"]["status"] == "working"
    assert "contacts" in installation["config"]["content"]["write"]["objects"]


async def test_it_connects_by_a_custom_scheme_in_steps(stage: Stage, context: BrowserContext) -> None:
    site = stage.sites["sandboxOAuth"]
    await asyncio.to_thread(site.register, f"{stage.origin}/callbacks/v1/custom-auth/default")
    page = await react(stage, context, provider="sandboxSteps")
    popup = await clicked(page, "Next")
    async with popup.expect_event("close"):
        await site.decide(popup, "allow")
    await page.get_by_text("You have successfully connected your").wait_for()
    (connection,) = await stage.connections()
    assert (connection["provider"], connection["status"]) == ("sandboxSteps", "working")
