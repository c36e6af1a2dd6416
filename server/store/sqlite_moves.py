"""The hot moves on SQLite, inside one visit to the writer's thread.

A group goes in as a few statements of many rows each, because every statement gives the interpreter's lock away and has
to wait for it again: row by row, a group took three times as long under load. What needs an answer for itself (an
idempotency key, turns, a visit) goes row by row.
"""

import sqlite3
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache

from server.store.commits import LARGEST_GROUP
from server.store.contract import StoreError
from server.store.engine import Session
from server.store.gathering import Open, Placed, place
from server.store.hot import (
    ALWAYS_WRITTEN,
    ATTEMPT_COLUMNS,
    EVENT_COLUMNS,
    INSERTED_COLUMNS,
    LEFT_WHERE_NULL,
    OPERATION_COLUMNS,
    SETTLED_COLUMNS,
    Begin,
    Claim,
    Gather,
    Gathered,
    Held,
    Move,
    Result,
    Row,
    Settle,
    Visited,
    Visiting,
    Wake,
    insert_into,
)
from server.store.sqlite import SqliteDatabase, execute, refuse_nul
from server.store.sqlite_lanes import add_turns, give_up_turns, lanes_of, taken_turns, wake_lanes
from server.store.steps import drive

SMALLEST_TOGETHER = 3
PLACED_COLUMNS = (*INSERTED_COLUMNS, "behind", "sequence")
INSERT_OPERATION = insert_into("operations", PLACED_COLUMNS, marks="?" * len(PLACED_COLUMNS))
INSERT_ATTEMPT = insert_into("attempts", ATTEMPT_COLUMNS, marks="?" * len(ATTEMPT_COLUMNS))
INSERT_EVENT = insert_into("events", EVENT_COLUMNS, marks="?" * len(EVENT_COLUMNS))
LAST_SEQUENCE = "SELECT sequence FROM operations ORDER BY rowid DESC LIMIT 1"
"""Rows are inserted in the order of acceptance, and ``VACUUM`` keeps it: the last one has the greatest place."""
NEXT_EVENT = (
    "INSERT INTO counters (id, value) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET value = value + 1 RETURNING value"
)
CLAIM = (
    "INSERT INTO idempotency_keys (id, project_id, operation_id, fingerprint, expire_time) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET operation_id = excluded.operation_id, fingerprint = excluded.fingerprint, "
    "expire_time = excluded.expire_time WHERE idempotency_keys.expire_time <= ?"
)
HOLDER = (
    f"SELECT k.fingerprint, {', '.join('o.' + column for column in OPERATION_COLUMNS)} FROM idempotency_keys k "  # noqa: S608 -- constants
    "JOIN operations o ON o.id = k.operation_id AND o.project_id = k.project_id WHERE k.id = ?"
)
MARK = (
    "UPDATE operations SET replayed_by = ? WHERE id = ? AND project_id = ? AND state IN ('success', 'failure') "
    "AND replayed_by = ''"
)
OPEN = (
    "SELECT id, gathered FROM operations WHERE gather_key = ? AND gather_key <> '' AND project_id = ? "
    "AND state = 'queued' ORDER BY sequence DESC LIMIT 1"
)
PUT = "INSERT INTO gathered_records (id, project_id, operation_id, place, content) VALUES (?, ?, ?, ?, ?)"
GUARD = ("id", "project_id", "state", "owner", "attempts")


@lru_cache(LARGEST_GROUP * 3)
def _insert_many(statement: str, columns: int, rows: int) -> str:
    """Repeat the marks of an INSERT for so many rows."""
    marks = f"({', '.join('?' * columns)})"
    return statement.replace(f"VALUES {marks}", f"VALUES {', '.join([marks] * rows)}")


def _settle_statement(
    value: Mapping[str, str], guard: Mapping[str, str], *, source: str = "", null: Container[str] = ()
) -> str:
    """Write the guarded UPDATE; what is written and expected stands in ``value`` and ``guard``."""
    changes = [f"{name} = {value[name]}" for name in ALWAYS_WRITTEN]
    changes += [f"{name} = coalesce({value[name]}, operations.{name})" for name in LEFT_WHERE_NULL if name not in null]
    return (
        f"UPDATE operations SET {', '.join(changes)}, gather_key = '', "  # noqa: S608 -- constants
        f"attempts = max(operations.attempts, coalesce({value['attempts']}, 0)), "
        f"first_sent_at = coalesce(operations.first_sent_at, {value['first_sent_at']}), "
        f"fault_kind = CASE WHEN {value['fault_given']} THEN {value['fault_kind']} ELSE operations.fault_kind END "
        f"{source} WHERE operations.id = {guard['id']} AND operations.project_id = {guard['project_id']} "
        f"AND operations.state = {guard['state']} "
        f"AND (operations.owner = {guard['owner']} OR operations.owner = '') "
        f"AND ({guard['attempts']} IS NULL OR operations.attempts = {guard['attempts']})"
    )


