"""What comes from outside is text on every page: no script of a stranger's runs, and words arrive as they were sent."""

from collections.abc import Iterable
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from playwright.async_api import BrowserContext, Dialog, Page

from tests.browser.payloads import MARKUP, PAYLOADS
from tests.browser.stage import Stage, opened_by, state

pytestmark = pytest.mark.asyncio(loop_scope="session")

LONGEST = 255
"""Characters in a group's name."""
BREAK_IN = """
async (count) => {
  const reported = new Set();
  document.addEventListener('securitypolicyviolation', (event) => reported.add(event.effectiveDirective));
  const moment = () => new Promise((done) => setTimeout(done, 50));
  const add = (html) => document.body.insertAdjacentHTML('beforeend', html);
  const script = document.createElement('script');
  script.textContent = 'alert(1)';
  document.body.append(script);
  add('<img src="//evil.test/x.png">');
  add('<a id=link href="javascript:alert(1)">x</a>');
  document.getElementById('link').click();
  add('<p style="color:red">x</p>');
  for (let left = 400; left > 0 && reported.size < count; left -= 1) await moment();
  await moment();
  return [...reported].sort();
}
"""
BLOCKED = ["img-src", "script-src-elem", "style-src-attr"]


class Watch:
    """Sees every sign that a page did what a payload wants."""

    def __init__(self, context: BrowserContext) -> None:
        self.dialogs: list[str] = []
        self.strangers: list[str] = []
        """Addresses that a page asked for, let through or not."""
        context.on("dialog", self._dismiss)
        context.on("request", lambda request: self._ask(request.url))

    async def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    def _ask(self, url: str) -> None:
        if urlsplit(url).hostname not in {"localhost", "127.0.0.1"}:
            self.strangers.append(url)

    @property
    def saw_nothing(self) -> bool:
        return not self.dialogs and not self.strangers


async def test_a_provider_s_words_arrive_as_text(stage: Stage, context: BrowserContext) -> None:
    watch, site = Watch(context), await stage.prepare("sandboxOAuth")
    page = await stage.visit(context, provider="sandboxOAuth")
    for payload in MARKUP:
        names = {"groupName": payload, "consumerName": payload}
        await page.evaluate("names => Object.assign(window.settings.request, names)", names)
        popup = await opened_by(page, "first")
        await site.arrive(popup)
        async with popup.expect_event("close"):
            await popup.evaluate("url => location.assign(url)", callback(stage, popup.url, payload))
        seen = await state(page, "failed")
        assert seen["error"] == f"Sandbox CRM (OAuth) answered server_error: {payload}"
    assert watch.saw_nothing


async def test_names_and_errors_stand_as_text_on_pages(stage: Stage, context: BrowserContext) -> None:
    watch, site = Watch(context), await stage.prepare("sandboxOAuth")
    page = await context.new_page()
    harmless: list[list[str]] = []
    for payload in ("Acme", *MARKUP):
        patch = {"updateMask": ["appName"], "project": {"appName": payload}}
        assert (await stage.house.call("PATCH", "", json=patch)).is_success
        await page.goto(await stage.link("sandboxOAuth", groupName=payload))
        assert await page.title() == f"Connect Sandbox CRM (OAuth) to {payload}"
        assert await page.locator("h1").text_content() == f"Connect Sandbox CRM (OAuth) to {payload}"
        assert await page.locator("b").last.text_content() == payload
        asked = await elements(page)
        await page.get_by_role("button").click()
        await site.arrive(page)
        await page.goto(callback(stage, page.url, payload))
        assert payload in (await page.locator("p").first.text_content() or "")
        seen = [asked, await elements(page)]
        harmless = harmless or seen
        assert seen == harmless
    assert watch.saw_nothing


async def test_every_name_stands_as_text_on_the_page_that_asks(stage: Stage, context: BrowserContext) -> None:
    watch = Watch(context)
    await stage.prepare("sandboxOAuth")
    page = await context.new_page()
    seen = []
    for name in packed(PAYLOADS[len(MARKUP) :]):
        await page.goto(await stage.link("sandboxOAuth", groupName=name))
        assert await page.locator("b").last.text_content() == name
        seen.append(await elements(page))
    assert seen.count(seen[0]) == len(seen)
    assert watch.saw_nothing


async def test_addresses_do_not_appear_on_pages(stage: Stage, context: BrowserContext) -> None:
    watch, page = Watch(context), await context.new_page()
    await page.goto(f"{stage.origin}/connect/unknown")
    dead_link = await elements(page)
    for payload in MARKUP:
        quoted = quote(payload, safe="")
        for path in (f"connect/{quoted}", f"callbacks/v1/oauth/{quoted}/{quoted}?state={quoted}&error={quoted}"):
            await page.goto(f"{stage.origin}/{path}")
            # Chromium shows our JSON, which an address of no page gets, in its own way.
            assert await elements(page) in (dead_link, ["div", "pre"])
            assert "alert(1)" not in await page.content()
    assert watch.saw_nothing


async def test_a_script_that_got_in_would_not_run(stage: Stage, context: BrowserContext) -> None:
    watch, page = Watch(context), await context.new_page()
    await stage.prepare("sandboxOAuth")
    await page.goto(await stage.link("sandboxOAuth"))
    assert await page.evaluate(BREAK_IN, len(BLOCKED)) == BLOCKED
    assert watch.dialogs == []


def packed(payloads: Iterable[str]) -> list[str]:
    """Join them to as few names as there can be."""
    names = [""]
    for payload in payloads:
        joined = f"{names[-1]} {payload}".strip()
        names[-1:] = [joined] if len(joined) <= LONGEST else [names[-1], payload.strip()]
    return names


def callback(stage: Stage, asked_url: str, said: str) -> str:
    """Answer an authorization request as a provider with an odd sense of humour does."""
    asked = parse_qs(urlsplit(asked_url).query)
    answer = {"error": "server_error", "error_description": said, "error_uri": "javascript:alert(1)"}
    more = {"state": asked["state"][0], "iss": stage.house.sandbox_url}
    return f"{asked['redirect_uri'][0]}?{urlencode(answer | more)}"


async def elements(page: Page) -> list[str]:
    """List the elements of a page's body."""
    names = await page.evaluate("[...document.body.querySelectorAll('*')].map((each) => each.localName)")
    return sorted(names)
