"""A world small enough to be right: a provider with a ledger, rows with guards, processes that die, a clock that jumps.

It carries operations as the house does, in memory and step by step, so that any order of events can be tried. What to
do is decided by the modules under test alone.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from msgspec.structs import replace

from installations.operation import FINAL, MOVES, EffectClass, OnAmbiguous, Operation, Repeat
from installations.outlook import (
    Move,
    after_attempt,
    cancelled,
    expired,
    forgotten,
    judge,
    looked_up,
    lost,
    outlived,
    resolved,
)
from installations.record import Fault, FaultKind, RecordOutcome
from installations.repetition import Reaction, credited, repeat_at
from tests.installations.lives import NOW, SENT, WRITTEN, fault, outcome

Kind = Literal["update", "key", "unique", "exact", "eventual", "none"]
"""What is written, and how the provider would recognise it: see `connectors.connector.Recognition`."""
Behaviour = Literal[
    "answers", "breaks off", "loses", "drops", "is late", "throttles", "locks", "refuses", "forbids", "is unreachable",
    "knows nobody", "says 500",
]  # fmt: skip
REPEATS: dict[Kind, Repeat] = {
    "update": "safe",
    "key": "keyed",
    "unique": "keyed",
    "exact": "bare",
    "eventual": "bare",
    "none": "bare",
}
MARKED: frozenset[Kind] = frozenset({"exact", "eventual"})
WINDOW = timedelta(minutes=30)
LATE = timedelta(seconds=40)
LAG = timedelta(hours=2)
"""After what time a search with lag shows a record."""
REFUSALS: dict[Behaviour, FaultKind] = {
    "throttles": "rate_limited",
    "locks": "locked",
    "refuses": "invalid",
    "forbids": "forbidden",
    "is unreachable": "not_sent",
    "knows nobody": "auth",
}


class Answer(NamedTuple):
    """What a process has heard, and not yet written down."""

    operation: Operation
    record: RecordOutcome
    effect: EffectClass


class Provider:
    """Does what it is told, at most as its kind of recognition allows, and keeps a ledger of every effect."""

    def __init__(self) -> None:
        self.ledger: list[tuple[str, datetime]] = []
        self.taken: set[str] = set()
        """Operations whose unique value somebody else's record has."""
        self.late: list[tuple[datetime, str, Kind]] = []
        self._keys: dict[str, datetime] = {}

    def effects(self, operation_id: str, *, until: datetime) -> int:
        return sum(each == operation_id and at <= until for each, at in self.ledger)

    def write(self, operation_id: str, kind: Kind, *, now: datetime) -> FaultKind | None:
        """Do it, unless this kind of provider sees that it has been done."""
        if kind == "key" and operation_id in self._keys and now - self._keys[operation_id] <= WINDOW:
            return None
        if kind == "unique" and (operation_id in self.taken or self.effects(operation_id, until=now)):
            return "conflict"
        self._keys[operation_id] = now
        self.ledger.append((operation_id, now))
        return None

    def hurry(self, *, now: datetime) -> None:
        """Let what was late arrive."""
        due = [each for each in self.late if each[0] <= now]
        self.late = [each for each in self.late if each[0] > now]
        for at, operation_id, kind in due:
            self.write(operation_id, kind, now=at)


