"""The page of the docs about the published React library works as printed, with a server that a user has started."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.library import SOURCES, bundle
from tests.browser.stage import photograph
from tests.journeys.tutorial import Shell, Step, opened, shows, steps

__all__ = ["bundle"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGE = Path(__file__).parents[2] / "docs" / "react.md"
BUILT_ON = "api() {"
"""In the tutorial's last step that the page builds on."""
OPEN = re.compile(r"Open (http://\S+)")


async def run(shell: Shell, step: Step) -> str:
    printed = await asyncio.to_thread(shell.run, step.commands)
    assert shows(printed, step.wanted), printed
    return printed


async def install(page: Page) -> None:
    """Do what the page says that a customer does."""
    await page.locator("input[name=apiKey]").fill("sandbox-demo-key")
    await page.get_by_role("button", name="Next", exact=True).click()
    await page.get_by_role("combobox").click()
    await page.get_by_role("option", name="Lifecycle stage").click()
    await photograph(page, "react-page")
    async with page.expect_response(lambda answer: answer.request.method == "POST") as made:
        await page.get_by_role("button", name="Install", exact=True).click()
    assert (await made.value).ok


@pytest.mark.usefixtures("bundle")
async def test_the_page_prints_what_it_says_and_installs(context: BrowserContext, tmp_path: Path) -> None:
    with opened(tmp_path) as shell:
        for step in steps():
            await run(shell, step)
            if BUILT_ON in step.commands:
                break
        await asyncio.to_thread(shell.run, f"ln -s {SOURCES / 'node_modules'} node_modules")
        installed = 0
        for step in steps(PAGE):
            if found := OPEN.search(await run(shell, step)):
                # Its server is started beside, and nobody reads as fast as a test.
                await asyncio.to_thread(shell.run, f"curl -s --retry 30 --retry-connrefused -o page.html {found[1]}")
                page = await context.new_page()
                await page.goto(found[1])
                await install(page)
                installed += 1
        assert installed == 1
