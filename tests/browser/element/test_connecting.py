"""The element connects by every scheme, and says why where it does not."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.browser.element.stage import ElementStage, Shown

pytestmark = pytest.mark.asyncio(loop_scope="session")

CLIENT = {"Client ID": DEMO_CLIENT_ID, "Client secret": DEMO_CLIENT_SECRET}
PERSON = {"User name": "demo", "Password": DEMO_KEY}
TYPED: list[tuple[str, dict[str, str], str]] = [
    ("sandbox", {"API key": f" {DEMO_KEY}\t"}, "apiKey"),
    ("sandboxKeyInQuery", {"API key": DEMO_KEY}, "apiKey"),
    ("sandboxKeyAsBasic", {"API key": DEMO_KEY}, "apiKey"),
    ("sandboxBasic", PERSON, "basic"),
    ("sandboxCustom", {"Workspace": "demo", "Secret": DEMO_KEY, "Region": "eu"}, "none"),
    ("sandboxSession", {"Workspace": "demo", "Secret": DEMO_KEY}, "none"),
    ("sandboxOAuthClient", CLIENT, "oauth2/clientCredentials"),
    ("sandboxOAuthPassword", {**PERSON, **CLIENT}, "oauth2/password"),
    ("sandboxOpen", {}, "none"),
]
WRONG: list[tuple[str, dict[str, str], str, int]] = [
    ("sandbox", {"API key": "no key"}, "Sandbox CRM refuses these credentials", 1),
    ("sandboxBasic", {"User name": "demo", "Password": "wrong"}, "refuses these credentials", 2),
    ("sandboxBasic", {"User name": "de:mo", "Password": "wrong"}, "Must not hold a colon.", 1),
    ("sandboxCustom", {"Workspace": "demo", "Secret": "wrong", "Region": "us"}, "refuses these credentials", 3),
    ("sandboxOAuthClient", {"Client ID": "nobody", "Client secret": "wrong"}, "refuses these credentials", 2),
]
"""What is typed, what is said, and how many inputs it is about."""


async def fill(shown: Shown, typed: dict[str, str]) -> None:
    for label, value in typed.items():
        field = shown.field(label)
        if await field.evaluate("e => e.localName") == "select":
            await field.select_option(value)
        else:
            await field.fill(value)


async def connect(shown: Shown) -> None:
    await shown.element.locator("[part~=connect-button]").click()


async def waits(page: Page, shown: Shown) -> None:
    """See the element wait for a window that has come to the provider."""
    await page.get_by_text("Allow", exact=True).wait_for()
    await shown.shows("Log in and give access in the other window")


async def test_it_connects_by_what_a_customer_types(place: ElementStage, context: BrowserContext) -> None:
    for provider, typed, scheme in TYPED:
        shown = await place.show(context, provider)
        await shown.shows("Not connected")
        await fill(shown, typed)
        await shown.photograph(f"element-connect-{provider}")
        await connect(shown)
        made = (await shown.hears("connected"))["connection"]
        await shown.button("Install").wait_for()
        assert (made["provider"], made["status"], made["authScheme"]) == (provider, "working", scheme)
        await shown.focuses("isthmus-heading")
        assert await shown.violations() == []
        await shown.page.close()
    assert len(await place.stage.connections()) == len(TYPED)


async def test_refused_credentials_are_told_where_they_were_typed(place: ElementStage, context: BrowserContext) -> None:
    for provider, typed, words, doubted in WRONG:
        shown = await place.show(context, provider)
        await fill(shown, typed)
        await connect(shown)
        await shown.shows(words)
        await shown.element.locator("[aria-invalid=true]").nth(doubted - 1).wait_for()
        first = shown.element.locator("[aria-invalid=true]").first
        await expect(first).to_be_focused()
        described = await first.evaluate(
            "e => e.getAttribute('aria-describedby').split(' ').map(id => e.getRootNode().getElementById(id).innerText)"
        )
        assert any(words in text for text in described), (provider, described)
        await expect(shown.element.locator(".secret input").last).to_have_value("")
        ((error),) = await shown.told("error")
        assert error["code"] == "invalid"
        await shown.photograph(f"element-refused-{provider}-{doubted}")
        await shown.page.close()
    assert await place.stage.connections() == []


async def test_what_is_left_empty_is_asked_for_before_anything_is_sent(
    place: ElementStage, context: BrowserContext
) -> None:
    shown = await place.show(context, "sandboxCustom")
    sent: list[str] = []
    shown.page.on("request", lambda request: sent.append(request.method))
    await shown.field("Workspace").fill("demo")
    await shown.field("Workspace").press("Enter")
    await expect(shown.element.get_by_text("This is needed.")).to_have_count(2)
    await expect(shown.field("Secret")).to_be_focused()
    assert "POST" not in sent


async def test_a_secret_is_shown_only_where_asked_and_browsers_fill_in_none(
    place: ElementStage, context: BrowserContext
) -> None:
    shown = await place.show(context, "sandboxBasic")
    password = shown.field("Password")
    await expect(password).to_have_attribute("type", "password")
    await expect(password).to_have_attribute("autocomplete", "new-password")
    await password.fill("visible")
    await shown.button("Show Password").click()
    await expect(password).to_have_attribute("type", "text")
    await expect(password).to_have_value("visible")
    await shown.button("Hide Password").click()
    await expect(password).to_have_attribute("type", "password")
    links = [await each.get_attribute("rel") for each in await shown.element.locator("a").all()]
    assert set(links) == {"noopener noreferrer"}


@pytest.mark.parametrize("provider", ["sandboxOAuth", "sandboxOAuthCode", "sandboxSteps"])
async def test_it_connects_in_a_window_and_once_more(
    place: ElementStage, context: BrowserContext, provider: str
) -> None:
    site = await prepared(place, provider)
    shown = await place.show(context, provider)
    popup = await shown.popup(f"Connect {name_of(provider)}")
    await waits(popup, shown)
    await shown.photograph(f"element-waiting-{provider}")
    async with popup.expect_event("close"):
        await site.decide(popup, "allow")
    made = (await shown.hears("connected"))["connection"]
    await shown.button("Install").wait_for()
    assert await shown.violations() == []
    shown = await place.show(context, provider)
    await shown.button("Reconnect").click()
    async with shown.page.expect_popup() as opened:
        await shown.element.locator("[part~=connect-button]").click()
    popup = await opened.value
    async with popup.expect_event("close"):
        await site.decide(popup, "allow")
    assert (await shown.hears("connected"))["connection"]["id"] == made["id"]
    await shown.focuses("isthmus-reconnect")
    assert [(each["id"], each["status"]) for each in await place.stage.connections()] == [(made["id"], "working")]


async def test_a_window_that_came_to_nothing_is_told_and_can_be_opened_again(
    place: ElementStage, context: BrowserContext
) -> None:
    site = await prepared(place, "sandboxOAuth")
    shown = await place.show(context, "sandboxOAuth")
    popup = await shown.popup(f"Connect {name_of('sandboxOAuth')}")
    await site.decide(popup, "deny")
    await shown.shows("Access to Sandbox CRM (OAuth) was not given.")
    await shown.photograph("element-denied")
    popup = await shown.popup("Open the window again")
    await waits(popup, shown)
    await popup.close()
    await shown.shows("The window is closed, or out of sight.")
    popup = await shown.popup("Open the window again")
    await waits(popup, shown)
    async with popup.expect_event("close"):
        await shown.button("Cancel").click()
    await shown.button(f"Connect {name_of('sandboxOAuth')}").wait_for()
    await shown.focuses(f"Connect {name_of('sandboxOAuth')}")
    await shown.page.evaluate("() => { window.kept = window.open; window.open = () => null }")
    await shown.button(f"Connect {name_of('sandboxOAuth')}").click()
    await shown.shows("Your browser did not open the window.")
    await shown.photograph("element-blocked")
    await shown.page.evaluate("() => { window.open = window.kept }")
    await site.decide(await shown.popup("Open the window again"), "allow")
    await shown.hears("connected")
    assert [error["code"] for error in await shown.told("error")] == ["denied", "popup-closed", "popup-blocked"]


async def test_a_provider_app_that_is_missing_is_told(place: ElementStage, context: BrowserContext) -> None:
    shown = await place.show(context, "sandboxOAuth")
    popup = await shown.popup(f"Connect {name_of('sandboxOAuth')}")
    await shown.shows("there is no provider app for Sandbox CRM (OAuth) in this project")
    if not popup.is_closed():
        await popup.wait_for_event("close")


async def prepared(place: ElementStage, provider: str) -> Any:
    """Register what the provider has to know of us."""
    if provider != "sandboxSteps":
        return await place.stage.prepare(provider)
    site = place.stage.sites["sandboxOAuth"]
    await asyncio.to_thread(site.register, f"{place.stage.origin}/callbacks/v1/custom-auth/default")
    return site


def name_of(provider: str) -> str:
    names = {"sandboxOAuth": "OAuth", "sandboxOAuthCode": "OAuth without PKCE", "sandboxSteps": "a page of its own"}
    return f"Sandbox CRM ({names[provider]})"