class World:
    """Operations, processes, a provider and a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.provider = Provider()
        self.operations: dict[str, Operation] = {}
        self.kinds: dict[str, Kind] = {}
        self.answers: dict[str, Answer] = {}
        self.dead: set[str] = set()
        self.excused: set[str] = set()
        """Operations of which a person has said what was not so."""
        self.cancelled: set[str] = set()
        self.applied: dict[str, list[int]] = {}
        self._born = Counter[str]()

    # Rows, with their guards.

    def move(self, before: Operation, move: Move, *, by: str, **changes: Any) -> bool:
        """Make a move, if the row is still as it was and ``by`` holds it."""
        row = self.operations[before.id]
        if (row.state, row.attempts, row.owner) != (before.state, before.attempts, by):
            return False
        assert row.state not in FINAL
        assert move.to_state in MOVES[row.state], f"{row.state} to {move.to_state}"
        self.operations[before.id] = replace(
            row,
            state=move.to_state,
            reason=move.reason,
            run_at=row.run_at if not isinstance(move.run_at, datetime) else move.run_at,
            look_at=move.look_at,
            looks=move.looks,
            doubtful=move.doubtful,
            owner="",
            **changes,
        )
        return True

    def accept(
        self, kind: Kind, *, on_ambiguous: OnAmbiguous, hours: int, record: str, worker: str | None
    ) -> Operation:
        """Store an operation; with a ``worker`` it is synchronous, and sent at once."""
        number = len(self.operations) + 1
        operation = replace(
            SENT,
            id=f"op{number}",
            sequence=number,
            action="update" if kind == "update" else "create",
            mode="asynchronous" if worker is None else "synchronous",
            state="queued" if worker is None else "sent",
            owner="" if worker is None else self.process(worker),
            attempts=0 if worker is None else 1,
            repeat=REPEATS[kind],
            on_ambiguous=on_ambiguous,
            record_key=record if kind == "update" else "",
            first_sent_at=None if worker is None else self.now,
            run_at=self.now,
            create_time=self.now,
            deadline_at=self.now + timedelta(hours=hours),
        )
        self.operations[operation.id] = operation
        self.kinds[operation.id] = kind
        return operation

    def due(self) -> list[Operation]:
        """List what may be claimed: its time has come, and no earlier write to its record is unfinished."""
        return [
            each
            for each in self.operations.values()
            if each.state == "queued" and each.run_at <= self.now < each.deadline_at and not self._waits(each)
        ]

    def _waits(self, operation: Operation) -> bool:
        return operation.record_key != "" and any(
            each.record_key == operation.record_key and each.sequence < operation.sequence and each.state not in FINAL
            for each in self.operations.values()
        )

    # Processes.

    def process(self, worker: str) -> str:
        return f"{worker}.{self._born[worker]}"

    def claim(self, operation: Operation, worker: str) -> None:
        self.operations[operation.id] = replace(
            operation, state="claimed", owner=self.process(worker), attempts=operation.attempts + 1
        )

    def send(self, claimed: Operation, behaviour: Behaviour) -> None:
        """Mark it as sent and let the provider act; whether anybody hears of that is another event."""
        assert claimed.id not in self.cancelled, "what somebody took back is not sent"
        kind = self.kinds[claimed.id]
        window = WINDOW if kind == "key" else None
        if self.now >= claimed.deadline_at:
            self.move(claimed, expired(claimed, now=self.now, can_look_up=kind in MARKED), by=claimed.owner)
            return
        if forgotten(claimed, now=self.now, window=window):
            self.move(claimed, outlived(claimed, now=self.now, can_look_up=False), by=claimed.owner)
            return
        repeat = repeat_at(REPEATS[kind], first_sent_at=claimed.first_sent_at, window=window, now=self.now)
        marked = replace(claimed, state="sent", repeat=repeat, first_sent_at=claimed.first_sent_at or self.now)
        self.operations[claimed.id] = marked
        self.act(marked, behaviour)

    def act(self, marked: Operation, behaviour: Behaviour) -> None:
        """Let the provider act on what was sent."""
        record = self._acted(marked, behaviour)
        effect: EffectClass = "not_sent" if behaviour == "is unreachable" else "rejected"
        self.answers[marked.id] = Answer(marked, record, effect)

    def _acted(self, marked: Operation, behaviour: Behaviour) -> RecordOutcome:
        kind = self.kinds[marked.id]
        if behaviour in REFUSALS:
            return fault(REFUSALS[behaviour], retry_after_seconds=30.0 if behaviour == "throttles" else None)
        if behaviour == "says 500":
            return fault("ambiguous", status=500)
        if behaviour == "is late" and kind != "update":
            self.provider.late.append((self.now + LATE, marked.id, kind))
        elif behaviour != "drops":
            refused = self.provider.write(marked.id, kind, now=self.now)
            if kind == "update":
                self.applied.setdefault(marked.record_key, []).append(marked.sequence)
            if behaviour == "answers":
                return WRITTEN if refused is None else fault(refused)
            if behaviour == "breaks off" and refused is None:
                return RecordOutcome(success=True, fault=Fault(kind="unrecognised", message="?"))
        return fault("ambiguous")

    def hear(self, operation_id: str, *, jitter: float, stuck: bool = False) -> bool:
        """Write down what came of an attempt; tells whether the process still held the operation."""
        sent, record, effect = self.answers.pop(operation_id)
        kind = self.kinds[operation_id]
        reactions = judge((record,), effect=effect, repeat=sent.repeat, operation=sent, stuck=stuck and kind == "key")
        found = tuple(self._found_out(sent, each) for each in reactions)
        told = credited(outcome(record), found)
        move = after_attempt(sent, told, found, now=self.now, can_look_up=kind in MARKED, jitter=jitter)
        return self.move(sent, move, by=sent.owner)

    def _found_out(self, sent: Operation, reaction: Reaction) -> Reaction:
        if reaction != "look_up":
            return reaction
        return "succeed" if self.provider.effects(sent.id, until=self.now) else "fail"

    def recover(self, worker: str) -> None:
        """Bury a process, give birth to its successor, and decide about what it held."""
        owner = self.process(worker)
        self._born[worker] += 1
        self.dead.discard(worker)
        orphans = [each for each in self.operations.values() if each.owner == owner]
        for each in orphans:
            can = self.kinds[each.id] in MARKED
            alone = len(orphans) == 1
            move = lost(each, now=self.now, alone=alone, can_look_up=can)
            assert self.move(each, move, by=owner, crashes=each.crashes + 1, lone_crashes=each.lone_crashes + alone)

    # Time, and people.

    def advance(self, by: timedelta) -> None:
        self.now += by
        self.provider.hurry(now=self.now)

    def sweep(self) -> None:
        """End what waits past its deadline."""
        for each in list(self.operations.values()):
            if each.state in {"queued", "parked"} and each.deadline_at <= self.now:
                can = self.kinds[each.id] in MARKED
                self.move(each, expired(each, now=self.now, can_look_up=can), by="")

    def look(self) -> None:
        """Look up what is due."""
        for each in list(self.operations.values()):
            if each.state != "unknown" or each.look_at is None or each.look_at > self.now:
                continue
            exact = self.kinds[each.id] == "exact"
            found = self.provider.effects(each.id, until=self.now if exact else self.now - LAG)
            self.move(each, looked_up(each, found=found, exact=exact, now=self.now), by="")

    def cancel(self, operation: Operation) -> None:
        """Take a waiting operation back."""
        self.cancelled.add(operation.id)
        move = cancelled(operation, now=self.now, can_look_up=self.kinds[operation.id] in MARKED)
        assert self.move(operation, move, by="")

    def resolve(self, operation: Operation, *, discard: bool) -> None:
        """Have a person look at the provider and say what is so; or give up on it, whatever is so."""
        happened = self.provider.effects(operation.id, until=self.now) > 0
        if discard:
            self.excused.add(operation.id)
        self.cancelled.discard(operation.id)
        deadline = self.now + (operation.deadline_at - operation.create_time)
        renewed = replace(operation, deadline_at=operation.deadline_at if discard or happened else deadline)
        move = resolved(renewed, "discard" if discard else "happened" if happened else "retry", now=self.now)
        self.move(operation, move, by="", deadline_at=renewed.deadline_at)
