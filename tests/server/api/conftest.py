"""A whole server in this process, over memory, with the sandbox CRM behind it as a real HTTP server."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.server.house import House, open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened


@pytest.fixture
def api(house: House) -> httpx.AsyncClient:
    return house.client
