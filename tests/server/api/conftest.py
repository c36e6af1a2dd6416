"""A whole server in this process, with the sandbox CRM behind it as a real HTTP server."""

from collections.abc import AsyncIterator

import httpx
import pytest

from server.settings import Settings
from server.store.opening import open_store
from tests.server.api.shelved import Shelf
from tests.server.api.town import furnished
from tests.server.house import House, open_house
from tests.server.proxied import Line, lined_up
from tests.server.store.samples import MASTER_KEY

DATABASES = {"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}


@pytest.fixture
async def house(request: pytest.FixtureRequest) -> AsyncIterator[House]:
    """Over memory, or over the store that ``tests.server.house.ON_EVERY_STORE`` asks for."""
    kind = getattr(request, "param", "memory")
    if kind == "memory":
        async with open_house() as opened:
            yield opened
        return
    url = request.getfixturevalue(DATABASES[kind])
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        async with open_house(store) as opened:
            yield opened
    finally:
        await store.close()


@pytest.fixture
async def shelf(house: House) -> Shelf:
    """Furnish a project; its only operation so far is a synchronous write that succeeded."""
    return Shelf(house=house, names=await furnished(house))


@pytest.fixture
def api(house: House) -> httpx.AsyncClient:
    return house.client


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    """A server on a real port, to call a provider through that shows what reached it."""
    async with lined_up() as opened:
        yield opened
