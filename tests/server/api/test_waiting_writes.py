"""What the caller of a synchronous write hears that cannot go out yet: its turn has not come, or the provider waits."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from connectors.memory.server import MemoryServer
from tests.conftest import Published
from tests.journeys.customers import fits
from tests.server.delivering.yard import VirtualClock
from tests.server.house import House
from tests.server.memory_house import open_memory_house

LATER: dict[str, Any] = {"mode": "asynchronous", "type": "update"}


class Waiting(msgspec.Struct, kw_only=True):
    """A house whose callers have hardly any patience, and a clock that is moved."""

    house: House
    provider: MemoryServer
    clock: VirtualClock

    async def attend(self) -> None:
        """Do the work of the customer's lane that is due now."""
        (connection,) = await self.house.services.store.connections(self.house.project_id)
        await self.house.services.worker.attend(connection.id)

    async def state(self, operation_id: str) -> str:
        answer = await self.house.call("GET", f"/operations/{operation_id}?state=true")
        state: str = answer.json()["state"]
        return state


@pytest.fixture
async def waiting() -> AsyncIterator[Waiting]:
    provider, clock = MemoryServer(), VirtualClock()
    async with open_memory_house(provider, clock=clock, turn_seconds=0.05) as house:
        provider.records["people"] = {"7": {"a": 0}}
        await house.services.store.beat("test", kind="server")
        yield Waiting(house=house, provider=provider, clock=clock)


async def test_a_write_whose_turn_does_not_come_in_time_is_answered_with_its_operation_and_goes_out_in_its_turn(
    waiting: Waiting, published: Published
) -> None:
    house, provider = waiting.house, waiting.provider
    provider.answer_next(httpx.Response(429))
    first = (await house.write("people", {**LATER, "record": {"id": "7", "a": 1}})).json()["operationId"]
    await waiting.attend()
    body = {"type": "update", "record": {"id": "7", "a": 2}}
    answer = await house.write("people", body, Idempotency_Key="k")
    assert (answer.status_code, list(answer.json())) == (202, ["operationId"])
    operation_id = answer.json()["operationId"]
    assert await waiting.state(operation_id) == "queued"
    again = await house.write("people", body, Idempotency_Key="k")
    assert (again.status_code, again.json(), again.headers["idempotent-replayed"]) == (202, answer.json(), "true")
    waiting.clock.move(seconds=10)
    await waiting.attend()
    assert [await waiting.state(each) for each in (first, operation_id)] == ["success", "success"]
    assert provider.records["people"]["7"]["a"] == 2
    assert len(provider.requests) == 3, "the write that waited went out once"
    told = await house.write("people", body, Idempotency_Key="k")
    fits(published, told)
    assert (told.status_code, told.json()["result"]["recordId"]) == (200, "7")


async def test_a_write_to_an_account_that_is_on_hold_is_told_when_to_come_again(waiting: Waiting) -> None:
    house, provider = waiting.house, waiting.provider
    body = {"type": "create", "record": {"a": 1}}
    provider.answer_next(httpx.Response(429, headers={"Retry-After": "40"}))
    throttled = await house.write("people", body, Idempotency_Key="k1")
    assert throttled.status_code == 422
    assert "rate limited" in throttled.json()["errors"][0]["message"]
    held = await house.write("people", body, Idempotency_Key="k2")
    problem = held.json()
    assert (held.status_code, problem["code"], problem["retryable"]) == (429, "on-hold", True)
    assert held.headers["retry-after"] == "40"
    assert len(provider.requests) == 1
    waiting.clock.move(seconds=40)
    late = await house.write("people", body, Idempotency_Key="k2")
    assert (late.status_code, late.headers.get("idempotent-replayed")) == (200, None), "the key was not taken"
