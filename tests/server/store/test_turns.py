"""Writes to one record go one at a time, in the order of their acceptance."""

import asyncio

import pytest
from msgspec.structs import replace

from installations.operation import State
from server.store.contract import Earlier, Store
from tests.server.store.samples import NOW, idempotency, later, settlement
from tests.server.store.test_lanes import claimed, due, left, queued, taken


async def finish(store: Store, name: str, to_state: State = "success", from_state: State = "claimed") -> None:
    await store.settle(replace(settlement(name), from_state=from_state, to_state=to_state))


async def test_who_comes_later_waits_until_the_first_is_final(store: Store) -> None:
    for number in (1, 2, 3):
        await store.begin(queued(f"x{number}"), turns=["c1/contact/7"])
    await store.begin(queued("free"), turns=["c1/contact/8"])
    await taken(store)
    assert await claimed(store) == ["x1", "free"]
    assert await claimed(store) == []
    await finish(store, "x1")
    assert await claimed(store) == ["x2"]
    await finish(store, "x2", "failure")
    assert await claimed(store) == ["x3"]


@pytest.mark.parametrize("state", ["queued", "unknown", "parked"])
async def test_a_turn_is_kept_while_it_is_not_over(store: Store, state: State) -> None:
    await store.begin(queued("x1"), turns=["r"])
    await store.begin(queued("x2"), turns=["r"])
    lane = await taken(store)
    assert await claimed(store) == ["x1"]
    times = {"run_at": later(60)} if state == "queued" else {}
    await store.settle(replace(settlement("x1"), from_state="claimed", to_state=state, **times))
    assert await claimed(store) == []
    assert await left(store, lane) == times.get("run_at")
    await finish(store, "x1", "failure", from_state=state)
    assert await due(store, later(1)) == ["c1"], "who follows is due, and the lane knows"
    await store.unpark("c1", run_at=[], now=NOW)
    await taken(store)
    assert await claimed(store) == ["x2"]


@pytest.mark.parametrize("looks", [True, False])
async def test_who_gives_way_is_not_waited_for(store: Store, *, looks: bool) -> None:
    await store.begin(queued("x1"), turns=["r"])
    await store.begin(queued("x2"), turns=["r"])
    lane = await taken(store)
    assert await claimed(store) == ["x1"]
    doubt = replace(settlement("x1"), from_state="claimed", to_state="unknown", gives_way=True)
    await left(store, lane)
    await store.settle(replace(doubt, look_at=later(60)) if looks else doubt)
    assert await due(store, later(1)) == ["c1"]
    await taken(store)
    assert await claimed(store) == ["x2"]


async def test_who_waits_for_several_waits_for_all(store: Store) -> None:
    await store.begin(queued("x1"), turns=["a"])
    await store.begin(queued("x2"), turns=["b"])
    await store.begin(queued("both"), turns=["a", "b", "a"])
    await store.begin(queued("last"), turns=["b"])
    await taken(store)
    assert await claimed(store) == ["x1", "x2"]
    await finish(store, "x2")
    assert await claimed(store) == []
    await finish(store, "x1")
    assert await claimed(store) == ["both"]
    await finish(store, "both")
    assert await claimed(store) == ["last"]


async def test_who_is_taken_back_while_waiting_gives_its_place_up(store: Store) -> None:
    for name in ("x1", "x2", "x3"):
        await store.begin(queued(name), turns=["r"])
    await taken(store)
    assert await claimed(store) == ["x1"]
    await finish(store, "x2", "failure", from_state="queued")
    assert await claimed(store) == []
    await finish(store, "x1")
    assert await claimed(store) == ["x3"]


async def test_a_lane_of_waiting_followers_has_no_work(store: Store) -> None:
    await store.begin(queued("x1"), turns=["r"])
    await store.begin(queued("x2"), turns=["r"])
    lane = await taken(store)
    assert await claimed(store) == ["x1"]
    assert await left(store, lane) is None
    await finish(store, "x1")
    assert await due(store, later(1)) == ["c1"]


