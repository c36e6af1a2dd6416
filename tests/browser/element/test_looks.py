"""How the element looks and reads: axe-core finds nothing, and it fits into 320 pixels."""

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.element.stage import ElementStage, Shown
from tests.browser.element.test_frame import CONTENT, PLAIN, SET_RULE
from tests.parts import absent

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).parents[3] / "headless" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 1000)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


async def found_by_axe(shown: Shown) -> list[Any]:
    """List what axe-core finds, each rule with the elements."""
    if not AXE.exists():
        absent("AXE ABSENT: run `npm ci --ignore-scripts` in headless/ui, or `make test`")
    await shown.page.evaluate(AXE.read_text("utf-8"))
    script = "tags => axe.run('isthmus-install', {runOnly: tags, resultTypes: ['violations']})"
    result = await shown.page.evaluate(script, RULES)
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in result["violations"]]


async def looks_well(shown: Shown, name: str) -> None:
    """Look at it in light and dark, narrow and wide, once nothing is under way."""
    await expect(shown.element.locator("[aria-busy=true]")).to_have_count(0)
    for width in WIDTHS:
        await shown.page.set_viewport_size({"width": width, "height": 900})
        for scheme in SCHEMES:
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
    await place.stage.break_off(installation["connection"]["id"])
    await shown.element.evaluate("e => e.setAttribute('integration', 'plain')")
    await shown.shows("no longer accepts the connection")
    await shown.element.evaluate(SET_RULE)
    await shown.button("Uninstall").click()
    await looks_well(shown, "broken")
