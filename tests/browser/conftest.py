"""The browser and the stage. One browser serves the whole session, so all of this runs in the session's loop."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext

from tests.browser.chromium import private, started
from tests.browser.sites import oidc_site, toolkit_site
from tests.browser.stage import Stage, open_stage

_FIXTURES = {"toolkit": ("toolkit_server", toolkit_site), "oidc": ("oidc_server", oidc_site)}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, without a screen."""
    async with started() as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A customer's profile: no cookies yet."""
    async with private(browser) as fresh:
        yield fresh


@pytest_asyncio.fixture(loop_scope="session")
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """Isthmus, a product and the sandbox; and the provider of a test that has a ``provider``."""
    provider = getattr(request.node, "callspec", None) and request.node.callspec.params.get("provider")
    if provider in _FIXTURES:
        fixture, site = _FIXTURES[provider]
        sites = [site(request.getfixturevalue(fixture))]
    else:
        sites = []
    async with open_stage(sites) as opened:
        yield opened
