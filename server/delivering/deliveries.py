"""The use case of the house: accept a write, deliver it, settle it.

A synchronous write is stored twice, each time sharing its commit with whatever else is waiting: once as ``sent`` before
the first byte leaves, so that a crash leaves a question and never silence; once with its outcome before the caller is
answered, so that an answer is never forgotten. Nothing is stored for a request that is refused before it is sent.
No transaction is open while the network is.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from connectors.dispatch import Need, missing_capability, send
from connectors.errors import ConnectorError, Refused
from installations.errors import invalid
from installations.operation import Attempt, Operation, State
from installations.pipeline import Current, Plan, plan, settle
from installations.record import Change, Fault, Outcome, WriteRequest
from server import logs
from server.clock import Clock, NewId
from server.delivering.attempts import (
    Tried,
    beside,
    effect_of,
    effect_of_outcome,
    failed,
    first_fault,
    state_of,
    unsent,
    without,
    written_ids,
)
from server.delivering.idempotency import KeyInFlight, KeyReused
from server.delivering.look_ups import Looked, Perform, look_up, turns
from server.delivering.turns import Turns
from server.delivering.write_results import summary
from server.directory import Directory, Target
from server.store.contract import Earlier, IdempotencyKey, Settlement

ASYNCHRONOUS = "asynchronous writes are not offered by this version; leave mode out to write synchronously"
UNDER_WAY: frozenset[State] = frozenset({"claimed", "sent"})
PATIENCE_SECONDS = 2.0
"""How long a second request with a key waits for the first one's end."""
POLL_SECONDS = 0.05


