"""Operations as lists: filters, replays, deadlines, what is forgotten."""

import asyncio
from typing import Any

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from installations.operation import Operation, State
from server.store.contract import Missing, OperationFilter, Replay, Store, Superseded, Tries
from tests.server.store.samples import NOW, attempt, event, idempotency, later, operation, settlement
from tests.server.store.test_lanes import claimed, due, queued, taken

MANY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("a", {"state": "failure", "fault_kind": "invalid", "reason": "refused", "group_ref": "g"}),
    ("b", {"state": "failure", "object_name": "deal", "replayed_by": "z"}),
    ("c", {"state": "queued", "integration_id": "other", "create_time": later(50)}),
    ("d", {"state": "parked", "installation_id": "n9", "create_time": later(60), "reason": "auth"}),
)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({}, "d c b a o1"),
        ({"states": ("failure",)}, "b a"),
        ({"states": ("failure", "parked")}, "d b a"),
        ({"fault_kind": "invalid"}, "a"),
        ({"reason": "auth"}, "d"),
        ({"reason": ""}, "c b o1"),
        ({"group_ref": "g"}, "a"),
        ({"object_name": "deal"}, "b"),
        ({"integration_id": "other"}, "c"),
        ({"installation_id": "n9"}, "d"),
        ({"created_from": later(50)}, "d c"),
        ({"created_before": later(50)}, "b a o1"),
        ({"created_from": later(50), "created_before": later(60)}, "c"),
        ({"replayed": True}, "b"),
        ({"replayed": False, "states": ("failure",)}, "a"),
        ({"installation_id": "nothing"}, ""),
    ],
)
async def test_a_filter_narrows(store: Store, which: dict[str, Any], expected: str) -> None:
    for name, changes in MANY:
        await store.begin(operation(name, **changes))
    # Of one age, the greater id is the newer one.
    wanted = sorted(expected.split(), key=["d", "c", "o1", "b", "a"].index)
    meant = OperationFilter(**which)
    page = await store.operations("p1", meant, page_size=9)
    assert [one.id for one in page.results] == wanted
    assert await store.count_operations("p1", meant) == len(wanted)
    seen = [one.id for one in await store.earliest("p1", meant, limit=9)]
    assert seen == sorted(wanted, key=["o1", "a", "b", "c", "d"].index)


async def test_a_filtered_list_is_paged(store: Store) -> None:
    for number in range(5):
        await store.begin(operation(f"x{number}", object_name="deal" if number % 2 else "contact"))
    which = OperationFilter(object_name="contact")
    first = await store.operations("p1", which, page_size=2)
    assert [one.id for one in first.results] == ["x4", "x2"]
    second = await store.operations("p1", which, page_size=2, page_token=first.next_page_token)
    assert [one.id for one in second.results] == ["x0", "o1"]
    assert second.next_page_token is None
    with pytest.raises(Missing):
        await store.count_operations("nobody", which)


async def test_the_earliest_go_on_behind_a_place(store: Store) -> None:
    for number in range(5):
        await store.begin(operation(f"x{number}"))
    first = await store.earliest("p1", OperationFilter(), limit=3)
    rest = await store.earliest("p1", OperationFilter(), after=first[-1].sequence, limit=9)
    assert [one.id for one in (*first, *rest)] == ["o1", "x0", "x1", "x2", "x3", "x4"]


def again(name: str, of: str, **changes: Any) -> Replay:
    return Replay(operation=queued(name, replay_of=of, **changes))


async def test_what_is_over_is_done_again_once(store: Store) -> None:
    await store.begin(operation("f1", state="failure"))
    await store.begin(operation("f2", state="failure", project_id="p2"))
    await store.begin(operation("s1", state="success", fault_kind="invalid"))
    answers = await store.replay("p1", [again("r1", "f1"), again("r2", "f1"), again("r3", "o1"), again("r4", "f2")])
    assert answers == [True, False, False, False]
    assert await store.replay("p1", [again("r5", "f1")]) == [False]
    assert await store.replay("p1", [again("r6", "s1"), again("r7", "s1")]) == [True, False]
    assert (await store.operation("p1", "s1")).replayed_by == "r6"
    assert (await store.operation("p1", "f1")).replayed_by == "r1"
    assert (await store.operation("p1", "r1")).replay_of == "f1"
    for name in ("r2", "r3", "r4", "r5", "r7"):
        with pytest.raises(Missing):
            await store.operation("p1", name)
    await taken(store)
    assert await claimed(store) == ["r1", "r6"]


