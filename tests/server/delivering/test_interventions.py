"""What a person may do to an operation in each state, what it comes to, and who is told."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec
import pytest

from installations.errors import InvalidInput
from installations.operation import Operation
from installations.outlook import Verdict
from server.delivering.completion import Completion
from server.delivering.interventions import Interventions
from server.delivering.payloads import stored_outcome
from server.delivering.verdicts import Unfit
from server.store.contract import Missing, OperationFilter, Settlement, Superseded
from server.store.memory import MemoryStore
from tests.server.delivering.lives import HOUR, WRITTEN, Engine, came, fault, furnished, living, planned
from tests.server.store.samples import NOW

UNKNOWN: dict[str, Any] = {
    "state": "unknown",
    "doubtful": True,
    "attempts": 1,
    "deadline_at": NOW - HOUR / 2,
    "reason": "ambiguous",
}


class Looking:
    """Says what it was made to say."""

    def __init__(self, *, can_look_up: bool) -> None:
        self._can_look_up = can_look_up

    async def can_look_up(self, _: Operation) -> bool:
        return self._can_look_up


def acting(store: MemoryStore, engine: Engine, *, can_look_up: bool = False) -> Interventions:
    names = iter(f"event {number}" for number in range(100))
    completion = Completion(store, new_id=lambda: next(names))
    looking = Looking(can_look_up=can_look_up)
    return Interventions(store, waking=engine, completion=completion, looking=looking, clock=lambda: NOW)


Act = Callable[[Interventions, str], Awaitable[Operation]]
ACTS: dict[str, Act] = {
    "happened": lambda acts, name: acts.resolve("p1", name, verdict="happened"),
    "retry": lambda acts, name: acts.resolve("p1", name, verdict="retry"),
    "discard": lambda acts, name: acts.resolve("p1", name, verdict="discard"),
    "cancel": lambda acts, name: acts.cancel("p1", name),
    "hurry": lambda acts, name: acts.hurry("p1", name),
}
MOVES: list[tuple[str, dict[str, Any], str, str, str]] = [
    # the act, the operation, the state and reason it comes to, what the builder is told
    ("happened", UNKNOWN, "success", "resolved", "success"),
    ("retry", UNKNOWN, "queued", "", ""),
    ("discard", UNKNOWN, "failure", "discarded", "failure"),
    ("happened", {**UNKNOWN, "mode": "synchronous"}, "success", "resolved", ""),
    ("retry", {**UNKNOWN, "mode": "synchronous"}, "queued", "", ""),
    ("cancel", {"state": "queued"}, "failure", "cancelled", "failure"),
    ("cancel", {"state": "parked", "reason": "auth"}, "failure", "cancelled", "failure"),
    ("cancel", {"state": "queued", "doubtful": True}, "unknown", "cancelled", ""),
    ("cancel", {"state": "queued", "doubtful": True, "repeat": "keyed"}, "unknown", "cancelled", ""),
    ("cancel", {"state": "queued", "doubtful": True, "repeat": "safe"}, "failure", "cancelled", "failure"),
    ("hurry", {"state": "queued"}, "queued", "", ""),
    ("hurry", {"state": "parked", "reason": "auth"}, "queued", "", ""),
]


@pytest.mark.parametrize(("act", "members", "state", "reason", "told"), MOVES)
async def test_an_act_moves_an_operation_and_tells_who_must_know(
    act: str, members: dict[str, Any], state: str, reason: str, told: str
) -> None:
    store, engine = await furnished(living(**members)), Engine()
    moved = await ACTS[act](acting(store, engine), "x1")
    assert (moved.state, moved.reason) == (state, reason)
    assert await store.operation("p1", "x1") == moved
    assert engine.lanes == (["c1"] if state == "queued" else [])
    assert [_told(store)] == [[{"success": told == "success", "operationId": "x1"}] if told else []]
    if state == "queued":
        assert (moved.run_at, moved.doubtful, moved.look_at) == (NOW, False, None)
        assert store.lanes["c1"].wake_at == NOW


def _told(store: MemoryStore) -> list[dict[str, Any]]:
    events = [msgspec.json.decode(one.data) for one in store.outbox.values() if one.type == "write.async.done"]
    return [{name: event[name] for name in ("success", "operationId")} for event in events]


REFUSED = [
    *((act, state) for act in ("happened", "retry", "discard") for state in ("queued", "parked", "success", "failure")),
    *((act, state) for act in ("happened", "cancel", "hurry") for state in ("claimed", "sent")),
    *((act, state) for act in ("cancel", "hurry") for state in ("unknown", "success", "failure")),
]


@pytest.mark.parametrize(("act", "state"), REFUSED)
async def test_an_act_that_does_not_fit_changes_nothing_and_says_why(act: str, state: Any) -> None:
    store, engine = await furnished(living(state=state, owner="me" if state in {"claimed", "sent"} else "")), Engine()
    before = await store.operation("p1", "x1")
    with pytest.raises(Unfit) as caught:
        await ACTS[act](acting(store, engine), "x1")
    assert str(caught.value).endswith(".")
    assert (":resolve" in str(caught.value)) == (state == "unknown")
    assert await store.operation("p1", "x1") == before
    assert (engine.lanes, _told(store)) == ([], [])


@pytest.mark.parametrize("name", ["o2", "nobody"])
@pytest.mark.parametrize("act", ACTS)
async def test_another_projects_operation_is_missed_like_one_that_never_was(act: str, name: str) -> None:
    with pytest.raises(Missing):
        await ACTS[act](acting(await furnished(), Engine()), name)


async def test_what_is_sent_again_has_as_much_time_as_it_had_at_first() -> None:
    store = await furnished(living(**{**UNKNOWN, "deadline_at": NOW + 2 * HOUR}))
    moved = await acting(store, Engine()).resolve("p1", "x1", verdict="retry")
    assert moved.deadline_at == NOW + 3 * HOUR


AMBIGUOUS, LIMITED, INVALID = fault("ambiguous"), fault("rate_limited"), fault("invalid")
OPEN = [
    # what came of each record, which of them a person's word is about
    ((AMBIGUOUS,), [0]),
    ((LIMITED,), [0]),
    ((WRITTEN, AMBIGUOUS, INVALID), [1]),
    ((WRITTEN, LIMITED, AMBIGUOUS), [1, 2]),
]


@pytest.mark.parametrize(("records", "opened"), OPEN)
async def test_a_persons_word_is_about_the_records_that_are_open(records: Any, opened: list[int]) -> None:
    batch = len(records) > 1
    payload = planned(*[None] * len(records), batch=batch)
    unknown = living(**UNKNOWN, payload=payload, outcome=came(*records))
    happened = await acting(await furnished(unknown), Engine()).resolve("p1", "x1", verdict="happened")
    outcome = stored_outcome(happened)
    assert outcome is not None
    assert [record.success for record in outcome.records] == [
        one.success or i in opened for i, one in enumerate(records)
    ]
    again = stored_outcome(await acting(await furnished(unknown), Engine()).resolve("p1", "x1", verdict="retry"))
    assert again is not None
    kinds = [record.fault.kind if record.fault else "" for record in again.records]
    assert [index for index, kind in enumerate(kinds) if kind == "not_sent"] == opened


async def test_the_id_of_what_happened_is_kept_where_it_can_only_be_one_records() -> None:
    store = await furnished(living(**UNKNOWN), living("x2", **UNKNOWN, payload=planned(None, None, batch=True)))
    acts = acting(store, Engine())
    happened = await acts.resolve("p1", "x1", verdict="happened", record_id="501")
    assert (happened.successful_record_ids, happened.summary) == (("501",), "[contact] Write succeeded")
    verdicts: tuple[Verdict, ...] = ("happened", "retry", "discard")
    for verdict in verdicts:
        with pytest.raises(InvalidInput) as caught:
            await acts.resolve("p1", "x2", verdict=verdict, record_id="501")
        assert [issue.path for issue in caught.value.issues] == ["recordId"]
    both = await acts.resolve("p1", "x2", verdict="happened")
    assert (both.successful_record_ids, both.summary) == ((), "Batch write completed (2 succeeded, 0 failed)")


async def test_an_update_that_happened_is_known_by_the_id_it_was_for() -> None:
    store = await furnished(living(**UNKNOWN, action="update", payload=planned("9", action="update")))
    assert (await acting(store, Engine()).resolve("p1", "x1", verdict="happened")).successful_record_ids == ("9",)


async def test_what_is_cancelled_in_doubt_is_looked_up_where_that_can_be() -> None:
    store = await furnished(living(doubtful=True))
    cancelled = await acting(store, Engine(), can_look_up=True).cancel("p1", "x1")
    assert (cancelled.state, cancelled.reason) == ("unknown", "cancelled")
    assert cancelled.look_at is not None
    assert cancelled.look_at > NOW


async def test_an_auto_batch_that_is_cancelled_takes_no_more_records() -> None:
    store = await furnished()
    open_batch = living(gather_key="k", payload=planned())
    assert await store.gather(open_batch, b'{"fields":{}}', most=100) == "x1"
    assert (await acting(store, Engine()).cancel("p1", "x1")).state == "failure"
    assert await store.gather(living("x2", gather_key="k", payload=planned()), b'{"fields":{}}', most=100) == "x2"


class Racing(MemoryStore):
    """Lets somebody else be faster so many times."""

    races = 0
    to_state: Any = "parked"

    async def settle_all(self, settlements: Any) -> list[bool]:
        if self.races:
            self.races -= 1
            one = settlements[0]
            current = await self.operation(one.project_id, one.operation_id)
            to_state: Any = "queued" if current.state == "parked" else self.to_state
            await super().settle(
                Settlement(
                    operation_id=one.operation_id,
                    project_id=one.project_id,
                    from_state=current.state,
                    owner="me",
                    to_state=to_state,
                    now=NOW,
                )
            )
        return await super().settle_all(settlements)


Ending = Literal["done", "unfit", "superseded"]


@pytest.mark.parametrize(
    ("races", "to_state", "ending"), [(1, "parked", "done"), (1, "claimed", "unfit"), (9, "parked", "superseded")]
)
async def test_an_act_is_judged_anew_by_what_an_operation_became(races: int, to_state: str, ending: Ending) -> None:
    store = Racing()
    for one in (await furnished(living())).__dict__.items():
        setattr(store, *one)
    store.races, store.to_state = races, to_state
    acts = acting(store, Engine())
    if ending == "done":
        assert (await acts.cancel("p1", "x1")).reason == "cancelled"
        return
    with pytest.raises(Unfit if ending == "unfit" else Superseded):
        await acts.cancel("p1", "x1")


async def test_many_are_resolved_alike_and_their_lanes_woken_once() -> None:
    unknown = [living(f"x{number}", **UNKNOWN, object_name="contact" if number % 2 else "lead") for number in range(9)]
    store, engine = await furnished(*unknown, living("y1")), Engine()
    which = OperationFilter(states=("unknown",), object_name="lead")
    handled = await acting(store, engine).resolve_all("p1", which, verdict="retry")
    assert (handled.operation_ids, handled.more) == (("x0", "x2", "x4", "x6", "x8"), False)
    assert engine.lanes == ["c1"]
    assert await store.count_operations("p1", OperationFilter(states=("unknown",))) == 4
    rest = await acting(store, engine).resolve_all("p1", OperationFilter(states=("unknown",)), verdict="discard")
    assert (len(rest.operation_ids), len(_told(store)), engine.lanes) == (4, 4, ["c1"])
