"""When a message is tried again, and when a receiver is given up: pure decisions, no clock and no randomness.

The waits are those that receivers of signed webhooks know: https://docs.svix.com/retries
"""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Literal

import msgspec

from server.store.contract import Delivery, Destination, Disabled

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""Between two attempts; the first comes at once. Together a little more than a day."""
JITTER = 0.2
GIVEN_UP_AFTER = timedelta(days=5)
"""A destination where nothing arrived for so long is disabled, by an attempt that is not among a message's first."""
LATER_ATTEMPT = 4
"""One that failed for more than half an hour, so that no blip after a quiet week disables anything."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver did with one attempt."""

    status: int | None = None
    """``None``: there was no answer."""
    error: str = ""
    """Why it did not arrive; empty if it did."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a message after an attempt."""

    state: Literal["pending", "delivered", "failed"]
    run_at: datetime
    disable: Disabled = ""


def judge(delivery: Delivery, destination: Destination, answer: Answer, *, now: datetime, jitter: float) -> Verdict:
    """Decide what is next. ``jitter`` lies between -1 and 1."""
    if not answer.error:
        return Verdict(state="delivered", run_at=now)
    if answer.status == HTTPStatus.GONE:
        return Verdict(state="failed", run_at=now, disable="gone")
    if _is_hopeless(delivery, destination, now=now):
        return Verdict(state="failed", run_at=now, disable="failing")
    if delivery.attempts > len(WAITS):
        return Verdict(state="failed", run_at=now)
    wait = WAITS[delivery.attempts - 1] * (1 + JITTER * jitter)
    return Verdict(state="pending", run_at=now + wait)


def _is_hopeless(delivery: Delivery, destination: Destination, *, now: datetime) -> bool:
    since = destination.failing_since
    return since is not None and now - since >= GIVEN_UP_AFTER and delivery.attempts >= LATER_ATTEMPT
