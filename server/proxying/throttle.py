"""Until when a provider wants to be left alone, for each connection. One process's memory, bounded.

Every answer is listened to; only calls in throttle mode are held back.
"""

import math
from collections import OrderedDict
from datetime import datetime, timedelta

import msgspec

from server.clock import Clock
from server.proxying.errors import HeldBack

MOST_HELD = 100_000
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 300.0
"""Where the provider does not say how long, the wait doubles with each refusal in a row, up to this."""


class _Hold(msgspec.Struct, frozen=True, kw_only=True):
    until: datetime
    refusals: int


class Throttle:
    """Remembers who asked us to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._holds: OrderedDict[str, _Hold] = OrderedDict()

    def require_open(self, connection_id: str) -> None:
        """Raises `HeldBack` while the provider's time is not over."""
        hold = self._holds.get(connection_id)
        now = self._clock()
        if hold is not None and now < hold.until:
            raise HeldBack(hold.until, after_seconds=math.ceil((hold.until - now).total_seconds()))

    def limited(self, connection_id: str, *, after_seconds: float | None) -> datetime:
        """Take note of a refusal; answer when the next call may go out, in whole seconds and never too early."""
        earlier = self._holds.pop(connection_id, None)
        refusals = 0 if earlier is None else earlier.refusals
        wait = min(FIRST_WAIT_SECONDS * 2**refusals, LONGEST_WAIT_SECONDS) if after_seconds is None else after_seconds
        until = later(self._clock(), wait)
        if earlier is not None:
            until = max(until, earlier.until)
        self._holds[connection_id] = _Hold(until=until, refusals=min(refusals + 1, 20))
        if len(self._holds) > MOST_HELD:
            self._holds.popitem(last=False)
        return until

    def passed(self, connection_id: str) -> None:
        """Take note of a call that went through: the next wait without a word begins small again."""
        hold = self._holds.get(connection_id)
        if hold is not None and hold.until <= self._clock():
            del self._holds[connection_id]


def later(now: datetime, seconds: float) -> datetime:
    """Answer a moment so far away, rounded up: the published header has no fractions."""
    moment = now + timedelta(seconds=seconds)
    return moment if not moment.microsecond else moment.replace(microsecond=0) + timedelta(seconds=1)
