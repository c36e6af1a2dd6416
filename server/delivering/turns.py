"""Turns: writes to one record go out one at a time, so that none comes between a look and its write, or overtakes.

They are taken within this process. Between two processes the store keeps those in order that wait, and the provider
decides between those that do not, as it does between its own users.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary


class Turns:
    """A lock for each name that is in use, and none for the others."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def __len__(self) -> int:
        return len(self._locks)

    @asynccontextmanager
    async def taken(self, names: Iterable[str]) -> AsyncIterator[None]:
        """Hold all of these names. They are taken in one order, so that two who want the same ones never block."""
        locks = [self._lock(name) for name in sorted(set(names))]
        async with AsyncExitStack() as held:
            for lock in locks:
                await held.enter_async_context(lock)
            yield

    def _lock(self, name: str) -> asyncio.Lock:
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock
