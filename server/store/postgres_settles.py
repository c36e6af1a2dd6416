"""How operations are moved on PostgreSQL, inside the group's transaction: attempts, events and turns go with them."""

from collections import Counter
from collections.abc import Container, Sequence

from server.store.hot import (
    ALWAYS_WRITTEN,
    ATTEMPT_COLUMNS,
    EVENT_COLUMNS,
    LEFT_WHERE_NULL,
    SETTLED_COLUMNS,
    Result,
    Row,
    Settle,
    arrays,
    insert_arrays,
)
from server.store.postgres import PostgresSession

GUARD_COLUMNS = ("id", "project_id", "was_state", "was_owner", "was_attempts")
TYPES = {
    **dict.fromkeys(("look_at", "update_time", "run_at", "first_sent_at", "deadline_at"), "timestamptz"),
    **dict.fromkeys(("looks", "crashes", "lone_crashes", "attempts", "was_attempts"), "int"),
    **dict.fromkeys(("doubtful", "fault_given"), "bool"),
    "outcome": "bytea",
}
"""All others are text."""


def _settle_statement(source: str, marks: str) -> str:
    columns = (*SETTLED_COLUMNS, *GUARD_COLUMNS)
    given = [marks.format(number, TYPES.get(name, "text")) for number, name in enumerate(columns, start=1)]
    changes = [f"{name} = n.{name}" for name in ALWAYS_WRITTEN]
    changes += [f"{name} = coalesce(n.{name}, o.{name})" for name in LEFT_WHERE_NULL]
    return (
        f"UPDATE operations o SET {', '.join(changes)}, gather_key = '', "  # noqa: S608 -- constants
        "attempts = greatest(o.attempts, n.attempts), first_sent_at = coalesce(o.first_sent_at, n.first_sent_at), "
        "fault_kind = CASE WHEN n.fault_given THEN n.fault_kind ELSE o.fault_kind END "
        f"FROM {source.format(', '.join(given))} AS n({', '.join(columns)}) "
        "WHERE o.id = n.id AND o.project_id = n.project_id AND o.state = n.was_state "
        "AND (o.owner = n.was_owner OR o.owner = '') "
        "AND (n.was_attempts IS NULL OR o.attempts = n.was_attempts) RETURNING o.id"
    )


INSERT_ATTEMPTS = insert_arrays(
    "attempts",
    ATTEMPT_COLUMNS,
    types={"number": "int", "started_at": "timestamptz", "finished_at": "timestamptz", "status": "int"},
    nullable={"status", "fault_kind"},
)
INSERT_EVENTS = insert_arrays(
    "events",
    EVENT_COLUMNS,
    types={"data": "bytea", "create_time": "timestamptz", "sequence": "bigint"},
    nullable=(),
)
LOCK = "SELECT id FROM operations WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
SETTLE = _settle_statement("unnest({})", "${}::{}[]")
SETTLE_ONE = _settle_statement("(VALUES ({}))", "${}::{}")
SETTLED = (
    "SELECT 1 FROM operations WHERE id = $1 AND project_id = $2 AND state = $3 AND owner = $4 AND update_time = $5"
)
PLACES = (
    "INSERT INTO counters (id, value) SELECT id, value FROM unnest($1::text[], $2::bigint[]) AS n(id, value) "
    "ORDER BY id ON CONFLICT (id) DO UPDATE SET value = counters.value + excluded.value RETURNING id, value"
)
"""As many places as there are events, for all projects in one order."""
GIVE_UP = "DELETE FROM turns WHERE operation_id = ANY($1::text[]) RETURNING name"
FREE = (
    "UPDATE operations o SET behind = false FROM (SELECT DISTINCT first.operation_id "
    "FROM unnest($1::text[]) AS n(name) CROSS JOIN LATERAL "
    "(SELECT t.operation_id FROM turns t WHERE t.name = n.name ORDER BY t.sequence LIMIT 1) first) AS firsts "
    "WHERE o.id = firsts.operation_id AND o.behind AND NOT EXISTS (SELECT 1 FROM turns mine JOIN turns earlier "
    "ON earlier.name = mine.name AND earlier.sequence < mine.sequence WHERE mine.operation_id = o.id)"
)
"""Their lane is held, so nobody queues up or gives up there meanwhile."""


async def settle(
    session: PostgresSession, settles: dict[int, Settle], *, turning: Container[str], again: bool
) -> dict[int, Result]:
    """Move operations, each once, whose rows and lanes are held. ``again``: it may have been done already.

    ``turning`` are those that have turns.
    """
    moved = await _moved(session, [(*move.settled, *move.guard) for move in settles.values()])
    fresh = [move for move in settles.values() if move.operation_id in moved]
    if again:
        moved |= {move.operation_id for move in settles.values() if await _is_done(session, move)}
    attempts = [move.attempt for move in fresh if move.attempt]
    if attempts:
        await session.connection.execute(INSERT_ATTEMPTS, *arrays(attempts))
    await _give_up_turns(
        session, [move.operation_id for move in fresh if move.gives_up and move.operation_id in turning]
    )
    await _tell(session, [move for move in fresh if move.event])
    return {number: "stored" if move.operation_id in moved else "superseded" for number, move in settles.items()}


async def _moved(session: PostgresSession, rows: Sequence[Row]) -> set[str]:
    if len(rows) == 1:
        return {row["id"] for row in await session.connection.fetch(SETTLE_ONE, *rows[0])}
    # An array that ends early goes on with NULL, which is what leaves a column as it is.
    columns = [[] if all(value is None for value in column) else list(column) for column in zip(*rows, strict=True)]
    return {row["id"] for row in await session.connection.fetch(SETTLE, *columns)}


async def _is_done(session: PostgresSession, move: Settle) -> bool:
    owner = move.settled[SETTLED_COLUMNS.index("owner")]
    args = (move.operation_id, move.project_id, move.to_state, owner, move.now)
    return bool(await session.connection.fetch(SETTLED, *args))


async def _give_up_turns(session: PostgresSession, operation_ids: list[str]) -> None:
    if not operation_ids:
        return
    names = {row["name"] for row in await session.connection.fetch(GIVE_UP, operation_ids)}
    if names:
        await session.connection.execute(FREE, sorted(names))


async def _tell(session: PostgresSession, moves: Sequence[Settle]) -> None:
    """Store events, each in its place among its project's; last, for others wait for their places."""
    counts = Counter(move.project_id for move in moves)
    if not counts:
        return
    names = [f"events:{project_id}" for project_id in counts]
    rows = await session.connection.fetch(PLACES, names, [*counts.values()])
    last = {row["id"].removeprefix("events:"): row["value"] for row in rows}
    events = []
    for move in moves:
        if move.event:
            counts[move.project_id] -= 1
            events.append((*move.event[:-1], last[move.project_id] - counts[move.project_id]))
    await session.connection.execute(INSERT_EVENTS, *arrays(events))
