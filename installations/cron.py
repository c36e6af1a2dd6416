"""Schedules: five cron fields in UTC, and the smallest gap between two runs."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from cronsim import CronSim, CronSimError

READ_GAP = timedelta(minutes=10)
"""Reads may not run more often; the published validator's limit."""
WATCH_GAP = timedelta(hours=1)
"""Schema watches may not run more often."""

_FIELDS = 5
_LONGEST = 256
_START = datetime(2000, 1, 1, tzinfo=UTC)
_EXTENDED = re.compile(r"(?i)(?<!ju)l|#")
"""Marks of other crons; the L of JUL is none."""


_YEAR = tuple(date(2000, 1, 1) + timedelta(days=number) for number in range(367))
_DATES = (*pairwise((day.month, day.day) for day in _YEAR), ((2, 28), (3, 1)))
"""Every date with the one after it, as month and day. Over the years, each falls on every day of the week."""


def schedule_problem(schedule: str, *, gap: timedelta) -> str | None:
    """Say what is wrong with a schedule that may not run twice within ``gap``, which is at most a day.

    The whole calendar is looked at, not only the coming runs: ``0,5 9 * * *`` is five minutes apart every morning.
    """
    if len(schedule) > _LONGEST or len(schedule.split()) != _FIELDS:
        return "must be a cron expression of five fields: minute, hour, day of month, month, day of week"
    try:
        smallest = smallest_gap(schedule)
    except CronSimError as error:
        return f"is no cron expression: {error}"
    if smallest is None:
        return "never runs: there is no such day"
    if smallest < gap:
        return f"runs {_minutes(smallest)} apart, but may not run more often than every {_minutes(gap)}"
    return None


def _minutes(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def smallest_gap(schedule: str) -> timedelta | None:
    """Compute the shortest time between two runs, up to a day; ``None`` if there is no run at all.

    Raises:
        CronSimError: a field is malformed.
    """
    if _EXTENDED.search(schedule):
        raise CronSimError("L, W and # are not supported")
    rules = CronSim(schedule, _START)
    if not any(_may_run(rules, day) for day, _ in _DATES):
        return None
    times = [timedelta(hours=hour, minutes=minute) for hour in sorted(rules.hours) for minute in sorted(rules.minutes)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if _runs_on_following_days(rules):
        gaps.append(times[0] + timedelta(days=1) - times[-1])
    return min(gaps, default=timedelta(days=1))


def _may_run(rules: CronSim, day: tuple[int, int]) -> bool:
    """Tell whether there is a year in which a schedule runs on this date."""
    return day[0] in rules.months and (day[1] in rules.days or not rules.day_and)


def _runs_on_following_days(rules: CronSim) -> bool:
    weekdays = {weekday % 7 for weekday in rules.weekdays if isinstance(weekday, int)}
    follow = any((weekday + 1) % 7 in weekdays for weekday in weekdays)
    pairs = [(day, following) for day, following in _DATES if _may_run(rules, day) and _may_run(rules, following)]
    if rules.day_and or follow:
        return follow and bool(pairs)
    # Date or weekday: a fixed date beside any other day that runs by its weekday, in some year.
    return any(day[1] in rules.days or following[1] in rules.days for day, following in pairs)