async def test_many_who_come_at_once_go_one_by_one(store: Store) -> None:
    names = [f"x{number}" for number in range(12)]
    await asyncio.gather(*(store.begin(queued(name), turns=["r", f"own-{name}"]) for name in names))
    sequences = await places(store, names)
    order = sorted(names, key=sequences.__getitem__)
    await taken(store)
    for name in order:
        assert await claimed(store) == [name]
        await finish(store, name)
    assert await claimed(store) == []


async def places(store: Store, names: list[str]) -> dict[str, int]:
    return {name: (await store.operation("p1", name)).sequence for name in names}


async def test_the_order_of_acceptance_is_kept(store: Store) -> None:
    for number in range(5):
        await store.begin(queued(f"x{number}", create_time=later(-number)))
    found = await places(store, [f"x{number}" for number in range(5)])
    assert sorted(found, key=found.__getitem__) == [f"x{number}" for number in range(5)]


async def write_now(store: Store, name: str, *turns: str) -> str:
    """Store a write that is to be sent at once; answer the state in which it was stored."""
    sent = replace(queued(name), state="sent", owner="me", mode="synchronous", attempts=1, first_sent_at=NOW)
    waiting = replace(sent, state="queued", owner="", attempts=0, first_sent_at=None)
    stored = await store.begin_in_turn(sent, queued=waiting, turns=turns)
    assert not isinstance(stored, Earlier)
    kept = await store.operation("p1", name)
    assert (stored.state, kept.owner, kept.attempts) == (kept.state, stored.owner, stored.attempts)
    assert kept.payload == sent.payload
    return stored.state


async def test_what_is_sent_at_once_waits_where_others_wait(store: Store) -> None:
    await store.begin(queued("x1"), turns=["r"])
    await taken(store)
    assert await write_now(store, "s1", "q", "r") == "queued"
    assert await write_now(store, "s2", "o") == "sent"
    assert await write_now(store, "s3", "q") == "queued", "behind who waits, too"
    assert await claimed(store) == ["x1"]
    await finish(store, "x1")
    assert await claimed(store) == ["s1"]
    await finish(store, "s1")
    assert await claimed(store) == ["s3"]
    await finish(store, "s3")
    assert await write_now(store, "s4", "q", "r") == "sent"
    await store.begin(queued("x2"), turns=["r"])
    assert await claimed(store) == ["x2"], "nobody waits for what is sent at once"


async def test_many_that_are_sent_at_once_are_told_apart_in_one_commit(store: Store) -> None:
    await store.begin(queued("x1"), turns=["r3"])
    states = await asyncio.gather(*(write_now(store, f"s{number}", f"r{number}") for number in range(6)))
    assert states == ["sent", "sent", "sent", "queued", "sent", "sent"]


async def test_a_key_is_honoured_of_what_waits_and_of_what_is_sent_at_once(store: Store) -> None:
    for name, held in (("a", "r"), ("b", "")):
        if held:
            await store.begin(queued("x1"), turns=[held])
        sent = replace(queued(name), state="sent", owner="me", attempts=1)
        waiting = replace(sent, state="queued", owner="", attempts=0)
        key = idempotency(name)
        first = await store.begin_in_turn(sent, queued=waiting, turns=["r" if held else "q"], idempotency=key)
        assert not isinstance(first, Earlier)
        again = replace(sent, id=f"{name}2")
        found = await store.begin_in_turn(again, queued=replace(waiting, id=again.id), turns=["r"], idempotency=key)
        assert isinstance(found, Earlier)
        assert (found.operation.id, found.operation.state) == (name, first.state)


async def test_what_is_over_and_stored_once_more_stands_in_nobodys_way(store: Store) -> None:
    await store.begin(queued("x1"), turns=["r"])
    await taken(store)
    assert await claimed(store) == ["x1"]
    await finish(store, "x1")
    await store.begin(queued("x1"), turns=["r"])
    await store.begin(queued("x2"), turns=["r"])
    assert await claimed(store) == ["x2"]
