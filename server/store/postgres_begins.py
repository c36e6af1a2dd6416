"""How operations, their keys, turns and gathered records come in on PostgreSQL, inside the group's transaction."""

from collections.abc import Container, Mapping, Sequence

from server.store.contract import StoreError
from server.store.gathering import Open, Placed, place
from server.store.hot import (
    INSERTED_COLUMNS,
    OPERATION_COLUMNS,
    Begin,
    Claim,
    Gather,
    Held,
    Move,
    Result,
    arrays,
    insert_arrays,
    insert_into,
)
from server.store.postgres import PostgresSession

PLACED_COLUMNS = (*INSERTED_COLUMNS, "behind")
TYPES = {
    **dict.fromkeys(("payload", "outcome"), "bytea"),
    **dict.fromkeys(("attempts", "crashes", "lone_crashes", "gathered", "looks"), "int"),
    **dict.fromkeys(("doubtful", "behind"), "bool"),
    **dict.fromkeys(("run_at", "deadline_at", "create_time", "update_time", "first_sent_at", "look_at"), "timestamptz"),
}
"""All others are text."""
INSERT_OPERATION = insert_into(
    "operations", PLACED_COLUMNS, marks=[f"${number}" for number, _ in enumerate(PLACED_COLUMNS, start=1)]
)
INSERT_OPERATIONS = insert_arrays("operations", PLACED_COLUMNS, types=TYPES, nullable={"fault_kind"})
"""Their places in the order of acceptance are a default of the database, given while their lanes are held."""
CLAIM = (
    "INSERT INTO idempotency_keys AS k (id, project_id, operation_id, fingerprint, expire_time) "
    "SELECT id, project_id, operation_id, fingerprint, expire_time FROM unnest($1::text[], $2::text[], $3::text[], "
    "$4::bytea[], $5::timestamptz[]) AS n(id, project_id, operation_id, fingerprint, expire_time) "
    "ON CONFLICT (id) DO UPDATE SET operation_id = excluded.operation_id, fingerprint = excluded.fingerprint, "
    "expire_time = excluded.expire_time WHERE k.expire_time <= $6 OR k.operation_id = excluded.operation_id "
    "RETURNING k.id"
)
"""A key that our own operation holds counts as won: then the first answer to this very commit was lost."""
HOLDERS = (
    f"SELECT k.id, k.fingerprint, {', '.join('o.' + column for column in OPERATION_COLUMNS)} "  # noqa: S608 -- constants
    "FROM idempotency_keys k JOIN operations o ON o.id = k.operation_id AND o.project_id = k.project_id "
    "WHERE k.id = ANY($1::text[])"
)
MARK = (
    "UPDATE operations o SET replayed_by = n.own_id FROM unnest($1::text[], $2::text[], $3::text[]) "
    "AS n(id, project_id, own_id) WHERE o.id = n.id AND o.project_id = n.project_id "
    "AND o.state IN ('success', 'failure') AND o.replayed_by IN ('', n.own_id) RETURNING o.replayed_by"
)
TAKEN = "SELECT DISTINCT name FROM turns WHERE name = ANY($1::text[])"
QUEUE_UP = (
    "INSERT INTO turns (id, operation_id, name, sequence) SELECT n.id, o.id, n.name, o.sequence "
    "FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS n(id, operation_id, project_id, name) "
    "JOIN operations o ON o.id = n.operation_id AND o.project_id = n.project_id "
    "WHERE o.state IN ('queued', 'claimed', 'sent', 'parked') ON CONFLICT (id) DO NOTHING"
)
"""One that was stored before, by a commit whose answer was lost, may have given its turns up for good since."""
STORED = (
    "SELECT o.id, o.state <> 'sent' OR EXISTS (SELECT 1 FROM turns t WHERE t.operation_id = o.id) AS waits "
    "FROM operations o WHERE o.id = ANY($1::text[])"
)
OPEN = (
    "SELECT id, project_id, gather_key, gathered FROM operations WHERE gather_key = ANY($1::text[]) "
    "AND gather_key <> '' AND state = 'queued' ORDER BY sequence FOR UPDATE SKIP LOCKED"
)
"""One that is being cancelled at this moment takes no more."""
PUT = (
    "INSERT INTO gathered_records (id, project_id, operation_id, place, content) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (id) DO NOTHING"
)
COUNT = (
    "UPDATE operations o SET gathered = n.gathered, run_at = coalesce(n.run_at, o.run_at), "
    "gather_key = CASE WHEN n.run_at IS NULL THEN o.gather_key ELSE '' END "
    "FROM unnest($1::text[], $2::int[], $3::timestamptz[]) AS n(id, gathered, run_at) WHERE o.id = n.id"
)


async def take_keys(
    session: PostgresSession, begins: Mapping[int, Begin], gathers: Mapping[int, Gather]
) -> dict[int, str]:
    """Store the keys that are free; tell who has lost theirs. Who has them is known once everybody else is stored."""
    claims = {number: move.claim for number, move in begins.items() if move.claim}
    claims |= {number: move.begin.claim for number, move in gathers.items() if move.begin.claim}
    won = await _claim(session, claims) if claims else set()
    return {number: claim.id for number, claim in claims.items() if number not in won}


