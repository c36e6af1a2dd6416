"""How the element looks and reads: axe-core finds nothing, it fits into 320 pixels, and names are never markup."""

from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace
from playwright.async_api import BrowserContext, expect

from connectors.provider import CustomInput, CustomOpts, InputOption
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX
from tests.browser.element.stage import INTEGRATION, ElementStage, Shown, open_element_stage
from tests.browser.element.test_frame import CONTENT, PLAIN, SET_RULE
from tests.browser.test_payloads import PAYLOADS, Watch
from tests.parts import absent

pytestmark = pytest.mark.asyncio(loop_scope="session")

AXE = Path(__file__).parents[3] / "headless" / "ui" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 1000)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
PAYLOAD_INPUTS = tuple(
    CustomInput(
        name=f"input{number}",
        display_name=payload,
        prompt=payload,
        docs_url=payload,
        field_type=("fieldTypeText", "fieldTypePassword", "fieldTypeSelect")[number % 3],
        options=(InputOption(value=payload, label=payload),),
    )
    for number, payload in enumerate(PAYLOADS)
)
HOSTILE = replace(
    SANDBOX,
    name="hostile",
    display_name=PAYLOADS[0],
    auth_type="custom",
    custom_opts=CustomOpts(inputs=PAYLOAD_INPUTS),
    docs_url=PAYLOADS[11],
)
STRANGE = (
    "document.querySelector('isthmus-install').shadowRoot.querySelectorAll('script, img, iframe, base, meta').length"
)


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


async def test_names_of_providers_and_groups_are_text(context: BrowserContext) -> None:
    watch = Watch(context)
    async with open_element_stage(further=[SandboxConnector(HOSTILE)]) as place:
        await place.deploy(INTEGRATION.format(name="hostile", provider="hostile"))
        shown = await place.show(context, "hostile", attributes={"group-name": PAYLOADS[5]})
        for number, payload in enumerate(PAYLOADS):
            label = shown.element.locator("label").nth(number)
            assert await label.text_content() == payload
        await shown.element.locator("[part~=connect-button]").click()
        for each in await shown.element.locator("input").all():
            await each.fill(PAYLOADS[3])
        for each in await shown.element.locator("select").all():
            await each.select_option(index=1)
        await shown.element.locator("[part~=connect-button]").click()
        await shown.hears("error")
        assert await shown.element.locator("a").count() == 0
        assert await shown.element.evaluate(STRANGE) == 0
        await shown.photograph("element-hostile")
    assert watch.saw_nothing
