"""Whether this process may still act as the one that others believe to be alive."""

import asyncio
from collections.abc import Callable

from server.clock import elapsed

DEAD_AFTER_SECONDS = 15.0
"""A process not heard of for this long is dead, and its operations are settled. It may still stop later by itself:
every move of an operation is guarded by its owner."""
FRESH_SECONDS = 10.0
"""A process that has not been heard of for this long sends nothing any more: soon others take it for dead."""


class Beat:
    """The last beat of this process that the store has taken."""

    def __init__(self, *, monotonic: Callable[[], float] = elapsed) -> None:
        self._monotonic = monotonic
        self._last: float | None = None
        self._lapses = 0
        """How often others may have taken this process for dead although it went on."""
        self._lapsed_at: float | None = None
        self._known = asyncio.Event()

    def now(self) -> float:
        """Read the clock, before a beat is sent."""
        return self._monotonic()

    def taken(self, sent_at: float) -> None:
        """Take note that the beat which was sent then arrived."""
        if not self.is_fresh():
            self._lapses += 1
            self._lapsed_at = self._monotonic()
        self._last = sent_at
        self._known.set()

    async def known(self) -> None:
        """Wait for the first beat: before it, others would take what this process holds for an orphan."""
        await self._known.wait()

    def is_fresh(self) -> bool:
        """Whether nobody can take this process for dead. One that never beat is not known to anybody yet."""
        return self._last is None or self._monotonic() - self._last < FRESH_SECONDS

    def may_judge(self) -> bool:
        """Whether those who are not heard of are dead, as far as this process can tell.

        Where it was not heard of itself, the database may have been away for all: the others get as long to beat again.
        """
        if self._lapsed_at is not None and self._monotonic() - self._lapsed_at < DEAD_AFTER_SECONDS:
            return False
        return self.is_fresh()

    def permit(self) -> Callable[[], bool]:
        """Give leave for one write (a `Permit`), which ends for good when the process was silent for too long.

        Whoever took it for dead has made the write theirs: that it is heard of again gives it nothing back.
        """
        since = self._lapses
        return lambda: self._lapses == since and self.is_fresh()
