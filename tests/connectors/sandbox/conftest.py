from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.server import serve


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    async with serve() as url:
        yield url


@pytest.fixture
async def client(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"X-Sandbox-Key": DEMO_KEY}
    async with httpx.AsyncClient(base_url=base_url, headers=headers, trust_env=False) as made:
        yield made
