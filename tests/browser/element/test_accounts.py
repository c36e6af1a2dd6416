"""The element with accounts that are large, hostile, empty or half out of reach."""

import json
import re
from itertools import groupby

import pytest
from playwright.async_api import Browser, BrowserContext, expect

from tests.accounts import Account, serve_account
from tests.browser.element.stage import ElementStage, Shown, open_element_stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

OBJECTS, FIELDS = 20, 500
MOST_TYPING_MS, MOST_PAINT_MS, MOST_NODES, MOST_SHOWN = 50, 1000, 1500, 50
"""What is promised. Timing is judged by the median, and painting by the best, since other things run."""
ASKED = [
    ["GET /ui/install.js"],
    ["GET /integrations/sandbox", "GET /integrations/sandbox/installations"],
    ["GET /connections", "GET /v1/providers/bigcrm"],
    ["GET /integrations/sandbox/revisions:hydrate"],
    ["POST /integrations/sandbox:preview"],
    ["POST /integrations/sandbox:review"],
]
"""What the element asks for until all stands, each line once the one before it is answered."""
PAYLOADS = (
    "<img src=x onerror=window.hacked=1>",
    "<details open ontoggle=window.hacked=1>",
    "\"><svg onload='window.hacked=1'>",
    "javascript:window.hacked=1",
    "'-window.hacked=1-'",
    "`-window.hacked=1-`",
    "__proto__",
    "constructor",
    "שלום (2)",
    "long " + "n" * 495,
)
WATCH = """
(element) => {
  window.took = [];
  element.shadowRoot.addEventListener('input', () => {
    const start = performance.now();
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.took.push(performance.now() - start);
      port2.postMessage(0);
    });
  }, true);
}
"""
PAINTED = """
(element) => new Promise((resolve) => {
  const look = () => (element.shadowRoot?.querySelector('[role=switch]')
    ? resolve(performance.now() - window.shownAt)
    : requestAnimationFrame(look));
  look();
})
"""


async def shown(stage: ElementStage, context: BrowserContext, account: Account) -> Shown:
    manifest = json.loads(account.manifest("sandbox"))
    await stage.stage.house.deploy(json.dumps(manifest))
    await stage.stage.connect(account.provider, apiKey=account.key)
    made = await stage.show(context)
    await made.element.get_by_role("tab").first.wait_for()
    return made


def asked_for(requests: list[str], stage: ElementStage) -> list[str]:
    """List what our server was asked for, in order; of what goes out together, in alphabetical order."""
    project, revision = f"/v1/projects/{stage.stage.house.project_id}", re.compile(r"revisions/[^:]+")
    ours = [
        each.replace(stage.stage.origin, "").replace(project, "") for each in requests if stage.stage.origin in each
    ]
    short = [revision.sub("revisions", each.partition("?")[0]) for each in ours]
    place = {each: number for number, together in enumerate(ASKED) for each in together}
    waves = groupby(short, key=lambda each: place.get(each, -1))
    return [each for _, together in waves for each in sorted(together)]


async def typed(form: Shown, text: str) -> list[float]:
    """Type; how long each key took until it was drawn, in milliseconds, the shortest first."""
    await form.page.keyboard.type(text, delay=40)
    took: list[float] = await form.page.evaluate("window.took.splice(0)")
    return sorted(took)


