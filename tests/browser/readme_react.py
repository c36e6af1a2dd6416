"""What a customer does at the page of ``docs/react.md``, which goes on where the README's tutorial is half done."""

from pathlib import Path

from playwright.async_api import Page

from tests.browser.stage import photograph

PAGE = Path(__file__).parents[2] / "docs" / "react.md"
BUILT_ON = "api() {"
"""In the tutorial's last step that the page builds on."""


async def install(page: Page) -> None:
    """Connect, map and install, as the page says."""
    await page.locator("input[name=apiKey]").fill("sandbox-demo-key")
    await page.get_by_role("button", name="Next", exact=True).click()
    await page.get_by_role("combobox").click()
    await page.get_by_role("option", name="Lifecycle stage").click()
    await photograph(page, "react-page")
    async with page.expect_response(lambda answer: answer.request.method == "POST") as made:
        await page.get_by_role("button", name="Install", exact=True).click()
    assert (await made.value).ok
