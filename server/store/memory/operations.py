"""Operations in memory."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET

from installations.operation import Attempt, Operation, State
from server.store.contract import Earlier, IdempotencyKey, Missing, Page, Settlement, Superseded
from server.store.memory.shelf import Shelf, find, of, oldest_first

UNOWNED: frozenset[State] = frozenset({"queued", "parked", "unknown"})


class MemoryOperations(Shelf):
    """Implements `contract.Operations`."""

    async def begin(self, operation: Operation, *, idempotency: IdempotencyKey | None = None) -> Earlier | None:
        """Store an operation with its idempotency key, or answer the operation that has the key."""
        self.require_project(operation.project_id)
        if idempotency:
            place = (operation.project_id, idempotency.route, idempotency.key)
            held = self.idempotency.get(place)
            if held and held[0].expire_time > operation.create_time:
                return Earlier(operation=self.operations_by_id[held[1]], fingerprint=held[0].fingerprint)
            self.idempotency[place] = (idempotency, operation.id)
        self.operations_by_id.setdefault(operation.id, operation)
        return None

    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key."""
        held = self.idempotency.get((project_id, key.route, key.key))
        if held is None or held[0].expire_time <= now:
            return None
        return Earlier(operation=self.operations_by_id[held[1]], fingerprint=held[0].fingerprint)

    async def settle(self, settlement: Settlement) -> None:
        """Move an operation and store the attempt."""
        self.require_project(settlement.project_id)
        operation = self.operations_by_id.get(settlement.operation_id)
        if (
            operation is None
            or (operation.project_id, operation.state) != (settlement.project_id, settlement.from_state)
            or operation.owner not in ("", settlement.owner)
        ):
            raise Superseded(f"operation {settlement.operation_id!r} is no longer {settlement.from_state}")
        if settlement.attempt:
            self.attempts_by_operation.setdefault(operation.id, []).append(settlement.attempt)
        self.operations_by_id[operation.id] = _settled(operation, settlement)

    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one."""
        return find(self.operations_by_id, project_id, operation_id, noun="operation")

    async def operations(
        self, project_id: str, installation_id: str, *, page_size: int, page_token: str | None = None
    ) -> Page:
        """List one installation's, newest first; the token is the last id of the page before."""
        self.require_project(project_id)
        mine = [one for one in of(self.operations_by_id, project_id) if one.installation_id == installation_id]
        newest = list(reversed(oldest_first(mine)))
        start = 0
        if page_token is not None:
            ids = [operation.id for operation in newest]
            if page_token not in ids:
                raise Missing("no such page")
            start = ids.index(page_token) + 1
        results = tuple(newest[start : start + page_size])
        more = len(newest) > start + page_size
        return Page(results=results, next_page_token=results[-1].id if more and results else None)

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation, first to last."""
        find(self.operations_by_id, project_id, operation_id, noun="operation")
        return sorted(self.attempts_by_operation.get(operation_id, []), key=lambda attempt: attempt.number)

    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations in flight whose process does not live, oldest first."""
        flying = [one for one in self.operations_by_id.values() if one.state in {"claimed", "sent"}]
        return oldest_first([one for one in flying if one.owner not in living])[:limit]


def _settled(operation: Operation, settlement: Settlement) -> Operation:
    return msgspec.structs.replace(
        operation,
        state=settlement.to_state,
        owner="" if settlement.to_state in UNOWNED else settlement.owner,
        outcome=settlement.outcome,
        summary=settlement.summary,
        fault_kind=settlement.fault_kind,
        successful_record_ids=settlement.successful_record_ids,
        attempts=settlement.attempt.number if settlement.attempt else operation.attempts,
        run_at=operation.run_at if settlement.run_at is UNSET else settlement.run_at,
        update_time=settlement.now,
    )
