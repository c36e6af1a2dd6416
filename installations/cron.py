"""Schedules: five cron fields in UTC, and the smallest gap between two runs."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

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


class _Day(NamedTuple):
    month: int
    day: int
    weekdays: frozenset[int]
    """As cron counts: Sunday is both 0 and 7."""


def _day(date: datetime) -> _Day:
    weekday = date.isoweekday()
    return _Day(date.month, date.day, frozenset({0, 7} if weekday == 7 else {weekday}))  # noqa: PLR2004 -- ISO's Sunday


def _calendar() -> tuple[tuple[_Day, _Day], ...]:
    """List each kind of day and of the day after it; after 28 years the calendar begins again."""
    dates = (_START + timedelta(days=number) for number in range(28 * 366))
    return tuple(dict.fromkeys((_day(date), _day(date + timedelta(days=1))) for date in dates))


_CALENDAR = _calendar()


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
    days = [(_runs_on(rules, day), _runs_on(rules, following)) for day, following in _CALENDAR]
    if not any(today or tomorrow for today, tomorrow in days):
        return None
    times = [timedelta(hours=hour, minutes=minute) for hour in sorted(rules.hours) for minute in sorted(rules.minutes)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if any(today and tomorrow for today, tomorrow in days):
        gaps.append(times[0] + timedelta(days=1) - times[-1])
    return min(gaps, default=timedelta(days=1))


def _runs_on(rules: CronSim, day: _Day) -> bool:
    if day.month not in rules.months:
        return False
    by_date, by_weekday = day.day in rules.days, day.weekdays & rules.weekdays != set()
    return by_date and by_weekday if rules.day_and else by_date or by_weekday
