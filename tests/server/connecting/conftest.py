"""A product's desk over memory, or over the store that a test asks for."""

from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from server.store.opening import open_store
from tests.server.api.conftest import DATABASES
from tests.server.connecting.desk import Desk, open_desk
from tests.server.store.samples import MASTER_KEY


@pytest.fixture
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    kind = getattr(request, "param", "memory")
    if kind == "memory":
        async with open_desk() as opened:
            yield opened
        return
    url = request.getfixturevalue(DATABASES[kind])
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        async with open_desk(store) as opened:
            yield opened
    finally:
        await store.close()
