"""Operations that cannot be handled: they end, and nobody else notices."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from connectors.connector import Account, Flow
from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from installations.operation import Operation
from installations.record import Change, Outcome
from server.delivering.quarantine import Quarantine
from server.store.contract import OperationFilter, Settlement, Unavailable
from server.store.memory import MemoryStore
from tests.server.delivering.yard import PROJECT, Yard, open_yard


class Stumbling(Memory):
    """Has a fault that nobody foresaw: some records make it raise, before or after the request."""

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        when = change.records[0].fields.get("stumbles")
        if when == "before":
            raise ZeroDivisionError
        outcome = yield from super().write(account, change)
        if when == "after":
            raise ZeroDivisionError
        return outcome

    def write_batch(self, account: Account, change: Change) -> Flow[Outcome]:
        if any("stumbles" in record.fields for record in change.records):
            raise ZeroDivisionError
        return (yield from super().write_batch(account, change))


async def states(yard: Yard) -> list[str]:
    page = await yard.store.operations(PROJECT, OperationFilter(), page_size=1000)
    return sorted(each.state for each in page.results)


async def test_what_always_raises_ends_as_poison_and_its_neighbours_succeed() -> None:
    yard = await open_yard(MemoryServer(), connectors=(Stumbling(),))
    bad = await yard.submit("create", {"stumbles": "before"})
    for number in range(5):
        await yard.submit("create", {"n": number})
    for _ in range(4):
        await yard.attend()
        yard.clock.move(seconds=10)
    assert await states(yard) == ["failure"] + ["success"] * 5
    operation = await yard.operation(bad.operation.id)
    assert (operation.reason, operation.lone_crashes, operation.attempts) == ("poison", 3, 3)
    assert [each.effect for each in await yard.attempts(operation.id)] == ["not_sent"] * 3


@pytest.mark.parametrize(("action", "state", "calls"), [("create", "unknown", 1), ("update", "failure", 3)])
async def test_what_raises_after_it_was_sent_is_repeated_only_where_that_does_no_harm(
    action: str, state: str, calls: int
) -> None:
    provider = MemoryServer()
    provider.records["people"] = {"7": {}}
    yard = await open_yard(provider, connectors=(Stumbling(),))
    record: dict[str, Any] = {"stumbles": "after"} | ({"id": "7"} if action == "update" else {})
    submitted = await yard.submit(action, record)
    for _ in range(5):
        await yard.attend()
        yard.clock.move(seconds=10)
    operation = await yard.operation(submitted.operation.id)
    assert (operation.state, len(provider.requests)) == (state, calls)


async def test_what_is_suspected_runs_while_nothing_else_does() -> None:
    provider = Crowd()
    yard = await open_yard(provider, groups=("g1", "g2"))
    target = await yard.services.deliveries.accept(PROJECT, "crm", "people", yard.request("create", {"suspect": 1}))
    suspect = yard.order(target, yard.request("create", {"suspect": 1}))
    for number in range(20):
        await yard.submit("create", {"n": number}, group="g2", headers=[{"key": "x-n", "value": str(number)}])
    await yard.submit("create", {"n": 99})
    await yard.store.begin(replace(suspect, crashes=3, batch_key=""))
    async with yard.at_work(), asyncio.timeout(60):
        while await states(yard) != ["success"] * 22:
            yard.clock.move(seconds=1)
            await asyncio.sleep(0.01)
    assert provider.beside_the_suspect == 0


class Crowd(MemoryServer):
    """Counts who is there together with the suspect."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = self.beside_the_suspect = 0
        self.suspect_inside = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        suspect = b"suspect" in request.content
        self.inside += 1
        self.suspect_inside |= suspect
        if self.suspect_inside:
            self.beside_the_suspect += self.inside - 1
        try:
            await asyncio.sleep(0.002)
            return await super().handle_async_request(request)
        finally:
            self.inside -= 1
            self.suspect_inside &= not suspect


async def test_two_who_want_to_be_alone_do_not_wait_for_each_other() -> None:
    quarantine = Quarantine()
    quarantine.enter(2)
    order: list[bool] = []

    async def first() -> None:
        async with quarantine.alone() as alone:
            order.append(alone)
        quarantine.leave(1)

    async def second() -> None:
        async with quarantine.alone() as alone:
            order.append(alone)
        quarantine.leave(1)

    async with asyncio.timeout(60):
        await asyncio.gather(first(), second())
    assert (order, len(quarantine), quarantine.closed) == ([False, True], 0, False)


class Away(MemoryStore):
    """A database that is away for some moments, at the worst of times."""

    def __init__(self) -> None:
        super().__init__()
        self.failures = 0
        self.after = ""

    async def claim(self, *given: Any, **named: Any) -> list[Operation]:
        self._fail("claimed")
        return await super().claim(*given, **named)

    async def leave_lane(self, *given: Any, **named: Any) -> datetime | None:
        self._fail("left")
        return await super().leave_lane(*given, **named)

    def _fail(self, at: str) -> None:
        if self.failures and at == self.after:
            self.failures -= 1
            raise Unavailable("away")

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        if self.failures and any(each.to_state == self.after for each in settlements):
            self.failures -= 1
            raise Unavailable("away")
        return await super().settle_all(settlements)


async def test_what_the_provider_did_is_written_down_however_long_the_database_is_away() -> None:
    provider, store = MemoryServer(), Away()
    yard = await open_yard(provider, store=store)
    submitted = await yard.submit("create", {"n": 1})
    store.failures, store.after = 2, "success"
    await yard.attend()
    assert (await yard.operation(submitted.operation.id)).state == "success"
    assert len(provider.requests) == 1


async def test_what_could_not_be_marked_is_not_sent() -> None:
    provider, store = MemoryServer(), Away()
    yard = await open_yard(provider, store=store)
    submitted = await yard.submit("create", {"n": 1})
    store.failures, store.after = 1, "sent"
    await yard.attend()
    operation = await yard.operation(submitted.operation.id)
    # It was given back, and went with the next claim.
    assert (operation.state, operation.attempts, len(provider.requests)) == ("success", 2, 1)


@pytest.mark.parametrize("moment", ["claimed", "left"])
async def test_a_lane_is_not_lost_when_the_database_goes_away_in_the_middle(moment: str) -> None:
    provider, store = MemoryServer(), Away()
    yard = await open_yard(provider, store=store)
    submitted = await yard.submit("create", {"n": 1})
    store.failures, store.after = 1, moment
    await yard.attend()
    assert (await yard.operation(submitted.operation.id)).state == "success"
    assert (len(provider.requests), store.lanes["c-g1"].owner) == (1, "")
