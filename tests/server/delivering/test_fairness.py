"""One customer's backlog is not another's delay: SQLite, a provider that takes its time."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest
from msgspec.structs import replace

from connectors.memory.server import MemoryServer
from server.clock import new_id, utc_now
from server.settings import Settings
from server.store.contract import Store
from server.store.opening import open_store
from tests.server.delivering.yard import PROJECT, VirtualClock, open_yard
from tests.server.store.samples import MASTER_KEY

BACKLOG = int(os.environ.get("ISTHMUS_BACKLOG", "2000"))
"""``ISTHMUS_BACKLOG=100000`` is the promise; the way is the same."""
AT_ONCE = 500
MOST_BETWEEN = 200
"""Of others' calls, from when a write is handed in to its own: what is claimed ahead, and some. How many seconds that
is depends on the machine; here it is a few dozen calls, of the 2,000 that the backlog takes one by one."""


class Provider(MemoryServer):
    """Takes 10 ms, and notes before how many of the others' calls each customer's first one came."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.first: defaultdict[str, asyncio.Future[int]] = defaultdict(asyncio.get_running_loop().create_future)

    async def came(self, customer: str) -> int:
        return await self.first[customer]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        customer = request.headers["x-customer"]
        if not self.first[customer].done():
            self.first[customer].set_result(self.calls.total())
        self.calls[customer] += 1
        await asyncio.sleep(0.01)
        return await super().handle_async_request(request)


class RealClock(VirtualClock):
    def __call__(self) -> datetime:
        return utc_now()


@pytest.fixture
async def store(sqlite_url: str) -> AsyncIterator[Store]:
    opened = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.mark.parametrize("how", ["in batches", "one by one"])
async def test_a_backlog_does_not_delay_another_customers_first_write(store: Store, how: str) -> None:
    provider = Provider()
    yard = await open_yard(provider, store=store, clock=RealClock(), groups=("big", "small"))
    header = {"key": "x-customer", "value": "big"}
    request = yard.request("create", {"n": 1}, group="big", headers=[header])
    accepted = await yard.services.deliveries.accept(PROJECT, "crm", "people", request)
    order = yard.order(accepted, request)
    order = order if how == "in batches" else replace(order, batch_key="")
    for _ in range(0, BACKLOG, AT_ONCE):
        await asyncio.gather(*(store.begin(replace(order, id=new_id())) for _ in range(AT_ONCE)))
    async with yard.at_work(), asyncio.timeout(60):
        await provider.came("big")
        await yard.submit("create", {"n": 2}, group="small", headers=[{"key": "x-customer", "value": "small"}])
        before = provider.calls.total()
        between = await provider.came("small") - before
        yard.services.worker.stop()
    assert between <= MOST_BETWEEN
