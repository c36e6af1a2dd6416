"""Who attends to what, and what is due."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from msgspec.structs import replace

from installations.operation import Operation, State
from server.store.contract import Lane, Missing, Store, Superseded
from tests.server.store.samples import NOW, connection, later, operation, settlement

ALIVE = 60.0


def queued(name: str, *, lane: str = "c1", **changes: Any) -> Operation:
    return operation(name, state="queued", mode="asynchronous", owner="", connection_id=lane, **changes)


async def due(store: Store, at: datetime = NOW) -> list[str]:
    return await store.due_lanes(now=at, dead_after_seconds=ALIVE, limit=10)


async def taken(store: Store, name: str = "c1", owner: str = "me") -> Lane:
    lane = await store.take_lane(name, owner=owner, now=NOW, dead_after_seconds=ALIVE)
    assert lane is not None
    return lane


async def claimed(
    store: Store, *, at: datetime = NOW, owner: str = "me", calls: int = 9, batch: int = 100
) -> Sequence[str]:
    return [one.id for one in await store.claim("c1", owner=owner, now=at, calls=calls, batch=batch)]


async def left(store: Store, lane: Lane, *, at: datetime = NOW, stay: bool = False) -> datetime | None:
    return await store.leave_lane(lane, owner="me", now=at, stay=stay)


async def test_a_queued_operation_wakes_its_lane_when_it_is_due(store: Store) -> None:
    await store.begin(queued("x1", run_at=later(60)))
    assert await due(store) == []
    assert await due(store, later(60)) == ["c1"]
    await store.begin(queued("x2", run_at=later(30)))
    await store.begin(queued("x3", run_at=later(90)))
    assert await due(store, later(29)) == []
    assert await due(store, later(30)) == ["c1"]


async def test_a_synchronous_operation_wakes_nobody(store: Store) -> None:
    await store.begin(operation("x1", connection_id="c1"))
    assert await due(store, later(9999)) == []
    assert await store.take_lane("c1", owner="me", now=NOW, dead_after_seconds=ALIVE) is None


async def test_a_lane_is_attended_by_one_and_free_again_when_it_is_left(store: Store) -> None:
    await store.begin(queued("x1"))
    lane = await taken(store)
    assert lane == Lane(id="c1", project_id="p1")
    assert await due(store) == []
    assert await store.take_lane("c1", owner="you", now=NOW, dead_after_seconds=ALIVE) is None
    assert await left(store, lane) == NOW
    assert await due(store) == ["c1"]
    await taken(store, owner="you")


async def test_who_attends_already_may_take_it_again(store: Store) -> None:
    await store.begin(queued("x1"))
    assert await taken(store) == await taken(store)


async def test_a_dead_owner_loses_the_lane(store: Store) -> None:
    await store.begin(queued("x1"))
    await store.beat("dead", kind="worker")
    await taken(store, owner="dead")
    assert await store.due_lanes(now=NOW, dead_after_seconds=-5, limit=10) == ["c1"]
    assert await store.take_lane("c1", owner="me", now=NOW, dead_after_seconds=ALIVE) is None
    assert await store.take_lane("c1", owner="me", now=NOW, dead_after_seconds=-5) is not None
    assert await store.claim("c1", owner="dead", now=NOW, calls=1, batch=1) == []
    assert await claimed(store) == ["x1"]


async def test_only_who_attends_claims(store: Store) -> None:
    await store.begin(queued("x1"))
    assert await claimed(store) == []
    await taken(store)
    assert await claimed(store, owner="you") == []
    assert await claimed(store) == ["x1"]
    assert await claimed(store) == []


async def test_a_claim_counts_the_attempt_and_closes_what_was_open(store: Store) -> None:
    await store.begin(queued("x1", gather_key="g", attempts=2))
    await taken(store)
    (one,) = await store.claim("c1", owner="me", now=later(5), calls=1, batch=1)
    assert (one.state, one.owner, one.attempts, one.gather_key, one.update_time) == (
        *("claimed", "me", 3, ""),
        later(5),
    )
    assert one == await store.operation("p1", "x1")
    assert one.payload == operation().payload


async def test_what_is_due_is_claimed_oldest_first(store: Store) -> None:
    for number, seconds in enumerate((3, 1, 2, 1, 99)):
        await store.begin(queued(f"x{number}", run_at=later(seconds)))
    await store.begin(queued("over", run_at=NOW, deadline_at=later(10)))
    await store.begin(queued("other", lane="c2"))
    await taken(store)
    assert await claimed(store, at=later(10), calls=2, batch=1) == ["x1", "x3"]
    assert await claimed(store, at=later(10)) == ["x2", "x0"]
    assert await claimed(store, at=later(10)) == []


async def test_equal_batch_keys_are_one_call(store: Store) -> None:
    for number, key in enumerate(("a", "", "b", "a", "a", "", "a", "c")):
        await store.begin(queued(f"x{number}", batch_key=key))
    await taken(store)
    assert await claimed(store, calls=3, batch=3) == ["x0", "x1", "x2", "x3", "x4"]
    assert await claimed(store, calls=1, batch=9) == ["x5"]
    assert await claimed(store, calls=2, batch=9) == ["x6", "x7"]


async def test_what_took_processes_down_shares_no_call(store: Store) -> None:
    for number, crashes in enumerate((2, 0, 1, 2)):
        await store.begin(queued(f"x{number}", batch_key="a", crashes=crashes))
    await taken(store)
    assert await claimed(store, calls=1, batch=9) == ["x0"]
    assert await claimed(store, calls=1, batch=9) == ["x1", "x2"]
    assert await claimed(store, calls=1, batch=9) == ["x3"]


async def test_a_claim_whose_answer_never_came_is_given_back_to_who_takes_the_lane_anew(store: Store) -> None:
    await store.begin(queued("x1"))
    await taken(store)
    assert await claimed(store) == ["x1"]
    await taken(store)
    assert (await store.operation("p1", "x1")).state == "queued"
    (again,) = await store.claim("c1", owner="me", now=NOW, calls=1, batch=1)
    assert again.attempts == 2
    with pytest.raises(Superseded):
        await store.settle(replace(settlement("x1"), from_state="claimed", from_attempts=1))


async def test_leaving_tells_when_there_is_work_next(store: Store) -> None:
    await store.begin(queued("x1"))
    lane = await taken(store)
    assert await claimed(store) == ["x1"]
    assert await left(store, lane) is None
    assert await due(store, later(3599)) == []
    await store.settle(replace(settlement("x1"), from_state="claimed"))
    await store.begin(queued("x2", run_at=later(50)))
    assert await left(store, await taken(store)) == later(50)
    assert await due(store, later(50)) == ["c1"]


async def test_who_stays_goes_on_only_if_there_is_work_now(store: Store) -> None:
    await store.begin(queued("x1"))
    lane = await taken(store)
    assert await left(store, lane, stay=True) == NOW
    assert await due(store) == []
    assert await claimed(store) == ["x1"]
    await store.begin(queued("x2", run_at=later(9)))
    assert await left(store, lane, stay=True) == later(9)
    assert await due(store, later(9)) == ["c1"]


async def test_what_was_learnt_of_a_lane_is_kept_and_a_hold_delays_it(store: Store) -> None:
    await store.begin(queued("x1"))
    lane = replace(await taken(store), hold_until=later(40), failures=3)
    assert await left(store, lane, stay=True) == later(40)
    await store.begin(queued("x2"))
    assert await due(store, later(39)) == []
    assert await due(store, later(40)) == ["c1"]
    assert await taken(store) == lane


async def test_a_hold_is_stored_with_the_move_that_met_it_and_whoever_comes_next_keeps_it(store: Store) -> None:
    await store.begin(queued("x1"))
    await taken(store)
    (one,) = await store.claim("c1", owner="me", now=NOW, calls=1, batch=1)
    asked = replace(settlement(one.id), from_state="claimed", to_state="queued", run_at=later(30), hold_until=later(30))
    await store.settle(asked)
    assert await due(store, later(29)) == []
    assert await store.due_lanes(now=later(30), dead_after_seconds=-5, limit=10) == ["c1"]
    lane = await store.take_lane("c1", owner="you", now=NOW, dead_after_seconds=-5)
    assert lane == Lane(id="c1", project_id="p1", hold_until=later(30)), "the first one was killed, and never left it"


async def test_who_attends_claims_nothing_and_looks_nothing_up_once_another_was_told_to_wait(store: Store) -> None:
    await store.begin(queued("x1"))
    await store.begin(queued("x2"))
    lane = await taken(store)
    (one,) = await store.claim("c1", owner="me", now=NOW, calls=1, batch=1)
    doubt = replace(settlement(one.id), from_state="claimed", to_state="unknown", look_at=later(1))
    await store.settle(doubt)
    await store.begin(operation("x3", connection_id="c1"))
    await store.settle(replace(settlement("x3"), to_state="failure", hold_until=later(30)))
    assert await claimed(store, at=later(29)) == []
    looks: dict[str, Any] = {"owner": "me", "again_at": later(90), "limit": 9}
    assert await store.due_looks("c1", now=later(29), **looks) == []
    assert await left(store, lane, at=later(2), stay=True) == later(30), "it is the later one of what both were told"
    lane = await taken(store)
    assert lane.hold_until == later(30)
    assert await claimed(store, at=later(30)) == ["x2"]
    assert [each.id for each in await store.due_looks("c1", now=later(30), **looks)] == ["x1"]


async def test_a_hold_is_never_shortened(store: Store) -> None:
    for name, seconds in (("x1", 40), ("x2", 10)):
        await store.begin(operation(name, connection_id="c1"))
        await store.settle(replace(settlement(name), to_state="failure", hold_until=later(seconds)))
    assert (await taken(store)).hold_until == later(40)
    assert await left(store, Lane(id="c1", project_id="p1", hold_until=later(20))) is None
    assert (await taken(store)).hold_until == later(40)
    await store.begin(queued("x3"))
    assert await left(store, Lane(id="c1", project_id="p1", hold_until=later(50))) == later(50)


async def test_the_longest_hold_of_a_shared_commit_counts(store: Store) -> None:
    names = [f"x{number}" for number in range(5)]
    for name in names:
        await store.begin(operation(name, connection_id="c1"))
    moves = [
        replace(settlement(name), to_state="failure", hold_until=later(seconds))
        for name, seconds in zip(names, (3, 50, 7, 1, 2), strict=True)
    ]
    assert await store.settle_all(moves) == [True] * 5
    assert (await taken(store)).hold_until == later(50)


async def test_a_synchronous_refusal_with_a_hold_leaves_no_work(store: Store) -> None:
    await store.begin(operation("x1", connection_id="c1"))
    await store.settle(replace(settlement("x1"), to_state="failure", hold_until=later(30)))
    assert await due(store, later(29)) == []
    assert await left(store, await taken(store), at=later(30)) is None
    assert await due(store, later(9999)) == []


async def test_somebody_elses_lane_is_not_left(store: Store) -> None:
    await store.begin(queued("x1"))
    lane = await taken(store, owner="you")
    assert await left(store, replace(lane, failures=9), stay=True) is None, "they have no work there"
    assert await store.leave_lane(Lane(id="nothing", project_id="p1"), owner="me", now=NOW, stay=False) is None
    assert (await taken(store, owner="you")).failures == 0


async def test_a_parked_lane_has_nothing_to_look_up_until_it_is_mended(store: Store) -> None:
    await store.begin(queued("x1"))
    lane = await taken(store)
    (one,) = await store.claim("c1", owner="me", now=NOW, calls=1, batch=1)
    doubt = replace(settlement(one.id), from_state="claimed", to_state="unknown", look_at=later(60))
    await store.settle(doubt)
    assert await left(store, replace(lane, parked=True), at=later(60)) is None
    assert await due(store, later(9999)) == []
    assert await store.unpark("c1", run_at=[later(61)], now=later(61)) == 0
    assert await due(store, later(61)) == ["c1"]


async def test_lanes_are_due_in_turn(store: Store) -> None:
    for name in ("c1", "c2", "c3"):
        await store.begin(queued(f"{name}-a", lane=name, run_at=later(int(name[1]))))
        await store.begin(queued(f"{name}-b", lane=name, run_at=later(int(name[1]))))
    assert await due(store, later(10)) == ["c1", "c2", "c3"]
    assert await store.due_lanes(now=later(10), dead_after_seconds=ALIVE, limit=2) == ["c1", "c2"]
    lane = await taken(store)
    assert await left(store, lane, at=later(10)) == later(10)
    assert await due(store, later(10)) == ["c2", "c3", "c1"], "a lane with a backlog goes to the end"


@pytest.mark.parametrize("state", ["queued", "unknown"])
async def test_a_move_to_what_is_to_be_done_later_wakes_the_lane(store: Store, state: State) -> None:
    await store.begin(queued("x1"))
    lane = await taken(store)
    assert await claimed(store) == ["x1"]
    assert await left(store, lane) is None
    times = {"queued": {"run_at": later(70)}, "unknown": {"look_at": later(70)}}[state]
    await store.settle(replace(settlement("x1"), from_state="claimed", to_state=state, **times))
    assert await due(store, later(69)) == []
    assert await due(store, later(70)) == ["c1"]


async def test_unknown_operations_are_looked_up_when_it_is_time(store: Store) -> None:
    await store.begin(queued("x1", run_at=later(1)))
    for name, look_at in (("u1", later(5)), ("u2", later(3)), ("u3", None), ("u4", later(60))):
        await store.begin(replace(queued(name), state="unknown", look_at=look_at))
    assert await store.due_looks("c1", owner="me", now=later(9), again_at=later(30), limit=9) == []
    lane = await taken(store)
    first = await store.due_looks("c1", owner="me", now=later(9), again_at=later(30), limit=1)
    assert [(one.id, one.look_at, one.state) for one in first] == [("u2", later(30), "unknown")]
    rest = await store.due_looks("c1", owner="me", now=later(9), again_at=later(30), limit=9)
    assert [one.id for one in rest] == ["u1"]
    assert await claimed(store, at=later(9)) == ["x1"]
    assert await left(store, lane, at=later(9)) == later(30)
    again = await store.due_looks("c1", owner="me", now=later(30), again_at=later(99), limit=9)
    assert again == [], "the lane was left"


async def test_parking_and_letting_go_on(store: Store) -> None:
    for number in range(5):
        await store.begin(queued(f"x{number}"))
    await store.update_connection("p1", "c1", now=NOW, status="bad_credentials")
    lane = await taken(store)
    assert [await store.park("c1", now=later(1), limit=3) for _ in range(2)] == [3, 2]
    parked = await store.operation("p1", "x0")
    assert (parked.state, parked.reason, parked.owner, parked.update_time) == ("parked", "auth", "", later(1))
    assert await claimed(store, at=later(99)) == []
    assert await left(store, replace(lane, parked=True)) is None
    assert await store.mended_lanes(limit=9) == []
    await store.update_connection("p1", "c1", now=NOW, status="working")
    assert await store.mended_lanes(limit=9) == ["c1"]
    assert await store.unpark("c1", run_at=[later(10), later(11)], now=later(2)) == 2
    assert (await taken(store)).parked, "some are parked still"
    assert await store.mended_lanes(limit=9) == ["c1"]
    assert await store.unpark("c1", run_at=[later(12)] * 9, now=later(2)) == 3
    assert await store.mended_lanes(limit=9) == []
    lane = await taken(store)
    assert not lane.parked
    assert await left(store, lane, at=later(2)) == later(10)
    await taken(store)
    assert await claimed(store, at=later(12)) == ["x0", "x1", "x2", "x3", "x4"]
    assert (await store.operation("p1", "x0")).reason == ""


async def test_what_was_parked_by_itself_parks_its_lane(store: Store) -> None:
    await store.begin(queued("x1"))
    await store.begin(queued("x2"))
    lane = await taken(store)
    assert await claimed(store, calls=1) == ["x1"]
    await store.settle(replace(settlement("x1"), from_state="claimed", to_state="parked", reason="auth"))
    assert await claimed(store) == []
    assert await left(store, lane) is None
    assert (await taken(store)).parked
    assert await store.mended_lanes(limit=9) == ["c1"]


async def test_a_parked_lane_whose_connection_is_gone_is_mended(store: Store) -> None:
    await store.create_connection(connection(1, id="c9", status="bad_credentials"))
    await store.begin(queued("x1", lane="c9"))
    await store.park("c9", now=NOW, limit=9)
    assert await store.mended_lanes(limit=9) == []
    await store.delete_connection("p1", "c9")
    assert await store.mended_lanes(limit=9) == ["c9"]


async def test_what_comes_into_a_parked_lane_has_somebody_look_at_it(store: Store) -> None:
    await store.begin(queued("x1"))
    await store.park("c1", now=NOW, limit=9)
    assert await left(store, await taken(store)) is None
    await store.begin(queued("x2"))
    assert await due(store) == ["c1"]
    lane = await taken(store)
    assert await left(store, lane) is None
    assert await due(store) == []
    assert await store.unpark("c1", run_at=[NOW] * 2, now=NOW) == 1
    await taken(store)
    assert await claimed(store) == ["x1", "x2"]


async def test_unparking_nothing_opens_the_lane(store: Store) -> None:
    await store.wake_lane("c1", project_id="p1", at=later(5))
    assert await store.park("c1", now=NOW, limit=9) == 0
    assert await store.unpark("c1", run_at=[], now=NOW) == 0
    assert not (await taken(store)).parked
    assert await store.unpark("nothing", run_at=[NOW], now=NOW) == 0
    assert await store.park("nothing", now=NOW, limit=9) == 0


async def test_a_lane_is_woken_by_name(store: Store) -> None:
    await store.wake_lane("c1", project_id="p1", at=later(5))
    await store.wake_lane("c1", project_id="p1", at=later(9))
    assert await due(store, later(4)) == []
    assert await due(store, later(5)) == ["c1"]
    with pytest.raises(Missing):
        await store.wake_lane("c1", project_id="nobody", at=NOW)


async def test_of_two_who_come_together_one_takes_the_lane_and_nothing_is_claimed_twice(store: Store) -> None:
    for number in range(40):
        await store.begin(queued(f"x{number}"))

    got: list[str] = []

    async def attend(owner: str) -> None:
        while len(got) < 40:
            lane = await store.take_lane("c1", owner=owner, now=NOW, dead_after_seconds=ALIVE)
            if lane is None:
                await asyncio.sleep(0)
                continue
            names = [one.id for one in await store.claim("c1", owner=owner, now=NOW, calls=3, batch=1)]
            moves = [replace(settlement(name), from_state="claimed", owner=owner) for name in names]
            assert all(await store.settle_all(moves))
            got.extend(names)
            await store.leave_lane(lane, owner=owner, now=NOW, stay=False)

    await asyncio.gather(*(attend(f"w{number}") for number in range(4)))
    assert sorted(got) == sorted(f"x{number}" for number in range(40))
