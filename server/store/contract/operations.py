"""What the store promises about operations, the hot path."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from installations.operation import Attempt, Operation, Reason, Repeat, State
from installations.record import FaultKind
from server.store.contract.connections import Event


class IdempotencyKey(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's promise that equal requests are one request. Unique within (project, route)."""

    key: str
    route: str
    """The write's path, so that one key may serve different objects."""
    fingerprint: bytes
    """SHA-256 of the canonical body."""
    expire_time: datetime


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """The operation that an idempotency key belongs to already."""

    operation: Operation
    fingerprint: bytes


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """One move of an operation, with the attempt that caused it. What is ``UNSET`` stays as it is."""

    operation_id: str
    project_id: str
    from_state: State
    owner: str
    """Must still hold the operation; one that nobody holds (``queued``, ``parked``, ``unknown``) is free to take.

    The owner holds it afterwards, unless ``to_state`` is one that nobody holds.
    """
    to_state: State
    now: datetime
    from_attempts: int | None = None
    """The other half of the fence: the operation must not have been claimed again meanwhile."""
    attempt: Attempt | None = None
    outcome: bytes | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    fault_kind: FaultKind | UnsetType | None = UNSET
    reason: Reason = ""
    """Always written: a reason is that of the state."""
    successful_record_ids: tuple[str, ...] | UnsetType = UNSET
    run_at: datetime | UnsetType = UNSET
    look_at: datetime | None = None
    """Always written: only an unknown operation has one."""
    looks: int | UnsetType = UNSET
    crashes: int | UnsetType = UNSET
    lone_crashes: int | UnsetType = UNSET
    doubtful: bool | UnsetType = UNSET
    repeat: Repeat | UnsetType = UNSET
    first_sent_at: datetime | UnsetType = UNSET
    """Kept as it was where it was known already."""
    batch_key: str | UnsetType = UNSET
    replayed_by: str | UnsetType = UNSET
    deadline_at: datetime | UnsetType = UNSET
    """A person who lets an unknown operation go on gives it time anew."""
    gives_way: bool = False
    """Its turns are given up although it is not over."""
    hold_until: datetime | None = None
    """The provider asked the whole connection to wait: its lane is on hold until then, or for longer if it was."""
    event: Event | None = None
    """What the builder is told; stored with the move or not at all."""


class Tries(msgspec.Struct, frozen=True, kw_only=True):
    """How often an operation was tried; `Operation.attempts` also counts claims that were given back untried."""

    count: int = 0
    last: datetime | None = None
    """When the last of them began."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of operations, newest first."""

    results: tuple[Operation, ...]
    next_page_token: str | None
    tries: tuple[Tries, ...]
    """Of each."""


class OperationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which operations are meant. Every member narrows; ``None`` does not."""

    integration_id: str | None = None
    installation_id: str | None = None
    states: tuple[State, ...] = ()
    """Empty: any."""
    object_name: str | None = None
    group_ref: str | None = None
    fault_kind: FaultKind | None = None
    reason: Reason | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    replayed: bool | None = None
    """Whether another operation did it again."""
    replayable: bool = False
    """Only what has something to be done again: not done again yet, its payload is kept, and it is a failure of which
    no attempt may have happened (``doubtful``), unless doing it twice is the same (``repeat`` is ``safe``), or a
    success of which not every record was written (`installations.operation.is_partial`)."""


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that does a failed one again."""

    operation: Operation
    """Queued, with ``replay_of``."""
    turns: tuple[str, ...] = ()


class Operations(Protocol):
    """Deliveries. `begin` and `settle` are the hot path: they share commits with whatever else is waiting."""

    async def begin(
        self, operation: Operation, *, idempotency: IdempotencyKey | None = None, turns: Sequence[str] = ()
    ) -> Earlier | None:
        """Store an operation, and its idempotency key in the same transaction.

        One that is ``queued`` also wakes its lane (`Lanes`) and, with ``turns`` (names of the records that it changes),
        takes its place behind whoever waits for one of them. Answers ``None`` when it was stored, or the operation that
        has the key already, and then nothing was stored.
        """

    async def begin_in_turn(
        self,
        operation: Operation,
        *,
        queued: Operation,
        turns: Sequence[str],
        idempotency: IdempotencyKey | None = None,
    ) -> Earlier | Operation:
        """Store an operation that is ``sent`` at once, unless anybody waits for one of its turns.

        Then ``queued``, which has the same id and payload, is stored behind them, as `begin` does. Answers which of the
        two was stored, or who has the key. Nobody waits for the turns of one that is sent.
        """

    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key, without taking it: a repetition is answered before anything is planned."""

    async def gather(
        self, operation: Operation, record: bytes, *, most: int, idempotency: IdempotencyKey | None = None
    ) -> Earlier | str:
        """Put a record into the open auto-batch with ``operation.gather_key``; answers the auto-batch's id.

        Where none is open, ``operation`` becomes it. The one that takes its ``most``-th record is closed and due now.
        A claim closes it too. Answers `Earlier` for a key that is taken.
        """

    async def gathered(self, project_id: str, operation_id: str) -> list[bytes]:
        """Open the records of an auto-batch, in the order of their coming."""

    async def settle(self, settlement: Settlement) -> None:
        """Move an operation and store the attempt. Raises `Superseded` unless state and owner are as expected.

        In the same transaction a final one, or one that ``gives_way``, gives its turns up, which wakes the lane for
        whoever follows; one that is ``queued`` again or will be looked up wakes its lane; one that is ``parked`` parks
        it; ``hold_until`` puts it on hold, and makes it where there was none.
        """

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Make several moves with as few commits as possible; tells for each whether it was made or superseded."""

    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one. Raises `Missing`."""

    async def operations(
        self, project_id: str, which: OperationFilter, *, page_size: int, page_token: str | None = None
    ) -> Page:
        """List, newest first. An unknown token raises `Missing`."""

    async def earliest(self, project_id: str, which: OperationFilter, *, after: int = 0, limit: int) -> list[Operation]:
        """List in the order of acceptance, beginning behind the one with the ``sequence`` ``after``."""

    async def replay(self, project_id: str, replays: Sequence[Replay]) -> list[bool]:
        """Store operations that do failed ones again, as `begin` does, and write into those ``replayed_by``.

        Each is stored with its mark or not at all, in as few commits as possible; tells for each whether it was stored.
        It is not where the other one is not over, or has been done again already.
        """

    async def count_operations(self, project_id: str, which: OperationFilter) -> int:
        """Count them."""

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation, first to last."""

    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations ``claimed`` or ``sent`` whose owner is not among the living processes, by owner."""

    async def expired(self, *, now: datetime, limit: int) -> list[Operation]:
        """List operations ``queued`` or ``parked`` whose deadline has come, of any project."""

    async def prune(self, *, finished_before: datetime, payloads_before: datetime, limit: int) -> int:
        """Forget final operations, with attempts and records, that were last changed before ``finished_before``.

        From those changed before ``payloads_before`` take what they carried: payload, outcome and gathered records. One
        that an idempotency key points at is left alone. Answers how many were forgotten or emptied, at most ``limit``;
        none, and there is nothing left to do.
        """
