"""Claims and look-ups as rows: what the process that attends to a lane takes out of it."""

from datetime import datetime

from installations.operation import Operation
from server import logs
from server.store.claiming import Candidate, chosen
from server.store.engine import Dialect, Row
from server.store.rows.lanes import CLAIMABLE, OPEN, LaneRows
from server.store.rows.operation_cells import operation_from
from server.store.steps import Statement, Steps
from server.store.vault import UnknownKey, Unsealable

WINDOW = 1_000
"""So many candidates are looked at for those that share a call."""


class ClaimRows(LaneRows):
    """Implements the part of `contract.Lanes` about work."""

    async def claim(self, lane_id: str, *, owner: str, now: datetime, calls: int, batch: int) -> list[Operation]:
        """Claim what is due, oldest first."""

        def steps(_: Dialect) -> Steps[list[Row]]:
            held = yield Statement(f"{OPEN} AND NOT parked", (lane_id, owner, now), "wait")
            if not held:
                return []
            rows = yield Statement(
                f"SELECT id, batch_key, crashes FROM operations WHERE {CLAIMABLE} AND run_at <= {{}} "  # noqa: S608 -- constants
                "ORDER BY run_at, sequence LIMIT {}",
                (lane_id, now, now, min(calls * batch, WINDOW)),
            )
            ids = chosen([Candidate(**row) for row in rows], calls=calls, batch=batch)
            return (yield from _claim(ids, owner=owner, now=now)) if ids else []

        def again(dialect: Dialect) -> Steps[list[Row]]:
            """Answer what the first try claimed, if it did: nothing else has this owner and time."""
            rows = yield Statement(
                "SELECT * FROM operations "
                "WHERE state IN ('claimed', 'sent') AND state = 'claimed' AND owner = {} AND connection_id = {} "
                "AND update_time = {} ORDER BY run_at, sequence",
                (owner, lane_id, now),
            )
            return rows or (yield from steps(dialect))

        return await self._opened_all(await self.visit(steps, again=again))

    async def due_looks(
        self, lane_id: str, *, owner: str, now: datetime, again_at: datetime, limit: int
    ) -> list[Operation]:
        """List unknown operations to look up now, and have them come up again later."""

        def steps(_: Dialect) -> Steps[list[Row]]:
            if not (yield Statement(OPEN, (lane_id, owner, now), "wait")):
                return []
            due = (
                "SELECT id FROM operations WHERE connection_id = {} AND state = 'unknown' AND look_at <= {} "
                "ORDER BY look_at, sequence LIMIT {}"
            )
            rows = yield Statement(due, (lane_id, now, limit), "skip")
            ids = [row["id"] for row in rows]
            if not ids:
                return []
            yield Statement("UPDATE operations SET look_at = {} WHERE id IN {}", (again_at, ids))
            return (yield Statement("SELECT * FROM operations WHERE id IN {} ORDER BY sequence", (ids,)))

        return await self._opened_all(await self.visit(steps))

    async def _opened_all(self, rows: list[Row]) -> list[Operation]:
        """Open what is ours already: one that does not open is told, and keeps nobody else back."""
        opened = [await self._opened_one(row) for row in rows]
        return [operation for operation in opened if operation is not None]

    async def _opened_one(self, row: Row) -> Operation | None:
        try:
            try:
                return operation_from(row, await self.box(row["project_id"]))
            except UnknownKey:
                self.forget_box(row["project_id"])
                return operation_from(row, await self.box(row["project_id"]))
        except Unsealable as error:
            logs.failed("operation.unsealable", error, operation_id=row["id"])
            return None


def _claim(ids: list[str], *, owner: str, now: datetime) -> Steps[list[Row]]:
    free = yield Statement("SELECT id FROM operations WHERE id IN {} AND state = 'queued'", (ids,), "skip")
    taken = [row["id"] for row in free]
    yield Statement(
        "UPDATE operations SET state = 'claimed', owner = {}, attempts = attempts + 1, gather_key = '', "
        "update_time = {} WHERE id IN {}",
        (owner, now, taken),
    )
    return (yield Statement("SELECT * FROM operations WHERE id IN {} ORDER BY run_at, sequence", (taken,)))
