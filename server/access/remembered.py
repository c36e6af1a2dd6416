"""What was looked up a moment ago: kept for at most a second, and not beyond a change."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

REMEMBER_SECONDS = 1.0
"""Revocation reaches every process within this time, even when no change was announced."""
REMEMBER_MOST = 10_000


class Remembered(Generic[K, T]):
    """Answers of one kind of look-up. Errors are not remembered."""

    def __init__(self, look_up: Callable[[K], Awaitable[T]], *, monotonic: Callable[[], float]) -> None:
        self._look_up = look_up
        self._monotonic = monotonic
        self._known: dict[Hashable, tuple[float, T]] = {}
        self._asked: dict[Hashable, asyncio.Task[T]] = {}
        self._age = 0

    def forget(self) -> None:
        """Drop everything, because something changed. A look-up under way is not remembered either."""
        self._known.clear()
        self._asked.clear()
        self._age += 1

    async def get(self, name: K) -> T:
        """Answer what the look-up says of ``name``. Raises what it raises."""
        known = self._known.get(name)
        if known is not None and known[0] > self._monotonic():
            return known[1]
        # Under load a name's time is over for many requests at once: one of them asks, all wait for it.
        asked = self._asked.get(name)
        if asked is None:
            asked = self._asked[name] = asyncio.create_task(self._ask(name))
            asked.add_done_callback(lambda done: self._answered(name, done))
        return await asyncio.shield(asked)

    async def _ask(self, name: K) -> T:
        age = self._age
        # The second begins before the look-up: what it reads may be changed while it is on its way back.
        until = self._monotonic() + REMEMBER_SECONDS
        found = await self._look_up(name)
        if age == self._age:
            if len(self._known) >= REMEMBER_MOST:
                self._known.clear()
            self._known[name] = (until, found)
        return found

    def _answered(self, name: K, done: "asyncio.Task[T]") -> None:
        if self._asked.get(name) is done:
            del self._asked[name]
        if not done.cancelled():
            done.exception()  # whoever waited for it may be gone
