"""The headless module where the window is cut off from the page that asked: by the page itself, or by a provider.

With ``ISTHMUS_UI_ASSETS`` the module is the one in that folder.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from installations.installation import AccessPolicy
from tests.browser.element.stage import serving
from tests.browser.sites import toolkit_site
from tests.browser.stage import CONSUMER, GROUP, Stage, open_stage
from tests.browser.test_headless import MANIFEST, START, clicked, ended, phase
from tests.oauth_servers.customers import Decision
from tests.oauth_servers.servers import OAuthServer
from tests.server.signing import register, token

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRITES = """
    write:
      objects:
        - objectName: contacts
"""
PROXY = """
    proxy:
      enabled: true
"""
NO_OPENER = {"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "no-referrer"}
"""What helmet sends unless it is told otherwise."""
WITHOUT_WAITING = f"given => {{ void ({START})(given) }}"
PATIENCE_MS = 6_000
"""Longer than a window waits for the page that asked."""


@pytest.mark.parametrize("is_listed", [True, False], ids=["listed", "unlisted"])
async def test_a_product_that_cuts_its_windows_off_is_connected_all_the_same(
    context: BrowserContext, *, is_listed: bool
) -> None:
    async with open_stage(product_headers=NO_OPENER) as stage:
        site, kid = await stage.prepare("sandboxOAuth"), await register(stage.house)
        if not is_listed:
            nobody = AccessPolicy()
            await stage.house.services.store.update_project(
                stage.house.project_id, access_policy=nobody, now=stage.clock()
            )
        asking = await opened(stage, context, token=token_for(kid))
        popup = await clicked(asking)
        await popup.get_by_role("button", name="Continue to Sandbox CRM (OAuth)").click()
        assert (await ended(asking)).startswith("popup-closed: ")
        await site.decide(popup, "allow")
        if is_listed:
            await come_home(popup, stage, token=token_for(kid))
        else:
            await popup.get_by_role("heading", name="Connected", exact=True).wait_for()
        await phase(asking, "configure")
        assert await asking.evaluate("installer.state.error") is None
        assert len(await stage.connections()) == 1


@pytest.mark.parametrize("decision", ["allow", "deny"])
async def test_a_provider_that_cuts_the_window_off_ends_at_the_page_that_asked(
    context: BrowserContext, severing_toolkit_server: OAuthServer, decision: Decision
) -> None:
    async with open_stage([toolkit_site(severing_toolkit_server)]) as stage:
        site, kid = await stage.prepare("toolkit"), await register(stage.house)
        await stage.let_in(strict_connect=True)
        asking = await opened(stage, context, provider="toolkit", token=token_for(kid))
        popup = await clicked(asking)
        await site.decide(popup, decision)
        await come_home(popup, stage, token=token_for(kid))
        if decision == "allow":
            await phase(asking, "configure")
            ((connection),) = await stage.connections()
            assert connection["status"] == "working"
        else:
            await asking.wait_for_function("installer.state.error?.code === 'denied'")
            assert await stage.connections() == []


async def test_a_window_that_comes_home_to_nobody_ends_the_flow_itself_for_its_own_person_alone(
    context: BrowserContext, severing_toolkit_server: OAuthServer
) -> None:
    async with open_stage([toolkit_site(severing_toolkit_server)]) as stage:
        site, kid = await stage.prepare("toolkit"), await register(stage.house)
        await stage.let_in(strict_connect=True)
        for person, phase_there in (("somebody-else", "connect"), (CONSUMER, "configure")):
            asking = await opened(stage, context, provider="toolkit", token=token_for(kid))
            popup = await clicked(asking)
            await site.arrive(popup)
            await asking.close()
            await site.decide(popup, "allow")
            await popup.clock.install()
            await at_home(popup, stage)
            options = {"token": token_for(kid, consumerRef=person), "consumerRef": person}
            await start(popup, stage, script=WITHOUT_WAITING, **options)
            await popup.wait_for_function("!location.search")
            await popup.clock.fast_forward(PATIENCE_MS)
            await phase(popup, phase_there)
            assert popup.url == stage.product_url
            assert len(await stage.connections()) == (phase_there == "configure")
            await popup.close()


def token_for(kid: str, **claims: Any) -> str:
    return token(kid, **{"groupRef": GROUP, "consumerRef": CONSUMER, **claims})


async def come_home(popup: Page, stage: Stage, **options: Any) -> None:
    """Have a window tell the page that asked; it closes then."""
    await at_home(popup, stage)
    async with popup.expect_event("close"):
        await start(popup, stage, script=WITHOUT_WAITING, **options)


async def at_home(popup: Page, stage: Stage) -> None:
    """Wait until a window has come back to the product's page."""
    await popup.wait_for_url(lambda url: url.startswith(f"{stage.product_url}?isthmus-window="))


async def opened(stage: Stage, context: BrowserContext, *, provider: str = "sandboxOAuth", **options: Any) -> Page:
    """Open the product's page with an installer in it."""
    await stage.house.deploy(MANIFEST.replace("sandboxOAuth", provider).replace(WRITES, PROXY))
    page = await context.new_page()
    await page.goto(stage.product_url)
    await start(page, stage, **options)
    return page


async def start(page: Page, stage: Stage, *, script: str = START, **options: Any) -> None:
    """Do what the product's page does."""
    if folder := os.environ.get("ISTHMUS_UI_ASSETS"):
        await page.route(f"{stage.origin}/ui/*", serving(Path(folder)))
    known = {"script": f"{stage.origin}/ui/headless.js", "project": "acme", "integration": "crm"}
    await page.evaluate(script, {**known, "groupRef": GROUP, "consumerRef": CONSUMER, **options})
