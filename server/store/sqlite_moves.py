"""The hot moves on SQLite, inside one visit to the writer's thread.

A group goes in as three statements of many rows each, because every statement gives the interpreter's lock away and has
to wait for it again: row by row, a group took three times as long under load. What needs an answer for itself (an
idempotency key) goes row by row.
"""

import sqlite3
from collections.abc import Sequence
from functools import lru_cache

from server.store.commits import LARGEST_GROUP
from server.store.contract import StoreError
from server.store.hot import (
    ATTEMPT_COLUMNS,
    OPERATION_COLUMNS,
    SETTLED_COLUMNS,
    Begin,
    Claim,
    Held,
    Move,
    Result,
    Row,
    Settle,
    insert_into,
)
from server.store.sqlite import SqliteDatabase, refuse_nul

SMALLEST_TOGETHER = 3
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


GUARD = ("id", "project_id", "state", "owner")


@lru_cache(LARGEST_GROUP * 2)
def _insert_many(statement: str, columns: int, rows: int) -> str:
    """Repeat the marks of an INSERT for so many rows."""
    marks = f"({', '.join('?' * columns)})"
    return statement.replace(f"VALUES {marks}", f"VALUES {', '.join([marks] * rows)}")


@lru_cache(LARGEST_GROUP)
def _settle_many(rows: int) -> str:
    """Write the guarded UPDATE for so many operations at once; it answers the ids that it moved."""
    marks = f"({', '.join('?' * (len(SETTLED_COLUMNS) + len(GUARD)))})"
    value = {name: f"v.column{number}" for number, name in enumerate(SETTLED_COLUMNS, 1)}
    value |= {name: f"coalesce({value[name]}, operations.{name})" for name in ("attempts", "run_at")}
    guard = {name: f"v.column{number}" for number, name in enumerate(GUARD, len(SETTLED_COLUMNS) + 1)}
    return (
        f"UPDATE operations SET {', '.join(f'{name} = {value[name]}' for name in SETTLED_COLUMNS)} "  # noqa: S608 -- constants
        f"FROM (VALUES {', '.join([marks] * rows)}) AS v "
        f"WHERE operations.id = {guard['id']} AND operations.project_id = {guard['project_id']} "
        f"AND operations.state = {guard['state']} AND (operations.owner = {guard['owner']} OR operations.owner = '') "
        "RETURNING operations.id"
    )


class SqliteMoves:
    """Runs groups of moves, each group in one transaction."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        """Run all moves in order and answer their results; if any raises, nothing was done."""
        return await self._database.write(lambda connection: _run_all(connection, moves))


def _run_all(connection: sqlite3.Connection, moves: Sequence[Move]) -> list[Result]:
    begins = [move for move in moves if isinstance(move, Begin)]
    settles = [move for move in moves if isinstance(move, Settle)]
    touched = {move.operation_id for move in settles} | {move.operation[0] for move in begins}
    # An operation that moves twice in a group, and a key that may be taken, need their order.
    if len(moves) < SMALLEST_TOGETHER or len(touched) < len(moves) or any(move.claim for move in begins):
        return [_run(connection, move) for move in moves]
    if begins:
        _insert_rows(connection, INSERT_OPERATION, [move.operation for move in begins])
    moved = _settle_rows(connection, settles) if settles else frozenset()
    attempts = [move.attempt for move in settles if move.attempt and move.operation_id in moved]
    if attempts:
        _insert_rows(connection, INSERT_ATTEMPT, attempts)
    return ["stored" if isinstance(move, Begin) or move.operation_id in moved else "superseded" for move in moves]


def _insert_rows(connection: sqlite3.Connection, statement: str, rows: Sequence[Row]) -> None:
    values = [value for row in rows for value in row]
    connection.execute(_insert_many(statement, len(rows[0]), len(rows)), values)


def _settle_rows(connection: sqlite3.Connection, settles: Sequence[Settle]) -> frozenset[str]:
    values = [
        value
        for move in settles
        for value in (*move.settled, move.operation_id, move.project_id, move.from_state, move.owner)
    ]
    return frozenset(row[0] for row in connection.execute(_settle_many(len(settles)), values).fetchall())


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
