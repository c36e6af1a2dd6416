"""The published popup in a real browser, against three authorization servers: how it ends well, and how it does not."""

from datetime import timedelta

import pytest
from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.chromium import NO_COOKIES, private, profile
from tests.browser.stage import CONSUMER, GROUP, Stage, opened_by, photograph, state
from tests.oauth_servers.customers import Customer
from tests.server.signing import register, token

pytestmark = pytest.mark.asyncio(loop_scope="session")
EVERYWHERE = pytest.mark.parametrize("provider", ["sandboxOAuth", "toolkit", "oidc"])


async def connect(stage: Stage, context: BrowserContext, provider: str) -> str:
    """Connect by the popup; the connection's id."""
    site = await stage.prepare(provider)
    page = await stage.visit(context, provider=provider)
    await site.decide(await opened_by(page, "first"), "allow")
    seen = await state(page, "connected")
    await page.close()
    return str(seen["connection"]["id"])


@EVERYWHERE
async def test_a_customer_connects(stage: Stage, context: BrowserContext, provider: str) -> None:
    site = await stage.prepare(provider)
    page = await stage.visit(context, provider=provider)
    popup = await opened_by(page, "first")
    await site.arrive(popup)
    async with popup.expect_event("close"):
        await site.decide(popup, "allow")
    seen = await state(page, "connected")
    (connection,) = await stage.connections()
    assert seen["messages"] == [{"eventType": "AUTHORIZATION_SUCCEEDED", "data": {"connection": connection}}]
    assert (connection["status"], connection["provider"]) == ("working", provider)
    assert (connection["group"]["groupRef"], connection["consumer"]["consumerRef"]) == (GROUP, CONSUMER)
    assert seen["foreign"] == 0
    assert [cookie for cookie in await context.cookies(stage.origin) if "isthmus" in cookie["name"]] == []


@EVERYWHERE
async def test_a_customer_denies_and_thinks_better_of_it(stage: Stage, context: BrowserContext, provider: str) -> None:
    site = await stage.prepare(provider)
    page = await stage.visit(context, provider=provider)
    popup = await opened_by(page, "first")
    async with popup.expect_event("close"):
        await site.decide(popup, "deny")
    seen = await state(page, "failed")
    (message,) = seen["messages"]
    assert message["eventType"] == "AUTHORIZATION_FAILED"
    assert message["data"]["error"] == message["message"] == seen["error"] != ""
    assert await stage.connections() == []
    await site.decide(await opened_by(page, "first"), "allow")
    await state(page, "connected")


@EVERYWHERE
async def test_a_customer_connects_again(stage: Stage, context: BrowserContext, provider: str) -> None:
    connection_id = await connect(stage, context, provider)
    page = await stage.visit(context, connection_id=connection_id)
    popup = await opened_by(page, "update")
    await stage.sites[provider].decide(popup, "allow")
    seen = await state(page, "connected")
    assert seen["connection"]["id"] == connection_id
    assert [each["id"] for each in await stage.connections()] == [connection_id]


async def test_who_denies_the_second_time_keeps_the_connection(stage: Stage, context: BrowserContext) -> None:
    connection_id = await connect(stage, context, "sandboxOAuth")
    page = await stage.visit(context, connection_id=connection_id)
    await stage.sites["sandboxOAuth"].decide(await opened_by(page, "update"), "deny")
    assert (await state(page, "failed"))["error"] == "Access to Sandbox CRM (OAuth) was not given."
    ((kept),) = await stage.connections()
    assert (kept["id"], kept["status"]) == (connection_id, "working")


async def test_a_window_that_is_closed_leaves_nothing_behind(stage: Stage, context: BrowserContext) -> None:
    connection_id = await connect(stage, context, "sandboxOAuth")
    page = await stage.visit(context, connection_id=connection_id)
    popup = await opened_by(page, "update")
    await stage.sites["sandboxOAuth"].arrive(popup)
    await popup.close()
    assert (await state(page, "cancelled"))["messages"] == []
    await stage.sites["sandboxOAuth"].decide(await opened_by(page, "update"), "allow")
    assert (await state(page, "connected"))["connection"]["id"] == connection_id