async def test_replays_queue_up_for_their_records(store: Store) -> None:
    await store.begin(operation("f1", state="failure"))
    await store.begin(operation("f2", state="failure"))
    replays = [Replay(operation=queued(f"r{n}", replay_of=f"f{n}"), turns=("r",)) for n in (1, 2)]
    assert await store.replay("p1", replays) == [True, True]
    await taken(store)
    assert await claimed(store) == ["r1"]


REPLAYABLE: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("plain", {}, True),
    ("succeeded", {"state": "success"}, False),
    ("partly written", {"state": "success", "fault_kind": "invalid"}, True),
    ("partly written, in the end", {"state": "success", "fault_kind": "invalid", "doubtful": True}, True),
    ("partly written and done again", {"state": "success", "fault_kind": "invalid", "replayed_by": "x"}, False),
    ("partly written and emptied", {"state": "success", "fault_kind": "invalid", "payload": b""}, False),
    ("written, the answer made no sense", {"state": "success", "fault_kind": "unrecognised"}, False),
    ("under way", {"state": "queued", "fault_kind": "invalid"}, False),
    ("done again", {"replayed_by": "x"}, False),
    ("emptied", {"payload": b""}, False),
    ("doubtful", {"doubtful": True}, False),
    ("doubtful but safe", {"doubtful": True, "repeat": "safe"}, True),
    ("doubtful and keyed", {"doubtful": True, "repeat": "keyed"}, False),
)


@pytest.mark.parametrize(("changes", "taken_"), [row[1:] for row in REPLAYABLE], ids=[row[0] for row in REPLAYABLE])
async def test_what_may_be_done_again(store: Store, changes: dict[str, Any], taken_: bool) -> None:  # noqa: FBT001 -- a table
    await store.begin(operation("x1", **({"state": "failure"} | changes)))
    found = await store.earliest("p1", OperationFilter(replayable=True), limit=9)
    assert [one.id for one in found] == (["x1"] if taken_ else [])


async def test_waiting_operations_whose_time_is_over_are_listed(store: Store) -> None:
    states: tuple[State, ...] = ("queued", "claimed", "sent", "parked", "success", "failure", "unknown")
    for number, state in enumerate(states):
        await store.begin(operation(f"x-{state}", state=state, deadline_at=later(10 - number)))
    assert [one.id for one in await store.expired(now=later(10), limit=9)] == ["x-parked", "x-queued"]
    assert [one.id for one in await store.expired(now=later(9), limit=9)] == ["x-parked"]
    assert [one.id for one in await store.expired(now=later(10), limit=1)] == ["x-parked"]


async def test_orphans_come_by_owner(store: Store) -> None:
    for number, owner in enumerate(("z", "a", "z", "a")):
        await store.begin(operation(f"x{number}", owner=owner, create_time=later(-number)))
    orphans = await store.orphans(living=["me"], limit=9)
    assert [one.id for one in orphans] == ["x3", "x1", "x2", "x0"]


def finished(name: str, seconds: float, **changes: Any) -> Operation:
    made = operation(name, state="success", outcome=b"{}", update_time=later(seconds))
    return replace(made, **changes)


async def test_what_is_final_is_emptied_and_then_forgotten(store: Store) -> None:
    await store.begin(finished("old", 10))
    await store.begin(finished("aged", 20))
    await store.begin(finished("young", 30))
    await store.begin(finished("open", 1, state="unknown"))
    await store.settle(settlement(attempt=attempt()))
    await store.gather(queued("master", gather_key="k"), b"record", most=9)
    await store.settle(replace(settlement("master"), from_state="queued", to_state="failure", now=later(20)))
    times = {"finished_before": later(15), "payloads_before": later(25)}
    done = [await store.prune(**times, limit=2) for _ in range(6)]
    assert (done[0], max(done), done[-1]) == (2, 2, 0), "in bounded steps, and none twice"
    for name in ("old", "o1"):
        with pytest.raises(Missing):
            await store.operation("p1", name)
        with pytest.raises(Missing):
            await store.attempts("p1", name)
    aged = await store.operation("p1", "aged")
    assert (aged.payload, aged.outcome, aged.state) == (b"", b"", "success")
    assert await store.gathered("p1", "master") == []
    for name in ("young", "open"):
        assert (await store.operation("p1", name)).payload
    assert (await store.operation("p2", "o2")).payload


