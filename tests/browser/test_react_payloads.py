"""The published library's form with an account and a manifest of strangers: what our server hands it stays text."""

from pathlib import Path

import pytest
from playwright.async_api import BrowserContext

from tests.accounts import serve_account
from tests.browser.library import ELSEWHERE, bundle, product
from tests.browser.payloads import PAYLOADS
from tests.browser.stage import open_stage, photograph
from tests.browser.test_payloads import Watch

__all__ = ["bundle"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAMES = tuple(payload for payload in PAYLOADS if payload.isprintable())
"""Manifests take no others."""


async def test_objects_and_fields_are_text_in_the_published_form(bundle: Path, context: BrowserContext) -> None:
    watch = Watch(context)
    async with (
        serve_account(objects=1, fields=1, hostile=NAMES) as account,
        open_stage(product_folder=bundle, further=[account.connector], provider_urls=account.urls) as stage,
    ):
        await stage.house.deploy(account.manifest())
        await stage.connect(account.provider, apiKey=account.key)
        async with product(stage, context, integration="crm") as opened:
            await opened.page.get_by_text("Object 1", exact=True).first.wait_for()
            for name in NAMES:
                await opened.page.get_by_text(name, exact=True).first.wait_for()
            await photograph(opened.page, "react-hostile")
            assert await opened.page.evaluate("window.hacked") is None
    assert watch.dialogs == []
    assert [url for url in watch.strangers if not url.startswith(ELSEWHERE)] == []
