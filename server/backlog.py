"""What an operator asks first: what waits, since when, what holds it up, and who is alive to do it."""

from datetime import datetime

from server.clock import utc_now
from server.delivering.beat import DEAD_AFTER_SECONDS
from server.settings import Settings
from server.store.backlog import Backlog, StoppedLane, count_backlog
from server.store.migrate import require_current
from server.store.opening import choose_for_looking


async def take_stock(settings: Settings) -> Backlog:
    """Count what is not over. Works beside servers, on SQLite too, and needs no master key.

    Raises `Unavailable` and `SettingsError`.
    """
    database = await choose_for_looking(settings)
    try:
        await require_current(database)
        return await count_backlog(database, now=utc_now(), alive_seconds=int(DEAD_AFTER_SECONDS))
    finally:
        await database.close()


def told(backlog: Backlog) -> str:
    """Write it for a person."""
    lines = ["operations"]
    for heap in backlog.operations:
        name = f"{heap.state} ({heap.reason})" if heap.reason else heap.state
        lines.append(f"  {name:<22} {heap.count:>8}   oldest {_age(heap.oldest, backlog.time)}")
    if not backlog.operations:
        lines.append("  none is waiting or under way")
    lines += [f"held up, the {len(backlog.stopped)} with most operations"] if backlog.stopped else []
    for lane in backlog.stopped:
        lines += [f"  {_name(lane):<30} {lane.waiting:>8}   {_why(lane, backlog)}"]
        lines += [f"    project {lane.project_name}, connection {lane.connection_id}"]
    lines += ["processes"]
    lines += [f"  {one.kind:<8} {one.id}  heard of {one.seconds_ago} s ago" for one in backlog.processes]
    if not backlog.processes:
        lines.append("  none is alive: nothing is being sent")
    return "\n".join(lines)


def _name(lane: StoppedLane) -> str:
    return f"{lane.group_ref} at {lane.provider}" if lane.provider else "a deleted connection"


def _why(lane: StoppedLane, backlog: Backlog) -> str:
    reasons = ["parked, its credentials are refused"] if lane.parked else []
    if lane.failures:
        reasons.append(f"failures in a row: {lane.failures}")
    if lane.hold_until is not None and lane.hold_until > backlog.time:
        reasons.append(f"on hold for {_age(backlog.time, lane.hold_until)}")
    return ", ".join(reasons)


def _age(since: datetime, now: datetime) -> str:
    seconds = max(0, int((now - since).total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600, seconds // 60
    if days:
        return f"{days} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
