"""Lets an operation that seems to take processes down run while nothing else does, so that the blame is proved."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Quarantine:
    """Counts the operations that this process holds."""

    def __init__(self) -> None:
        self._held = 0
        self._lonely = asyncio.Event()
        self.closed = False
        """Somebody wants to be alone: nothing more may be claimed or begun."""

    def __len__(self) -> int:
        return self._held

    def enter(self, count: int) -> None:
        """Count operations that were claimed."""
        self._held += count

    def leave(self, count: int) -> None:
        """Count operations that are settled or given back."""
        self._held -= count
        if self._held <= 1:
            self._lonely.set()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Wait until an operation is the only one held here. False at once where another one is, or waits to be."""
        if self.closed:
            yield False
            return
        self.closed = True
        try:
            while self._held > 1:
                self._lonely.clear()
                await self._lonely.wait()
            yield True
        finally:
            self.closed = False
