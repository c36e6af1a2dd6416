"""Auto-batches: records that come one by one and go out together."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from installations.operation import Operation
from server.store.contract import Earlier, Missing, Store
from tests.server.store.samples import NOW, idempotency, later, settlement
from tests.server.store.test_lanes import claimed, due, queued, taken


def batch(name: str, **changes: Any) -> Operation:
    return queued(name, gather_key="k", run_at=later(60), **changes)


async def test_records_gather_in_the_operation_that_came_first(store: Store) -> None:
    ids = [await store.gather(batch(f"x{number}"), b"record %d" % number, most=9) for number in range(3)]
    assert ids == ["x0"] * 3
    assert await store.gathered("p1", "x0") == [b"record 0", b"record 1", b"record 2"]
    master = await store.operation("p1", "x0")
    assert (master.gathered, master.gather_key, master.run_at) == (3, "k", later(60))
    with pytest.raises(Missing):
        await store.operation("p1", "x1")
    assert await due(store, later(59)) == []
    assert await due(store, later(60)) == ["c1"]


async def test_the_one_that_is_full_is_due_now_and_the_next_is_opened(store: Store) -> None:
    ids = [await store.gather(batch(f"x{n}", create_time=later(n)), b"%d" % n, most=2) for n in range(5)]
    assert ids == ["x0", "x0", "x2", "x2", "x4"]
    assert await due(store, later(1)) == ["c1"]
    assert (await store.operation("p1", "x0")).run_at == later(1)
    await taken(store)
    assert await claimed(store, at=later(3)) == ["x0", "x2"]
    assert await store.gathered("p1", "x2") == [b"2", b"3"]


async def test_one_of_one_is_due_at_once(store: Store) -> None:
    assert await store.gather(batch("x0"), b"0", most=1) == "x0"
    assert await due(store) == ["c1"]
    assert await store.gather(batch("x1"), b"1", most=1) == "x1"


async def test_a_claim_and_a_cancellation_close_it(store: Store) -> None:
    await store.gather(batch("x0"), b"0", most=9)
    await taken(store)
    assert await claimed(store, at=later(60)) == ["x0"]
    assert await store.gather(batch("x1"), b"1", most=9) == "x1"
    await store.settle(replace(settlement("x1"), from_state="queued", to_state="failure", reason="cancelled"))
    assert await store.gather(batch("x2"), b"2", most=9) == "x2"
    assert await store.gathered("p1", "x1") == [b"1"]


async def test_keys_and_projects_stay_apart(store: Store) -> None:
    assert await store.gather(batch("x0"), b"0", most=9) == "x0"
    assert await store.gather(replace(batch("x1"), gather_key="other"), b"1", most=9) == "x1"
    assert await store.gather(replace(batch("x2"), project_id="p2", connection_id="c2"), b"2", most=9) == "x2"
    with pytest.raises(Missing):
        await store.gathered("p2", "x0")
    assert await store.gathered("p1", "o1") == []


async def test_a_repeated_key_answers_the_auto_batch_and_adds_nothing(store: Store) -> None:
    await store.gather(batch("x0"), b"0", most=9)
    assert await store.gather(batch("x1"), b"1", most=9, idempotency=idempotency()) == "x0"
    again = await store.gather(batch("x2"), b"1", most=9, idempotency=idempotency(fingerprint=b"other"))
    assert isinstance(again, Earlier)
    assert (again.operation.id, again.fingerprint) == ("x0", b"f" * 32)
    held = await store.earlier("p1", idempotency(), now=NOW)
    assert held is not None
    assert held.operation.id == "x0"
    assert await store.gathered("p1", "x0") == [b"0", b"1"]


async def test_many_at_once_lose_no_record(store: Store) -> None:
    async def put(number: int) -> Earlier | str:
        key = idempotency(f"{number // 2}") if number % 3 == 0 else None
        return await store.gather(batch(f"x{number}"), b"%d" % number, most=10, idempotency=key)

    ids = await asyncio.gather(*(put(number) for number in range(95)))
    masters = {one for one in ids if isinstance(one, str)}
    records = [record for master in masters for record in await store.gathered("p1", master)]
    assert sorted(records, key=int) == [b"%d" % number for number in range(95)]
    counts = sorted([(await store.operation("p1", master)).gathered for master in masters])
    assert counts == [5, *[10] * 9]
