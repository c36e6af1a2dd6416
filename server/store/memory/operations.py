"""Operations in memory."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET

from installations.operation import FINAL, UNOWNED, Attempt, Operation, is_partial
from server.store.contract import (
    Earlier,
    IdempotencyKey,
    Missing,
    OperationFilter,
    Page,
    Replay,
    Settlement,
    Superseded,
    Tries,
)
from server.store.memory.lanes import MemoryLanes
from server.store.memory.shelf import find, of, oldest_first

LEFT_AS_IT_IS = (
    *("outcome", "summary", "fault_kind", "successful_record_ids", "run_at", "looks", "crashes", "doubtful", "repeat"),
    *("batch_key", "replayed_by", "deadline_at", "lone_crashes"),
)
"""Members of a settlement that change nothing while they are not given."""


class MemoryOperations(MemoryLanes):
    """Implements `contract.Operations`."""

    async def begin(
        self, operation: Operation, *, idempotency: IdempotencyKey | None = None, turns: Sequence[str] = ()
    ) -> Earlier | None:
        """Store an operation with its idempotency key, or answer the operation that has the key."""
        self.require_project(operation.project_id)
        if earlier := self._take_key(operation, idempotency, operation.id):
            return earlier
        self._store(operation, turns)
        return None

    async def begin_in_turn(
        self,
        operation: Operation,
        *,
        queued: Operation,
        turns: Sequence[str],
        idempotency: IdempotencyKey | None = None,
    ) -> Earlier | Operation:
        """Store an operation as it is, or as it is to wait for its turn."""
        if self.turns.keys().isdisjoint(turns):
            return await self.begin(operation, idempotency=idempotency) or operation
        return await self.begin(queued, idempotency=idempotency, turns=turns) or queued

    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key."""
        held = self.idempotency.get((project_id, key.route, key.key))
        if held is None or held[0].expire_time <= now:
            return None
        return Earlier(operation=self.operations_by_id[held[1]], fingerprint=held[0].fingerprint)

    async def gather(
        self, operation: Operation, record: bytes, *, most: int, idempotency: IdempotencyKey | None = None
    ) -> Earlier | str:
        """Put a record into the open auto-batch, or open one."""
        self.require_project(operation.project_id)
        found = [
            one
            for one in of(self.operations_by_id, operation.project_id)
            if one.gather_key == operation.gather_key and one.state == "queued"
        ]
        target = found[0] if found else msgspec.structs.replace(operation, gathered=0)
        if earlier := self._take_key(operation, idempotency, target.id):
            return earlier
        if not found:
            self._store(target, ())
            target = self.operations_by_id[target.id]
        self.records_by_operation.setdefault(target.id, []).append(record)
        target = msgspec.structs.replace(target, gathered=target.gathered + 1)
        if target.gathered >= most:
            target = msgspec.structs.replace(target, gather_key="", run_at=operation.create_time)
            self.wake(target.connection_id, target.project_id, target.run_at)
        self.operations_by_id[target.id] = target
        return target.id

    async def gathered(self, project_id: str, operation_id: str) -> list[bytes]:
        """Open the records of an auto-batch."""
        find(self.operations_by_id, project_id, operation_id, noun="operation")
        return list(self.records_by_operation.get(operation_id, []))

    async def settle(self, settlement: Settlement) -> None:
        """Move an operation and store the attempt."""
        self.require_project(settlement.project_id)
        operation = self.operations_by_id.get(settlement.operation_id)
        if (
            operation is None
            or (operation.project_id, operation.state) != (settlement.project_id, settlement.from_state)
            or operation.owner not in ("", settlement.owner)
            or settlement.from_attempts not in (None, operation.attempts)
        ):
            raise Superseded(f"operation {settlement.operation_id!r} is no longer {settlement.from_state}")
        if settlement.attempt:
            tries = self.attempts_by_operation.setdefault(operation.id, [])
            if settlement.attempt.number not in {one.number for one in tries}:
                tries.append(settlement.attempt)
        settled = self.operations_by_id[operation.id] = _settled(operation, settlement)
        self.tell(settled.project_id, settlement.event)
        self._tell_lane(settled, settlement)

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Make several moves."""
        return [await self._was_made(settlement) for settlement in settlements]

    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one."""
        return find(self.operations_by_id, project_id, operation_id, noun="operation")

    async def operations(
        self, project_id: str, which: OperationFilter, *, page_size: int, page_token: str | None = None
    ) -> Page:
        """List, newest first; the token is the last id of the page before."""
        self.require_project(project_id)
        newest = list(reversed(oldest_first(self._found(project_id, which))))
        start = 0
        if page_token is not None:
            ids = [operation.id for operation in reversed(oldest_first(of(self.operations_by_id, project_id)))]
            if page_token not in ids:
                raise Missing("no such page")
            later = set(ids[: ids.index(page_token) + 1])
            start = sum(operation.id in later for operation in newest)
        results = tuple(newest[start : start + page_size])
        more = len(newest) > start + page_size
        tries = tuple(_tries(self.attempts_by_operation.get(one.id, [])) for one in results)
        return Page(results=results, next_page_token=results[-1].id if more and results else None, tries=tries)

    async def earliest(self, project_id: str, which: OperationFilter, *, after: int = 0, limit: int) -> list[Operation]:
        """List in the order of acceptance."""
        self.require_project(project_id)
        found = sorted(self._found(project_id, which), key=lambda one: one.sequence)
        return [one for one in found if one.sequence > after][:limit]

    async def replay(self, project_id: str, replays: Sequence[Replay]) -> list[bool]:
        """Store operations that do failed ones again, each with its mark."""
        self.require_project(project_id)
        return [self._replayed(project_id, replay) for replay in replays]

    async def count_operations(self, project_id: str, which: OperationFilter) -> int:
        """Count them."""
        self.require_project(project_id)
        return len(self._found(project_id, which))

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation, first to last."""
        find(self.operations_by_id, project_id, operation_id, noun="operation")
        return sorted(self.attempts_by_operation.get(operation_id, []), key=lambda attempt: attempt.number)

    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations in flight whose process does not live, by owner, oldest first."""
        flying = [one for one in self.operations_by_id.values() if one.state in {"claimed", "sent"}]
        dead = oldest_first([one for one in flying if one.owner not in living])
        return sorted(dead, key=lambda one: one.owner)[:limit]

    async def expired(self, *, now: datetime, limit: int) -> list[Operation]:
        """List waiting operations whose deadline has come, the longest over first."""
        waiting = [one for one in self.operations_by_id.values() if one.state in {"queued", "parked"}]
        over = [one for one in waiting if one.deadline_at <= now]
        return sorted(over, key=lambda one: (one.deadline_at, one.id))[:limit]

    async def prune(self, *, finished_before: datetime, payloads_before: datetime, limit: int) -> int:
        """Forget final operations, or empty them; one that a key points at is left alone."""
        held = {operation_id for _, operation_id in self.idempotency.values()}
        final = [one for one in self.operations_by_id.values() if one.state in FINAL and one.id not in held]
        old = sorted(final, key=lambda one: (one.update_time, one.id))
        gone = [one for one in old if one.update_time < finished_before][:limit]
        for one in gone:
            del self.operations_by_id[one.id]
            self.attempts_by_operation.pop(one.id, None)
            self.records_by_operation.pop(one.id, None)
        full = [one for one in old if finished_before <= one.update_time < payloads_before and one.payload]
        for one in full[: limit - len(gone)]:
            self.operations_by_id[one.id] = msgspec.structs.replace(one, payload=b"", outcome=b"")
            self.records_by_operation.pop(one.id, None)
        return len(gone) + len(full[: limit - len(gone)])

    def _take_key(self, operation: Operation, key: IdempotencyKey | None, operation_id: str) -> Earlier | None:
        if key is None:
            return None
        place = (operation.project_id, key.route, key.key)
        held = self.idempotency.get(place)
        if held and held[0].expire_time > operation.create_time:
            return Earlier(operation=self.operations_by_id[held[1]], fingerprint=held[0].fingerprint)
        self.idempotency[place] = (key, operation_id)
        return None

    def _store(self, operation: Operation, turns: Sequence[str]) -> None:
        if operation.id in self.operations_by_id:
            return
        self.accepted += 1
        self.operations_by_id[operation.id] = msgspec.structs.replace(operation, sequence=self.accepted)
        for name in dict.fromkeys(turns):
            self.turns.setdefault(name, []).append(operation.id)
        if operation.state == "queued":
            self.wake(operation.connection_id, operation.project_id, operation.run_at)

    def _tell_lane(self, operation: Operation, settlement: Settlement) -> None:
        """Let whoever attends to the lane know what a move means for it."""
        lane = (operation.connection_id, operation.project_id)
        if settlement.hold_until is not None and operation.connection_id:
            self.lane(*lane).hold(settlement.hold_until)
        if (operation.state in FINAL or settlement.gives_way) and self.give_up_turns(operation.id):
            self.wake(*lane, settlement.now)
        elif operation.state == "queued":
            self.wake(*lane, operation.run_at)
        elif operation.state == "unknown" and operation.look_at:
            self.wake(*lane, operation.look_at)
        elif operation.state == "parked":
            self.lane(*lane).parked = True

    def _replayed(self, project_id: str, replay: Replay) -> bool:
        again = replay.operation
        failed = self.operations_by_id.get(again.replay_of)
        if failed is None or (failed.project_id, failed.replayed_by) != (project_id, "") or failed.state not in FINAL:
            return False
        self.operations_by_id[failed.id] = msgspec.structs.replace(failed, replayed_by=again.id)
        self._store(msgspec.structs.replace(again, project_id=project_id), replay.turns)
        return True

    async def _was_made(self, settlement: Settlement) -> bool:
        try:
            await self.settle(settlement)
        except Superseded:
            return False
        return True

    def _found(self, project_id: str, which: OperationFilter) -> list[Operation]:
        return [one for one in of(self.operations_by_id, project_id) if _is_meant(one, which)]


