"""A rig over a store of each kind."""

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from server.store.contract import Store
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY
from tests.server.tokens.rig import Clockwork, Rig, rigged
from tests.server.tokens.token_server import TokenServer, serving


@pytest.fixture
def clockwork() -> Clockwork:
    """Time in the test's hand."""
    return Clockwork()


@pytest.fixture(params=["memory"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """A started store with nothing in it: memory, unless a test asks for others."""
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
async def rig(kept: Store, clockwork: Clockwork) -> AsyncIterator[Rig]:
    """A provider and a store; processes are a test's own."""
    server = TokenServer(monotonic=clockwork.monotonic)
    async with serving(server), rigged(kept, server, clockwork) as made:
        yield made
