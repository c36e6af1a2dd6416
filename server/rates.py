"""How often something may happen: a rate, and token buckets that hold many callers to one.

A bucket holds ``burst`` tokens and gains ``count`` of them in every ``seconds``; each call takes one. It is kept as a
single number, the moment at which it will be full again (the generic cell rate algorithm), so that a hundred thousand
buckets are some ten megabytes and need no upkeep. A process has its own: two servers let through twice as much.
"""

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable

import msgspec

LARGEST_TABLE = 100_000
"""Buckets kept at once. Whoever called longest ago is forgotten first, which is to say gets a full bucket."""
UNLIMITED = "unlimited"
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_SPELLING = re.compile(r"(\d{1,6})/([smh])(?: +burst +(\d{1,6}))?")
_EXACT = 1e-6
"""Seconds by which sums of floats may miss."""


class Rate(msgspec.Struct, frozen=True, kw_only=True):
    """So many in a time, and so many at once."""

    count: int
    seconds: int
    burst: int


def parse_rate(text: str) -> Rate | None:
    """Read ``100/s``, ``20/m`` or ``50/s burst 200``; ``None`` for ``unlimited``.

    Without ``burst``, all of one unit's may come at once. Raises `ValueError`, which quotes the text.
    """
    if text.strip() == UNLIMITED:
        return None
    found = _SPELLING.fullmatch(text.strip())
    count, burst = (int(found[1]), int(found[3] or found[1])) if found else (0, 0)
    if found is None or not count or not burst:
        raise ValueError(f"{text!r} is no rate such as 100/s, 20/m, 50/s burst 200 or {UNLIMITED}")
    return Rate(count=count, seconds=_SECONDS[found[2]], burst=burst)


class Buckets:
    """A bucket for each caller, all of one rate. Memory is bounded; one call takes about a microsecond."""

    def __init__(self, rate: Rate, *, monotonic: Callable[[], float], largest: int = LARGEST_TABLE) -> None:
        self._interval = rate.seconds / rate.count
        self._slack = self._interval * (rate.burst - 1) + _EXACT
        self._monotonic = monotonic
        self._largest = largest
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def take(self, caller: Hashable) -> int:
        """Take one of a caller's tokens and answer 0; or take none, and answer in how many seconds there will be one.

        The seconds are whole and at least 1: whoever waits that long and finds the bucket untouched is let through.
        """
        now = self._monotonic()
        full_at = max(self._full_at.get(caller, now), now)
        early = full_at - now - self._slack
        if early > 0:
            self._full_at.move_to_end(caller)
            return max(1, math.ceil(early))
        self._full_at[caller] = full_at + self._interval
        self._full_at.move_to_end(caller)
        if len(self._full_at) > self._largest:
            self._full_at.popitem(last=False)
        return 0

    def give_back(self, caller: Hashable, count: int) -> None:
        """Return tokens that were taken and not used."""
        if caller in self._full_at:
            self._full_at[caller] -= self._interval * count