@lru_cache(LARGEST_GROUP)
def _settle_many(rows: int) -> str:
    """Write the guarded UPDATE for so many operations at once; it answers the ids that it moved."""
    marks = f"({', '.join('?' * (len(SETTLED_COLUMNS) + len(GUARD)))})"
    value = {name: f"v.column{number}" for number, name in enumerate(SETTLED_COLUMNS, 1)}
    guard = {name: f"v.column{number}" for number, name in enumerate(GUARD, len(SETTLED_COLUMNS) + 1)}
    source = f"FROM (VALUES {', '.join([marks] * rows)}) AS v"
    return f"{_settle_statement(value, guard, source=source)} RETURNING operations.id"


@lru_cache(LARGEST_GROUP)
def _settle_one(null: tuple[str, ...]) -> str:
    """Write the guarded UPDATE for one operation; what is null of it is not even looked at."""
    value = {name: f"?{number}" for number, name in enumerate(SETTLED_COLUMNS, 1)}
    guard = {name: f"?{number}" for number, name in enumerate(GUARD, len(SETTLED_COLUMNS) + 1)}
    return _settle_statement(value, guard, null=null)


class SqliteMoves:
    """Runs groups of moves, each group in one transaction."""

    def __init__(self, database: SqliteDatabase) -> None:
        self._database = database
        self._order = Order()

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        """Run all moves and answer their results in order; if any raises, nothing was done."""
        return await self._database.write(lambda connection: _Group(connection, self._order).run(moves))

    async def announce(self, session: Session, lane_ids: Sequence[str]) -> None:
        """Tell nobody: the one process that could attend knows."""


class Order:
    """The order of acceptance: one process stores operations, and it counts them."""

    def __init__(self) -> None:
        self._last: int | None = None

    def next_place(self, connection: sqlite3.Connection) -> int:
        """Answer a greater number each time; one that was rolled back is not used again."""
        if self._last is None:
            found = connection.execute(LAST_SEQUENCE).fetchone()
            self._last = found[0] if found else 0
        self._last += 1
        return self._last


