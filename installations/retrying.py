"""When to try again: back-off with jitter, the provider's word, the deadline. Pure; randomness is an argument.

    age of the operation    longest pause
    first hour              5 minutes
    up to hour 6            30 minutes
    later                   60 minutes

Over 48 hours that makes 69 to 76 attempts, and a last one 5 minutes before the deadline.
"""

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSES: tuple[tuple[timedelta, timedelta], ...] = (
    (timedelta(hours=1), timedelta(minutes=5)),
    (timedelta(hours=6), timedelta(minutes=30)),
)
"""Up to which age which pause is the longest."""
LONGEST_PAUSE = timedelta(minutes=60)
JITTER = 0.2
LATEST = timedelta(seconds=1)
"""How much later than a provider asked for a retry is, at most: the connection's own limits space the others."""
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
"""Of what a provider may ask for."""
LAST_BEFORE = timedelta(minutes=5)
"""How long before the deadline the last attempt is made."""
_MOST_DOUBLINGS = 20

LOOK_AFTER: tuple[timedelta, ...] = (timedelta(seconds=60), timedelta(minutes=5), timedelta(minutes=30))
"""When an ambiguous create is looked up, counted from the attempt: providers show a new record late."""


def pause(failures: int, *, age: timedelta, jitter: float) -> timedelta:
    """Tell the pause after so many failures in a row (from 1 on). ``jitter`` is from 0 to 1."""
    longest = next((cap for limit, cap in LONGEST_PAUSES if age < limit), LONGEST_PAUSE)
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    exact = min(FIRST_PAUSE * int(2**doublings), longest)
    return exact * (1 + JITTER * (2 * jitter - 1))


def asked(seconds: float) -> timedelta:
    """Tell how long the whole connection holds still where the provider asked for it: from 1 second to 1 hour."""
    return timedelta(seconds=min(max(seconds, SHORTEST_WAIT.total_seconds()), LONGEST_WAIT.total_seconds()))


def wait(seconds: float, *, jitter: float) -> timedelta:
    """Tell how long one write waits then: never less than was asked, up to a fifth but at most `LATEST` more."""
    least = asked(seconds)
    return least + min(least * JITTER, LATEST) * jitter


def next_attempt(
    *,
    now: datetime,
    since: datetime,
    deadline_at: datetime,
    failures: int,
    retry_after_seconds: float | None,
    jitter: float,
) -> datetime:
    """Tell when to try again; ``deadline_at`` itself where no attempt fits before it: then it has failed.

    ``since``: when trying began. ``failures``: in a row, from 1 on. A provider's word may lead past the last attempt
    that we would make, but never past the deadline.
    """
    if retry_after_seconds is not None:
        return min(now + wait(retry_after_seconds, jitter=jitter), deadline_at)
    due, last = now + pause(failures, age=now - since, jitter=jitter), deadline_at - LAST_BEFORE
    if due <= last:
        return due
    return last if now < last else deadline_at