async def test_what_a_key_points_at_is_kept_until_the_key_is_swept(store: Store) -> None:
    await store.begin(finished("old", 10), idempotency=idempotency(expire_time=later(90)))
    times = {"finished_before": later(50), "payloads_before": later(50)}
    assert await store.prune(**times, limit=9) == 0
    earlier = await store.begin(operation("x", create_time=later(80)), idempotency=idempotency())
    assert earlier is not None
    assert earlier.operation.payload
    await store.sweep(now=later(90))
    while await store.prune(**times, limit=9):
        pass
    assert await store.begin(operation("x", create_time=later(95)), idempotency=idempotency()) is None


async def test_a_settlement_changes_what_it_gives_and_leaves_the_rest(store: Store) -> None:
    everything = {
        "outcome": b"o",
        "summary": "s",
        "fault_kind": "busy",
        "successful_record_ids": ("1",),
        "run_at": later(7),
        "looks": 2,
        "crashes": 2,
        "lone_crashes": 1,
        "doubtful": True,
        "repeat": "keyed",
        "batch_key": "b",
        "replayed_by": "r",
        "deadline_at": later(99),
    }
    bare = {"outcome", "summary", "successful_record_ids", "fault_kind"}
    move = replace(settlement(), to_state="sent", **dict.fromkeys(bare, UNSET))
    await store.settle(replace(move, **everything, reason="found", look_at=later(3), first_sent_at=later(1)))
    found = await store.operation("p1", "o1")
    for name, value in everything.items():
        assert getattr(found, name) == value, name
    assert (found.reason, found.look_at, found.first_sent_at) == ("found", later(3), later(1))
    await store.settle(replace(move, first_sent_at=later(2)))
    left = await store.operation("p1", "o1")
    for name, value in everything.items():
        assert getattr(left, name) == value, name
    assert (left.reason, left.look_at, left.first_sent_at) == ("", None, later(1))
    await store.settle(replace(move, fault_kind=None, doubtful=False, batch_key=""))
    emptied = await store.operation("p1", "o1")
    assert (emptied.fault_kind, emptied.doubtful, emptied.batch_key) == (None, False, "")


async def test_a_list_tells_how_often_each_was_tried_and_when_last(store: Store) -> None:
    await store.begin(queued("x1", group_ref="g"))
    await store.begin(queued("x2", group_ref="g", create_time=later(9)))
    for number, seconds in enumerate((5, 60), start=1):
        tried = replace(attempt("x1"), number=number, started_at=later(seconds), finished_at=later(seconds + 1))
        await store.settle(settlement("x1", from_state="queued", to_state="queued", attempt=tried))
    page = await store.operations("p1", OperationFilter(group_ref="g"), page_size=9)
    assert [one.id for one in page.results] == ["x2", "x1"]
    assert page.tries == (Tries(), Tries(count=2, last=later(60)))


async def test_an_attempt_that_is_not_the_expected_one_is_fenced(store: Store) -> None:
    await store.begin(operation("x1", attempts=2))
    with pytest.raises(Superseded):
        await store.settle(settlement("x1", from_attempts=1))
    await store.settle(settlement("x1", from_attempts=2))


async def test_several_moves_tell_for_each_whether_it_was_made(store: Store) -> None:
    for number in range(5):
        await store.begin(operation(f"x{number}"))
    moves = [settlement(f"x{number}", owner="you" if number == 3 else "me") for number in range(5)]
    assert await store.settle_all(moves) == [True, True, True, False, True]
    assert await store.settle_all(moves[:2]) == [False, False]
    assert await store.settle_all([]) == []


async def test_an_event_is_stored_with_its_move_or_not_at_all(store: Store) -> None:
    names = [f"x{number}" for number in range(30)]
    for number, name in enumerate(names):
        await store.begin(operation(name, number=1 + number % 2))
    moves = [
        settlement(name, project_id=f"p{1 + n % 2}", event=event(f"e-{name}", number=1 + n % 2))
        for n, name in enumerate(names)
    ]
    made = await asyncio.gather(*(store.settle_all(moves) for _ in range(2)))
    assert [sum(pair) for pair in zip(*made, strict=True)] == [1] * 30
    for project in ("p1", "p2"):
        events = await store.events(project)
        assert [one.sequence for one in events] == list(range(1, 16))
        assert {one.id for one in events} == {f"e-{move.operation_id}" for move in moves if move.project_id == project}
    with pytest.raises(Superseded):
        await store.settle(settlement("x0", event=event("late")))
    assert len(await store.events("p1")) == 15


async def test_the_time_of_the_store_is_a_time(store: Store) -> None:
    first, second = await store.time(), await store.time()
    assert first <= second
    assert first.utcoffset() == NOW.utcoffset()
    assert await due(store) == []
