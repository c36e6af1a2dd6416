"""What the operations of one connection share: waits, the breaker, parking, a budget and a place in the process."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import httpx
import pytest

from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from server.rates import Rate
from server.store.contract import OperationFilter
from server.store.memory import MemoryStore
from tests.server.delivering.yard import PROJECT, START, Yard, open_yard


class Provider(MemoryServer):
    """Answers by a rule, if there is one, and notes when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.always: httpx.Response | Exception | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.always is not None:
            self.answer_next(self.always)
        return await super().handle_async_request(request)


def alone(number: int) -> dict[str, Any]:
    """Have a write go out by itself."""
    return {"headers": [{"key": "x-number", "value": str(number)}]}


async def states(yard: Yard, group: str = "g1") -> list[str]:
    page = await yard.store.operations(PROJECT, OperationFilter(group_ref=group), page_size=1000)
    return sorted(each.state for each in page.results)


def in_memory(yard: Yard) -> list[str]:
    store = yard.store
    assert isinstance(store, MemoryStore)
    return sorted(each.state for each in store.operations_by_id.values())


async def until(reached: Callable[[], bool]) -> None:
    """Let everybody else go on until it is so; whoever waits for the database or a provider is let go on as well."""
    async with asyncio.timeout(60):
        while not reached():  # noqa: ASYNC110 -- what is waited for is the state of a store
            await asyncio.sleep(0.001)


async def test_a_retry_after_holds_the_whole_connection_and_no_other() -> None:
    provider = Provider()
    yard = await open_yard(provider, groups=("g1", "g2"), connection_concurrency=1)
    for number in range(3):
        await yard.submit("create", {"n": number}, **alone(number))
    await yard.submit("create", {"n": 9}, group="g2")
    provider.answer_next(httpx.Response(429, headers={"Retry-After": "5"}))
    await yard.attend()
    assert (len(provider.requests), await states(yard)) == (1, ["queued"] * 3)
    await yard.attend("g2")
    assert await states(yard, "g2") == ["success"]
    yard.clock.move(seconds=4.9)
    await yard.attend()
    assert len(provider.requests) == 2
    yard.clock.move(seconds=0.2)
    await yard.attend()
    # The one that was refused waits a little longer than it was told to.
    assert await states(yard) == ["queued", "success", "success"]
    yard.clock.move(seconds=1)
    await yard.attend()
    assert await states(yard) == ["success"] * 3


async def test_a_provider_that_is_down_is_left_alone_and_tried_by_one_call() -> None:
    provider = Provider()
    provider.records["people"] = {str(number): {} for number in range(20)}
    provider.always = httpx.Response(503)
    yard = await open_yard(provider, connection_concurrency=1)
    for number in range(20):
        await yard.submit("update", {"id": str(number), "a": 1}, **alone(number))
    await yard.attend()
    assert len(provider.requests) == 5
    asked: list[tuple[int, datetime]] = []
    for _ in range(4):
        yard.clock.move(seconds=3600 if not asked else 0)
        for _ in range(60):
            before = len(provider.requests)
            await yard.attend()
            if len(provider.requests) > before:
                asked.append((len(provider.requests) - before, yard.clock.now))
                break
            yard.clock.move(seconds=1)
    counts = [count for count, _ in asked]
    gaps = [(later - earlier).total_seconds() for (_, earlier), (_, later) in pairwise(asked)]
    assert counts == [1] * len(asked)
    assert gaps == sorted(gaps)


async def test_a_probe_that_is_answered_lets_all_of_them_go() -> None:
    provider = Provider()
    provider.records["people"] = {str(number): {} for number in range(20)}
    provider.always = httpx.Response(503)
    yard = await open_yard(provider, connection_concurrency=1)
    for number in range(20):
        await yard.submit("update", {"id": str(number), "a": 1}, **alone(number))
    await yard.attend()
    provider.always = None
    for _ in range(3):
        yard.clock.move(seconds=30)
        await yard.attend()
    assert await states(yard) == ["success"] * 20


async def test_refused_credentials_park_everything_until_they_are_mended() -> None:
    provider = Provider()
    yard = await open_yard(provider, connection_concurrency=1)
    for number in range(4):
        await yard.submit("create", {"n": number}, **alone(number))
    provider.answer_next(httpx.Response(401))
    await yard.attend()
    assert (await states(yard), len(provider.requests)) == (["parked"] * 4, 1)
    assert (await yard.store.connection(PROJECT, "c-g1")).status == "bad_credentials"
    late = await yard.submit("create", {"n": 9}, **alone(9))
    await yard.attend()
    assert (await yard.operation(late.operation.id)).state == "parked"
    await yard.services.rounds.release()
    assert (await states(yard), len(provider.requests)) == (["parked"] * 5, 1)
    await yard.store.update_connection(
        PROJECT, "c-g1", now=yard.clock(), status="working", credentials=b'{"scheme":"none"}'
    )
    yard.services.changes.announce()
    await yard.services.rounds.release()
    assert await states(yard) == ["queued"] * 5
    yard.clock.move(seconds=6)
    await yard.attend()
    assert await states(yard) == ["success"] * 5
    assert len(provider.records["people"]) == 5


