"""Failures, done again: what the new operation carries, and that there is one at most."""

import asyncio
from itertools import count
from typing import Any

import pytest

from connectors.connector import Connector
from connectors.sandbox.connector import SandboxConnector
from installations.operation import Operation
from server.delivering.payloads import stored
from server.delivering.replays import Replays
from server.delivering.verdicts import Forgotten, Unfit
from server.store.contract import OperationFilter, Settlement, Superseded
from server.store.memory import MemoryStore
from tests.server.delivering.lives import HOUR, WRITTEN, Engine, Homes, came, fault, furnished, living, planned
from tests.server.store.samples import NOW

FAILED: dict[str, Any] = {
    "state": "failure",
    "reason": "refused",
    "attempts": 3,
    "crashes": 1,
    "fault_kind": "invalid",
    "summary": "no",
    "record_key": "contact/9",
    "on_ambiguous": "retry",
}
REPLAYABLE = OperationFilter(states=("failure",), replayable=True)


def replaying(store: MemoryStore, engine: Engine | None = None, *, connector: Connector | None = None) -> Replays:
    numbers = count(1)
    return Replays(
        store,
        Homes(store, connector),
        waking=engine or Engine(),
        clock=lambda: NOW,
        new_id=lambda: f"again {next(numbers)}",
    )


async def test_the_new_operation_has_the_old_ones_payload_and_span_and_nothing_of_what_came_of_it() -> None:
    failed = living(**FAILED, action="update", payload=planned("9", action="update"))
    store, engine = await furnished(failed), Engine()
    made = await replaying(store, engine).replay(await store.operation("p1", "x1"))
    kept = await store.operation("p1", made.id)
    assert stored(kept) == stored(failed)
    assert (kept.state, kept.mode, kept.attempts, kept.crashes, kept.fault_kind) == (
        "queued",
        "asynchronous",
        0,
        0,
        None,
    )
    assert (kept.reason, kept.summary, kept.outcome, kept.on_ambiguous) == ("", "", b"", "retry")
    assert (kept.run_at, kept.deadline_at, kept.create_time) == (NOW, NOW + 2 * HOUR, NOW)
    assert (kept.replay_of, kept.connection_id, kept.record_key) == ("x1", "c1", "contact/9")
    assert (await store.operation("p1", "x1")).replayed_by == made.id
    assert (await store.operation("p1", "x1")).state == "failure"
    assert store.turns == {"c1/contact/9": [made.id]}
    assert engine.lanes == ["c1"]


async def test_of_a_batch_only_what_was_not_written_is_sent_again() -> None:
    outcome = came(WRITTEN, fault("invalid"), WRITTEN, fault("not_sent"))
    failed = living(**FAILED, payload=planned(None, None, None, None, batch=True), outcome=outcome)
    made = await replaying(await furnished(failed)).replay(failed)
    assert [record.fields["n"] for record in stored(made).plan.records] == [1, 3]
    assert stored(made).plan.batch


PARTLY: dict[str, Any] = {**FAILED, "state": "success", "reason": "", "payload": planned(*[None] * 4, batch=True)}


async def test_of_a_batch_that_has_succeeded_the_refused_records_are_done_again_once_and_say_which_they_are() -> None:
    partly = living(**PARTLY, outcome=came(WRITTEN, fault("invalid"), WRITTEN, fault("conflict")))
    store = await furnished(partly, living("x2", **{**PARTLY, "fault_kind": None}, outcome=came(*[WRITTEN] * 4)))
    replays = replaying(store)
    which = OperationFilter(states=("failure", "success"), replayable=True)
    handled = await replays.replay_all("p1", which)
    (name,) = handled.operation_ids
    made = await store.operation("p1", name)
    assert [record.fields["n"] for record in stored(made).plan.records] == [1, 3]
    assert (stored(made).places, made.replay_of, made.state) == ((1, 3), "x1", "queued")
    kept = await store.operation("p1", "x1")
    assert (kept.state, kept.replayed_by, kept.outcome) == ("success", made.id, partly.outcome)
    assert (await replays.replay_all("p1", which)).operation_ids == ()


async def test_of_a_batch_that_was_in_doubt_only_what_was_refused_beyond_doubt_is_done_again() -> None:
    partly = living(**PARTLY, doubtful=True, outcome=came(WRITTEN, fault("invalid"), WRITTEN, WRITTEN))
    made = await replaying(await furnished(partly)).replay(partly)
    assert stored(made).places == (1,)
    open_one = living(**PARTLY, doubtful=True, outcome=came(WRITTEN, fault("invalid"), fault("not_sent"), WRITTEN))
    with pytest.raises(Unfit, match="may have happened"):
        await replaying(await furnished(open_one)).replay(open_one)


