"""How the pages look that a customer passes: in a narrow window, in the dark, with long names, by keyboard."""

from itertools import product
from typing import Any, Literal

import pytest
from playwright.async_api import BrowserContext, Page, ViewportSize

from tests.browser.stage import Stage, opened_by, photograph

pytestmark = pytest.mark.asyncio(loop_scope="session")

POPUP = ViewportSize(width=500, height=600)
PHONE = ViewportSize(width=320, height=568)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LONG = "Umbrella_Corporation_International_Holdings_and_Subsidiaries_of_the_Northern_Hemisphere_Ltd"
MEASURE = """
() => {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const canvas = (() => {
    const probe = document.body.appendChild(document.createElement('div'));
    probe.setAttribute('id', 'canvas-probe');
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const scheme = getComputedStyle(document.documentElement).colorScheme;
    probe.remove();
    return scheme.includes('dark') && (dark || !scheme.includes('light')) ? 'rgb(18, 18, 18)' : 'rgb(255, 255, 255)';
  })();
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$/.test(color)) return color;
    }
    return canvas;
  };
  const shown = [...document.querySelectorAll('h1, p, b, button, a')];
  const contrasts = shown.map((element) => {
    const [one, other] = [luminance(getComputedStyle(element).color), luminance(background(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  });
  const root = document.scrollingElement;
  return {
    contrast: Math.min(...contrasts),
    tooWide: root.scrollWidth - root.clientWidth,
    tooHigh: root.scrollHeight - root.clientHeight,
    lang: document.documentElement.lang,
    title: document.title,
    headings: document.querySelectorAll('h1').length,
    buttonHeights: [...document.querySelectorAll('button')].map((button) => button.offsetHeight),
    background: background(document.body),
  };
}
"""


async def question(stage: Stage, page: Page) -> None:
    await page.goto(await stage.link("sandboxOAuth", groupName=LONG))


async def connected(stage: Stage, page: Page) -> None:
    await question(stage, page)
    await page.get_by_role("button").click()
    await stage.sites["sandboxOAuth"].decide(page, "allow")
    await page.get_by_role("heading", name="Connected", exact=True).wait_for()


async def denied(stage: Stage, page: Page) -> None:
    await question(stage, page)
    await page.get_by_role("button").click()
    await stage.sites["sandboxOAuth"].decide(page, "deny")
    await page.get_by_role("heading", name="Not connected").wait_for()


async def dead(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.origin}/connect/unknown")


PAGES: dict[str, Any] = {"question": question, "connected": connected, "denied": denied, "dead": dead}


@pytest.mark.parametrize("name", PAGES)
async def test_a_page_reads_well(stage: Stage, context: BrowserContext, name: str) -> None:
    await stage.prepare("sandboxOAuth")
    page = await context.new_page()
    await PAGES[name](stage, page)
    for scheme, (size, viewport) in product(SCHEMES, {"popup": POPUP, "phone": PHONE}.items()):
        await page.emulate_media(color_scheme=scheme)
        await page.set_viewport_size(viewport)
        measured = await page.evaluate(MEASURE)
        await photograph(page, f"{name}-{scheme}-{size}")
        # WCAG 2.2, success criteria 1.4.3 and 2.5.8.
        assert measured["contrast"] >= 4.5, (scheme, size)
        assert all(height >= 24 for height in measured["buttonHeights"])
        assert measured["tooWide"] == 0, (scheme, size)
        assert measured["tooHigh"] == 0 or size == "phone"
        assert (measured["lang"], measured["headings"]) == ("en", 1)
        assert measured["title"]


async def test_a_keyboard_is_enough(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await context.new_page()
    await question(stage, page)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await site.arrive(page)


async def test_a_popup_that_fails_says_why_until_it_is_closed(stage: Stage, context: BrowserContext) -> None:
    """The page that asked may be gone: the person at the window still learns how it ended."""
    site = await stage.prepare("sandboxOAuth")
    page = await stage.visit(context, provider="sandboxOAuth")
    popup = await opened_by(page, "first")
    await site.arrive(popup)
    await page.close()
    await site.decide(popup, "deny")
    await popup.get_by_role("heading", name="Not connected").wait_for()
    assert "Access to Sandbox CRM (OAuth) was not given." in await popup.inner_text("body")
