"""Writes to one record go out in the order in which they were accepted, synchronous ones among them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from installations.record import WriteRequest
from server.clock import new_id
from server.delivering.deliveries import Delivered, Deliveries
from server.delivering.holds import Holds
from server.delivering.idempotency import idempotency_key
from server.delivering.turns import Turns
from server.settings import Settings
from server.store.contract import OperationFilter, Store
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.delivering.yard import PROJECT, Yard, open_yard
from tests.server.store.samples import MASTER_KEY

ANY = OperationFilter()
BUSY = httpx.Response(429)
"""Has the one write wait, and not the connection."""


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


@pytest.fixture
def provider() -> MemoryServer:
    server = MemoryServer()
    server.records["people"] = {"7": {"a": 0}, "8": {"a": 0}}
    return server


@pytest.fixture
async def yard(store: Store, provider: MemoryServer) -> Yard:
    return await open_yard(provider, store=store, connectors=(Memory(),))


async def write(
    yard: Yard, action: str, record: Any, *, deliveries: Deliveries | None = None, key: str = ""
) -> Delivered:
    body = {"groupRef": "g1", "type": action, "record": record}
    using = deliveries or yard.services.deliveries
    accepted = await using.accept(PROJECT, "crm", "people", msgspec.convert(body, WriteRequest))
    made = idempotency_key(key, route="/people", body=msgspec.json.encode(body), now=yard.clock()) if key else None
    return await using.write(accepted, idempotency=made)


async def count(yard: Yard, expected: int) -> None:
    """Wait until there are so many operations."""
    async with asyncio.timeout(60):
        while True:
            if len(await yard.store.earliest(PROJECT, ANY, limit=9)) == expected:
                return
            await asyncio.sleep(0.005)


def sent(provider: MemoryServer) -> list[Any]:
    return [msgspec.json.decode(request.content)["a"] for request in provider.requests]


async def test_a_synchronous_write_waits_behind_what_was_accepted_before(yard: Yard, provider: MemoryServer) -> None:
    provider.answer_next(BUSY)
    await yard.submit("update", {"id": "7", "a": 1})
    await yard.attend()
    writing = asyncio.create_task(write(yard, "update", {"id": "7", "a": 2}, key="k"))
    await count(yard, 2)
    yard.clock.move(seconds=10)
    await yard.attend()
    async with asyncio.timeout(60):
        delivered = await writing
    assert (sent(provider), provider.records["people"]["7"]["a"]) == ([1, 1, 2], 2)
    operation = delivered.operation
    assert (operation.state, operation.mode, operation.attempts) == ("success", "synchronous", 1)
    assert delivered.outcome is not None
    assert delivered.outcome.records[0].success
    again = await write(yard, "update", {"id": "7", "a": 2}, key="k")
    assert (again.operation.id, again.outcome) == (operation.id, delivered.outcome)


async def test_nobody_waits_who_writes_something_else_or_when_nobody_waits(yard: Yard, provider: MemoryServer) -> None:
    provider.answer_next(BUSY)
    await yard.submit("update", {"id": "7", "a": 1})
    await yard.attend()
    assert (await write(yard, "update", {"id": "8", "a": 2})).operation.state == "success"
    assert (await write(yard, "create", {"a": 3})).operation.state == "success"
    yard.clock.move(seconds=10)
    await yard.attend()
    assert (await write(yard, "update", {"id": "7", "a": 4})).operation.state == "success"
    assert sent(provider) == [1, 2, 3, 1, 4]


async def test_a_caller_waits_no_longer_than_it_can_and_the_write_goes_out_all_the_same(
    yard: Yard, provider: MemoryServer
) -> None:
    services = yard.services
    impatient = Deliveries(
        store=yard.store,
        directory=services.directory,
        perform=services.perform,
        waking=services.worker,
        turns=Turns(),
        holds=Holds(clock=yard.clock),
        permits=lambda: lambda: True,
        clock=yard.clock,
        new_id=new_id,
        owner="w1",
        turn_seconds=0.05,
    )
    provider.answer_next(BUSY)
    await yard.submit("update", {"id": "7", "a": 1})
    await yard.attend()
    delivered = await write(yard, "update", {"id": "7", "a": 2}, deliveries=impatient, key="k")
    assert (delivered.operation.state, delivered.outcome) == ("queued", None)
    again = await write(yard, "update", {"id": "7", "a": 2}, deliveries=impatient, key="k")
    assert (again.operation.id, again.outcome, again.replayed) == (delivered.operation.id, None, True)
    yard.clock.move(seconds=10)
    await yard.attend()
    assert (await yard.operation(delivered.operation.id)).state == "success"
    assert sent(provider) == [1, 1, 2]


async def test_what_waited_for_its_turn_is_tried_once_as_promised(yard: Yard, provider: MemoryServer) -> None:
    provider.answer_next(BUSY)
    await yard.submit("update", {"id": "7", "a": 1})
    await yard.attend()
    writing = asyncio.create_task(write(yard, "update", {"id": "7", "a": 2}))
    await count(yard, 2)
    provider.answer_next(httpx.Response(200, json={"id": "7", "a": 1}), httpx.Response(429))
    yard.clock.move(seconds=10)
    await yard.attend()
    async with asyncio.timeout(60):
        delivered = await writing
    assert (delivered.operation.state, delivered.operation.reason) == ("failure", "abandoned")


async def test_nobody_waits_for_a_synchronous_write_in_doubt(yard: Yard, provider: MemoryServer) -> None:
    provider.answer_next(BUSY)
    await yard.submit("update", {"id": "7", "a": 1})
    await yard.attend()
    writing = asyncio.create_task(write(yard, "update", {"id": "7", "a": 2}))
    await count(yard, 2)
    await yard.submit("update", {"id": "7", "a": 3})
    provider.answer_next(httpx.Response(200, json={"id": "7", "a": 1}), httpx.ReadError("the answer was lost"))
    yard.clock.move(seconds=10)
    await yard.attend()
    async with asyncio.timeout(60):
        delivered = await writing
    assert (delivered.operation.state, delivered.operation.reason) == ("unknown", "ambiguous")
    await yard.attend()
    assert sent(provider) == [1, 1, 2, 3]


class Slow(MemoryServer):
    """Holds every answer back until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.records["people"] = {"7": {"a": 0}}
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.set()
        await self.go.wait()
        return await super().handle_async_request(request)


async def test_what_is_accepted_while_a_synchronous_write_is_under_way_does_not_overtake_it() -> None:
    provider = Slow()
    yard = await open_yard(provider, connectors=(Memory(),))
    first = asyncio.create_task(write(yard, "update", {"id": "7", "a": 1}))
    async with asyncio.timeout(60):
        await provider.asked.wait()
        await yard.submit("update", {"id": "7", "a": 2})
        second = asyncio.create_task(yard.attend())
        third = asyncio.create_task(write(yard, "update", {"id": "7", "a": 3}))
        await asyncio.sleep(0)
        provider.go.set()
        await asyncio.gather(first, second)
        await asyncio.gather(third, yard.attend())
    assert sent(provider) == [1, 2, 3]
