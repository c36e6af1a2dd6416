"""Deliveries as rows. What several processes may do at once is one guarded statement each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from server.store.clocks import SECONDS
from server.store.contract import Delivery, DeliveryFilter, DeliveryPage, Tried, Unattended
from server.store.engine import Row
from server.store.rows.events import store_event
from server.store.rows.fanning import fan_out
from server.store.rows.scope import Rows
from server.store.tables import Counters, Deliveries, Destinations, Events

WAITING = (
    "SELECT substr(e.id, 8) AS id FROM counters e LEFT JOIN counters f ON f.id = 'fanned:' || substr(e.id, 8) "
    "WHERE substr(e.id, 1, 7) = 'events:' AND e.value > coalesce(f.value, 0) LIMIT {}"
)
DUE = (
    "SELECT d.project_id, d.id FROM destinations d WHERE d.disabled = '' AND EXISTS (SELECT 1 FROM deliveries m "
    "WHERE m.destination_id = d.id AND m.state = 'pending' AND m.run_at <= {}) LIMIT {}"
)
LEFT = (
    "owner <> '' AND state = 'pending' AND update_time <= {{}} AND NOT EXISTS (SELECT 1 FROM processes p "
    "WHERE p.id = deliveries.owner AND p.seen_at >= {clock} - {{}})"
)
"""Claimed by a process that has not been heard of since. To claim is to be heard of."""
RELEASE = "UPDATE deliveries SET owner = '', attempts = attempts - 1, run_at = update_time WHERE owner <> ''"
"""Nobody knows what came of that attempt, so it does not count."""
CLAIM = (
    "UPDATE deliveries SET owner = {}, attempts = attempts + 1, run_at = {}, update_time = {} WHERE id IN ("
    "SELECT m.id FROM deliveries m JOIN destinations d ON d.id = m.destination_id WHERE d.disabled = '' "
    "AND m.project_id = {} AND m.destination_id = {} AND m.state = 'pending' AND m.run_at <= {} "
    "ORDER BY m.run_at, m.id LIMIT {}) AND state = 'pending' AND run_at <= {} RETURNING id"
)
SETTLE = (
    "UPDATE deliveries SET owner = '', run_at = {}, status = {}, error = {}, update_time = {}, state = CASE "
    "WHEN {} <> 'pending' OR EXISTS (SELECT 1 FROM destinations d WHERE d.id = deliveries.destination_id "
    "AND d.disabled = '') THEN {} ELSE 'skipped' END "
    "WHERE id = {} AND project_id = {} AND state = 'pending' AND owner = {} AND attempts = {} RETURNING id"
)
FORGET_EVENTS = (
    "DELETE FROM events WHERE create_time <= {} AND sequence <= coalesce("
    "(SELECT f.value FROM counters f WHERE f.id = 'fanned:' || events.project_id), 0)"
)
LISTED = tuple(column for column in Deliveries.all_columns() if column._meta.name != "data")  # noqa: SLF001 -- Piccolo's place for it


class DeliveryRows(Rows):
    """Implements `contract.Deliveries`."""

    async def unattended(self, *, now: datetime, dead_after_seconds: float, limit: int) -> Unattended:
        """Tell what there is to do."""
        async with self.reading() as session:
            projects = await Counters.raw(WAITING, limit)
            due = await Destinations.raw(DUE, now, limit)
            left = LEFT.format(clock=SECONDS[session.dialect])
            since, seconds = now - timedelta(seconds=dead_after_seconds), int(dead_after_seconds)
            lost = await Deliveries.raw(f"SELECT id FROM deliveries WHERE {left} LIMIT 1", since, seconds)  # noqa: S608 -- constants
        if lost:
            await self._release(since=since, seconds=seconds)
        return Unattended(
            projects=tuple(row["id"] for row in projects),
            destinations=tuple((row["project_id"], row["id"]) for row in due),
        )

    async def _release(self, *, since: datetime, seconds: int) -> None:
        """Make due what dead processes had claimed."""
        async with self.writing() as session:
            left = LEFT.format(clock=SECONDS[session.dialect])
            await Deliveries.raw(f"{RELEASE} AND {left}", since, seconds)

    async def fan_out(self, project_id: str, *, now: datetime, limit: int) -> int:
        """Store what the next events lead to."""
        async with self.writing():
            return await fan_out(project_id, now=now, limit=limit)

    async def claim_deliveries(
        self, project_id: str, destination_id: str, *, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Delivery]:
        """Take what is due at one destination."""
        async with self.writing():
            claimed = await Deliveries.raw(CLAIM, owner, until, now, project_id, destination_id, now, limit, now)
            ids = [row["id"] for row in claimed]
            rows = await Deliveries.select().where(Deliveries.id.is_in(ids)).order_by(Deliveries.id) if ids else []
        return [Delivery(**row) for row in rows]

    async def settle_deliveries(self, tries: Sequence[Tried]) -> list[bool]:
        """Write down what came of attempts."""
        settled: dict[str, bool] = {}
        # In one order everywhere, so that two processes never wait for each other in a circle.
        ordered = sorted(tries, key=lambda one: (one.delivery.destination_id, one.delivery.id))
        async with self.writing():
            for tried in ordered:
                settled[tried.delivery.id] = await _settle(tried)
            for tried in ordered:
                if settled[tried.delivery.id]:
                    await _learn(tried)
            for tried in ordered:
                if settled[tried.delivery.id] and tried.disable:
                    await _disable(tried)
        return [settled[tried.delivery.id] for tried in tries]

    async def deliveries(
        self,
        project_id: str,
        destination_id: str,
        which: DeliveryFilter,
        *,
        page_size: int,
        page_token: str | None = None,
    ) -> DeliveryPage:
        """List, newest first."""
        query = Deliveries.select(*LISTED).where(_these(project_id, destination_id, which))
        if page_token is not None:
            query = query.where(Deliveries.id < page_token)
        async with self.reading():
            rows = await query.order_by(Deliveries.id, ascending=False).limit(page_size + 1)
        results = tuple(Delivery(**row, data=b"") for row in rows[:page_size])
        return DeliveryPage(results=results, next_page_token=results[-1].id if len(rows) > page_size else None)

    async def replay_deliveries(
        self, project_id: str, destination_id: str, which: DeliveryFilter, *, now: datetime, dry_run: bool
    ) -> int:
        """Send again what is not pending."""
        over = _these(project_id, destination_id, which) & (Deliveries.state != "pending")
        if dry_run:
            async with self.reading():
                return int(await Deliveries.count().where(over))
        changes: dict[Any, Any] = {
            Deliveries.state: "pending",
            Deliveries.attempts: 0,
            Deliveries.run_at: now,
            Deliveries.update_time: now,
        }
        async with self.writing():
            return len(await Deliveries.update(changes).where(over).returning(Deliveries.id))

    async def prune_notifications(
        self, *, events_before: datetime, delivered_before: datetime, failed_before: datetime
    ) -> None:
        """Forget what is old and over."""
        async with self.writing():
            await Events.raw(FORGET_EVENTS, events_before)
            await Deliveries.delete().where(Deliveries.state == "delivered", Deliveries.update_time <= delivered_before)
            await Deliveries.delete().where(
                Deliveries.state.is_in(["failed", "skipped"]), Deliveries.update_time <= failed_before
            )


async def _settle(tried: Tried) -> bool:
    mine = tried.delivery
    return bool(
        await Deliveries.raw(
            SETTLE,
            tried.run_at,
            tried.status,
            tried.error,
            tried.now,
            tried.state,
            tried.state,
            mine.id,
            mine.project_id,
            mine.owner,
            mine.attempts,
        )
    )


async def _learn(tried: Tried) -> None:
    """Keep since when the destination fails; nothing is written where that is known."""
    mine = (Destinations.project_id == tried.delivery.project_id) & (Destinations.id == tried.delivery.destination_id)
    if tried.state == "delivered":
        await Destinations.update({Destinations.failing_since: None}).where(
            mine, Destinations.failing_since.is_not_null()
        )
    else:
        await Destinations.update({Destinations.failing_since: tried.now}).where(
            mine, Destinations.failing_since.is_null()
        )


async def _disable(tried: Tried) -> None:
    project_id, destination_id = tried.delivery.project_id, tried.delivery.destination_id
    changed: list[Row] = (
        await Destinations.update({Destinations.disabled: tried.disable, Destinations.update_time: tried.now})
        .where(Destinations.project_id == project_id, Destinations.id == destination_id, Destinations.disabled == "")
        .returning(Destinations.id)
    )
    if not changed:
        return
    await Deliveries.update({Deliveries.state: "skipped", Deliveries.update_time: tried.now}).where(
        Deliveries.project_id == project_id,
        Deliveries.destination_id == destination_id,
        Deliveries.state == "pending",
        Deliveries.owner == "",
    )
    await store_event(project_id, tried.event)


def _these(project_id: str, destination_id: str, which: DeliveryFilter) -> Any:
    query = (Deliveries.project_id == project_id) & (Deliveries.destination_id == destination_id)
    if which.ids:
        query &= Deliveries.id.is_in(list(which.ids))
    if which.states:
        query &= Deliveries.state.is_in(list(which.states))
    if which.event_type is not None:
        query &= Deliveries.event_type == which.event_type
    if which.created_from is not None:
        query &= Deliveries.create_time >= which.created_from
    if which.created_before is not None:
        query &= Deliveries.create_time < which.created_before
    return query
