"""The strict flow in a real browser: no token is had before the page that asked has finished with its own."""

import pytest
from playwright.async_api import BrowserContext

from tests.browser.stage import CONSUMER, GROUP, Stage, opened_by, photograph, state
from tests.server.signing import register, token

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize("provider", ["sandboxOAuth", "toolkit", "oidc"])
async def test_the_page_finishes_with_its_own_token(stage: Stage, context: BrowserContext, provider: str) -> None:
    site = await stage.prepare(provider)
    signed = token(await register(stage.house), groupRef=GROUP, consumerRef=CONSUMER)
    page = await stage.visit(context, token=signed, provider=provider)
    popup = await opened_by(page, "strict")
    async with popup.expect_event("close"):
        await site.decide(popup, "allow")
    seen = await state(page, "connected")
    assert [message["eventType"] for message in seen["messages"]] == ["AUTHORIZATION_PENDING"]
    assert seen["connection"] == (await stage.connections())[0]


async def test_a_denial_is_told_at_once(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    signed = token(await register(stage.house), groupRef=GROUP, consumerRef=CONSUMER)
    page = await stage.visit(context, token=signed, provider="sandboxOAuth")
    await site.decide(await opened_by(page, "strict"), "deny")
    assert (await state(page, "failed"))["error"] == "Access to Sandbox CRM (OAuth) was not given."


async def test_another_person_s_token_finishes_nothing(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    kid = await register(stage.house)
    page = await stage.visit(context, token=token(kid, groupRef=GROUP, consumerRef=CONSUMER), provider="sandboxOAuth")
    popup = await opened_by(page, "strict")
    await page.evaluate("text => { window.settings.token = text }", token(kid, groupRef="other", consumerRef=CONSUMER))
    await site.decide(popup, "allow")
    assert "unknown-completion-code" in (await state(page, "failed"))["error"]
    assert await stage.connections() == []


async def test_a_strict_project_tells_a_page_that_does_not_finish_before_any_window_opens(
    stage: Stage, context: BrowserContext
) -> None:
    await stage.prepare("sandboxOAuth")
    await stage.let_in(strict_connect=True)
    page = await stage.visit(context, provider="sandboxOAuth")
    await page.click("#first")
    assert "strict-only" in (await state(page, "failed"))["error"]
    assert len(context.pages) == 1
    await photograph(page, "strict-project")


async def test_a_strict_project_s_own_page_connects(stage: Stage, context: BrowserContext) -> None:
    site = await stage.prepare("sandboxOAuth")
    await stage.let_in(strict_connect=True)
    signed = token(await register(stage.house), groupRef=GROUP, consumerRef=CONSUMER)
    page = await stage.visit(context, token=signed, provider="sandboxOAuth")
    await site.decide(await opened_by(page, "strict"), "allow")
    assert (await state(page, "connected"))["connection"] == (await stage.connections())[0]
