"""The element's stage, once for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.browser.element.stage import ElementStage, open_element_stage


@pytest_asyncio.fixture(loop_scope="session")
async def place() -> AsyncIterator[ElementStage]:
    """Isthmus, the sandbox, and a product that shows the element."""
    async with open_element_stage() as opened:
        yield opened
