"""Leaves a provider alone that is down: after some failures in a row a connection waits, then one call tries. Pure.

The count is the lane's, so that it survives whoever attends to it. It is the connection's and not the provider's:
one customer's instance may be down while the next one's is well.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from connectors.departure import PERMIT_WITHDRAWN
from installations.record import Fault
from installations.repetition import ACCEPTED
from server.delivering.attempts import Tried
from server.store.contract import Lane

OPENS_AFTER = 5
"""Failures in a row."""
FIRST_HOLD = timedelta(seconds=5)
LONGEST_HOLD = timedelta(minutes=5)
JITTER = 0.2
_MOST_DOUBLINGS = 8


def failed(tried: Tried) -> bool | None:
    """Whether an attempt says that the provider is down; ``None`` where it says nothing of that.

    Down: nobody could connect, no answer came, it answered 5xx or that it is busy without saying until when.
    """
    fault = tried.fault
    if tried.effect == "done" or (fault is not None and fault.status == ACCEPTED):
        return False
    if fault is None or fault.kind == "auth" or fault.code == PERMIT_WITHDRAWN:
        return None
    return _is_failure(fault)


def _is_failure(fault: Fault) -> bool:
    if fault.kind in {"ambiguous", "not_sent", "provider"}:
        return True
    return fault.kind == "rate_limited" and fault.retry_after_seconds is None


def probing(lane: Lane) -> bool:
    """Whether the next call is the one that tries: the breaker is half open, for its time is over."""
    return lane.failures >= OPENS_AFTER


def learnt(lane: Lane, *, failure: bool, now: datetime, jitter: float) -> Lane:
    """Take note of a call. ``jitter`` from 0 to 1 spreads connections that met the same trouble together."""
    if not failure:
        return replace(lane, failures=0)
    failures = lane.failures + 1
    if failures < OPENS_AFTER:
        return replace(lane, failures=failures)
    if lane.hold_until is not None and lane.hold_until > now:
        # Calls that were under way together are one failure of an open breaker.
        return lane
    hold = min(FIRST_HOLD * int(2 ** min(failures - OPENS_AFTER, _MOST_DOUBLINGS)), LONGEST_HOLD)
    return replace(lane, failures=failures, hold_until=now + hold * (1 + JITTER * (2 * jitter - 1)))