async def test_what_has_succeeded_is_not_done_again() -> None:
    for outcome, words in ((came(*[WRITTEN] * 4), "every record"), (b"", "no longer kept")):
        done = living(**PARTLY, outcome=outcome)
        with pytest.raises(Unfit, match=words):
            await replaying(await furnished(done)).replay(done)


async def test_an_auto_batch_is_done_again_as_the_batch_that_it_became() -> None:
    store = await furnished()
    open_batch = living(gather_key="k", payload=planned(batch=True))
    for number in range(3):
        await store.gather(open_batch, b'{"fields":{"n":%d}}' % number, most=3)
    await store.take_lane("c1", owner="w", now=NOW, dead_after_seconds=9)
    (claimed,) = await store.claim("c1", owner="w", now=NOW, calls=9, batch=9)
    ended = Settlement(
        operation_id="x1",
        project_id="p1",
        from_state="claimed",
        owner="w",
        to_state="failure",
        now=NOW,
        reason="refused",
    )
    await store.settle(ended)
    assert claimed.gathered == 3
    made = await replaying(store).replay(await store.operation("p1", "x1"))
    assert [record.fields["n"] for record in stored(made).plan.records] == [0, 1, 2]
    assert made.gathered == 0


ALONE: list[dict[str, Any]] = [{"reason": "poison"}, {"payload": planned(None, None, batch=True)}]


async def test_what_is_done_again_goes_out_with_its_like() -> None:
    store = await furnished(
        living(**FAILED), living("x2", **FAILED), *(living(f"y{n}", **{**FAILED, **one}) for n, one in enumerate(ALONE))
    )
    handled = await replaying(store, connector=SandboxConnector()).replay_all("p1", REPLAYABLE)
    keys = [(await store.operation("p1", name)).batch_key for name in handled.operation_ids]
    assert keys == [keys[0], keys[0], "", ""]
    assert keys[0]


REFUSED: list[tuple[dict[str, Any], type[Exception]]] = [
    ({"replayed_by": "another"}, Unfit),
    ({"doubtful": True, "reason": "discarded"}, Unfit),
    ({"doubtful": True, "repeat": "keyed"}, Unfit),
    ({"payload": b""}, Forgotten),
    ({"installation_id": "gone"}, Unfit),
    ({"outcome": came(WRITTEN)}, Unfit),
]


@pytest.mark.parametrize(("members", "error"), REFUSED, ids=[str(next(iter(row))) for row, _ in REFUSED])
async def test_what_may_have_happened_or_cannot_be_done_again_is_left_alone(
    members: dict[str, Any], error: type[Exception]
) -> None:
    failed = living(**{**FAILED, **members})
    store, engine = await furnished(failed), Engine()
    with pytest.raises(error):
        await replaying(store, engine).replay(failed)
    assert len(store.operations_by_id) == 3
    handled = await replaying(store, engine).replay_all("p1", REPLAYABLE)
    assert (handled.operation_ids, engine.lanes) == ((), [])


async def test_an_update_of_which_an_attempt_is_in_doubt_sets_the_same_values_again() -> None:
    failed = living(**FAILED, doubtful=True, repeat="safe")
    assert (await replaying(await furnished(failed)).replay(failed)).replay_of == "x1"


async def test_of_many_who_replay_at_once_one_does() -> None:
    failed = living(**FAILED)
    store = await furnished(failed)
    replays = replaying(store)
    results = await asyncio.gather(*(replays.replay(failed) for _ in range(9)), return_exceptions=True)
    assert sorted(type(one).__name__ for one in results) == ["Operation", *["Superseded"] * 8]
    assert isinstance(next(one for one in results if not isinstance(one, Operation)), Superseded)
    with pytest.raises(Unfit, match="again 1 has done"):
        await replays.replay(await store.operation("p1", "x1"))


async def test_many_failures_are_done_again_once_each_in_the_order_of_their_acceptance() -> None:
    failures = [living(f"x{number}", **FAILED, group_ref=f"g{number % 2}") for number in range(450)]
    store, engine = await furnished(*failures, living("y1")), Engine()
    which = OperationFilter(states=("failure",), replayable=True, group_ref="g1")
    assert await store.count_operations("p1", which) == 225
    handled = await replaying(store, engine).replay_all("p1", which)
    made = [await store.operation("p1", name) for name in handled.operation_ids]
    assert [one.replay_of for one in made] == [f"x{number}" for number in range(1, 450, 2)]
    assert (handled.more, engine.lanes) == (False, ["c1"])
    assert (await replaying(store).replay_all("p1", which)).operation_ids == ()
    assert await store.count_operations("p1", REPLAYABLE) == 225
