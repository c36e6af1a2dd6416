"""The hot moves on PostgreSQL: each group in a few set-based statements, because every statement is a round trip.

Rows are locked in one order, so that two processes never wait for each other in a circle: data keys, idempotency keys,
lanes, operations, counters; of each kind in the order of their ids. Who holds a lane may wait for an operation, and
nobody who holds an operation waits for a lane.
"""

from collections.abc import Awaitable, Callable, Container, Iterator, Sequence
from typing import Any

from server.store.contract import Unavailable
from server.store.engine import Session
from server.store.hot import Begin, Gather, Gathered, Move, Result, Settle, Visited, Visiting, Wake, sooner
from server.store.postgres import PostgresDatabase, PostgresSession
from server.store.postgres_begins import begin, gather, holders, take_keys, waiting
from server.store.postgres_settles import LOCK, settle
from server.store.steps import drive_in

Announce = Callable[[Any, Sequence[str]], Awaitable[None]]
"""Tells an engine inside a transaction, on its connection, that lanes may have work."""

HELD = (
    "WITH usable AS (SELECT id FROM data_keys WHERE id = ANY($1::text[]) AND NOT retired FOR KEY SHARE) "
    "SELECT 'key' AS kind, id, NULL AS project_id, NULL AS lane_id, NULL::timestamptz AS run_at FROM usable "
    "UNION ALL SELECT 'lane', id, project_id, connection_id, run_at FROM operations WHERE id = ANY($2::text[]) "
    "UNION ALL SELECT 'turn', id, project_id, connection_id, run_at FROM operations o WHERE id = ANY($3::text[]) "
    "AND EXISTS (SELECT 1 FROM turns t WHERE t.operation_id = o.id) "
    "UNION ALL SELECT DISTINCT 'taken', name, NULL, NULL, NULL::timestamptz FROM turns WHERE name = ANY($4::text[])"
)
"""The keys as in `keyring.hold`: none of them is retired before this commit. With the same round trip, the lanes that
must be held: of operations that may come to have work there, and of those with turns that others may wait for. And the
records for which somebody waits, of those that would be written at once."""
WAKE = (
    "INSERT INTO lanes AS l (id, project_id, owner, attended_at, wake_at, failures, parked, hold_until) "
    "SELECT n.id, n.project_id, '', 0, CASE WHEN n.wake_at IS NOT NULL THEN greatest(n.wake_at, n.hold_until) END, 0, "
    "n.parked, n.hold_until "
    "FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bool[], $5::timestamptz[]) "
    "AS n(id, project_id, wake_at, parked, hold_until) ORDER BY n.id "
    "ON CONFLICT (id) DO UPDATE SET wake_at = CASE WHEN excluded.wake_at IS NULL THEN l.wake_at "
    "ELSE least(l.wake_at, greatest(excluded.wake_at, l.hold_until, excluded.hold_until)) END, "
    "parked = l.parked OR excluded.parked, hold_until = greatest(l.hold_until, excluded.hold_until) "
    "WHERE (l.wake_at IS NULL AND excluded.wake_at IS NOT NULL) "
    "OR (excluded.wake_at < l.wake_at AND (l.hold_until IS NULL OR l.hold_until < l.wake_at)) "
    "OR (excluded.parked AND NOT l.parked) OR excluded.hold_until IS NOT NULL RETURNING l.id, l.wake_at, l.owner"
)
"""Every lane is locked by this, also one that stays as it is. Those that change are answered: one that is on hold has
no work before that ends, and of one that had work already somebody was told, or will be by the sweep."""
UNATTENDED = "SELECT id FROM lanes WHERE id = ANY($1::text[]) AND owner = '' ORDER BY id"