def median(numbers: list[float]) -> float:
    return numbers[len(numbers) // 2]


async def test_twenty_objects_of_five_hundred_fields_are_quick(browser: Browser) -> None:
    context = await browser.new_context()
    async with serve_account(objects=OBJECTS, fields=FIELDS) as account, open_element_stage(account=account) as stage:
        asked: list[str] = []
        context.on("request", lambda request: asked.append(f"{request.method} {request.url}"))
        async with context.expect_event("requestfinished", lambda request: request.url.endswith(":review")):
            form = await shown(stage, context, account)
        assert asked_for(asked, stage) == [each for together in ASKED for each in together]
        assert account.asked == dict.fromkeys(account.described, 1)
        await form.element.get_by_role("switch", name="Read from").check()
        await form.element.evaluate(WATCH)
        await form.element.get_by_placeholder("Search fields").focus()
        searched = await typed(form, "field 42")
        await form.button("Add a rule for another field").press("Enter")
        picked = await typed(form, "field 421")
        assert len(searched) == len("field 42")
        assert len(picked) == len("field 421")
        await form.page.keyboard.press("ControlOrMeta+A")
        await form.page.keyboard.type("field")
        await expect(form.element.get_by_role("option")).to_have_count(MOST_SHOWN)
        await expect(form.element.locator(".box")).to_have_count(MOST_SHOWN)
        assert max(median(searched), median(picked)) <= MOST_TYPING_MS
        assert await form.element.evaluate("e => e.shadowRoot.querySelectorAll('*').length") <= MOST_NODES
        await form.element.get_by_placeholder("Search objects").fill("20")
        await expect(form.element.get_by_role("tab")).to_have_count(1)
        # The script and the account are there now: what a customer waits for is the element.
        took: list[float] = [await (await stage.show(context)).element.evaluate(PAINTED) for _ in range(3)]
        assert min(took) <= MOST_PAINT_MS
        await form.photograph("form-large")
    await context.close()


async def test_names_are_text_whatever_they_hold(browser: Browser) -> None:
    context = await browser.new_context()
    async with (
        serve_account(objects=1, fields=12, hostile=PAYLOADS) as account,
        open_element_stage(account=account) as stage,
    ):
        form = await shown(stage, context, account)
        tabs = form.element.get_by_role("tab")
        await expect(tabs).to_have_count(1 + len(PAYLOADS))
        for payload in PAYLOADS:
            await form.element.get_by_placeholder("Search objects").fill(payload)
            await tabs.first.click()
            await expect(form.element.get_by_role("heading", level=3)).to_have_text(payload)
            await choose_everything(form, payload)
        await form.photograph("form-hostile")
        await form.element.evaluate("e => { e.dir = 'rtl'; }")
        await form.page.set_viewport_size({"width": 320, "height": 900})
        assert await form.page.evaluate("document.scrollingElement.scrollWidth") <= 320
        await form.photograph("form-hostile-rtl-narrow")
        await form.page.set_viewport_size({"width": 1280, "height": 900})
        await form.button("Install").click()
        await form.hears("installed")
        content = (await stage.installations())[0]["config"]["content"]
        assert set(content["read"]["objects"]) == set(PAYLOADS)
        for payload in PAYLOADS:
            assert content["read"]["objects"][payload]["selectedFields"] == {payload: True}
            settings = content["write"]["objects"][payload]["selectedFieldSettings"]
            assert settings == {payload: {"writeOnUpdate": "never"}}
        assert await form.page.evaluate("window.hacked") is None
        assert await form.page.evaluate("({}).writeOnUpdate") is None
        assert await form.violations() == []
    await context.close()


async def choose_everything(form: Shown, name: str) -> None:
    """Read the object's hostile field, and set a rule on it."""
    await form.element.get_by_role("switch", name=re.compile("^Read")).first.check()
    await form.element.locator(".box", has_text=name).get_by_role("checkbox").check()
    await form.button("Add a rule for another field").press("Enter")
    await form.page.keyboard.insert_text(name)
    await form.page.keyboard.press("Enter")
    await form.field("Never overwrite").check()


async def test_an_object_that_cannot_be_described_says_so_and_is_asked_again(browser: Browser) -> None:
    context = await browser.new_context()
    async with serve_account(objects=2, fields=3) as account, open_element_stage(account=account) as stage:
        account.status["object_1"] = 403
        form = await shown(stage, context, account)
        await form.shows("The fields of this object could not be loaded.")
        await form.photograph("form-unknown")
        account.status.clear()
        await form.button("Try again").click()
        await expect(form.element.get_by_text("could not be loaded")).to_have_count(0)
        await form.element.get_by_role("switch", name="Read from").check()
        await expect(form.element.get_by_role("checkbox", name=re.compile("^Field 2"))).to_be_visible()
        account.described.clear()
        await form.button("Refresh fields").click()
        await form.shows("could not be loaded")
    await context.close()