async def test_a_connections_rate_binds_the_worker() -> None:
    provider = Provider()
    yard = await open_yard(provider, connection_rate=Rate(count=3, seconds=3600, burst=3))
    for number in range(5):
        await yard.submit("create", {"n": number}, **alone(number))
    await yard.attend()
    assert (len(provider.requests), await states(yard)) == (3, ["queued", "queued", "success", "success", "success"])


class Gate(MemoryServer):
    """Answers when it is told to, and counts who waits."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()
        self.inside = self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.open.wait()
        finally:
            self.inside -= 1
        return await super().handle_async_request(request)

    async def holds(self, count: int) -> None:
        await until(lambda: self.inside >= count)


async def test_no_more_calls_are_under_way_than_a_connection_and_a_process_may_have() -> None:
    provider = Gate()
    yard = await open_yard(provider, groups=("g1", "g2", "g3"), connection_concurrency=2, worker_concurrency=5)
    for number in range(30):
        await yard.submit("create", {"n": number}, group=f"g{number % 3 + 1}", **alone(number))
    async with yard.at_work():
        await provider.holds(5)
        for _ in range(50):
            await asyncio.sleep(0)
        assert provider.inside == 5
        provider.open.set()
        await until(lambda: len(provider.requests) == 30)
    assert provider.most == 5


async def test_what_comes_while_a_call_is_under_way_does_not_wait_for_it() -> None:
    provider = Gate()
    yard = await open_yard(provider)
    await yard.submit("create", {"n": 1}, **alone(1))
    async with yard.at_work():
        await provider.holds(1)
        await yard.submit("create", {"n": 2}, **alone(2))
        await provider.holds(2)
        provider.open.set()


async def test_a_drain_ends_what_has_left_and_gives_back_what_has_not() -> None:
    provider = Gate()
    yard = await open_yard(provider, connection_concurrency=2)
    for number in range(12):
        await yard.submit("create", {"n": number}, **alone(number))
    async with yard.at_work():
        await provider.holds(2)
        yard.services.worker.stop()
        await until(lambda: in_memory(yard) == ["queued"] * 10 + ["sent"] * 2)
        provider.open.set()
    assert await states(yard) == ["queued"] * 10 + ["success"] * 2
    assert len(provider.requests) == 2


async def test_a_drain_does_not_wait_for_ever() -> None:
    provider = Gate()
    yard = await open_yard(provider)
    await yard.submit("create", {"n": 1})
    async with asyncio.timeout(25):
        async with yard.at_work(drain_seconds=0.05):
            await provider.holds(1)
    assert await states(yard) == ["sent"]


async def test_a_process_that_may_be_taken_for_dead_sends_nothing() -> None:
    provider = Provider()
    yard = await open_yard(provider)
    beat = yard.services.beat
    beat.taken(beat.now() - 11)
    await yard.submit("create", {"n": 1})
    await yard.attend()
    assert (provider.requests, await states(yard)) == ([], ["queued"])
    beat.taken(beat.now())
    await yard.attend()
    assert await states(yard) == ["success"]


class Late(MemoryServer):
    """The process falls asleep while it connects: its last beat is old before the first byte leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.sleep: Any = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.sleep is not None:
            self.sleep()
        return await super().handle_async_request(request)


async def test_a_process_that_wakes_up_late_does_not_send_what_it_had_marked() -> None:
    provider = Late()
    yard = await open_yard(provider)
    beat = yard.services.beat
    beat.taken(beat.now())
    provider.sleep = lambda: beat.taken(beat.now() - 11)
    submitted = await yard.submit("create", {"n": 1})
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, operation.doubtful, provider.requests) == ("queued", False, [])


@pytest.mark.parametrize("count", [1, 700])
async def test_idle_rounds_find_what_nobody_was_told_of(count: int) -> None:
    provider = Provider()
    yard = await open_yard(provider, connectors=(Memory(),))
    for number in range(count):
        await yard.submit("create", {"n": number})
    await yard.services.engine.cancel("c-g1")
    async with yard.at_work():
        await until(lambda: len(provider.records.get("people", {})) == count)
    assert yard.clock() == START
