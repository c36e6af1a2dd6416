"""A recording server for the tests of the client."""

from collections.abc import AsyncIterator

import pytest

from tests.headless.recorder import Server, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as opened:
        yield opened