def _settled(operation: Operation, settlement: Settlement) -> Operation:
    given = {name: getattr(settlement, name) for name in LEFT_AS_IT_IS if getattr(settlement, name) is not UNSET}
    first = operation.first_sent_at or (settlement.first_sent_at or None)
    return msgspec.structs.replace(
        operation,
        state=settlement.to_state,
        owner="" if settlement.to_state in UNOWNED else settlement.owner,
        attempts=max(operation.attempts, settlement.attempt.number if settlement.attempt else 0),
        reason=settlement.reason,
        look_at=settlement.look_at,
        first_sent_at=first,
        gather_key="",
        update_time=settlement.now,
        **given,
    )


def _tries(attempts: Sequence[Attempt]) -> Tries:
    return Tries(count=len(attempts), last=max((one.started_at for one in attempts), default=None))


def _is_meant(operation: Operation, which: OperationFilter) -> bool:
    equal = ("integration_id", "installation_id", "object_name", "group_ref", "fault_kind", "reason")
    return (
        all(getattr(which, name) in (None, getattr(operation, name)) for name in equal)
        and (not which.states or operation.state in which.states)
        and (which.created_from is None or operation.create_time >= which.created_from)
        and (which.created_before is None or operation.create_time < which.created_before)
        and which.replayed in (None, bool(operation.replayed_by))
        and (not which.replayable or _is_replayable(operation))
    )


def _is_replayable(operation: Operation) -> bool:
    failed = operation.state == "failure" and (operation.repeat == "safe" or not operation.doubtful)
    return not operation.replayed_by and bool(operation.payload) and (failed or is_partial(operation))
