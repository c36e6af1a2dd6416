"""How to find and start Chromium so that it runs as root, without a screen, and reaches nothing but loopback."""

import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright, expect

from tests.parts import absent

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Pages of others name fonts and scripts of public hosts. None is looked up.
    "--host-resolver-rules=MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
ALL_COOKIES = {"cookie_controls_mode": 0, "block_third_party_cookies": False}
NO_COOKIES = {"default_content_setting_values": {"cookies": 2}}
PATIENCE_MS = 90_000
"""For all that is waited for. It promises no speed: where others work too, a process may stand still for seconds."""


def find() -> str:
    """Answer the browser's path; skip without one, and fail without one in CI."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    return path or absent("CHROMIUM ABSENT: install it (Debian: apt-get install chromium), or run `make test` as root")


@asynccontextmanager
async def started() -> AsyncIterator[Browser]:
    """Start a browser; every context of it is a fresh, private profile, and these block third-party cookies."""
    path = find()
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright, _launched(playwright, path) as browser:
        yield browser


@asynccontextmanager
async def _launched(playwright: Playwright, path: str) -> AsyncIterator[Browser]:
    # Its sandbox refuses to run as root, and nothing here comes from strangers.
    browser = await playwright.chromium.launch(
        executable_path=path, args=FLAGS, chromium_sandbox=False, timeout=PATIENCE_MS
    )
    try:
        yield browser
    finally:
        await browser.close()


@asynccontextmanager
async def private(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Give a fresh profile: no cookies, and nothing that a page has left."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def profile(preferences: dict[str, Any]) -> AsyncIterator[BrowserContext]:
    """Start a browser with a profile on disk that has these preferences: `ALL_COOKIES` or `NO_COOKIES`."""
    path = find()
    with tempfile.TemporaryDirectory(prefix="isthmus-chromium-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "Default" / "Preferences"
        file.parent.mkdir()
        file.write_text(json.dumps({"profile": preferences}), "utf-8")
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                folder, executable_path=path, args=FLAGS, chromium_sandbox=False, timeout=PATIENCE_MS
            )
            context.set_default_timeout(PATIENCE_MS)
            try:
                yield context
            finally:
                await context.close()
