"""Which deliveries an event leads to: worked out inside the session at hand, an event after the other."""

from collections.abc import Iterator
from datetime import datetime

from server.store.engine import Row
from server.store.tables import Counters, Deliveries, Destinations, Events

HOLD = (
    "INSERT INTO counters (id, value) VALUES ({}, 0) "
    "ON CONFLICT (id) DO UPDATE SET value = counters.value RETURNING value"
)
"""The place's row stays locked until the transaction ends: one process at a time fans a project out."""
ROUTES = (
    "SELECT DISTINCT e.event_type, d.id, d.disabled FROM event_routes e "
    "JOIN destination_routes r ON r.project_id = e.project_id AND r.topic_id = e.topic_id "
    "JOIN destinations d ON d.project_id = r.project_id AND d.id = r.destination_id "
    "WHERE e.project_id = {} ORDER BY e.event_type, d.id"
)
ROWS_AT_ONCE = 500


async def fan_out(project_id: str, *, now: datetime, limit: int) -> int:
    """Store the deliveries of the next events, move the place behind them, and answer how many events that were."""
    name = f"fanned:{project_id}"
    (place,) = await Counters.raw(HOLD, name)
    # Read before the events: whatever has a place up to here is committed, and either seen below or forgotten.
    last = await Counters.select(Counters.value).where(Counters.id == f"events:{project_id}")
    events = await (
        Events.select()
        .where(Events.project_id == project_id, Events.sequence > int(place["value"]))
        .order_by(Events.sequence)
        .limit(limit)
    )
    rows = list(_deliveries(events, await Destinations.raw(ROUTES, project_id), now=now)) if events else []
    for start in range(0, len(rows), ROWS_AT_ONCE):
        # A place that an operator set back leads to nothing new.
        await Deliveries.insert(*rows[start : start + ROWS_AT_ONCE]).on_conflict(action="DO NOTHING")
    reached = events[-1]["sequence"] if events else max((row["value"] for row in last), default=0)
    await Counters.update({Counters.value: reached}).where(Counters.id == name)
    return len(events)


def _deliveries(events: list[Row], routes: list[Row], *, now: datetime) -> Iterator[Deliveries]:
    for event in events:
        for route in routes:
            if route["event_type"] == event["type"]:
                yield Deliveries(
                    id=f"{event['id']}.{route['id']}",
                    project_id=event["project_id"],
                    destination_id=route["id"],
                    event_id=event["id"],
                    event_type=event["type"],
                    data=event["data"],
                    state="skipped" if route["disabled"] else "pending",
                    attempts=0,
                    run_at=now,
                    owner="",
                    error="",
                    create_time=event["create_time"],
                    update_time=now,
                )
