"""Operations as lists: what a project has, what needs somebody, and what may be forgotten."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from piccolo.columns.combination import WhereRaw
from piccolo.query.functions.aggregate import Count, Max

from installations.operation import UNREAD, Operation
from server.store.contract import Missing, OperationFilter, Page, Tries
from server.store.engine import Dialect, Row
from server.store.rows.committing import CommittingRows
from server.store.rows.moments import moment
from server.store.rows.operation_cells import operation_from
from server.store.rows.scope import require_project, with_fresh_keys
from server.store.steps import Statement, Steps
from server.store.tables import Attempts, Operations

IN_FLIGHT = WhereRaw("state IN ('claimed', 'sent')")
WAITING = WhereRaw("state IN ('queued', 'parked')")
"""Word for word as in their indexes: SQLite finds none by an argument."""
UNHELD = "NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.operation_id = o.id)"
"""A key must point at something as long as it is there; it is swept when its time is over."""
OLD = "SELECT o.id FROM operations o WHERE o.state IN ('success', 'failure') AND o.update_time < {} "


class OperationListRows(CommittingRows):
    """Implements what `contract.Operations` says about many operations."""

    @with_fresh_keys
    async def operations(
        self, project_id: str, which: OperationFilter, *, page_size: int, page_token: str | None = None
    ) -> Page:
        """List, newest first; the token is the last id of the page before."""
        box = await self.box(project_id)
        async with self.reading():
            query = Operations.select().where(*_meant(project_id, which))
            if page_token is not None:
                query = query.where(_older(await _last(project_id, page_token)))
            rows = await query.order_by(Operations.create_time, Operations.id, ascending=False).limit(page_size + 1)
            tries = await _tries([row["id"] for row in rows[:page_size]])
        results = tuple(operation_from(row, box) for row in rows[:page_size])
        token = results[-1].id if len(rows) > page_size and results else None
        return Page(results=results, next_page_token=token, tries=tries)

    @with_fresh_keys
    async def earliest(self, project_id: str, which: OperationFilter, *, after: int = 0, limit: int) -> list[Operation]:
        """List in the order of acceptance."""
        box = await self.box(project_id)
        meant = (*_meant(project_id, which), Operations.sequence > after)
        async with self.reading():
            rows = await Operations.select().where(*meant).order_by(Operations.sequence).limit(limit)
        return [operation_from(row, box) for row in rows]

    async def count_operations(self, project_id: str, which: OperationFilter) -> int:
        """Count them."""
        async with self.reading():
            await require_project(project_id)
            return int(await Operations.count().where(*_meant(project_id, which)))

    @with_fresh_keys
    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations in flight whose process does not live, by owner, oldest first."""
        query = Operations.select().where(IN_FLIGHT)
        if living:
            query = query.where(Operations.owner.not_in(list(living)))
        async with self.reading():
            rows = await query.order_by(Operations.owner, Operations.create_time, Operations.id).limit(limit)
        return await self._opened(rows)

    @with_fresh_keys
    async def expired(self, *, now: datetime, limit: int) -> list[Operation]:
        """List waiting operations whose deadline has come, the longest over first."""
        async with self.reading():
            rows = await (
                Operations.select()
                .where(WAITING, Operations.deadline_at <= now)
                .order_by(Operations.deadline_at, Operations.id)
                .limit(limit)
            )
        return await self._opened(rows)

    async def prune(self, *, finished_before: datetime, payloads_before: datetime, limit: int) -> int:
        """Empty final operations, and forget those that are empty."""

        def steps(_: Dialect) -> Steps[int]:
            emptied = yield from _empty(before=max(finished_before, payloads_before), limit=limit)
            room = limit - emptied
            return emptied + (yield from _forget(before=finished_before, limit=room)) if room else emptied

        return int(await self.visit(steps))

    async def _opened(self, rows: list[Row]) -> list[Operation]:
        return [operation_from(row, await self.box(row["project_id"])) for row in rows]


def _empty(*, before: datetime, limit: int) -> Steps[int]:
    full = f"{OLD} AND length(o.payload) + length(o.outcome) > 0 AND {UNHELD} ORDER BY o.update_time LIMIT {{}}"
    rows = yield Statement(full, (before, limit), "skip")
    ids = [row["id"] for row in rows]
    if ids:
        yield Statement("UPDATE operations SET payload = {}, outcome = {} WHERE id IN {}", (b"", b"", ids))
        yield Statement("DELETE FROM gathered_records WHERE operation_id IN {}", (ids,))
    return len(ids)


def _forget(*, before: datetime, limit: int) -> Steps[int]:
    """Attempts, turns and gathered records go with their operation."""
    empty = f"{OLD} AND length(o.payload) + length(o.outcome) = 0 AND {UNHELD} ORDER BY o.update_time LIMIT {{}}"
    rows = yield Statement(empty, (before, limit), "skip")
    ids = [row["id"] for row in rows]
    if ids:
        yield Statement("DELETE FROM operations WHERE id IN {}", (ids,))
    return len(ids)


def _meant(project_id: str, which: OperationFilter) -> list[Any]:
    equal = {
        Operations.integration_id: which.integration_id,
        Operations.installation_id: which.installation_id,
        Operations.object_name: which.object_name,
        Operations.group_ref: which.group_ref,
        Operations.fault_kind: which.fault_kind,
        Operations.reason: which.reason,
    }
    conditions: list[Any] = [Operations.project_id == project_id]
    conditions += [column == value for column, value in equal.items() if value is not None]
    if which.states:
        conditions.append(Operations.state.is_in(list(which.states)))
    if which.created_from is not None:
        conditions.append(Operations.create_time >= which.created_from)
    if which.created_before is not None:
        conditions.append(Operations.create_time < which.created_before)
    if which.replayed is not None:
        conditions.append(Operations.replayed_by != "" if which.replayed else Operations.replayed_by == "")
    return conditions + (_replayable() if which.replayable else [])


def _replayable() -> list[Any]:
    same_twice = (Operations.doubtful == False) | (Operations.repeat == "safe")  # noqa: E712 -- SQL
    # As `is_partial` tells.
    partial = (Operations.state == "success") & Operations.fault_kind.is_not_null() & (Operations.fault_kind != UNREAD)
    return [
        Operations.replayed_by == "",
        Operations.payload != b"",
        ((Operations.state == "failure") & same_twice) | partial,
    ]


async def _last(project_id: str, page_token: str) -> Row:
    mine = (Operations.project_id == project_id) & (Operations.id == page_token)
    rows = await Operations.select(Operations.create_time, Operations.id).where(mine)
    if not rows:
        raise Missing("no such page")
    return rows[0]


def _older(last: Row) -> Any:
    return (Operations.create_time < last["create_time"]) | (
        (Operations.create_time == last["create_time"]) & (Operations.id < last["id"])
    )


async def _tries(ids: Sequence[str]) -> tuple[Tries, ...]:
    """Count the attempts of each of these operations, and tell when the last one began."""
    if not ids:
        return ()
    found = (
        await Attempts.select(Attempts.operation_id, Count(), Max(Attempts.started_at, alias="last"))
        .where(Attempts.operation_id.is_in(list(ids)))
        .group_by(Attempts.operation_id)
    )
    tries = {row["operation_id"]: Tries(count=int(row["count"]), last=moment(row["last"])) for row in found}
    return tuple(tries.get(each, Tries()) for each in ids)
