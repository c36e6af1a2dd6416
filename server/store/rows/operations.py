"""Operations as rows: what is stored and moved through group commit, and what is read of one."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from installations.operation import Attempt, Operation
from server.store.contract import Earlier, IdempotencyKey, Replay, Settlement, Superseded
from server.store.hot import OPERATION_COLUMNS, Gathered, Held, Move, Result
from server.store.keyring import RetiredKey
from server.store.rows.committing import CommittingRows
from server.store.rows.operation_cells import (
    attempt_from,
    build_begin,
    build_gather,
    build_in_turn,
    build_settle,
    claim_id,
    operation_from,
    record_from,
)
from server.store.rows.scope import find, with_fresh_keys
from server.store.tables import Attempts, GatheredRecords, IdempotencyKeys, Operations
from server.store.vault import Box


class OperationRows(CommittingRows):
    """Implements what `contract.Operations` says about one operation at a time."""

    @with_fresh_keys
    async def begin(
        self, operation: Operation, *, idempotency: IdempotencyKey | None = None, turns: Sequence[str] = ()
    ) -> Earlier | None:
        """Store an operation with its idempotency key, or answer the operation that has the key."""
        box = await self.box(operation.project_id)
        result = await self._committed(build_begin(operation, box, key=idempotency, turns=tuple(turns)), box)
        return _earlier(result, box) if isinstance(result, Held) else None

    @with_fresh_keys
    async def begin_in_turn(
        self,
        operation: Operation,
        *,
        queued: Operation,
        turns: Sequence[str],
        idempotency: IdempotencyKey | None = None,
    ) -> Earlier | Operation:
        """Store an operation as it is, or as it is to wait for its turn; or answer who has the key."""
        box = await self.box(operation.project_id)
        begin = build_in_turn(operation, queued, box, key=idempotency, turns=tuple(turns))
        result = await self._committed(begin, box)
        if isinstance(result, Held):
            return _earlier(result, box)
        return queued if result == "behind" else operation

    @with_fresh_keys
    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key."""
        box = await self.box(project_id)
        claim = claim_id(project_id, key)
        async with self.reading():
            held = await IdempotencyKeys.select().where(IdempotencyKeys.id == claim, IdempotencyKeys.expire_time > now)
            if not held:
                return None
            row = await find(Operations, project_id, held[0]["operation_id"], noun="operation")
        return Earlier(operation=operation_from(row, box), fingerprint=held[0]["fingerprint"])

    @with_fresh_keys
    async def gather(
        self, operation: Operation, record: bytes, *, most: int, idempotency: IdempotencyKey | None = None
    ) -> Earlier | str:
        """Put a record into the open auto-batch, or open one."""
        box = await self.box(operation.project_id)
        result = await self._committed(build_gather(operation, record, box, most=most, key=idempotency), box)
        if isinstance(result, Gathered):
            return result.operation_id
        if isinstance(result, Held):
            return _earlier(result, box)
        raise AssertionError(result)

    @with_fresh_keys
    async def gathered(self, project_id: str, operation_id: str) -> list[bytes]:
        """Open the records of an auto-batch."""
        box = await self.box(project_id)
        mine = (GatheredRecords.project_id == project_id) & (GatheredRecords.operation_id == operation_id)
        async with self.reading():
            await find(Operations, project_id, operation_id, noun="operation")
            rows = await GatheredRecords.select().where(mine).order_by(GatheredRecords.place)
        return [record_from(row, box) for row in rows]

    async def settle(self, settlement: Settlement) -> None:
        """Move an operation and store the attempt."""
        if not await self._settle(settlement):
            raise Superseded(
                f"operation {settlement.operation_id!r} is no longer {settlement.from_state} "
                f"in the hands of {settlement.owner!r}"
            )

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Make several moves in shared commits. Who fails for the database's sake fails all, when all have ended."""
        made = await asyncio.gather(*map(self._settle, settlements), return_exceptions=True)
        for one in made:
            if isinstance(one, BaseException):
                raise one
        return [bool(one) for one in made]

    @with_fresh_keys
    async def replay(self, project_id: str, replays: Sequence[Replay]) -> list[bool]:
        """Store operations that do failed ones again, each with its mark."""
        box = await self.box(project_id)
        begins = [
            build_begin(one.operation, box, turns=one.turns, replay_of=one.operation.replay_of) for one in replays
        ]
        results = await asyncio.gather(*(self._committed(begin, box) for begin in begins))
        return [result == "stored" for result in results]

    @with_fresh_keys
    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one."""
        box = await self.box(project_id)
        async with self.reading():
            row = await find(Operations, project_id, operation_id, noun="operation")
        return operation_from(row, box)

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation, first to last."""
        async with self.reading():
            await find(Operations, project_id, operation_id, noun="operation")
            rows = await (
                Attempts.select()
                .where(Attempts.project_id == project_id, Attempts.operation_id == operation_id)
                .order_by(Attempts.number)
            )
        return [attempt_from(row) for row in rows]

    @with_fresh_keys
    async def _settle(self, settlement: Settlement) -> bool:
        box = await self.box(settlement.project_id)
        return await self._committed(build_settle(settlement, box), box) == "stored"

    async def _committed(self, move: Move, box: Box) -> Result:
        result = await self._commits.submit(move)
        if result == "retired":
            raise RetiredKey(box.project_id)
        return result


def _earlier(held: Held, box: Box) -> Earlier:
    row = dict(zip(OPERATION_COLUMNS, held.operation, strict=True))
    return Earlier(operation=operation_from(row, box), fingerprint=held.fingerprint)
