"""A provider whose pages cut the window off from who opened it, as many log-in pages do: nobody hears the message."""

import pytest
from playwright.async_api import BrowserContext

from installations.installation import AccessPolicy
from tests.browser.sites import toolkit_site
from tests.browser.stage import Stage, open_stage, opened_by, photograph, state
from tests.oauth_servers.servers import OAuthServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_severed_window_says_that_it_worked(
    context: BrowserContext, severing_toolkit_server: OAuthServer
) -> None:
    async with open_stage([toolkit_site(severing_toolkit_server)]) as stage:
        site = await stage.prepare("toolkit")
        page = await stage.visit(context, provider="toolkit")
        popup = await opened_by(page, "first")
        await site.decide(popup, "allow")
        await popup.get_by_role("heading", name="Connected", exact=True).wait_for()
        await photograph(popup, "severed")
        assert "You can close this window" in await popup.inner_text("body")
        assert await page.evaluate("window.seen.messages") == []
        ((connection),) = await stage.connections()
        assert connection["status"] == "working"


async def test_a_severed_window_goes_on_where_the_product_says(
    context: BrowserContext, severing_toolkit_server: OAuthServer
) -> None:
    async with open_stage([toolkit_site(severing_toolkit_server)]) as stage:
        site = await stage.prepare("toolkit")
        await allow_product(stage)
        page = await stage.visit(context, provider="toolkit", returnUrl=stage.product_url)
        popup = await opened_by(page, "first")
        await site.decide(popup, "allow")
        await popup.wait_for_url(lambda url: url.startswith(f"{stage.product_url}?connectionId="))
        ((connection),) = await stage.connections()
        assert popup.url.endswith(connection["id"])


async def test_a_product_may_cut_its_windows_off_itself(context: BrowserContext) -> None:
    # What helmet and Django's SecurityMiddleware send unless they are told otherwise.
    headers = {"Cross-Origin-Opener-Policy": "same-origin", "Referrer-Policy": "same-origin"}
    async with open_stage(product_headers=headers) as stage:
        site = await stage.prepare("sandboxOAuth")
        page = await stage.visit(context, provider="sandboxOAuth")
        popup = await opened_by(page, "first")
        await popup.get_by_role("button", name="Continue to Sandbox CRM (OAuth)").click()
        await site.decide(popup, "allow")
        await popup.get_by_role("heading", name="Connected", exact=True).wait_for()
        assert len(await stage.connections()) == 1


async def test_a_product_that_sends_no_referrer_has_its_customers_asked_once_more(context: BrowserContext) -> None:
    async with open_stage(product_headers={"Referrer-Policy": "no-referrer"}) as stage:
        site = await stage.prepare("sandboxOAuth")
        page = await stage.visit(context, provider="sandboxOAuth")
        popup = await opened_by(page, "first")
        await popup.get_by_role("button", name="Continue to Sandbox CRM (OAuth)").click()
        await site.decide(popup, "allow")
        assert (await state(page, "connected"))["connection"] == (await stage.connections())[0]


async def allow_product(stage: Stage) -> None:
    """Let the project name the product's page as one of its own."""
    origin = stage.product_url.removesuffix("/index.html")
    policy = AccessPolicy(allowed_origins=(origin,))
    await stage.house.services.store.update_project(stage.house.project_id, access_policy=policy, now=stage.clock())
