"""How the pages look that a customer passes: in a narrow window, in the dark, with long names, by keyboard, read out.

The sandbox's pages are held to the same, for they stand in every trial.
"""

import asyncio
from itertools import product
from typing import Any, Literal

import pytest
from playwright.async_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.stage import Stage, opened_by, photograph

pytestmark = pytest.mark.asyncio(loop_scope="session")

POPUP = ViewportSize(width=500, height=600)
PHONE = ViewportSize(width=320, height=568)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LONG = "Umbrella_Corporation_International_Holdings_and_Subsidiaries_of_the_Northern_Hemisphere_Ltd"
FOREIGN = "\u05e9\u05dc\u05d5\u05dd \u202e(2)"
"""A name that is read from right to left, and a mark that would turn what follows it."""
MEASURE = """
() => {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const style = (element, name) => getComputedStyle(element)[name];
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = style(at, 'backgroundColor');
      if (!/, 0\\)$/.test(color)) return color;
    }
    throw new Error('nothing has a background');
  };
  const contrast = (element) => {
    const [one, other] = [luminance(style(element, 'color')), luminance(background(element))];
    return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  };
  const all = (selector) => [...document.querySelectorAll(selector)];
  const root = document.scrollingElement;
  const moving = (each) => style(each, 'transitionDuration') !== '0s' || style(each, 'animationName') !== 'none';
  return {
    contrast: Math.min(...all('h1, h2, p, b, bdi, li, label, code, td, button, select, a').map(contrast)),
    drawn: Math.min(21, ...all('svg').map(contrast)),
    tooWide: root.scrollWidth - root.clientWidth,
    tooHigh: root.scrollHeight - root.clientHeight,
    lang: document.documentElement.lang,
    title: document.title,
    headings: all('h1').length,
    lowest: Math.max(0, ...all('button').map((button) => button.getBoundingClientRect().bottom)) - innerHeight,
    buttonHeights: all('button').map((button) => button.offsetHeight),
    moving: all('*').filter(moving).length,
    scheme: luminance(background(document.body)) > 0.5 ? 'light' : 'dark',
  };
}
"""


ORDER = """
() => ['asks', 'for'].map((word) => {
  const text = [...document.querySelector('p').childNodes].find((each) => each.data?.includes(word));
  const range = document.createRange();
  range.setStart(text, text.data.indexOf(word));
  range.setEnd(text, text.data.indexOf(word) + word.length);
  return range.getBoundingClientRect().left;
})
"""
RING = "[getComputedStyle(document.activeElement).outlineStyle, getComputedStyle(document.activeElement).outlineWidth]"


async def question(stage: Stage, page: Page, name: str = LONG) -> None:
    change = {"updateMask": ["appName"], "project": {"appName": name}}
    assert (await stage.house.call("PATCH", "", json=change)).is_success
    await page.goto(await stage.link("sandboxOAuth", groupName=name))


async def consent(stage: Stage, page: Page, name: str = LONG) -> None:
    await question(stage, page, name)
    await page.get_by_role("button").click()
    await stage.sites["sandboxOAuth"].arrive(page)


async def connected(stage: Stage, page: Page, name: str = LONG) -> None:
    await consent(stage, page, name)
    await stage.sites["sandboxOAuth"].decide(page, "allow")
    await page.get_by_role("heading", name="Connected", exact=True).wait_for()


async def finished(stage: Stage, page: Page) -> None:
    await connected(stage, page)
    await page.reload()


async def denied(stage: Stage, page: Page, name: str = LONG) -> None:
    await consent(stage, page, name)
    await stage.sites["sandboxOAuth"].decide(page, "deny")
    await page.get_by_role("heading", name="Not connected").wait_for()


async def dead(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.origin}/connect/unknown")


async def key(stage: Stage, page: Page) -> None:
    callback = f"{stage.origin}/callbacks/v1/custom-auth/default"
    await asyncio.to_thread(stage.sites["sandboxOAuth"].register, callback)
    await page.goto(f"{stage.house.sandbox_url}/connect?callback={callback}&session=s")


