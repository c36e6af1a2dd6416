"""The use case of the house: accept a write, deliver it or have it delivered, settle it.

A synchronous write is stored twice, each time sharing its commit with whatever else is waiting: once as ``sent`` before
the first byte leaves, so that a crash leaves a question and never silence; once with its outcome before the caller is
answered, so that an answer is never forgotten. Nothing is stored for a request that is refused before it is sent.
An asynchronous one is stored ``queued`` and answered; the worker carries it out the same way (`attempting`). So it
does with a synchronous one whose record others wait for: it is stored behind them, and its caller waits with it.
No transaction is open while the network is.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.departure import Permit
from connectors.errors import ConnectorError, Refused
from connectors.transport import DEADLINE_SECONDS
from installations.operation import Operation, State
from installations.outlook import after_attempt, judge
from installations.pipeline import Current, Plan, plan
from installations.record import Outcome, WriteRequest
from installations.repetition import Reaction, credited
from server import logs
from server.clock import Clock, NewId
from server.delivering.attempting import Prepared, carry_out, prepare, require_possible
from server.delivering.attempts import Tried, unforeseen, unsent
from server.delivering.holds import Holds
from server.delivering.idempotency import RETENTION, KeyInFlight, KeyReused, kept_until
from server.delivering.look_ups import Perform, look_up, names
from server.delivering.orders import MOST_GATHERED, gathering, queued, synchronous, waiting
from server.delivering.payloads import encoded, stored, stored_outcome
from server.delivering.recognising import Safety
from server.delivering.reconciling import reconciled
from server.delivering.settlements import attempt_row, moved, settlement
from server.delivering.shares import key_of
from server.delivering.turns import Turns
from server.delivering.unsettled import Unsettled
from server.directory import Directory, Target
from server.store.contract import Earlier, IdempotencyKey, Settlement, Unavailable

UNDER_WAY: frozenset[State] = frozenset({"claimed", "sent"})
PATIENCE_SECONDS = 2.0
"""How long a second request with a key waits for the first one's end."""
POLL_SECONDS = 0.05
TURN_SECONDS = DEADLINE_SECONDS
"""How long the caller of a synchronous write that waits for its turn is kept waiting."""


class OperationStore(Protocol):
    """The part of the store that deliveries use."""

    async def begin(
        self, operation: Operation, *, idempotency: IdempotencyKey | None = None, turns: Sequence[str] = ()
    ) -> Earlier | None:
        """Store an operation durably."""
        ...

    async def begin_in_turn(
        self,
        operation: Operation,
        *,
        queued: Operation,
        turns: Sequence[str],
        idempotency: IdempotencyKey | None = None,
    ) -> Earlier | Operation:
        """Store an operation, or what it becomes where others wait for its record."""
        ...

    async def gather(
        self, operation: Operation, record: bytes, *, most: int, idempotency: IdempotencyKey | None = None
    ) -> Earlier | str:
        """Put a record into an auto-batch."""
        ...

    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key."""
        ...

    async def settle(self, settlement: Settlement) -> None:
        """Move it, durably."""
        ...

    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one."""
        ...