class PostgresMoves:
    """Runs groups of moves, each group in one transaction."""

    def __init__(self, database: PostgresDatabase, announce: Announce | None = None) -> None:
        self._database = database
        self._announce = announce

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        """Run all moves and answer their results in order; if any raises, nothing was done.

        A connection that breaks is tried once more: begins are idempotent by the operation's id, and a settlement
        that finds itself done already was done by the commit whose answer was lost.
        """
        try:
            return await self._commit(moves, again=False)
        except Unavailable:
            return await self._commit(moves, again=True)

    async def announce(self, session: Session, lane_ids: Sequence[str]) -> None:
        """Tell the engine of those lanes that nobody attends to: who does sees for himself, before he leaves."""
        if self._announce is None or not lane_ids:
            return
        rows = await session.fetch(UNATTENDED, ([*lane_ids],))
        if isinstance(session, PostgresSession):
            await self._tell(session, [row["id"] for row in rows])

    async def _tell(self, session: PostgresSession, lane_ids: Sequence[str]) -> None:
        if self._announce is not None and lane_ids:
            await self._announce(session.connection, lane_ids)

    async def _commit(self, moves: Sequence[Move], *, again: bool) -> list[Result]:
        async with self._database.writing() as session:
            return await self._run(session, moves, again=again)

    async def _run(self, session: PostgresSession, moves: Sequence[Move], *, again: bool) -> list[Result]:
        hot = {number: move for number, move in enumerate(moves) if not isinstance(move, Visiting)}
        usable, touched, taken = await _held(session, hot)
        behind = await waiting(session, hot, taken, again=again)
        hot |= behind
        results: dict[int, Result] = {number: "retired" for number, move in hot.items() if move.sealed_by not in usable}
        begins = {number: move for number, move in _rest(hot, results) if isinstance(move, Begin)}
        gathers = {number: move for number, move in _rest(hot, results) if isinstance(move, Gather)}
        settles = {number: move for number, move in _rest(hot, results) if isinstance(move, Settle)}
        if again and gathers:
            results |= await _gathered_before(session, gathers)
            gathers = {number: move for number, move in gathers.items() if number not in results}
        lost = await take_keys(session, begins, gathers)
        begins = {number: move for number, move in begins.items() if number not in lost}
        gathers = {number: move for number, move in gathers.items() if number not in lost}
        wakes = _wakes(begins, gathers, settles, touched)
        woken = await _hold_lanes(session, wakes)
        await _hold_operations(session, begins, settles)
        if begins:
            results |= await begin(session, begins, behind=behind)
        if gathers:
            placed = await gather(session, gathers)
            results |= {number: Gathered(operation_id=one.operation_id) for number, one in placed.items()}
            woken += await _hold_lanes(session, [one.wake for one in placed.values() if one.fills and one.wake])
        results |= await holders(session, lost)
        for wave in _waves(settles):
            results |= await settle(session, wave, turning=touched, again=again)
        for number, move in enumerate(moves):
            if isinstance(move, Visiting):
                results[number] = Visited(value=await drive_in(session, move.visit("postgres")))
        await self._tell(session, woken)
        return [results[number] for number, _ in enumerate(moves)]


def _rest(moves: dict[int, Any], done: Container[int]) -> list[tuple[int, Any]]:
    return [(number, move) for number, move in moves.items() if number not in done]


async def _held(
    session: PostgresSession, moves: dict[int, Begin | Gather | Settle]
) -> tuple[set[str], dict[str, Any], set[str]]:
    """Hold the data keys; tell which are usable, by operation which lanes settlements touch, and which turns are taken.

    Without its lane a turn may be given up at the same moment: then nobody is found in front of whoever waits for it.
    """
    settles = [move for move in moves.values() if isinstance(move, Settle)]
    telling = [move.operation_id for move in settles if move.tells_lane]
    turning = [move.operation_id for move in settles if not move.tells_lane and move.may_turn]
    keys = [*{move.sealed_by for move in moves.values()}]
    names = {name for move in moves.values() if isinstance(move, Begin) and move.instead for name in move.instead.turns}
    rows = await session.connection.fetch(HELD, keys, telling, turning, [*names])
    usable = {row["id"] for row in rows if row["kind"] == "key"}
    taken = {row["id"] for row in rows if row["kind"] == "taken"}
    return usable, {row["id"]: row for row in rows if row["kind"] in {"lane", "turn"}}, taken


async def _gathered_before(session: PostgresSession, gathers: dict[int, Gather]) -> dict[int, Result]:
    """Find what the commit whose answer was lost has done."""
    own = {move.begin.operation[0]: number for number, move in gathers.items()}
    sql = "SELECT id, operation_id FROM gathered_records WHERE id = ANY($1::text[])"
    rows = await session.connection.fetch(sql, [*own])
    return {own[row["id"]]: Gathered(operation_id=row["operation_id"]) for row in rows}


def _wakes(
    begins: dict[int, Begin], gathers: dict[int, Gather], settles: dict[int, Settle], touched: dict[str, Any]
) -> list[Wake]:
    """List the lanes that must be held, and when they have work. Those of gathers are woken once they are placed."""
    wakes = [move.wake for move in begins.values() if move.wake]
    wakes += [move.begin.wake for move in gathers.values() if move.begin.wake]
    for move in settles.values():
        row = touched.get(move.operation_id)
        if row and row["project_id"] == move.project_id:
            wakes.append(move.wake(row["lane_id"], row["run_at"]))
    return wakes


async def _hold_lanes(session: PostgresSession, wakes: Sequence[Wake]) -> list[str]:
    """Hold lanes and wake them; answer those that have work now, had none before, and are attended by nobody."""
    lanes = sooner(wakes)
    if not lanes:
        return []
    columns = zip(*((one.lane_id, one.project_id, one.at, one.parked, one.hold_until) for one in lanes), strict=True)
    changed = {row["id"]: row for row in await session.connection.fetch(WAKE, *map(list, columns))}
    return [
        one.lane_id
        for one in lanes
        if one.due and (row := changed.get(one.lane_id)) and not row["owner"] and row["wake_at"] == one.at
    ]


async def _hold_operations(session: PostgresSession, begins: dict[int, Begin], settles: dict[int, Settle]) -> None:
    ids = ({move.operation_id for move in settles.values()} | {move.replay_of for move in begins.values()}) - {""}
    # One alone is taken by the statement that moves it.
    if len(ids) > 1:
        await session.connection.fetch(LOCK, sorted(ids))


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
