"""How the element looks and reads: axe-core finds nothing, and it fits into 320 pixels."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import BrowserContext, expect

from connectors.sandbox.access import DEMO_KEY
from tests.browser.element.stage import ElementStage, Shown
from tests.browser.element.test_configuring import MANIFEST, OFFERED, Form
from tests.browser.element.test_frame import CONTENT, PLAIN, SET_RULE
from tests.parts import absent

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).parents[3] / "headless" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
TYPED_RULES = ("phone", "t-shirt", "subscribed", "birthday", "score", "interests")
"""What finds a field of each type that defaults have an input of their own for."""
MOST_STEPS = 60
FOCUSED = """
(element, wanted) => {
  const focused = element.shadowRoot.activeElement;
  if (!focused) return [false, true];
  const seen = [focused, focused.closest('label, .segment, li')].some((each) => {
    if (!each) return false;
    const { outlineStyle, boxShadow } = getComputedStyle(each);
    return outlineStyle !== 'none' || boxShadow !== 'none';
  });
  return [focused === wanted, seen];
}
"""
Look = tuple[int, Literal["light", "dark"]]
LOOKS: tuple[Look, ...] = ((320, "light"), (320, "dark"), (1000, "light"), (1000, "dark"))
HALF: tuple[Look, ...] = ((320, "dark"), (1000, "light"))
"""For what is large: to look at a form takes seconds."""


async def found_by_axe(shown: Shown) -> list[Any]:
    """List what axe-core finds, each rule with the elements."""
    if not AXE.exists():
        absent("AXE ABSENT: run `npm ci --ignore-scripts` in headless/ui, or `make test`")
    if not await shown.page.evaluate("'axe' in window"):
        await shown.page.evaluate(AXE.read_text("utf-8"))
    script = "tags => axe.run('isthmus-install', {runOnly: tags, resultTypes: ['violations']})"
    result = await shown.page.evaluate(script, RULES)
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in result["violations"]]


async def looks_well(shown: Shown, name: str, *, looks: Iterable[Look] = LOOKS) -> None:
    """Look at it in light and dark, narrow and wide, once nothing is under way."""
    await expect(shown.element.locator("[aria-busy=true]")).to_have_count(0)
    for width, scheme in looks:
        await shown.page.set_viewport_size({"width": width, "height": 900})
        await shown.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await found_by_axe(shown) == [], (name, width, scheme)
        await shown.photograph(f"element-{name}-{width}-{scheme}")
        assert await shown.page.evaluate("document.documentElement.scrollWidth") <= width, name


async def test_it_reads_well_in_every_phase(place: ElementStage, context: BrowserContext) -> None:
    shown = await place.show(context, "sandboxCustom")
    await shown.button("Connect Sandbox CRM (several inputs)").click()
    await shown.shows("This is needed.")
    await looks_well(shown, "connect")
    await shown.element.evaluate("e => e.setAttribute('integration', 'nothing')")
    await shown.shows("This integration could not be loaded")
    await looks_well(shown, "failed")
    await place.deploy(PLAIN)
    installation = await place.install(CONTENT, integration="plain", provider="sandbox")
    await shown.element.evaluate("e => e.setAttribute('integration', 'sandbox')")
    await shown.button("Reconnect").click()
    await looks_well(shown, "configure")
    await shown.asks_no_more()
    await place.stage.break_off(installation["connection"]["id"])
    await shown.element.evaluate("e => e.setAttribute('integration', 'plain')")
    await shown.shows("no longer accepts the connection")
    await shown.element.evaluate(SET_RULE)
    await shown.button("Uninstall").click()
    await looks_well(shown, "broken")


async def test_every_part_of_the_form_reads_well(place: ElementStage, context: BrowserContext) -> None:
    """What is missing and a list that is open; then values, rules of every type and the preview; then leaving."""
    form = await open_form(place, context)
    await form.shows("1 problem")
    await form.element.get_by_role("combobox", name="Stage", exact=True).press("ArrowDown")
    await expect(form.element.get_by_role("option").first).to_be_visible()
    await looks_well(form, "picker", looks=HALF)
    await form.page.keyboard.type("lifecycle")
    await form.page.keyboard.press("Enter")
    await form.button("Match equal names").click()
    for typed in TYPED_RULES:
        await form.add_rule(typed)
    row = await form.open_rule("Source")
    await row.get_by_label("Write only if it is empty in Sandbox CRM").check()
    await form.element.get_by_role("radio", name="Existing record").check(force=True)
    await looks_well(form, "rules", looks=HALF)
    await form.element.evaluate("e => { e.dir = 'rtl'; e.lang = 'de'; }")
    await form.shows("Einrichten")
    await looks_well(form, "rules-german-rtl", looks=HALF)
    await form.element.evaluate("e => { e.dir = ''; e.lang = 'en'; }")
    await form.button("Install").click()
    await form.hears("installed")
    await looks_well(form, "installed", looks=HALF)


async def test_a_customer_needs_no_mouse(place: ElementStage, context: BrowserContext) -> None:
    """From the credentials to what is installed and changed, by keys alone, and always seeing where one is."""
    await place.deploy(MANIFEST)
    shown = await place.show(context, properties={"fieldMapping": OFFERED})
    await shown.field("API key").wait_for()
    keys = shown.page.keyboard
    await come_to(shown, "textbox", "API key")
    await keys.type(DEMO_KEY)
    await keys.press("Enter")
    await shown.shows("1 problem")
    await come_to(shown, "tab", "Contacts")
    await keys.press("ArrowDown")
    await shown.element.get_by_role("heading", name="Tickets").wait_for()
    await keys.press("ArrowUp")
    await come_to(shown, "combobox", "Stage")
    await keys.type("lifecycle")
    await keys.press("Enter")
    await come_to(shown, "combobox", "In trial")
    await keys.type("Prospect")
    await come_to(shown, "button", "Add a rule for another field")
    await keys.press("Enter")
    await keys.type("phone")
    await keys.press("Enter")
    await keys.type("0123")
    await come_to(shown, "radio", "Overwrite what is there")
    await keys.press("ArrowDown")
    await come_to(shown, "button", "Install")
    await keys.press("Enter")
    await shown.hears("installed")
    ((saved),) = await place.installations()
    contacts = saved["config"]["content"]["write"]["objects"]["contacts"]
    assert contacts["selectedFieldSettings"] == {
        "phone": {"default": {"stringValue": "0123"}, "writeOnUpdate": "ifEmpty"}
    }
    await come_to(shown, "button", "Uninstall")
    await keys.press("Enter")
    await come_to(shown, "button", "Uninstall")
    await keys.press("Space")
    await shown.hears("uninstalled")


async def open_form(place: ElementStage, context: BrowserContext) -> Form:
    await place.deploy(MANIFEST)
    await place.stage.connect("sandbox", apiKey=DEMO_KEY)
    shown = await place.show(context, properties={"fieldMapping": OFFERED})
    await shown.element.get_by_role("heading", name="Contacts").wait_for()
    return Form(page=shown.page)


async def come_to(shown: Shown, role: Any, name: str) -> None:
    """Go on by Tab until the control has the focus; each on the way shows that it has it."""
    wanted = await shown.element.get_by_role(role, name=re.compile(rf"^{name}\b")).first.element_handle()
    for _ in range(MOST_STEPS):
        await shown.page.keyboard.press("Tab")
        is_there, is_seen = await shown.element.evaluate(FOCUSED, wanted)
        assert is_seen, f"the focus cannot be seen on the way to {name}"
        if is_there:
            return
    raise AssertionError(f"{name} cannot be reached")
