"""What the hot moves do to lanes and turns on SQLite, inside their transaction."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from server.store.hot import Wake, sooner

WAKE = (
    "INSERT INTO lanes AS l (id, project_id, owner, attended_at, wake_at, failures, parked, hold_until) "
    "VALUES (?, ?, '', 0, ?, 0, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET parked = l.parked OR excluded.parked, "
    "wake_at = coalesce(min(l.wake_at, excluded.wake_at), l.wake_at, excluded.wake_at), "
    "hold_until = coalesce(max(l.hold_until, excluded.hold_until), l.hold_until, excluded.hold_until) "
    "WHERE l.wake_at IS NULL AND excluded.wake_at IS NOT NULL OR excluded.wake_at < l.wake_at "
    "OR excluded.parked AND NOT l.parked OR excluded.hold_until IS NOT NULL"
)
ANY = "SELECT 1 FROM turns WHERE operation_id IN (SELECT value FROM json_each(?)) LIMIT 1"
ANY_OF_ONE = "SELECT 1 FROM turns WHERE operation_id = ? LIMIT 1"
GIVE_UP = "DELETE FROM turns WHERE operation_id IN (SELECT value FROM json_each(?)) RETURNING operation_id, name"
NEXT = "SELECT operation_id FROM turns WHERE name = ? ORDER BY sequence LIMIT 1"
FREE = (
    "UPDATE operations SET behind = false WHERE id = ? AND behind AND NOT EXISTS (SELECT 1 FROM turns mine "
    "JOIN turns earlier ON earlier.name = mine.name AND earlier.sequence < mine.sequence WHERE mine.operation_id = ?)"
)
TAKEN = "SELECT DISTINCT name FROM turns WHERE name IN (SELECT value FROM json_each(?))"
LANES = "SELECT id, connection_id, run_at FROM operations WHERE id IN (SELECT value FROM json_each(?))"


def wake_lanes(connection: sqlite3.Connection, wakes: Sequence[Wake]) -> None:
    """Move forward the times at which lanes have work; park those, and put those on hold, that must be."""
    for wake in sooner(wakes) if wakes else ():
        connection.execute(WAKE, (wake.lane_id, wake.project_id, wake.at, wake.parked, wake.hold_until))


def taken_turns(connection: sqlite3.Connection, names: Sequence[str]) -> frozenset[str]:
    """Tell for which of these records anybody waits."""
    return frozenset(name for (name,) in connection.execute(TAKEN, (_list(names),)))


def add_turns(connection: sqlite3.Connection, operation_id: str, names: Sequence[str], *, sequence: int) -> None:
    """Put an operation at the end of the lists of its records."""
    insert = "INSERT INTO turns (id, operation_id, name, sequence) VALUES (?, ?, ?, ?)"
    for number, name in enumerate(names):
        connection.execute(insert, (f"{operation_id}/{number}", operation_id, name, sequence))


def give_up_turns(connection: sqlite3.Connection, operation_ids: Sequence[str]) -> frozenset[str]:
    """Strike operations off the lists, and free those who are first now; answer which ones were on any."""
    if not _have_turns(connection, operation_ids):
        return frozenset()
    given_up = connection.execute(GIVE_UP, (_list(operation_ids),)).fetchall()
    for name in sorted({name for _, name in given_up}):
        if first := connection.execute(NEXT, (name,)).fetchone():
            connection.execute(FREE, (first[0], first[0]))
    return frozenset(operation_id for operation_id, _ in given_up)


def _have_turns(connection: sqlite3.Connection, operation_ids: Sequence[str]) -> bool:
    """Tell whether any of them has turns: most have none, and to ask costs less than to delete."""
    if len(operation_ids) == 1:
        return connection.execute(ANY_OF_ONE, operation_ids).fetchone() is not None
    return bool(operation_ids) and connection.execute(ANY, (_list(operation_ids),)).fetchone() is not None


def _list(values: Sequence[str]) -> str:
    return msgspec.json.encode(values).decode()


def lanes_of(connection: sqlite3.Connection, operation_ids: Sequence[str]) -> list[tuple[str, str, datetime]]:
    """Tell each operation's lane and when it is due."""
    return connection.execute(LANES, (_list(operation_ids),)).fetchall()
