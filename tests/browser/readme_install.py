"""What a customer does at the README's page with the element, as the README says it.

The pictures in ``docs/`` are what it leaves where ``ISTHMUS_SCREENSHOTS`` says: ``install-connect.png`` and the rest.
"""

import os
import re
from pathlib import Path

from playwright.async_api import Page, ViewportSize, expect

from connectors.sandbox.access import DEMO_KEY
from tests.browser.element.stage import Shown

WIDE = ViewportSize(width=1000, height=820)
PHONE = ViewportSize(width=400, height=640)
SETTLED = "e => Promise.all(e.shadowRoot.getAnimations().map((each) => each.finished))"


class Install(Shown, frozen=True, kw_only=True):
    """The element in the README's page."""

    async def previews(self, *said: str) -> None:
        """Wait until the preview tells this of the stage."""
        outcome = self.element.locator("[part~=outcome]", has=self.page.get_by_text("lifecycleStage", exact=True))
        for words in said:
            await expect(outcome).to_contain_text(words)

    async def picture(self, name: str, *, scrolled_to: str) -> None:
        """Keep a picture from this heading on, once nothing moves."""
        if folder := os.environ.get("ISTHMUS_SCREENSHOTS"):
            heading = self.element.get_by_role("heading", name=scrolled_to, exact=True)
            await heading.evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY - 24)")
            await self.element.evaluate(SETTLED)
            await self.page.screenshot(path=Path(folder) / f"{name}.png")


async def install(page: Page) -> None:
    """Connect, map, set a default and a rule, look at the preview after each, and install."""
    shown = Install(page=page)
    await shown.field("API key").fill(DEMO_KEY)
    await portrait(shown)
    await page.set_viewport_size(WIDE)
    await shown.button("Connect Sandbox CRM").click()
    stage = shown.element.get_by_role("combobox", name="Stage", exact=True)
    await stage.press_sequentially("life")
    await expect(shown.element.get_by_role("option")).to_have_count(1)
    await shown.picture("install-mapping", scrolled_to="CRM sync")
    await stage.press("Enter")
    await set_rules(shown)
    await shown.button("Install").click()
    await shown.shows("Everything is saved.")


async def set_rules(shown: Install) -> None:
    """Open the stage's rules; the preview says another thing after each change."""
    await shown.element.get_by_role("button", name=re.compile("^Stage")).click()
    await shown.previews("lead")
    await shown.shows("Ready to install.")
    await shown.picture("install-preview", scrolled_to="Defaults and overwriting")
    rule = shown.element.locator("[part~=rule]", has=shown.page.get_by_role("radio"))
    await rule.get_by_role("combobox").select_option("Lead")
    await shown.element.get_by_role("checkbox", name="The record has Stage").uncheck()
    await shown.previews("lead", "The record leaves it out: the default is filled in.")
    await shown.element.get_by_role("checkbox", name="The record has Stage").check()
    await shown.element.get_by_role("radio", name="Existing record").check(force=True)
    await rule.get_by_label("Write only if it is empty in Sandbox CRM").check()
    await shown.previews("Not sent", "There is a value already.")
    await shown.shows("Ready to install.")
    await shown.picture("install-rules", scrolled_to="Defaults and overwriting")


async def portrait(shown: Install) -> None:
    """Show the first step on a telephone in the dark."""
    if folder := os.environ.get("ISTHMUS_SCREENSHOTS"):
        await shown.page.emulate_media(color_scheme="dark")
        await shown.page.set_viewport_size(PHONE)
        await shown.element.evaluate(SETTLED)
        await shown.element.screenshot(path=Path(folder) / "install-connect.png")
        await shown.page.emulate_media(color_scheme="light")