async def _claim(session: PostgresSession, claims: Mapping[int, Claim]) -> set[int]:
    """Store the keys that are free; of equal ones in the group, the first is asked for. Answers who won."""
    first: dict[str, int] = {}
    for number, claim in claims.items():
        first.setdefault(claim.id, number)
    asked = [claims[first[key]] for key in sorted(first)]
    columns = (
        [claim.id for claim in asked],
        [claim.project_id for claim in asked],
        [claim.operation_id for claim in asked],
        [claim.fingerprint for claim in asked],
        [claim.expire_time for claim in asked],
    )
    rows = await session.connection.fetch(CLAIM, *columns, min(claim.now for claim in asked))
    return {first[row["id"]] for row in rows}


async def holders(session: PostgresSession, keys: Mapping[int, str]) -> dict[int, Result]:
    """Answer for keys that were lost which operations have them."""
    if not keys:
        return {}
    rows = await session.connection.fetch(HOLDERS, sorted(set(keys.values())))
    held = {row[0]: Held(fingerprint=row[1], operation=tuple(row)[2:]) for row in rows}
    if missing := set(keys.values()) - held.keys():
        raise StoreError(f"{len(missing)} idempotency keys point at no operation")
    return {number: held[key] for number, key in keys.items()}


async def waiting(
    session: PostgresSession, moves: Mapping[int, Move], taken: Container[str], *, again: bool
) -> dict[int, Begin]:
    """Tell what is stored in place of operations for whose turns somebody waits, by whose names are ``taken``.

    ``again``: what the commit whose answer was lost has stored is what counts. One that was sent at once has no turns.
    """
    asking = {
        number: (move, move.instead) for number, move in moves.items() if isinstance(move, Begin) and move.instead
    }
    known = {}
    if again and asking:
        rows = await session.connection.fetch(STORED, [move.operation[0] for move, _ in asking.values()])
        known = {row["id"]: row["waits"] for row in rows}
    return {
        number: instead
        for number, (move, instead) in asking.items()
        if known.get(move.operation[0], any(name in taken for name in instead.turns))
    }


async def begin(
    session: PostgresSession, begins: Mapping[int, Begin], *, behind: Container[int] = ()
) -> dict[int, Result]:
    """Store operations whose keys are won and whose lanes are held, each behind whoever has its turn.

    ``behind`` are those that stand in place of others.
    """
    marked = await _mark(session, [move for move in begins.values() if move.replay_of])
    stored = {number: move for number, move in begins.items() if not move.replay_of or move.operation[0] in marked}
    await _insert(session, [*stored.values()])
    result: dict[int, Result] = {}
    for number in begins:
        result[number] = "superseded" if number not in stored else "behind" if number in behind else "stored"
    return result


async def gather(session: PostgresSession, gathers: Mapping[int, Gather]) -> dict[int, Placed]:
    """Put records into auto-batches whose lanes are held."""
    rows = await session.connection.fetch(OPEN, sorted({move.gather_key for move in gathers.values()}))
    known = {
        (row["project_id"], row["gather_key"]): Open(operation_id=row["id"], gathered=row["gathered"]) for row in rows
    }
    placed = dict(zip(gathers, place([*gathers.values()], known), strict=True))
    await _insert(session, [one.move.begin for one in placed.values() if one.opens])
    records = [
        (one.move.begin.operation[0], one.move.project_id, one.operation_id, one.place, one.move.record)
        for one in placed.values()
    ]
    await session.connection.executemany(PUT, records)
    counts = {one.operation_id: (one.place, one.move.now if one.fills else None) for one in placed.values()}
    columns = ([*counts], [count for count, _ in counts.values()], [due for _, due in counts.values()])
    await session.connection.execute(COUNT, *columns)
    await _point_keys(session, [one for one in placed.values() if not one.opens])
    return placed


async def _point_keys(session: PostgresSession, placed: Sequence[Placed]) -> None:
    claims = [(one.operation_id, one.move.begin.claim.id) for one in placed if one.move.begin.claim]
    if claims:
        await session.connection.executemany("UPDATE idempotency_keys SET operation_id = $1 WHERE id = $2", claims)


async def _mark(session: PostgresSession, begins: Sequence[Begin]) -> set[str]:
    """Mark failed operations as done again; of two that do one again, the first does."""
    first: dict[str, Begin] = {}
    for move in begins:
        first.setdefault(move.replay_of, move)
    if not first:
        return set()
    own = [(key, *move.operation[1::-1]) for key, move in first.items()]
    rows = await session.connection.fetch(MARK, *map(list, zip(*own, strict=True)))
    return {row["replayed_by"] for row in rows}


async def _insert(session: PostgresSession, begins: Sequence[Begin]) -> None:
    if not begins:
        return
    names = sorted({name for move in begins for name in move.turns})
    taken = {row["name"] for row in await session.connection.fetch(TAKEN, names)} if names else set()
    rows = []
    for move in begins:
        rows.append((*move.operation, not taken.isdisjoint(move.turns)))
        taken.update(move.turns)
    if len(rows) == 1:
        await session.connection.execute(INSERT_OPERATION, *rows[0])
    else:
        await session.connection.execute(INSERT_OPERATIONS, *arrays(rows))
    if names:
        turns = [
            (f"{move.operation[0]}/{number}", *move.operation[:2], name)
            for move in begins
            for number, name in enumerate(move.turns)
        ]
        await session.connection.execute(QUEUE_UP, *map(list, zip(*turns, strict=True)))
