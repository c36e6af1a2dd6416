"""A store of each kind."""

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from server.store.contract import Store
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY, populated


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    return str(request.getfixturevalue({"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param]))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def empty_store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """A started store with nothing in it."""
    if request.param == "memory":
        yield MemoryStore()
        return
    url = request.getfixturevalue({"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param])
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(empty_store: Store) -> Store:
    """A store with the projects ``p1`` and ``p2``, each with one of everything."""
    await populated(empty_store)
    return empty_store
