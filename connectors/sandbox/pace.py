"""How fast one workspace of the sandbox is: what every call takes, and how many it takes in a while."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated

import msgspec
from msgspec import Meta


class Pace(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A latency for every request, and a rate: beyond it requests are answered 429 with Retry-After, undone."""

    latency_ms: Annotated[int, Meta(ge=0, le=600_000)] = 0
    requests: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    """The most within any ``perSeconds``; ``null`` is as many as come. A batch is one request."""
    per_seconds: Annotated[float, Meta(gt=0, le=86_400)] = 1.0


class Pacemaker:
    """Counts the requests of the last while against a pace. ``now`` answers the time in UTC."""

    def __init__(self, pace: Pace, *, now: Callable[[], datetime]) -> None:
        self.pace = pace
        self._now = now
        self._taken: deque[datetime] = deque()

    def set(self, pace: Pace) -> None:
        """Go by another pace from now on."""
        self.pace = pace
        self._taken.clear()

    def wait_seconds(self) -> int | None:
        """Count a request and answer ``None``, or the whole seconds until one is taken again."""
        if self.pace.requests is None:
            return None
        now, window = self._now(), timedelta(seconds=self.pace.per_seconds)
        while self._taken and self._taken[0] <= now - window:
            self._taken.popleft()
        if len(self._taken) < self.pace.requests:
            self._taken.append(now)
            return None
        return max(1, ceil((self._taken[0] + window - now).total_seconds()))
