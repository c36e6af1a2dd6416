"""A provider that asked for time gets it, from synchronous and asynchronous writes alike."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from connectors.memory.server import MemoryServer
from installations.record import WriteRequest
from server.delivering.deliveries import Delivered
from server.delivering.holds import Holds, OnHold
from server.store.contract import Lane, OperationFilter
from server.store.memory import MemoryStore
from tests.server.delivering.yard import PROJECT, START, VirtualClock, Yard, open_yard


def busy(seconds: int) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": str(seconds)})


async def write(yard: Yard, record: Any, *, action: str = "create") -> Delivered:
    body = {"groupRef": "g1", "type": action, "record": record}
    accepted = await yard.services.deliveries.accept(PROJECT, "crm", "people", msgspec.convert(body, WriteRequest))
    return await yard.services.deliveries.write(accepted)


async def stored(yard: Yard) -> int:
    return await yard.store.count_operations(PROJECT, OperationFilter())


@pytest.fixture
def provider() -> MemoryServer:
    server = MemoryServer()
    server.records["people"] = {"7": {"a": 0}}
    return server


@pytest.fixture
async def yard(provider: MemoryServer) -> Yard:
    return await open_yard(provider)


async def test_a_synchronous_write_that_is_throttled_is_told_so_and_the_worker_waits(
    yard: Yard, provider: MemoryServer
) -> None:
    provider.answer_next(busy(30))
    delivered = await write(yard, {"a": 1})
    assert delivered.outcome is not None
    (record,) = delivered.outcome.records
    assert record.fault is not None
    assert (delivered.operation.state, record.fault.kind) == ("failure", "rate_limited")
    submitted = await yard.submit("create", {"a": 2})
    await yard.attend()
    yard.clock.move(seconds=29.9)
    await yard.attend()
    assert len(provider.requests) == 1
    yard.clock.move(seconds=0.1)
    await yard.attend()
    assert (await yard.operation(submitted.operation.id)).state == "success"


async def test_another_process_waits_as_well(yard: Yard, provider: MemoryServer) -> None:
    provider.answer_next(busy(30))
    await write(yard, {"a": 1})
    other = await open_yard(provider, store=yard.store, clock=yard.clock, owner="w2")
    await other.submit("create", {"a": 2})
    await other.attend()
    assert len(provider.requests) == 1
    yard.clock.move(seconds=30)
    await other.attend()
    assert len(provider.requests) == 2


class Leaving(MemoryStore):
    """Notes until when a lane is on hold as somebody comes to leave it."""

    def __init__(self) -> None:
        super().__init__()
        self.holds: list[datetime | None] = []

    async def leave_lane(self, lane: Lane, *, owner: str, now: datetime, stay: bool) -> datetime | None:
        self.holds.append(self.lanes[lane.id].hold_until)
        return await super().leave_lane(lane, owner=owner, now=now, stay=stay)


async def test_a_hold_is_known_to_all_before_the_lane_is_left(provider: MemoryServer) -> None:
    store = Leaving()
    yard = await open_yard(provider, store=store)
    await yard.submit("create", {"a": 1})
    provider.answer_next(busy(30))
    await yard.attend()
    assert store.holds == [START + timedelta(seconds=30)]


async def test_a_caller_that_cannot_wait_so_long_is_told_when_to_come_and_nothing_is_sent_or_stored(
    yard: Yard, provider: MemoryServer
) -> None:
    await yard.submit("create", {"a": 1})
    provider.answer_next(busy(60))
    await yard.attend()
    yard.clock.move(seconds=0.5)
    with pytest.raises(OnHold) as refused:
        await write(yard, {"a": 2})
    assert (refused.value.after_seconds, len(provider.requests), await stored(yard)) == (60, 1, 1)
    yard.clock.move(seconds=60)
    assert (await write(yard, {"a": 2})).operation.state == "success"


async def test_a_caller_that_can_wait_does(yard: Yard, provider: MemoryServer) -> None:
    await yard.submit("create", {"a": 1})
    provider.answer_next(busy(8))
    await yard.attend()
    writing = asyncio.create_task(write(yard, {"a": 2}))
    yard.clock.move(seconds=7.9)
    done, _ = await asyncio.wait({writing}, timeout=0.02)
    assert (done, len(provider.requests), await stored(yard)) == (set(), 1, 1)
    yard.clock.move(seconds=0.1)
    async with asyncio.timeout(60):
        assert (await writing).operation.state == "success"


async def test_a_caller_whose_wait_is_prolonged_beyond_its_patience_is_told() -> None:
    clock = VirtualClock()
    holds = Holds(clock=clock)
    holds.told("c1", clock() + timedelta(seconds=9))
    waiting = asyncio.create_task(holds.over("c1"))
    await asyncio.sleep(0)
    holds.told("c1", clock() + timedelta(seconds=3))
    holds.told("c1", clock() + timedelta(seconds=11))
    async with asyncio.timeout(60):
        with pytest.raises(OnHold):
            await waiting
    holds.told("c1", None)
    await holds.over("c2")
    clock.move(seconds=11)
    await holds.over("c1")
    assert holds.until("c1") is None


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


async def test_who_waits_for_the_turn_of_one_that_is_throttled_does_not_go_out_after_it() -> None:
    provider = Slow()
    yard = await open_yard(provider)
    provider.answer_next(busy(30))
    first = asyncio.create_task(write(yard, {"id": "7", "a": 1}, action="update"))
    async with asyncio.timeout(60):
        await provider.asked.wait()
        submitted = await yard.submit("update", {"id": "7", "a": 2})
        attending = asyncio.create_task(yard.attend())
        while (await yard.operation(submitted.operation.id)).state != "claimed":  # noqa: ASYNC110 -- a store's state
            await asyncio.sleep(0)
        third = asyncio.create_task(write(yard, {"id": "7", "a": 3}, action="update"))
        await asyncio.sleep(0)
        provider.go.set()
        await asyncio.gather(first, attending)
        with pytest.raises(OnHold):
            await third
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, len(provider.requests)) == ("queued", 1)
    yard.clock.move(seconds=30)
    await yard.attend()
    assert provider.records["people"]["7"]["a"] == 2