class Waking(Protocol):
    """Who is told that a lane has work."""

    async def submit(self, lane_id: str) -> None:
        """Have it attended to. Raises nothing."""
        ...


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """An operation as far as it got, and what came of it."""

    operation: Operation
    outcome: Outcome | None
    """``None`` while it is in progress."""
    batch: bool
    """Asked as a batch, so that it is answered as one."""
    replayed: bool = False


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A write that has passed every check that needs no provider."""

    target: Target
    plan: Plan


class Deliveries:
    """Carries writes from the request to the provider, or to whoever sends them later."""

    def __init__(
        self,
        *,
        store: OperationStore,
        directory: Directory,
        perform: Perform,
        waking: Waking,
        turns: Turns,
        holds: Holds,
        permits: Callable[[], Permit],
        clock: Clock,
        new_id: NewId,
        owner: str,
        turn_seconds: float = TURN_SECONDS,
    ) -> None:
        self._store = store
        self._directory = directory
        self._perform = perform
        self._waking = waking
        self._turns = turns
        self._holds = holds
        self._permits = permits
        self._clock = clock
        self._new_id = new_id
        self._owner = owner
        self._turn_seconds = turn_seconds
        self._unsettled = Unsettled(store, clock=clock)

    async def accept(self, project_id: str, integration: str, object_name: str, request: WriteRequest) -> Accepted:
        """Find the target and plan. Raises `NotFound` and `InvalidInput` with every issue; nothing is stored."""
        target = await self._directory.target(
            project_id, integration, group_ref=request.group_ref, object_name=object_name
        )
        made = plan(request, target.rules)
        require_possible(target.connector, made)
        return Accepted(target=target, plan=made)

    async def current(self, accepted: Accepted) -> tuple[Current | None, ...]:
        """Read the records as they are now, where the plan must know. Raises `ConnectorError`."""
        looked = await look_up(self._perform, accepted.target, accepted.plan)
        for fault in looked.refused.values():
            raise Refused(fault)
        return looked.current

    async def repeat(self, project_id: str, key: IdempotencyKey) -> Delivered | None:
        """Answer a request that was made before, whatever has become of its installation since.

        ``None`` if the key is new. Raises `KeyReused`, `KeyInFlight`.
        """
        earlier = await self._store.earlier(project_id, key, now=self._clock())
        return None if earlier is None else await self._replay(earlier, key)

    async def submit(
        self, accepted: Accepted, request: WriteRequest, *, idempotency: IdempotencyKey | None = None
    ) -> Delivered:
        """Store an asynchronous write and answer its operation; the rest happens later. Raises `StoreError` alone.

        With ``autoBatchPolicy`` the operation is the one that all its records share.
        """
        now, target, made = self._clock(), accepted.target, accepted.plan
        build = queued if request.auto_batch_policy is UNSET else gathering
        operation = build(target, made, request, operation_id=self._new_id(), now=now)
        key = kept_until(idempotency, operation.deadline_at + RETENTION)
        if operation.gather_key:
            record = encoded(made.records[0])
            found = await self._store.gather(operation, record, most=MOST_GATHERED, idempotency=key)
            # Nobody is woken for it: it is sent in some minutes, or within a second where it is full.
            if isinstance(found, str):
                return Delivered(operation=replace(operation, id=found), outcome=None, batch=True)
            return await self._replay(found, key)
        place = names(operation.connection_id, made)
        if (earlier := await self._store.begin(operation, idempotency=key, turns=place)) is not None:
            return await self._replay(earlier, key)
        await self._waking.submit(operation.connection_id)
        return Delivered(operation=operation, outcome=None, batch=made.batch)

    async def write(self, accepted: Accepted, *, idempotency: IdempotencyKey | None = None) -> Delivered:
        """Deliver synchronously: one attempt, stored before and after. Raises `StoreError`, and `OnHold` at first.

        A connector's failure is an outcome, not an error: it is stored and answered. A write that has to wait for its
        turn for longer than its caller can is answered as it stands then, still in progress.
        """
        lane_id = accepted.target.installation.connection.id
        place = names(lane_id, accepted.plan)
        async with self._turns.taken(place):
            await self._holds.over(lane_id)
            delivered = await self._write(accepted, place, idempotency=idempotency)
        if delivered.operation.state != "queued" or delivered.replayed:
            return delivered
        await self._waking.submit(delivered.operation.connection_id)
        return await self._awaited(delivered)

    async def _write(
        self, accepted: Accepted, place: Sequence[str], *, idempotency: IdempotencyKey | None
    ) -> Delivered:
        started, operation_id, made, permit = self._clock(), self._new_id(), accepted.plan, self._permits()
        keys = [key_of(operation_id, index, batch=made.batch) for index in range(len(made.records))]
        prepared, safety = None, Safety()
        try:
            prepared = await prepare(self._perform, accepted.target, made, keys=keys)
        except ConnectorError as error:
            tried = unsent(len(made.records), error)
        else:
            safety = prepared.safety
        operation = synchronous(
            accepted.target,
            made,
            operation_id=operation_id,
            owner=self._owner,
            current=() if prepared is None else prepared.current,
            safety=safety,
            now=started,
        )
        begun = await self._begun(operation, [] if prepared is None else place, idempotency=idempotency)
        if isinstance(begun, Earlier):
            return await self._replay(begun, idempotency)
        if begun.state == "queued":
            return Delivered(operation=begun, outcome=None, batch=made.batch)
        if prepared is not None:
            tried = await self._carried_out(operation, accepted.target, prepared, permit=permit)
        return await self._settled(operation, accepted, tried, prepared=prepared, safety=safety)

    async def _begun(
        self, operation: Operation, place: Sequence[str], *, idempotency: IdempotencyKey | None
    ) -> Earlier | Operation:
        try:
            if not place:
                return await self._store.begin(operation, idempotency=idempotency) or operation
            return await self._store.begin_in_turn(
                operation, queued=waiting(operation), turns=place, idempotency=idempotency
            )
        except Unavailable:
            # It may have been stored all the same, and then nobody else ends it while this process lives.
            self._unsettled.unheard_of(operation)
            raise

    async def _carried_out(self, operation: Operation, target: Target, prepared: Prepared, *, permit: Permit) -> Tried:
        try:
            return await carry_out(self._perform, target, prepared, permit=permit)
        except Exception as error:  # noqa: BLE001 -- the rim: what may have left is a question, and never silence
            logs.failed("write.failed", error, operation_id=operation.id)
            return unforeseen(len(prepared.change.records) + len(prepared.refused))

    async def _awaited(self, delivered: Delivered) -> Delivered:
        """Wait until somebody has carried a write out whose turn has come, or its caller's time is over."""
        operation, pause = delivered.operation, POLL_SECONDS / 4
        ends = asyncio.get_running_loop().time() + self._turn_seconds
        while operation.state == "queued" or operation.state in UNDER_WAY:
            if asyncio.get_running_loop().time() > ends:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, POLL_SECONDS * 5)
            with contextlib.suppress(Unavailable):
                operation = await self._store.operation(operation.project_id, operation.id)
        return replace(delivered, operation=operation, outcome=stored_outcome(operation))

    async def _settled(
        self, operation: Operation, accepted: Accepted, tried: Tried, *, prepared: Prepared | None, safety: Safety
    ) -> Delivered:
        outcome = tried.outcome
        reactions = judge(
            outcome.records,
            effect=tried.effect,
            repeat=safety.repeat,
            operation=operation,
            all_or_none=accepted.plan.all_or_none,
        )
        if prepared is not None and not prepared.refused:
            outcome, reactions = await self._reconciled(operation, accepted.target, prepared, outcome, reactions)
        now, outcome = self._clock(), credited(outcome, reactions)
        move = after_attempt(operation, outcome, reactions, now=now, can_look_up=safety.can_look_up, jitter=0.0)
        self._holds.told(operation.connection_id, move.hold_until)
        attempt = attempt_row(operation, tried, started_at=operation.create_time, finished_at=now)
        settled = settlement(operation, move, now=now, outcome=outcome, attempt=attempt)
        await self._unsettled.settle(operation, settled)
        logs.event(
            "write.delivered",
            project_id=operation.project_id,
            operation_id=operation.id,
            object_name=operation.object_name,
            action=operation.action,
            state=settled.to_state,
            fault=settled.fault_kind,
        )
        return Delivered(operation=moved(operation, settled), outcome=outcome, batch=accepted.plan.batch)

    async def _reconciled(
        self,
        operation: Operation,
        target: Target,
        prepared: Prepared,
        outcome: Outcome,
        reactions: tuple[Reaction, ...],
    ) -> tuple[Outcome, tuple[Reaction, ...]]:
        try:
            return await reconciled(self._perform, target, prepared.change, outcome=outcome, reactions=reactions)
        except Exception as error:  # noqa: BLE001 -- the rim: what came of the write is known, and must be written down
            logs.failed("write.unreconciled", error, operation_id=operation.id)
            return outcome, reactions

    async def settle_late(self) -> None:
        """Write down what could not be before. Raises `Unavailable` where it still cannot."""
        await self._unsettled.settle_late()

    async def _replay(self, earlier: Earlier, key: IdempotencyKey | None) -> Delivered:
        """Answer with the operation that has the key. Raises `KeyReused`, `KeyInFlight`."""
        if key is None or earlier.fingerprint != key.fingerprint:
            raise KeyReused("This Idempotency-Key came with another body before; use a fresh key for a fresh request.")
        operation = earlier.operation
        waited = 0.0
        while operation.mode == "synchronous" and operation.state in UNDER_WAY:
            if waited >= PATIENCE_SECONDS:
                raise KeyInFlight("The first request with this Idempotency-Key is still under way; try again soon.")
            await asyncio.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            operation = await self._store.operation(operation.project_id, operation.id)
        outcome = stored_outcome(operation) if operation.mode == "synchronous" else None
        # What it carried may have been forgotten since; how many it wrote has not.
        batch = bool(operation.payload) and stored(operation).plan.batch
        return Delivered(operation=operation, outcome=outcome, batch=batch, replayed=True)
