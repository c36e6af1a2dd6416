"""The pages that the demo ends with, in a real browser: what a customer has, and what another one begins with."""

import re
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from connectors.sandbox.access import DEMO_KEY
from tests.browser.element.stage import Shown
from tests.browser.stage import photograph
from tests.journeys.processes import Isthmus

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = re.compile(r"^  (http://\S+/customer-\w+)$", re.MULTILINE)


async def test_the_demo_s_pages_show_what_is_installed_and_install(context: BrowserContext, tmp_path: Path) -> None:
    isthmus = Isthmus(tmp_path, database_url=f"sqlite:///{tmp_path}/demo.db")
    async with isthmus.begun("demo", until="Serving until") as told:
        installed, fresh = PAGES.findall(told)
        shown = Shown(page=await context.new_page())
        await shown.page.goto(installed)
        await shown.shows("Everything is saved.")
        rule = shown.element.get_by_role("button", name=re.compile("^Phone"))
        await expect(rule).to_contain_text("Never overwritten")
        await photograph(shown.page, "demo-installed")

        await shown.page.goto(fresh)
        await shown.field("API key").fill(DEMO_KEY)
        await shown.button("Connect Sandbox CRM").click()
        await shown.button("Install").click()
        await shown.shows("Everything is saved.")
        await photograph(shown.page, "demo-fresh")
        answer = await shown.page.request.get(f"{fresh}x")
        assert answer.status == 404