async def test_a_signed_token_connects_as_a_key_does(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    signed = token(await register(stage.house), groupRef=GROUP, consumerRef=CONSUMER)
    page = await stage.visit(context, token=signed, provider="sandboxOAuth")
    await site.decide(await opened_by(page, "first"), "allow")
    assert (await state(page, "connected"))["connection"]["status"] == "working"


@pytest.mark.parametrize("provider", ["sandboxOAuth", "toolkit"])
async def test_whoever_takes_too_long_is_told_and_starts_again(
    stage: Stage, context: BrowserContext, provider: str
) -> None:
    site = await stage.prepare(provider)
    page = await stage.visit(context, provider=provider)
    popup = await opened_by(page, "first")
    await site.arrive(popup)
    stage.clock.ahead = timedelta(minutes=11)
    await site.decide(popup, "allow")
    await popup.get_by_role("heading", name="This did not work").wait_for()
    await photograph(popup, f"expired-{provider}")
    assert "has expired" in await popup.inner_text("body")
    assert await stage.connections() == []
    await popup.close()
    await site.decide(await opened_by(page, "first"), "allow")
    await state(page, "connected")


async def test_a_link_waits_ten_minutes(stage: Stage, context: BrowserContext) -> None:
    await stage.prepare("sandboxOAuth")
    link = await stage.link("sandboxOAuth")
    stage.clock.ahead = timedelta(minutes=11)
    page = await context.new_page()
    await page.goto(link)
    assert "has expired" in await page.inner_text("body")


async def returned(stage: Stage, context: BrowserContext, provider: str = "sandboxOAuth") -> Page:
    """Go through by a link that a backend asked for, in a window that no page opened."""
    site = await stage.prepare(provider)
    page = await context.new_page()
    await page.goto(await stage.link(provider))
    await page.get_by_role("button").click()
    await site.decide(page, "allow")
    await page.get_by_role("heading", name="Connected", exact=True).wait_for()
    return page


async def test_a_window_of_its_own_stays_and_says_so(stage: Stage, context: BrowserContext) -> None:
    page = await returned(stage, context)
    assert "Sandbox CRM (OAuth) is connected to Acme. You can close this window." in await page.inner_text("body")
    assert len(await stage.connections()) == 1


@pytest.mark.parametrize("provider", ["sandboxOAuth", "toolkit", "oidc"])
async def test_a_callback_that_comes_twice_changes_nothing(
    stage: Stage, context: BrowserContext, provider: str
) -> None:
    page = await returned(stage, context, provider)
    connections = await stage.connections()
    await page.reload()
    await page.get_by_role("heading", name="Finished already").wait_for()
    await photograph(page, f"twice-{provider}")
    assert "You can close this window" in await page.inner_text("body")
    assert await stage.connections() == connections
    assert connections[0]["status"] == "working"


async def test_whoever_goes_back_and_allows_again_changes_nothing(stage: Stage, context: BrowserContext) -> None:
    page = await returned(stage, context)
    connections = await stage.connections()
    await page.go_back()
    await stage.sites["sandboxOAuth"].decide(page, "allow")
    await page.get_by_role("heading", name="Finished already").wait_for()
    assert await stage.connections() == connections


async def test_a_callback_in_another_browser_is_refused(
    stage: Stage, browser: Browser, context: BrowserContext
) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await stage.visit(context, provider="sandboxOAuth")
    popup = await opened_by(page, "first")
    await site.arrive(popup)
    callback = await Customer().decide(popup.url)
    async with private(browser) as other:
        stranger = await other.new_page()
        await stranger.goto(callback)
        assert "This window did not start the connection" in await stranger.inner_text("body")
        await photograph(stranger, "another-browser")
    assert await stage.connections() == []
    # A stranger does not use the state up: who set out may still come back.
    await popup.evaluate("url => location.assign(url)", callback)
    await state(page, "connected")


async def test_two_windows_of_one_browser_do_not_mix(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    pages = [await stage.visit(context, provider="sandboxOAuth", groupRef=group) for group in ("one", "other")]
    popups = [await opened_by(page, "first") for page in pages]
    for popup in popups:
        await site.arrive(popup)
    for page, popup, group in reversed(list(zip(pages, popups, ("one", "other"), strict=True))):
        await site.decide(popup, "allow")
        assert (await state(page, "connected"))["connection"]["group"]["groupRef"] == group


async def test_a_browser_without_cookies_is_told_so(stage: Stage) -> None:
    async with profile(NO_COOKIES) as context:
        site = await stage.prepare("sandboxOAuth")
        page = await stage.visit(context, provider="sandboxOAuth")
        popup = await opened_by(page, "first")
        await site.decide(popup, "allow")
        await popup.get_by_role("heading", name="This did not work").wait_for()
        assert "cookies are blocked" in await popup.inner_text("body")
    assert await stage.connections() == []


async def test_a_forwarded_link_asks_whoever_opens_it(stage: Stage, browser: Browser, context: BrowserContext) -> None:
    await stage.prepare("sandboxOAuth")
    page = await stage.visit(context, provider="sandboxOAuth", groupName="Umbrella Ltd")
    link = await page.evaluate("async () => link(await call('POST', '/oauth-connect', requestOf()))")
    async with private(browser) as other:
        stranger = await other.new_page()
        await stranger.goto(link)
        said = await stranger.inner_text("body")
        await photograph(stranger, "forwarded")
    assert "Umbrella Ltd" in said
    assert "Continue only if you started this yourself" in said


async def test_a_link_opened_by_another_page_goes_nowhere(stage: Stage, context: BrowserContext) -> None:
    await stage.prepare("sandboxOAuth")
    page = await stage.visit(context, provider="sandboxOAuth")
    link = await page.evaluate("async () => link(await call('POST', '/oauth-connect', requestOf()))")
    elsewhere = await context.new_page()
    await elsewhere.goto(stage.product_url.replace("127.0.0.1", "localhost"))
    async with elsewhere.expect_popup() as opened:
        await elsewhere.evaluate("url => window.open(url)", link)
    popup = await opened.value
    await popup.get_by_role("heading", name="This did not work").wait_for()
    assert "opened from a page that did not ask for it" in await popup.inner_text("body")


async def test_no_page_may_frame_or_fetch_the_way(stage: Stage, context: BrowserContext) -> None:
    await stage.prepare("sandboxOAuth")
    page = await stage.visit(context, provider="sandboxOAuth")
    link = await page.evaluate("async () => link(await call('POST', '/oauth-connect', requestOf()))")
    async with page.expect_response(link) as framed:
        await page.evaluate(
            "url => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))", link
        )
    assert not (await framed.value).ok
    with pytest.raises(Exception, match="Failed to fetch"):
        await page.evaluate("url => fetch(url)", link)
    site = stage.sites["sandboxOAuth"]
    popup = await context.new_page()
    await popup.goto(link)
    await popup.get_by_role("button").click()
    await site.arrive(popup)