async def refusal(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.house.sandbox_url}/connect?callback=nowhere")


async def documentation(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.house.sandbox_url}/")


PAGES: dict[str, Any] = {
    "question": question,
    "consent": consent,
    "connected": connected,
    "finished": finished,
    "denied": denied,
    "dead": dead,
    "key": key,
    "refusal": refusal,
    "documentation": documentation,
}


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
        # WCAG 2.2, success criteria 1.4.3, 1.4.11 and 2.5.8.
        assert measured["contrast"] >= 4.5, (scheme, size)
        assert measured["drawn"] >= 3, (scheme, size)
        assert all(height >= 24 for height in measured["buttonHeights"])
        assert measured["lowest"] <= 0, (scheme, size)
        assert measured["tooWide"] == 0, (scheme, size)
        assert measured["tooHigh"] == 0 or size == "phone" or name == "documentation"
        assert (measured["lang"], measured["headings"], measured["moving"]) == ("en", 1, 0)
        assert measured["scheme"] == scheme
        assert measured["title"]


READ_OUT = {
    "question": """
- main:
  - heading "Connect Sandbox CRM (OAuth) to Acme" [level=1]
  - paragraph: Acme asks for access to your Sandbox CRM (OAuth) account. What is in it will be used for Acme.
  - paragraph: Continue only if you started this yourself. If somebody sent you this link, close this page.
  - button "Continue to Sandbox CRM (OAuth)"
""",
    "consent": """
- main:
  - paragraph: Sandbox CRM
  - heading "Allow Acme?" [level=1]
  - paragraph: "It asks for access to one of your workspaces, to:"
  - list:
    - listitem: see your records
    - listitem: add, change and delete records
  - text: Workspace
  - combobox "Workspace":
    - option "demo" [selected]
  - button "Allow"
  - button "Deny"
""",
    "connected": """
- main:
  - heading "Connected" [level=1]
  - status:
    - paragraph: Sandbox CRM (OAuth) is connected to Acme. You can close this window.
""",
    "denied": """
- main:
  - heading "Not connected" [level=1]
  - alert:
    - paragraph: Access to Sandbox CRM (OAuth) was not given.
    - paragraph: You can close this window.
""",
}


@pytest.mark.parametrize("name", READ_OUT)
async def test_a_page_reads_out_well(stage: Stage, context: BrowserContext, name: str) -> None:
    await stage.prepare("sandboxOAuth")
    page = await context.new_page()
    await PAGES[name](stage, page, "Acme")
    await expect(page.locator("body")).to_match_aria_snapshot(READ_OUT[name])


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
async def test_a_name_of_another_script_leaves_the_sentence_alone(
    stage: Stage, context: BrowserContext, direction: str
) -> None:
    """And a browser that lays the whole page out from right to left finds nothing that is bound to a side."""
    await stage.prepare("sandboxOAuth")
    page = await context.new_page()
    await question(stage, page, FOREIGN)
    await page.evaluate("direction => { document.documentElement.dir = direction }", direction)
    await page.set_viewport_size(POPUP)
    await photograph(page, f"foreign-{direction}")
    left, right = await page.evaluate(ORDER)
    assert left < right
    assert (await page.evaluate(MEASURE))["tooWide"] == 0


async def test_a_keyboard_is_enough(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    page = await context.new_page()
    await question(stage, page)
    # A key that is still held down when the page opens answers nothing.
    assert await page.evaluate("document.activeElement === document.body")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await photograph(page, "focus")
    style, width = await page.evaluate(RING)
    assert (style, float(width.removesuffix("px")) >= 2) == ("solid", True)
    await page.keyboard.press("Enter")
    await site.arrive(page)
    for _ in range(2):
        await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Allow"
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Connected", exact=True).wait_for()


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
