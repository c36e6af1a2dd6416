"""Until when providers want to be left alone, for each connection, as far as this process has heard.

The lanes in the store keep the same for every process and after a crash; this is for those who send without taking a
lane. What another process was told is met here by the first refusal.
"""

import asyncio
import math
from collections import OrderedDict
from datetime import datetime, timedelta

from server.clock import Clock

MOST_HELD = 100_000
"""So many connections are remembered."""
PATIENCE_SECONDS = 10.0
"""How long a caller is kept waiting at most. Many limits are counted over ten seconds, and together with the longest
call to a provider it is still less than the minute after which proxies give up."""
POLL_SECONDS = 0.25


class OnHold(Exception):
    """The provider has asked for more time than a caller can be kept waiting; nothing was sent or stored."""

    def __init__(self, after_seconds: int) -> None:
        super().__init__(f"The provider has asked us to wait; the next write may go out in {after_seconds} s.")
        self.after_seconds = after_seconds


class Holds:
    """What this process was told."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._until: OrderedDict[str, datetime] = OrderedDict()

    def told(self, lane_id: str, until: datetime | None) -> None:
        """Take note of what a provider asked for, if it did."""
        if until is None:
            return
        known = self._until.pop(lane_id, until)
        self._until[lane_id] = max(known, until)
        if len(self._until) > MOST_HELD:
            self._until.popitem(last=False)

    def until(self, lane_id: str) -> datetime | None:
        """Tell until when a connection is on hold; ``None`` where it is not, as far as this process knows."""
        until = self._until.get(lane_id)
        if until is not None and until <= self._clock():
            del self._until[lane_id]
            return None
        return until

    async def over(self, lane_id: str) -> None:
        """Wait until a connection may be called. Raises `OnHold` at once where a caller cannot wait for that."""
        if self.until(lane_id) is None:
            return
        patience = self._clock() + timedelta(seconds=PATIENCE_SECONDS)
        while (until := self.until(lane_id)) is not None:
            left = (until - self._clock()).total_seconds()
            if until > patience:
                raise OnHold(max(1, math.ceil(left)))
            await asyncio.sleep(min(max(left, 0.0), POLL_SECONDS))
