"""Operations and attempts as rows. The two hot moves go through group commit, everything else through Piccolo."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET

from installations.operation import Attempt, Operation, State
from server.store.commits import Commits
from server.store.contract import Earlier, IdempotencyKey, Missing, Page, Settlement, Superseded
from server.store.engine import Database, Row
from server.store.hot import OPERATION_COLUMNS, Begin, Claim, Held, Settle
from server.store.keyring import Keyring, RetiredKey
from server.store.rows.scope import Rows, find, with_fresh_keys
from server.store.tables import Attempts, IdempotencyKeys, Operations
from server.store.vault import Box

TABLE = "operations"
UNOWNED: frozenset[State] = frozenset({"queued", "parked", "unknown"})
"""States in which nobody holds the operation."""

_ids = msgspec.json.Decoder(tuple[str, ...])
_encode = msgspec.json.Encoder().encode


class OperationRows(Rows):
    """Implements `contract.Operations`."""

    def __init__(self, database: Database, keyring: Keyring, commits: Commits) -> None:
        super().__init__(database, keyring)
        self._commits = commits

    @with_fresh_keys
    async def begin(self, operation: Operation, *, idempotency: IdempotencyKey | None = None) -> Earlier | None:
        """Store an operation with its idempotency key, or answer the operation that has the key."""
        box = await self.box(operation.project_id)
        claim = _claim(operation, idempotency) if idempotency else None
        row = _operation_row(operation, box)
        result = await self._commits.submit(Begin(operation=row, claim=claim, sealed_by=box.sealing))
        if result == "retired":
            raise RetiredKey(operation.project_id)
        if not isinstance(result, Held):
            return None
        held = dict(zip(OPERATION_COLUMNS, result.operation, strict=True))
        return Earlier(operation=_operation(held, box), fingerprint=result.fingerprint)

    @with_fresh_keys
    async def earlier(self, project_id: str, key: IdempotencyKey, *, now: datetime) -> Earlier | None:
        """Look who has a key."""
        box = await self.box(project_id)
        claim = _claim_id(project_id, key)
        async with self.reading():
            held = await IdempotencyKeys.select().where(IdempotencyKeys.id == claim, IdempotencyKeys.expire_time > now)
            if not held:
                return None
            row = await find(Operations, project_id, held[0]["operation_id"], noun="operation")
        return Earlier(operation=_operation(row, box), fingerprint=held[0]["fingerprint"])

    @with_fresh_keys
    async def settle(self, settlement: Settlement) -> None:
        """Move an operation and store the attempt."""
        box = await self.box(settlement.project_id)
        result = await self._commits.submit(_settle(settlement, box))
        if result == "retired":
            raise RetiredKey(settlement.project_id)
        if result == "superseded":
            raise Superseded(
                f"operation {settlement.operation_id!r} is no longer {settlement.from_state} "
                f"in the hands of {settlement.owner!r}"
            )

    @with_fresh_keys
    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one."""
        box = await self.box(project_id)
        async with self.reading():
            row = await find(Operations, project_id, operation_id, noun="operation")
        return _operation(row, box)

    @with_fresh_keys
    async def operations(
        self, project_id: str, installation_id: str, *, page_size: int, page_token: str | None = None
    ) -> Page:
        """List one installation's, newest first; the token is the last id of the page before."""
        box = await self.box(project_id)
        mine = (Operations.project_id == project_id) & (Operations.installation_id == installation_id)
        async with self.reading():
            query = Operations.select().where(mine)
            if page_token is not None:
                query = query.where(_older(await _last(mine, page_token)))
            rows = await query.order_by(Operations.create_time, Operations.id, ascending=False).limit(page_size + 1)
        results = tuple(_operation(row, box) for row in rows[:page_size])
        return Page(results=results, next_page_token=results[-1].id if len(rows) > page_size and results else None)

    async def attempts(self, project_id: str, operation_id: str) -> list[Attempt]:
        """List the tries of one operation, first to last."""
        async with self.reading():
            await find(Operations, project_id, operation_id, noun="operation")
            rows = await (
                Attempts.select()
                .where(Attempts.project_id == project_id, Attempts.operation_id == operation_id)
                .order_by(Attempts.number)
            )
        return [_attempt(row) for row in rows]

    @with_fresh_keys
    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations in flight whose process does not live, oldest first."""
        query = Operations.select().where(Operations.state.is_in(["claimed", "sent"]))
        if living:
            query = query.where(Operations.owner.not_in(list(living)))
        async with self.reading():
            rows = await query.order_by(Operations.create_time, Operations.id).limit(limit)
        return [_operation(row, await self.box(row["project_id"])) for row in rows]


async def _last(mine: Any, page_token: str) -> Row:
    rows = await Operations.select(Operations.create_time, Operations.id).where(mine, Operations.id == page_token)
    if not rows:
        raise Missing("no such page")
    return rows[0]


def _older(last: Row) -> Any:
    return (Operations.create_time < last["create_time"]) | (
        (Operations.create_time == last["create_time"]) & (Operations.id < last["id"])
    )


def _claim(operation: Operation, key: IdempotencyKey) -> Claim:
    return Claim(
        id=_claim_id(operation.project_id, key),
        project_id=operation.project_id,
        operation_id=operation.id,
        fingerprint=key.fingerprint,
        expire_time=key.expire_time,
        now=operation.create_time,
    )


def _claim_id(project_id: str, key: IdempotencyKey) -> str:
    return hashlib.sha256(f"{project_id}\0{key.route}\0{key.key}".encode()).hexdigest()


def _operation_row(operation: Operation, box: Box) -> tuple[Any, ...]:
    values = msgspec.structs.asdict(operation)
    values["payload"] = box.seal(operation.payload, table=TABLE, column="payload", row_id=operation.id)
    values["outcome"] = box.seal(operation.outcome, table=TABLE, column="outcome", row_id=operation.id)
    values["successful_record_ids"] = _encode(operation.successful_record_ids).decode()
    return tuple([values[column] for column in OPERATION_COLUMNS])


def _settle(settlement: Settlement, box: Box) -> Settle:
    attempt = settlement.attempt
    return Settle(
        operation_id=settlement.operation_id,
        project_id=settlement.project_id,
        from_state=settlement.from_state,
        owner=settlement.owner,
        sealed_by=box.sealing,
        settled=(
            settlement.to_state,
            "" if settlement.to_state in UNOWNED else settlement.owner,
            box.seal(settlement.outcome, table=TABLE, column="outcome", row_id=settlement.operation_id),
            _storable(settlement.summary),
            settlement.fault_kind,
            _encode(settlement.successful_record_ids).decode(),
            attempt.number if attempt else None,
            None if settlement.run_at is UNSET else settlement.run_at,
            settlement.now,
        ),
        attempt=_attempt_row(attempt, settlement.project_id) if attempt else None,
    )


def _attempt_row(attempt: Attempt, project_id: str) -> tuple[Any, ...]:
    return (
        f"{attempt.operation_id}/{attempt.number}",
        project_id,
        attempt.operation_id,
        attempt.number,
        attempt.started_at,
        attempt.finished_at,
        attempt.effect,
        attempt.status,
        attempt.fault_kind,
        _storable(attempt.message),
    )


def _storable(text: str) -> str:
    """Replace what no database keeps: the words are the provider's, and what it did must be written down."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()


def _operation(row: Row, box: Box) -> Operation:
    opened = {
        "payload": box.open(row["payload"], table=TABLE, column="payload", row_id=row["id"]),
        "outcome": box.open(row["outcome"], table=TABLE, column="outcome", row_id=row["id"]),
        "successful_record_ids": _ids.decode(row["successful_record_ids"]),
    }
    return Operation(**(row | opened))


def _attempt(row: Row) -> Attempt:
    return Attempt(**{name: row[name] for name in Attempt.__struct_fields__})
