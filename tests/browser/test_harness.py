"""The browser does what the journeys count on: it reaches nothing but loopback, and blocks third-party cookies."""

import pytest
from playwright.async_api import BrowserContext, Error

from tests.browser.chromium import ALL_COOKIES, profile
from tests.browser.stage import product

pytestmark = pytest.mark.asyncio(loop_scope="session")

SET_AND_READ = """
async () => {
  document.cookie = 'kept=1; SameSite=None; Secure';
  return document.cookie;
}
"""


async def embedded_cookie(context: BrowserContext) -> str:
    """Set a cookie within a frame of another site; what can be read of it there."""
    async with product() as outer, product() as inner:
        page = await context.new_page()
        await page.goto(outer)
        framed = inner.replace("127.0.0.1", "localhost")
        await page.evaluate(
            "url => document.body.append(Object.assign(document.createElement('iframe'), {src: url}))", framed
        )
        await page.frame_locator("iframe").locator("#state").wait_for()
        (frame,) = page.main_frame.child_frames
        return str(await frame.evaluate(SET_AND_READ))


async def test_nothing_but_loopback_is_reached(context: BrowserContext) -> None:
    page = await context.new_page()
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        await page.goto("http://example.com/")


async def test_cookies_of_third_parties_are_blocked_in_every_journey(context: BrowserContext) -> None:
    assert await embedded_cookie(context) == ""
    async with profile(ALL_COOKIES) as other:
        assert await embedded_cookie(other) == "kept=1"
