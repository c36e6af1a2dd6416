"""What the README has one open in a browser, in a real one: its links, its pages as printed, and those of the docs."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser import readme_react
from tests.browser.library import SOURCES, bundle
from tests.browser.readme_install import install
from tests.browser.sites import Site, sandbox_site
from tests.browser.stage import CONSUMER, GROUP, Stage, open_stage, opened_by, photograph
from tests.journeys.tutorial import Shell, Step, opened, shows, steps
from tests.oauth_servers.customers import Decision
from tests.server.signing import register, token

__all__ = ["bundle"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

LINK = re.compile(r"http://\S+/connect/\S+")
OPEN = re.compile(r"Open (http://\S+)")
PAGE = re.compile(r"^cat > page/index\.html <<EOF\n(.*?)\nEOF$", re.MULTILINE | re.DOTALL)
DOCS = Path(__file__).parents[2] / "docs" / "connecting.md"
LISTENER = re.compile(r"^  window\.addEventListener\(.*?^  \}\);$", re.MULTILINE | re.DOTALL)
LISTENER_OF_DOCS = re.compile(r"^```js\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
CONNECTED = re.compile(r"Connected: [0-9a-f-]{36}")
ENDINGS: dict[Decision, str | re.Pattern[str]] = {
    "allow": CONNECTED,
    "deny": "Not connected. Access to Sandbox CRM (OAuth) was not given.",
}


async def run(shell: Shell, step: Step) -> str:
    printed = await asyncio.to_thread(shell.run, step.commands)
    assert shows(printed, step.wanted), printed
    return printed


async def consent(page: Page, site: Site, link: str) -> None:
    """Open a link as somebody does who got it by mail; and load the last page again, which must change nothing."""
    await page.goto(link)
    await photograph(page, "readme-question")
    await page.get_by_role("button").click()
    await site.arrive(page)
    await photograph(page, "readme-consent")
    await site.decide(page, "allow")
    await page.get_by_role("heading", name="Connected", exact=True).wait_for()
    await photograph(page, "readme-connected")
    await page.reload()
    await page.get_by_role("heading", name="Finished already").wait_for()
    await photograph(page, "readme-twice")


async def says(page: Page, words: str | re.Pattern[str]) -> None:
    await page.locator("p", has_text=words).wait_for()


async def connect(page: Page, site: Site) -> None:
    """Press the page's button: allow, deny, close the window, and allow after all."""
    for decision, words in ENDINGS.items():
        popup = await opened_by(page, "connect")
        await site.arrive(popup)
        await says(page, "Waiting for the other window.")
        async with popup.expect_event("close"):
            await site.decide(popup, decision)
        await says(page, words)
        await photograph(page, f"readme-page-{decision}")
    popup = await opened_by(page, "connect")
    await site.arrive(popup)
    await popup.close()
    await says(page, "You closed the window.")
    await site.decide(await opened_by(page, "connect"), "allow")
    await says(page, CONNECTED)


async def served(shell: Shell, context: BrowserContext, url: str) -> Page:
    """Open a page whose server is started beside; nobody reads as fast as a test."""
    await asyncio.to_thread(shell.run, f"curl -s --retry 30 --retry-connrefused -o page.html {url}")
    page = await context.new_page()
    await page.goto(url)
    return page


async def react(shell: Shell, context: BrowserContext) -> None:
    """Follow the docs' page about the published library, beside the tutorial."""
    await asyncio.to_thread(shell.run, f"ln -s {SOURCES / 'node_modules'} node_modules")
    installed = 0
    for step in steps(readme_react.PAGE):
        if found := OPEN.search(await run(shell, step)):
            page = await served(shell, context, found[1])
            await readme_react.install(page)
            await page.close()
            installed += 1
    assert installed == 1


