"""One call at the provider for one operation or several of the same batch key, from the claim to the moves it leads to.

The moves are handed back and not made here, so that whoever counts calls may count the next one while they are stored.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from connectors.departure import Permit
from connectors.errors import ConnectorError, NotSent
from installations.errors import NotFound
from installations.operation import Attempt, Operation
from installations.outlook import Move, expired, forgotten, gone, outlived
from installations.pipeline import settle
from installations.record import Change, Outcome
from installations.repetition import MOST_REPLAYS, repeat_at, replays_failure
from server import logs
from server.clock import Clock
from server.delivering.attempting import Prepared, carry_out, prepare
from server.delivering.attempts import Tried, unsent
from server.delivering.breaker import failed
from server.delivering.conclusions import (
    GOES_ON,
    Course,
    Judged,
    apart,
    broken,
    concluded,
    corrected,
    ended,
    judged,
    separated,
)
from server.delivering.holds import Holds
from server.delivering.look_ups import Perform, names
from server.delivering.payloads import stored, with_gathered
from server.delivering.recognising import Safety, safety_of
from server.delivering.reconciling import reconciled
from server.delivering.settlements import attempt_row, marking, release
from server.delivering.shares import Share, changes_of, joined, keys_of, parted, share_of
from server.delivering.turns import Turns
from server.directory import Directory, Opened
from server.store.contract import Missing, Settlement, Unavailable


class CallStore(Protocol):
    """The part of the store that calls use."""

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Make several moves."""
        ...

    async def gathered(self, project_id: str, operation_id: str) -> list[bytes]:
        """Open the records of an auto-batch."""
        ...

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation."""
        ...


Moves = tuple[tuple[Operation, Settlement], ...]


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """What a call came to."""

    moves: Moves = ()
    hold_until: datetime | None = None
    """The provider asked the connection to wait."""
    down: bool | None = None
    """Whether it says that the provider is down; ``None`` where it says nothing of that."""
    parked: bool = False
    """The credentials are refused."""


class Unmarked(Exception):
    """The operations could not be marked as sent, so nothing has left."""


class Calls:
    """Makes calls for claimed operations."""

    def __init__(
        self,
        store: CallStore,
        directory: Directory,
        *,
        perform: Perform,
        turns: Turns,
        holds: Holds,
        clock: Clock,
        jitter: Callable[[], float],
        permits: Callable[[], Permit],
        can_look_up: Callable[[Operation], Awaitable[bool]],
    ) -> None:
        self._store = store
        self._directory = directory
        self._perform = perform
        self._turns = turns
        self._holds = holds
        self._clock = clock
        self._jitter = jitter
        self._permits = permits
        self._can_look_up = can_look_up

    async def make(self, operations: Sequence[Operation]) -> Called:
        """Carry claimed operations out together and answer the moves to make. Raises nothing but cancellation.

        An error that nobody foresaw counts as a crash of these operations, and of no others.
        """
        course = Course(started=self._clock())
        try:
            return await self._make(operations, course)
        except (Unmarked, Unavailable) as error:
            if course.departed:
                return self._failed(operations, course, error)
            logs.event("write.unsent", operations=len(operations), error=type(error).__name__)
            now = self._clock()
            return Called(moves=tuple((each, release(each, now=now, from_state=course.state)) for each in operations))
        except Exception as error:  # noqa: BLE001 -- the rim: an operation that cannot be handled harms no other
            return self._failed(operations, course, error)

    def _failed(self, operations: Sequence[Operation], course: Course, error: Exception) -> Called:
        logs.failed("write.failed", error, operations=len(operations), operation_id=operations[0].id)
        return Called(moves=tuple((each, self._broken(each, course)) for each in operations))

    def _broken(self, operation: Operation, course: Course) -> Settlement:
        safety = course.safeties.get(operation.id, Safety(repeat=operation.repeat))
        known = replace(operation, repeat=safety.repeat) if course.departed else operation
        return broken(known, course, now=self._clock(), can_look_up=safety.can_look_up, jitter=self._jitter())

    async def _make(self, operations: Sequence[Operation], course: Course) -> Called:
        late = [each for each in operations if each.deadline_at <= course.started]
        going = [each for each in operations if each.deadline_at > course.started]
        done = tuple([(each, await self._late(each, now=course.started)) for each in late])
        if not going:
            return Called(moves=done)
        try:
            opened = await self._directory.opened(going[0])
        except (Missing, NotFound):
            return Called(moves=done + self._ended(going, gone))
        except ConnectorError as error:
            # Nobody refused these credentials, so nobody marks the connection: they are tried again as time goes by.
            closed = NotSent(replace(error.fault, kind="not_sent"))
            shares = [await self._share(each) for each in going]
            called = await self._concluded(shares, unsent(sum(len(each.due) for each in shares), closed), course)
        else:
            called = await self._opened(going, opened, course)
        return replace(called, moves=done + called.moves)

    async def _late(self, operation: Operation, *, now: datetime) -> Settlement:
        can_look_up = await self._can_look_up(operation)
        return ended(operation, expired(operation, now=now, can_look_up=can_look_up), now=now)

    def _ended(self, operations: Sequence[Operation], move: Callable[[Operation], Move]) -> Moves:
        now = self._clock()
        return tuple((each, ended(each, move(each), now=now)) for each in operations)

    async def _share(self, operation: Operation) -> Share:
        kept = stored(operation)
        if operation.gathered:
            kept = with_gathered(kept, await self._store.gathered(operation.project_id, operation.id))
        return share_of(operation, kept.plan)

    async def _opened(self, operations: Sequence[Operation], opened: Opened, course: Course) -> Called:
        shares, outlives = [], []
        for operation in operations:
            share = await self._share(operation)
            safety = safety_of(opened.connector, settle(joined([share])))
            if forgotten(operation, now=course.started, window=safety.window):
                outlives.append((operation, safety.can_look_up))
            else:
                shares.append(share)
        done = tuple(
            (each, ended(each, outlived(each, now=course.started, can_look_up=can), now=course.started))
            for each, can in outlives
        )
        if not shares:
            return Called(moves=done)
        plan = joined(shares)
        async with self._turns.taken(names(opened.installation.connection.id, plan)):
            called = await self._sent(shares, opened, course)
        return replace(called, moves=done + called.moves)

    async def _sent(self, shares: Sequence[Share], opened: Opened, course: Course) -> Called:
        if self._holds.until(shares[0].operation.connection_id) is not None:
            # Whoever had the turn before was told to wait.
            raise Unmarked
        if not any(share.due for share in shares):
            nothing = Tried(outcome=_NOTHING, effect="not_sent", fault=None)
            return await self._concluded(shares, nothing, course)
        try:
            prepared = await prepare(self._perform, opened, joined(shares), keys=keys_of(shares))
        except ConnectorError as error:
            tried = unsent(sum(len(share.due) for share in shares), error)
            return await self._concluded(shares, tried, course)
        for share, change in zip(shares, changes_of(shares, prepared.change), strict=True):
            course.safeties[share.operation.id] = _now(safety_of(opened.connector, change), share.operation, course)
        permit = self._permits()
        tried = await carry_out(
            self._perform, opened, prepared, on_send=lambda: self._mark(shares, course, permit), permit=permit
        )
        return await self._concluded(shares, tried, course, opened=opened, prepared=prepared)

    async def _mark(self, shares: Sequence[Share], course: Course, permit: Permit) -> None:
        """Store that everything of this call is about to be sent. Raises `Unmarked` unless all of it is."""
        if not permit():
            raise Unmarked
        now, course.marked = self._clock(), True
        made = await self._store.settle_all(
            [marking(share.operation, now=now, repeat=course.safeties[share.operation.id].repeat) for share in shares]
        )
        if not all(made):
            raise Unmarked
        course.departed = True

    async def _concluded(
        self,
        shares: Sequence[Share],
        tried: Tried,
        course: Course,
        *,
        opened: Opened | None = None,
        prepared: Prepared | None = None,
    ) -> Called:
        now = self._clock()
        _record(shares, tried, course, now=now)
        if apart(shares, tried):
            singly = tuple((each.operation, separated(each, tried, course, now=now)) for each in shares)
            return Called(moves=singly, down=False)
        moves: list[tuple[Operation, Settlement]] = []
        holds: list[datetime] = []
        changes = [None] * len(shares) if prepared is None else changes_of(shares, prepared.change)
        for share, own, change in zip(shares, parted(shares, tried), changes, strict=True):
            safety = course.safeties.get(share.operation.id, Safety(repeat=share.operation.repeat))
            one = judged(share, own, safety=safety, stuck=await self._stuck(share, own, safety, course))
            if opened is not None and change is not None and len(change.records) == len(share.due):
                one = await self._reconciled(one, opened, change)
            failures = await self._failures(one)
            settled, move = concluded(one, course, now=now, jitter=self._jitter(), failures=failures)
            moves.append((share.operation, settled))
            holds += [] if move.hold_until is None else [move.hold_until]
        return Called(
            moves=tuple(moves),
            hold_until=max(holds, default=None),
            down=failed(tried),
            parked=tried.fault is not None and tried.fault.kind == "auth",
        )

    async def _stuck(self, share: Share, tried: Tried, safety: Safety, course: Course) -> bool:
        """Whether the provider only replays a failure that it stored with our key."""
        operation = share.operation
        if not safety.stores_answers or tried.effect != "ambiguous" or operation.attempts < MOST_REPLAYS:
            return False
        try:
            before = await self._store.attempts(operation.project_id, operation.id)
        except Unavailable:
            return False
        return replays_failure(
            [*before, attempt_row(operation, tried, started_at=course.started, finished_at=self._clock())]
        )

    async def _failures(self, one: Judged) -> int:
        """Count the attempts up to this one. Most claims are attempts; the others were given back untried."""
        operation = one.share.operation
        if operation.attempts <= 1 or GOES_ON.isdisjoint(one.reactions):
            return operation.attempts
        try:
            return len(await self._store.attempts(operation.project_id, operation.id)) + 1
        except Unavailable:
            return operation.attempts

    async def _reconciled(self, one: Judged, opened: Opened, change: Change) -> Judged:
        due = one.share.due
        outcome = replace(one.outcome, records=tuple(one.outcome.records[index] for index in due))
        reactions = [one.reactions[index] for index in due]
        read, decided = await reconciled(self._perform, opened, change, outcome=outcome, reactions=reactions)
        return corrected(one, read, decided)


_NOTHING = Outcome(records=())


def _now(safety: Safety, operation: Operation, course: Course) -> Safety:
    """Weaken a key that the provider may have forgotten."""
    repeat = repeat_at(safety.repeat, first_sent_at=operation.first_sent_at, window=safety.window, now=course.started)
    return safety if repeat == safety.repeat else replace(safety, repeat=repeat)


def _record(shares: Sequence[Share], tried: Tried, course: Course, *, now: datetime) -> None:
    operation = shares[0].operation
    logs.event(
        "write.delivered",
        project_id=operation.project_id,
        operation_id=operation.id,
        operations=len(shares),
        connection_id=operation.connection_id,
        object_name=operation.object_name,
        action=operation.action,
        effect=tried.effect,
        fault=None if tried.fault is None else tried.fault.kind,
        seconds=round((now - course.started).total_seconds(), 3),
    )
