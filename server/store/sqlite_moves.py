"""The hot moves on SQLite: a loop over prepared statements, inside one visit to the writer's thread."""

import sqlite3
from collections.abc import Sequence

from server.store.contract import StoreError
from server.store.hot import (
    ATTEMPT_COLUMNS,
    OPERATION_COLUMNS,
    Begin,
    Claim,
    Held,
    Move,
    Result,
    Settle,
    insert_into,
)
from server.store.sqlite import SqliteDatabase, refuse_nul

INSERT_OPERATION = insert_into("operations", OPERATION_COLUMNS, marks="?" * len(OPERATION_COLUMNS))
INSERT_ATTEMPT = insert_into("attempts", ATTEMPT_COLUMNS, marks="?" * len(ATTEMPT_COLUMNS))
CLAIM = (
    "INSERT INTO idempotency_keys (id, project_id, operation_id, fingerprint, expire_time) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET operation_id = excluded.operation_id, fingerprint = excluded.fingerprint, "
    "expire_time = excluded.expire_time WHERE idempotency_keys.expire_time <= ?"
)
HOLDER = (
    f"SELECT k.fingerprint, {', '.join('o.' + column for column in OPERATION_COLUMNS)} FROM idempotency_keys k "  # noqa: S608 -- constants
    "JOIN operations o ON o.id = k.operation_id AND o.project_id = k.project_id WHERE k.id = ?"
)
SETTLE = (
    "UPDATE operations SET state = ?, owner = ?, outcome = ?, summary = ?, fault_kind = ?, successful_record_ids = ?, "
    "attempts = coalesce(?, attempts), run_at = coalesce(?, run_at), update_time = ? "
    "WHERE id = ? AND project_id = ? AND state = ? AND (owner = ? OR owner = '')"
)


class SqliteMoves:
    """Runs groups of moves, each group in one transaction."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        """Run all moves in order and answer their results; if any raises, nothing was done."""
        return await self._database.write(lambda connection: [_run(connection, move) for move in moves])


def _run(connection: sqlite3.Connection, move: Move) -> Result:
    return _begin(connection, move) if isinstance(move, Begin) else _settle(connection, move)


def _begin(connection: sqlite3.Connection, move: Begin) -> Result:
    refuse_nul(move.operation)
    if move.claim and not _claim(connection, move.claim):
        held = connection.execute(HOLDER, (move.claim.id,)).fetchone()
        if held is None:
            raise StoreError("an idempotency key points at no operation")
        return Held(fingerprint=held[0], operation=held[1:])
    connection.execute(INSERT_OPERATION, move.operation)
    return "stored"


def _claim(connection: sqlite3.Connection, claim: Claim) -> bool:
    values = (claim.id, claim.project_id, claim.operation_id, claim.fingerprint, claim.expire_time, claim.now)
    return connection.execute(CLAIM, values).rowcount == 1


def _settle(connection: sqlite3.Connection, move: Settle) -> Result:
    guard = (move.operation_id, move.project_id, move.from_state, move.owner)
    if connection.execute(SETTLE, move.settled + guard).rowcount != 1:
        return "superseded"
    if move.attempt:
        connection.execute(INSERT_ATTEMPT, move.attempt)
    return "stored"