class OperationStore(Protocol):
    """The part of the store that deliveries use."""

    async def begin(self, operation: Operation, *, idempotency: IdempotencyKey | None = None) -> Earlier | None:
        """Store an operation durably."""
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


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What an operation's payload holds: enough to explain it, and to finish it without planning anew."""

    plan: Plan
    current: tuple[Current | None, ...] = ()


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
    """Carries writes from the request to the provider."""

    def __init__(
        self, *, store: OperationStore, directory: Directory, perform: Perform, clock: Clock, new_id: NewId, owner: str
    ) -> None:
        self._store = store
        self._directory = directory
        self._perform = perform
        self._clock = clock
        self._new_id = new_id
        self._owner = owner
        self._turns = Turns()

    async def accept(self, project_id: str, integration: str, object_name: str, request: WriteRequest) -> Accepted:
        """Find the target and plan. Raises `NotFound` and `InvalidInput` with every issue; nothing is stored."""
        # A delete is always synchronous, as published.
        if request.mode == "asynchronous" and request.type != "delete":
            raise invalid("mode", ASYNCHRONOUS, code="not-supported")
        target = await self._directory.target(
            project_id, integration, group_ref=request.group_ref, object_name=object_name
        )
        made = plan(request, target.rules)
        need = Need(
            action=made.action,
            object_name=made.object_name,
            batch=made.batch,
            all_or_none=made.all_or_none,
            current=bool(made.needs),
            match_field=made.match_field,
        )
        if (lack := missing_capability(target.connector, need)) is not None:
            raise invalid("type", lack, code="not-supported")
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

    async def write(self, accepted: Accepted, *, idempotency: IdempotencyKey | None = None) -> Delivered:
        """Deliver synchronously: one attempt, stored before and after. Raises `StoreError` alone.

        A connector's failure is an outcome, not an error: it is stored and answered.
        """
        names = turns(accepted.target, accepted.plan)
        if not names:
            return await self._write(accepted, idempotency=idempotency)
        async with self._turns.taken(names):
            return await self._write(accepted, idempotency=idempotency)

    async def _write(self, accepted: Accepted, *, idempotency: IdempotencyKey | None) -> Delivered:
        started, looked = self._clock(), Looked()
        change: Change | None = None
        try:
            looked = await look_up(self._perform, accepted.target, accepted.plan)
            change = settle(accepted.plan, looked.current)
        except ConnectorError as error:
            tried = unsent(len(accepted.plan.records), error)
        operation = self._operation(accepted, looked.current, now=started)
        earlier = await self._store.begin(operation, idempotency=idempotency)
        if earlier is not None:
            return await self._replay(earlier, idempotency)
        if change is not None:
            tried = await self._attempt(accepted.target, change, refused=looked.refused)
        return await self._settled(operation, tried, batch=accepted.plan.batch)

    async def _attempt(self, target: Target, change: Change, *, refused: Mapping[int, Fault]) -> Tried:
        asked = without(change, refused)
        if not asked.records:
            return beside(Tried(outcome=Outcome(records=()), effect="not_sent", fault=None), refused)
        try:
            flow = send(target.connector, target.account, asked)
            outcome = await self._perform(flow, auth=target.auth, origin=target.account.base_url)
        except ConnectorError as error:
            tried = Tried(outcome=failed(len(asked.records), error), effect=effect_of(error), fault=error.fault)
        else:
            tried = Tried(outcome=outcome, effect=effect_of_outcome(outcome), fault=first_fault(outcome))
        return beside(tried, refused)

    async def _settled(self, operation: Operation, tried: Tried, *, batch: bool) -> Delivered:
        now = self._clock()
        state = "failure" if tried.effect == "not_sent" else state_of(tried.outcome)
        settlement = Settlement(
            operation_id=operation.id,
            project_id=operation.project_id,
            from_state="sent",
            owner=operation.owner,
            to_state=state,
            now=now,
            attempt=_attempt_row(operation, tried, finished_at=now),
            outcome=_ENCODER.encode(tried.outcome),
            summary=summary(operation, tried.outcome),
            fault_kind=None if tried.fault is None else tried.fault.kind,
            successful_record_ids=written_ids(tried.outcome),
        )
        await self._store.settle(settlement)
        logs.event(
            "write.delivered",
            project_id=operation.project_id,
            operation_id=operation.id,
            object_name=operation.object_name,
            action=operation.action,
            state=state,
            fault=settlement.fault_kind,
        )
        return Delivered(operation=_moved(operation, settlement), outcome=tried.outcome, batch=batch)

    async def _replay(self, earlier: Earlier, key: IdempotencyKey | None) -> Delivered:
        """Answer with the operation that has the key. Raises `KeyReused`, `KeyInFlight`."""
        if key is None or earlier.fingerprint != key.fingerprint:
            raise KeyReused("This Idempotency-Key came with another body before; use a fresh key for a fresh request.")
        operation = earlier.operation
        waited = 0.0
        while operation.state in UNDER_WAY:
            if waited >= PATIENCE_SECONDS:
                raise KeyInFlight("The first request with this Idempotency-Key is still under way; try again soon.")
            await asyncio.sleep(POLL_SECONDS)
            waited += POLL_SECONDS
            operation = await self._store.operation(operation.project_id, operation.id)
        batch = stored(operation).plan.batch
        return Delivered(operation=operation, outcome=stored_outcome(operation), batch=batch, replayed=True)

    def _operation(self, accepted: Accepted, current: tuple[Current | None, ...], *, now: datetime) -> Operation:
        made, installation = accepted.plan, accepted.target.installation
        record_id = made.records[0].id if len(made.records) == 1 else None
        return Operation(
            id=self._new_id(),
            project_id=installation.project_id,
            integration_id=installation.integration_id,
            installation_id=installation.id,
            config_id=installation.config.id,
            group_ref=installation.group.group_ref,
            object_name=made.object_name,
            action=made.action,
            mode="synchronous",
            state="sent",
            payload=_ENCODER.encode(Stored(plan=made, current=current)),
            attempts=1,
            owner=self._owner,
            record_key="" if record_id is None else f"{made.object_name}/{record_id}",
            run_at=now,
            deadline_at=now + timedelta(hours=1),
            create_time=now,
            update_time=now,
        )


_ENCODER = msgspec.json.Encoder()
_OUTCOME = msgspec.json.Decoder(Outcome)
_STORED = msgspec.json.Decoder(Stored)


def stored(operation: Operation) -> Stored:
    """Read what an operation was to do."""
    return _STORED.decode(operation.payload)


def stored_outcome(operation: Operation) -> Outcome | None:
    """Read what came of an operation, or ``None`` while nothing has."""
    return _OUTCOME.decode(operation.outcome) if operation.outcome else None


def _attempt_row(operation: Operation, tried: Tried, *, finished_at: datetime) -> Attempt:
    fault = tried.fault
    return Attempt(
        operation_id=operation.id,
        number=operation.attempts,
        started_at=operation.create_time,
        finished_at=finished_at,
        effect=tried.effect,
        status=None if fault is None else fault.status,
        fault_kind=None if fault is None else fault.kind,
        message="" if fault is None else fault.message,
    )


def _moved(operation: Operation, settlement: Settlement) -> Operation:
    return msgspec.structs.replace(
        operation,
        state=settlement.to_state,
        outcome=settlement.outcome,
        summary=settlement.summary,
        fault_kind=settlement.fault_kind,
        successful_record_ids=settlement.successful_record_ids,
        update_time=settlement.now,
    )
