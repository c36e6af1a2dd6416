"""The hot moves on PostgreSQL: each group in a few set-based statements, because every statement is a round trip.

Rows are locked in the order of their ids, keys before operations, so that two processes never wait for each other in
a circle.
"""

from collections.abc import Container, Iterator, Sequence
from typing import Any

from server.store.contract import StoreError, Unavailable
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
from server.store.postgres import PostgresDatabase, PostgresSession


def _numbered(columns: Sequence[str]) -> list[str]:
    return [f"${number}" for number, _ in enumerate(columns, start=1)]


INSERT_OPERATION = insert_into("operations", OPERATION_COLUMNS, marks=_numbered(OPERATION_COLUMNS))
INSERT_ATTEMPT = insert_into("attempts", ATTEMPT_COLUMNS, marks=_numbered(ATTEMPT_COLUMNS))
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
KEYS = "SELECT id FROM data_keys WHERE id = ANY($1::text[]) AND NOT retired FOR KEY SHARE"
"""As `keyring.hold`: none of them is retired before this commit."""
LOCK = "SELECT id FROM operations WHERE id = ANY($1::text[]) ORDER BY id FOR UPDATE"
SETTLE = (
    "UPDATE operations o SET state = n.state, owner = n.owner, outcome = n.outcome, summary = n.summary, "
    "fault_kind = n.fault_kind, successful_record_ids = n.successful_record_ids, "
    "attempts = coalesce(n.attempts, o.attempts), run_at = coalesce(n.run_at, o.run_at), update_time = n.update_time "
    "FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::int[], "
    "$8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[], $12::text[], $13::text[]) "
    "AS n(state, owner, outcome, summary, fault_kind, successful_record_ids, attempts, run_at, update_time, "
    "id, project_id, was_state, was_owner) "
    "WHERE o.id = n.id AND o.project_id = n.project_id AND o.state = n.was_state "
    "AND (o.owner = n.was_owner OR o.owner = '') RETURNING o.id"
)
SETTLED = (
    "SELECT 1 FROM operations WHERE id = $1 AND project_id = $2 AND state = $3 AND owner = $4 AND update_time = $5"
)


class PostgresMoves:
    """Runs groups of moves, each group in one transaction."""

    def __init__(self, database: PostgresDatabase) -> None:
        self._database = database

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        """Run all moves and answer their results in order; if any raises, nothing was done.

        A connection that breaks is tried once more: begins are idempotent by the operation's id, and a settlement
        that finds itself done already was done by the commit whose answer was lost.
        """
        try:
            return await self._commit(moves, again=False)
        except Unavailable:
            return await self._commit(moves, again=True)

    async def _commit(self, moves: Sequence[Move], *, again: bool) -> list[Result]:
        results: dict[int, Result] = {}
        async with self._database.writing() as session:
            usable = {row["id"] for row in await session.connection.fetch(KEYS, [*{move.sealed_by for move in moves}])}
            results |= {number: "retired" for number, move in enumerate(moves) if move.sealed_by not in usable}
            begins = {number: move for number, move in _rest(moves, results) if isinstance(move, Begin)}
            settles = {number: move for number, move in _rest(moves, results) if isinstance(move, Settle)}
            if begins:
                results |= await _begin(session, begins)
            for wave in _waves(settles):
                results |= await _settle(session, wave, again=again)
        return [results[number] for number, _ in enumerate(moves)]


def _rest(moves: Sequence[Move], done: Container[int]) -> list[tuple[int, Move]]:
    return [(number, move) for number, move in enumerate(moves) if number not in done]


async def _begin(session: PostgresSession, begins: dict[int, Begin]) -> dict[int, Result]:
    claims = {number: move.claim for number, move in begins.items() if move.claim}
    won = await _claim(session, claims) if claims else set()
    lost = claims.keys() - won
    stored = [move.operation for number, move in begins.items() if number not in lost]
    if stored:
        await session.connection.executemany(INSERT_OPERATION, stored)
    results: dict[int, Result] = {number: "stored" for number in begins if number not in lost}
    if lost:
        results |= await _holders(session, {number: claims[number].id for number in lost})
    return results


async def _claim(session: PostgresSession, claims: dict[int, Claim]) -> set[int]:
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


async def _holders(session: PostgresSession, keys: dict[int, str]) -> dict[int, Result]:
    rows = await session.connection.fetch(HOLDERS, sorted(set(keys.values())))
    held = {row[0]: Held(fingerprint=row[1], operation=tuple(row)[2:]) for row in rows}
    if missing := set(keys.values()) - held.keys():
        raise StoreError(f"{len(missing)} idempotency keys point at no operation")
    return {number: held[key] for number, key in keys.items()}


async def _settle(session: PostgresSession, settles: dict[int, Settle], *, again: bool) -> dict[int, Result]:
    await session.connection.fetch(LOCK, sorted(move.operation_id for move in settles.values()))
    rows: list[tuple[Any, ...]] = [
        (*move.settled, move.operation_id, move.project_id, move.from_state, move.owner) for move in settles.values()
    ]
    moved = {row["id"] for row in await session.connection.fetch(SETTLE, *map(list, zip(*rows, strict=True)))}
    if again:
        moved |= {move.operation_id for move in settles.values() if await _is_done(session, move)}
    attempts = [move.attempt for move in settles.values() if move.attempt and move.operation_id in moved]
    if attempts:
        await session.connection.executemany(INSERT_ATTEMPT, attempts)
    return {number: "stored" if move.operation_id in moved else "superseded" for number, move in settles.items()}


async def _is_done(session: PostgresSession, move: Settle) -> bool:
    settled = (move.settled[0], move.settled[1], move.settled[-1])
    return bool(await session.connection.fetch(SETTLED, move.operation_id, move.project_id, *settled))


def _waves(settles: dict[int, Settle]) -> Iterator[dict[int, Settle]]:
    """Split so that no operation is moved twice by one statement."""
    rest = settles
    while rest:
        wave: dict[int, Settle] = {}
        seen: set[str] = set()
        for number, move in rest.items():
            if move.operation_id not in seen:
                seen.add(move.operation_id)
                wave[number] = move
        yield wave
        rest = {number: move for number, move in rest.items() if number not in wave}
