"""The published React library in a product's page: bundled as a product does it, opened, and listened to.

A page of it may not complain: whatever it says as an error fails the test, but for what a test expects.
"""

import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import BrowserContext, ConsoleMessage, Page

from tests.browser.stage import CONSUMER, GROUP, Stage
from tests.parts import absent

SOURCES = Path(__file__).parent / "react"
PACKAGE = SOURCES / "node_modules" / "@amp-labs" / "react"
DEFINED = (
    # It leaves this name to the product's bundler; the page has the server's origin in its address.
    "--define:process.env.REACT_APP_AMP_SERVER=window.isthmus",
    '--define:process.env.NODE_ENV="production"',
)
ELSEWHERE = ("https://fonts.googleapis.com/", "https://res.cloudinary.com/")
"""Where it wants a font, and a logo until it knows the project's entitlements; no test reaches them."""
PERSON = {"groupRef": GROUP, "groupName": "Umbrella", "consumerRef": CONSUMER, "consumerName": "Ann"}


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundle the page as a product does."""
    esbuild = SOURCES / "node_modules" / ".bin" / "esbuild"
    if shutil.which("node") is None or not esbuild.exists():
        absent(f"REACT LIBRARY ABSENT: install node and npm, then run `npm ci` in {SOURCES}, or `make test`")
    folder = tmp_path_factory.mktemp("react")
    shutil.copy(SOURCES / "index.html", folder)
    entry, made = SOURCES / "page.jsx", f"--outfile={folder / 'page.js'}"
    command = (esbuild, entry, "--bundle", *DEFINED, made, "--log-level=error")
    subprocess.run(command, check=True, timeout=200)  # noqa: S603 -- the tests' own tool
    return folder


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What the library sent to change something."""

    method: str
    path: str
    body: Any


class Product(msgspec.Struct, kw_only=True):
    """A page with the library in it, as its customer sees it."""

    page: Page
    sent: list[Sent]
    complaints: list[str]

    async def told(self, callback: str, count: int = 1) -> list[Any]:
        """Wait until the library has told the product something so often; all that it told by this callback."""
        await self.page.wait_for_function("([name, count]) => window.told[name].length >= count", arg=[callback, count])
        said: list[Any] = await self.page.evaluate("name => window.told[name]", callback)
        return said

    async def press(self, button: str) -> None:
        await self.page.get_by_role("button", name=button, exact=True).click()

    async def shows(self, words: str) -> None:
        await self.page.get_by_text(words, exact=True).first.wait_for()

    async def popup(self, button: str) -> Page:
        """Press a button; the window that opens."""
        async with self.page.expect_popup() as opened:
            await self.press(button)
        return await opened.value

    async def hook(self, script: str, argument: Any = None) -> Any:
        """Evaluate with the hooks of the last render as ``h``."""
        return await self.page.evaluate(f"given => {{ const h = window.hooks; return ({script}); }}", argument)

    async def until(self, script: str) -> None:
        """Wait until it is true of the hooks, as ``h``."""
        await self.page.wait_for_function(f"() => {{ const h = window.hooks; return h && ({script}); }}")


@asynccontextmanager
async def product(
    stage: Stage, context: BrowserContext, *, expects: Iterable[str] = (), token: str = "", **what: Any
) -> AsyncIterator[Product]:
    """Open the product's page, and look at what it complained of in the end.

    ``what`` is a ``provider`` to connect or an ``integration`` to install, and whatever else its `start` takes;
    ``expects`` are patterns of complaints that belong to the test.
    """
    page = await context.new_page()
    opened = Product(page=page, sent=[], complaints=[])
    page.on("console", lambda message: _note(opened, message))
    page.on("pageerror", lambda error: opened.complaints.append(f"uncaught: {error}"))
    page.on("request", lambda request: _keep(opened, request))
    await page.set_viewport_size({"width": 960, "height": 1600})  # For pictures of the whole form.
    await page.goto(f"{stage.product_url}?server={stage.origin}")
    known = {"key": stage.house.frontend_key, "token": token, "project": stage.house.project_id, "person": PERSON}
    await page.evaluate("given => window.start(given)", known | what)
    yield opened
    await page.close()
    patterns = [re.compile(each) for each in expects]
    unexpected = [said for said in opened.complaints if not any(pattern.search(said) for pattern in patterns)]
    assert not unexpected, unexpected


def _note(opened: Product, message: ConsoleMessage) -> None:
    where = message.location["url"]
    if message.type == "error" and not where.startswith(ELSEWHERE):
        opened.complaints.append(f"{message.text} ({where})")


def _keep(opened: Product, request: Any) -> None:
    if request.method in {"POST", "PATCH", "PUT", "DELETE"}:
        path = request.url.partition("/v1")[2]
        opened.sent.append(Sent(method=request.method, path=path, body=request.post_data_json))
