"""Whatever happens, in whatever order: what is promised of an operation holds (a state machine on the pure modules).

``ISTHMUS_MODEL_STEPS=50000`` takes more steps, by new chances at each run.
"""

import os
from datetime import timedelta
from typing import Any, get_args

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from installations.operation import FINAL, UNOWNED, OnAmbiguous, Operation
from installations.outlook import Move
from tests.installations.world import Behaviour, Kind, World

STEPS = int(os.environ.get("ISTHMUS_MODEL_STEPS", "4000"))
STEPS_IN_A_LIFE = 60
WORKERS = ("ant", "bee", "cat")


class Lives(RuleBasedStateMachine):
    """Operations of every kind, several processes, a provider that does its worst."""

    taken = 0
    """Steps, of all lives."""
    ends: set[tuple[str, str]] = set()  # noqa: RUF012 -- shared on purpose: what all lives have come to

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.seen: dict[str, Operation] = {}

    # What happens.

    @initialize(kinds=st.lists(st.sampled_from(get_args(Kind)), min_size=3, max_size=6))
    def begin(self, kinds: list[Kind]) -> None:
        for kind in kinds:
            self.world.accept(kind, on_ambiguous="park", hours=1, record="a", worker=None)

    @rule(
        kind=st.sampled_from(get_args(Kind)),
        on_ambiguous=st.sampled_from(get_args(OnAmbiguous)),
        hours=st.sampled_from((1, 1, 6, 48)),
        record=st.sampled_from(("a", "b")),
        is_taken=st.booleans(),
    )
    def accept(self, kind: Kind, on_ambiguous: OnAmbiguous, hours: int, record: str, *, is_taken: bool) -> None:
        accepted = self.world.accept(kind, on_ambiguous=on_ambiguous, hours=hours, record=record, worker=None)
        if is_taken:
            self.world.provider.taken.add(accepted.id)

    @rule(
        kind=st.sampled_from(get_args(Kind)),
        worker=st.sampled_from(WORKERS),
        behaviour=st.sampled_from(get_args(Behaviour)),
    )
    def write_synchronously(self, kind: Kind, worker: str, behaviour: Behaviour) -> None:
        if worker not in self.world.dead:
            # Synchronous writes to one record wait for each other in their process; here each has its own.
            record = f"own {len(self.world.operations)}"
            sent = self.world.accept(kind, on_ambiguous="park", hours=1, record=record, worker=worker)
            self.world.act(sent, behaviour)

    @precondition(lambda self: self.world.due())
    @rule(data=st.data(), worker=st.sampled_from(WORKERS))
    def claim(self, data: Any, worker: str) -> None:
        if worker not in self.world.dead:
            self.world.claim(data.draw(st.sampled_from(self.world.due())), worker)

    @precondition(lambda self: self.world.due())
    @rule(data=st.data(), worker=st.sampled_from(WORKERS), behaviour=st.sampled_from(get_args(Behaviour)))
    def work(self, data: Any, worker: str, behaviour: Behaviour) -> None:
        """Claim, send and hear without anything between."""
        if worker in self.world.dead:
            return
        chosen = data.draw(st.sampled_from(self.world.due()))
        self.world.claim(chosen, worker)
        self.world.send(self.world.operations[chosen.id], behaviour)
        if chosen.id in self.world.answers:
            assert self.world.hear(chosen.id, jitter=0.5)

    @precondition(lambda self: self.world.due())
    @rule(data=st.data(), worker=st.sampled_from(WORKERS), behaviour=st.sampled_from(get_args(Behaviour)))
    def crash(self, data: Any, worker: str, behaviour: Behaviour) -> None:
        """Claim, send, and die before anything is heard; somebody sees to it."""
        if worker in self.world.dead:
            return
        chosen = data.draw(st.sampled_from(self.world.due()))
        self.world.claim(chosen, worker)
        self.world.send(self.world.operations[chosen.id], behaviour)
        self.world.recover(worker)

    def _ready(self) -> list[Operation]:
        living = {self.world.process(worker) for worker in WORKERS if worker not in self.world.dead}
        return [each for each in self._in("claimed") if each.owner in living]

    @precondition(lambda self: self._ready())
    @rule(data=st.data(), behaviour=st.sampled_from(get_args(Behaviour)))
    def send(self, data: Any, behaviour: Behaviour) -> None:
        self.world.send(data.draw(st.sampled_from(self._ready())), behaviour)

    @precondition(lambda self: self.world.answers)
    @rule(data=st.data(), jitter=st.sampled_from((0.0, 0.5, 1.0)), stuck=st.booleans())
    def hear(self, data: Any, jitter: float, *, stuck: bool) -> None:
        """Hear an answer: in time, or as a process that was stopped and has lost what it held."""
        operation_id = data.draw(st.sampled_from(sorted(self.world.answers)))
        held = self.world.answers[operation_id].operation
        row = self.world.operations[operation_id]
        is_held = (row.state, row.owner, row.attempts) == (held.state, held.owner, held.attempts)
        assert self.world.hear(operation_id, jitter=jitter, stuck=stuck) == is_held

    @rule(worker=st.sampled_from(WORKERS))
    def die(self, worker: str) -> None:
        self.world.dead.add(worker)

    @precondition(lambda self: self.world.dead)
    @rule()
    def recover(self) -> None:
        for worker in sorted(self.world.dead):
            self.world.recover(worker)

    @rule(seconds=st.sampled_from((1, 5, 30, 41, 61, 61, 300, 300, 1_700, 3_600, 20_000, 90_000)))
    def wait(self, seconds: int) -> None:
        """Let time go by, with what it brings: now and then the sweep and the look-ups come late."""
        self.world.advance(timedelta(seconds=seconds))
        if seconds != 1_700:
            self.world.look()
            self.world.sweep()

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule()
    def look(self) -> None:
        self.world.look()

    @precondition(lambda self: self._in("queued", "parked"))
    @rule(data=st.data())
    def cancel(self, data: Any) -> None:
        self.world.cancel(data.draw(st.sampled_from(self._in("queued", "parked"))))

    @precondition(lambda self: self._in("unknown") and not self.world.provider.late)
    @rule(data=st.data(), discard=st.booleans())
    def resolve(self, data: Any, *, discard: bool) -> None:
        self.world.resolve(data.draw(st.sampled_from(self._in("unknown"))), discard=discard)

    @precondition(lambda self: self._in("parked"))
    @rule()
    def reconnect(self) -> None:
        for each in self._in("parked"):
            due = min(self.world.now, each.deadline_at)
            move = Move(to_state="queued", run_at=due, doubtful=each.doubtful)
            assert self.world.move(each, move, by="")

    # What holds.

    @invariant()
    def what_is_final_stays_and_attempts_grow(self) -> None:
        for each in self.world.operations.values():
            before = self.seen.get(each.id, each)
            assert before.state not in FINAL or each == before
            assert each.attempts >= before.attempts
            assert each.crashes >= before.crashes
        self.seen = dict(self.world.operations)

    @invariant()
    def a_step_was_taken(self) -> None:
        Lives.taken += 1

    @invariant()
    def an_operation_has_one_owner_or_none(self) -> None:
        for each in self.world.operations.values():
            assert (each.owner == "") == (each.state in UNOWNED | FINAL)

    @invariant()
    def nothing_is_without_a_way_on_or_a_reason(self) -> None:
        for each in self.world.operations.values():
            if each.state == "queued":
                assert each.run_at <= each.deadline_at
            if each.state in {"failure", "unknown", "parked"}:
                assert each.reason
            assert each.state == "unknown" or each.look_at is None

    @invariant()
    def no_create_is_done_twice(self) -> None:
        for each in self.world.operations.values():
            if self.world.kinds[each.id] != "update" and each.on_ambiguous == "park":
                assert self.world.provider.effects(each.id, until=self.world.now) <= 1, each

    @invariant()
    def a_success_happened_and_a_failed_create_did_not(self) -> None:
        for each in self.world.operations.values():
            effects = self.world.provider.effects(each.id, until=self.world.now)
            if each.state == "success":
                assert effects, each
            if each.state == "failure" and each.id not in self.world.excused:
                assert not effects or self.world.kinds[each.id] == "update", each

    @invariant()
    def writes_to_a_record_are_applied_in_the_order_of_acceptance(self) -> None:
        assert all(order == sorted(order) for order in self.world.applied.values())

    def teardown(self) -> None:
        """Let everything be well from now on: then everything ends."""
        for _ in range(120):
            self._be_well()
            self.check()
        for each in self.world.operations.values():
            assert each.state in FINAL | {"unknown"}, each
            if each.state == "unknown" and self.world.kinds[each.id] == "exact":
                twice = self.world.provider.effects(each.id, until=self.world.now) > 1
                assert each.reason == "poison" or twice, "what can be looked up is known in the end"
            Lives.ends.add((each.state, each.reason))

    def _be_well(self) -> None:
        for worker in sorted(self.world.dead):
            self.world.recover(worker)
        self.reconnect()
        for operation_id in sorted(self.world.answers):
            self.world.hear(operation_id, jitter=0.5)
        for each in self._in("claimed"):
            self.world.send(each, "answers")
        for each in self.world.due():
            self.world.claim(each, WORKERS[0])
        self.world.look()
        self.world.sweep()
        self.world.advance(timedelta(minutes=30))

    def check(self) -> None:
        """Hold all that holds, once more."""
        self.what_is_final_stays_and_attempts_grow()
        self.an_operation_has_one_owner_or_none()
        self.nothing_is_without_a_way_on_or_a_reason()
        self.no_create_is_done_twice()
        self.a_success_happened_and_a_failed_create_did_not()
        self.writes_to_a_record_are_applied_in_the_order_of_acceptance()

    def _in(self, *states: str) -> list[Operation]:
        return [each for each in self.world.operations.values() if each.state in states]


EVERY_END = {
    *(("success", reason) for reason in ("", "found", "resolved")),
    *(("failure", reason) for reason in ("refused", "deadline", "cancelled", "discarded", "abandoned", "auth")),
    ("unknown", "ambiguous"),
}


def test_what_is_promised_holds_in_every_order_of_events() -> None:
    # A life is often shorter than it may be.
    lives = -(-STEPS // STEPS_IN_A_LIFE) * 3
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=lives,
            stateful_step_count=STEPS_IN_A_LIFE,
            deadline=None,
            derandomize="ISTHMUS_MODEL_STEPS" not in os.environ,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Lives.taken >= STEPS
    assert Lives.ends >= EVERY_END, f"never seen: {EVERY_END - Lives.ends}"