class _Group:
    """One transaction: what it does to lanes is done once for each of them."""

    def __init__(self, connection: sqlite3.Connection, order: Order) -> None:
        self._connection = connection
        self._order = order
        self._wakes: list[Wake] = []

    def run(self, moves: Sequence[Move]) -> list[Result]:
        """Run what can go together, then the others, row by row."""
        results = self._run_together(self._unhindered(_together(moves)))
        for number, move in enumerate(moves):
            if number not in results:
                results[number] = self._run(move)
        self._flush()
        return [results[number] for number, _ in enumerate(moves)]

    def _run(self, move: Move) -> Result:
        match move:
            case Begin():
                return self._begin(move)
            case Settle():
                return "stored" if self._settle([move]) else "superseded"
            case Gather():
                return self._gather(move)
            case Visiting():
                self._flush()
                return Visited(value=drive(move.visit("sqlite"), fetch=self._fetch))

    def _unhindered(self, moves: dict[int, Begin | Settle]) -> dict[int, Begin | Settle]:
        """Leave out what may have to wait for its turn."""
        names = {
            name for move in moves.values() if isinstance(move, Begin) and move.instead for name in move.instead.turns
        }
        if not names or not (taken := taken_turns(self._connection, sorted(names))):
            return moves
        return {
            number: move
            for number, move in moves.items()
            if not (isinstance(move, Begin) and move.instead and not taken.isdisjoint(move.instead.turns))
        }

    def _run_together(self, moves: dict[int, Begin | Settle]) -> dict[int, Result]:
        begins = [move for move in moves.values() if isinstance(move, Begin)]
        settles = [move for move in moves.values() if isinstance(move, Settle)]
        if begins:
            rows = [(*move.operation, False, self._order.next_place(self._connection)) for move in begins]
            self._insert(INSERT_OPERATION, rows)
            self._wakes += [move.wake for move in begins if move.wake]
        moved = self._settle(settles) if settles else frozenset()
        return {
            number: "stored" if isinstance(move, Begin) or move.operation_id in moved else "superseded"
            for number, move in moves.items()
        }

    def _begin(self, move: Begin) -> Result:
        refuse_nul(move.operation)
        if move.claim and (held := self._claim(move.claim)):
            return held
        if move.replay_of and not self._mark(move):
            return "superseded"
        behind = move.instead is not None and self._is_behind(move.instead.turns)
        self._store(move.instead if move.instead and behind else move)
        return "behind" if behind else "stored"

    def _store(self, move: Begin) -> None:
        behind = self._is_behind(move.turns)
        sequence = self._order.next_place(self._connection)
        inserted = self._connection.execute(INSERT_OPERATION, (*move.operation, behind, sequence)).rowcount == 1
        if inserted and move.turns:
            add_turns(self._connection, move.operation[0], move.turns, sequence=sequence)
        if move.wake:
            self._wakes.append(move.wake)

    def _is_behind(self, turns: Sequence[str]) -> bool:
        sql = "SELECT 1 FROM turns WHERE name = ? LIMIT 1"
        return any(self._connection.execute(sql, (name,)).fetchone() for name in turns)

    def _claim(self, claim: Claim) -> Held | None:
        values = (claim.id, claim.project_id, claim.operation_id, claim.fingerprint, claim.expire_time, claim.now)
        if self._connection.execute(CLAIM, values).rowcount == 1:
            return None
        held = self._connection.execute(HOLDER, (claim.id,)).fetchone()
        if held is None:
            raise StoreError("an idempotency key points at no operation")
        return Held(fingerprint=held[0], operation=held[1:])

    def _mark(self, move: Begin) -> bool:
        own_id, project_id = move.operation[:2]
        return self._connection.execute(MARK, (own_id, move.replay_of, project_id)).rowcount == 1

    def _gather(self, move: Gather) -> Result:
        refuse_nul(move.begin.operation)
        claim = move.begin.claim
        if claim and (held := self._claim(claim)):
            return held
        found = self._connection.execute(OPEN, (move.gather_key, move.project_id)).fetchone()
        open_ones = (
            {(move.project_id, move.gather_key): Open(operation_id=found[0], gathered=found[1])} if found else {}
        )
        (placed,) = place([move], open_ones)
        self._put(placed)
        if claim and not placed.opens:
            point = "UPDATE idempotency_keys SET operation_id = ? WHERE id = ?"
            self._connection.execute(point, (placed.operation_id, claim.id))
        return Gathered(operation_id=placed.operation_id)

    def _put(self, placed: Placed) -> None:
        move, operation_id = placed.move, placed.operation_id
        if placed.opens:
            self._store(move.begin)
        self._connection.execute(
            PUT, (move.begin.operation[0], move.project_id, operation_id, placed.place, move.record)
        )
        count = "UPDATE operations SET gathered = ? WHERE id = ?"
        self._connection.execute(count, (placed.place, operation_id))
        if placed.fills:
            close = "UPDATE operations SET gather_key = '', run_at = ? WHERE id = ?"
            self._connection.execute(close, (move.now, operation_id))
        if placed.wake:
            self._wakes.append(placed.wake)

    def _settle(self, settles: Sequence[Settle]) -> frozenset[str]:
        moved = self._settle_rows(settles)
        done = [move for move in settles if move.operation_id in moved]
        if attempts := [move.attempt for move in done if move.attempt]:
            self._insert(INSERT_ATTEMPT, attempts)
        if events := [(*move.event[:-1], self._next_event(move.project_id)) for move in done if move.event]:
            self._insert(INSERT_EVENT, events)
        self._tell_lanes(done)
        return moved

    def _settle_rows(self, settles: Sequence[Settle]) -> frozenset[str]:
        if len(settles) == 1:
            (move,) = settles
            null = tuple(name for name, each in zip(SETTLED_COLUMNS, move.settled, strict=True) if each is None)
            done = self._connection.execute(_settle_one(null), (*move.settled, *move.guard)).rowcount == 1
            return frozenset((move.operation_id,)) if done else frozenset()
        values = [value for move in settles for value in (*move.settled, *move.guard)]
        rows = self._connection.execute(_settle_many(len(settles)), values).fetchall()
        return frozenset(row[0] for row in rows)

    def _tell_lanes(self, moves: Sequence[Settle]) -> None:
        turned = give_up_turns(self._connection, [move.operation_id for move in moves if move.gives_up])
        telling = {move.operation_id: move for move in moves if move.tells_lane or move.operation_id in turned}
        if telling:
            lanes = lanes_of(self._connection, list(telling))
            self._wakes += [telling[name].wake(lane_id, run_at) for name, lane_id, run_at in lanes]

    def _next_event(self, project_id: str) -> int:
        (row,) = self._connection.execute(NEXT_EVENT, (f"events:{project_id}",)).fetchall()
        return int(row[0])

    def _insert(self, statement: str, rows: Sequence[Row]) -> None:
        values = [value for row in rows for value in row]
        self._connection.execute(_insert_many(statement, len(rows[0]), len(rows)), values)

    def _fetch(self, sql: str, args: Sequence[object]) -> list[dict[str, object]]:
        return execute(self._connection, sql, args)

    def _flush(self) -> None:
        wakes, self._wakes = self._wakes, []
        wake_lanes(self._connection, wakes)


def _together(moves: Sequence[Move]) -> dict[int, Begin | Settle]:
    """Choose what may go in as many rows of one statement. An operation that moves twice in a group needs its order."""
    plain = {
        number: move
        for number, move in enumerate(moves)
        if isinstance(move, Settle) or (isinstance(move, Begin) and not (move.claim or move.turns or move.replay_of))
    }
    touched = {move.operation_id if isinstance(move, Settle) else move.operation[0] for move in plain.values()}
    return plain if len(plain) >= SMALLEST_TOGETHER and len(touched) == len(plain) else {}
