"""What came of a write counts although its process was taken for dead meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from installations.operation import Operation
from installations.record import WriteRequest
from server.settings import Settings
from server.store.contract import OperationFilter, Store, Superseded
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.delivering.yard import PROJECT, Yard, open_yard
from tests.server.store.samples import MASTER_KEY


class Doubted(MemoryServer):
    """While it works, somebody else takes the process that asks for dead, and maybe a person decides."""

    def __init__(self) -> None:
        super().__init__()
        self.yard: Yard | None = None
        self.verdict = ""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.yard is not None:
            services = self.yard.services
            assert await services.recovery.recover(living=["somebody else"]) == 1
            if self.verdict:
                (one,) = await kept(self.yard)
                await services.interventions.resolve(PROJECT, one.id, verdict="discard")
        return await super().handle_async_request(request)


async def kept(yard: Yard) -> list[Operation]:
    return await yard.store.earliest(PROJECT, OperationFilter(), limit=9)


@pytest.fixture(params=["memory", "sqlite_url", "migrated_postgres_url"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    store = open_store(Settings(database_url=request.getfixturevalue(request.param), master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


async def written(yard: Yard, mode: str) -> None:
    body = {"groupRef": "g1", "type": "create", "mode": mode, "record": {"a": 1}}
    request = msgspec.convert(body, WriteRequest)
    deliveries = yard.services.deliveries
    accepted = await deliveries.accept(PROJECT, "crm", "people", request)
    async with asyncio.timeout(60):
        if mode == "asynchronous":
            await deliveries.submit(accepted, request)
            await yard.attend()
        else:
            await deliveries.write(accepted)


@pytest.mark.parametrize("mode", ["synchronous", "asynchronous"])
@pytest.mark.parametrize(("answer", "state"), [(None, "success"), (400, "failure"), (429, "unknown")])
async def test_a_last_word_settles_what_was_left_in_doubt(
    store: Store, mode: str, answer: int | None, state: str
) -> None:
    provider = Doubted()
    provider.yard = yard = await open_yard(provider, store=store, connectors=(Memory(),))
    if answer:
        provider.answer_next(httpx.Response(answer))
    if mode == "synchronous" and answer == 429:
        # Tried once, so that this is a last word, too.
        state = "failure"
    await written(yard, mode)
    (operation,) = await kept(yard)
    assert operation.state == state


@pytest.mark.parametrize("mode", ["synchronous", "asynchronous"])
async def test_it_does_not_overrule_a_person(store: Store, mode: str) -> None:
    provider = Doubted()
    provider.yard, provider.verdict = await open_yard(provider, store=store, connectors=(Memory(),)), "discard"
    if mode == "synchronous":
        with pytest.raises(Superseded):
            await written(provider.yard, mode)
    else:
        await written(provider.yard, mode)
    (operation,) = await kept(provider.yard)
    assert (operation.state, operation.reason) == ("failure", "discarded")