@pytest.mark.usefixtures("bundle")
async def test_the_readme_works_in_a_real_browser(context: BrowserContext, tmp_path: Path) -> None:
    """And so does the page of the docs that builds on it, about the published library."""
    with opened(tmp_path) as shell:
        site = sandbox_site(f"http://127.0.0.1:{shell.ports['SANDBOX_PORT']}")
        links, pages = 0, []
        for step in steps():
            printed = await run(shell, step)
            if readme_react.BUILT_ON in step.commands:
                await react(shell, context)
            if found := LINK.search(printed):
                page = await context.new_page()
                await consent(page, site, found[0])
                await page.close()
                links += 1
            elif found := OPEN.search(printed):
                page = await served(shell, context, found[1])
                pages.append(found[1].rpartition("/")[2])
                await (install(page) if pages[-1] == "install.html" else connect(page, site))
                await page.close()
    assert (links, pages) == (2, ["install.html", ""])


async def test_the_strict_page_of_the_docs_finishes_what_it_started(context: BrowserContext, tmp_path: Path) -> None:
    async with open_stage(product_folder=tmp_path) as stage:
        await stage.let_in(require_jwt=True, strict_connect=True)
        site = await stage.prepare("sandboxOAuth")
        page = await product_page(strict_page(), folder=tmp_path, stage=stage, context=context)
        for decision, words in ENDINGS.items():
            popup = await opened_by(page, "connect")
            async with popup.expect_event("close"):
                await site.decide(popup, decision)
            await says(page, words)
        assert len(await stage.connections()) == 1


def printed_page() -> str:
    (source,) = (found[1] for step in steps() if (found := PAGE.search(step.commands)))
    return source


def strict_page() -> str:
    """Change the page as the docs say."""
    (listener,) = LISTENER_OF_DOCS.findall(DOCS.read_text("utf-8"))
    asking = 'consumerRef: "hank"}'
    assert asking in printed_page()
    changed, count = LISTENER.subn(lambda _: listener, printed_page())
    assert count == 1
    return changed.replace(asking, asking[:-1] + ', flow: "strict"}')


async def product_page(source: str, *, folder: Path, stage: Stage, context: BrowserContext) -> Page:
    """Open a page as a customer, for a server whose clock a test has in its hand."""
    for printed, real in (("$ISTHMUS_URL", stage.origin), ("globex", GROUP), ("hank", CONSUMER)):
        assert printed in source
        source = source.replace(printed, real)
    (folder / "index.html").write_text(source, "utf-8")
    signed = token(await register(stage.house), groupRef=GROUP, consumerRef=CONSUMER)
    (folder / "token").write_text(signed, "utf-8")
    page = await context.new_page()
    await page.goto(stage.product_url)
    return page


async def test_whoever_takes_too_long_at_the_readme_s_page_starts_again(
    context: BrowserContext, tmp_path: Path
) -> None:
    async with open_stage(product_folder=tmp_path) as stage:
        site = await stage.prepare("sandboxOAuth")
        page = await product_page(printed_page(), folder=tmp_path, stage=stage, context=context)
        popup = await opened_by(page, "connect")
        await site.arrive(popup)
        stage.clock.ahead = timedelta(minutes=11)
        await site.decide(popup, "allow")
        await popup.get_by_role("heading", name="This did not work").wait_for()
        await photograph(popup, "readme-expired")
        assert "has expired" in await popup.inner_text("body")
        assert await stage.connections() == []
        await popup.close()
        await says(page, "You closed the window.")
        stage.clock.ahead = timedelta()
        await site.decide(await opened_by(page, "connect"), "allow")
        await says(page, CONNECTED)


async def test_the_readme_s_page_says_what_the_server_says(context: BrowserContext, tmp_path: Path) -> None:
    async with open_stage(product_folder=tmp_path) as stage:
        page = await product_page(printed_page(), folder=tmp_path, stage=stage, context=context)
        await page.locator("#connect").click()
        await says(page, "there is no provider app for Sandbox CRM (OAuth) in this project")
        await photograph(page, "readme-page-refused")
        (tmp_path / "token").write_text("no token", "utf-8")
        await page.locator("#connect").click()
        await says(page, "The token is no JWT")
