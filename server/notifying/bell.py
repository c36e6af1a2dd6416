"""A hint that there may be something to tell. Missing one costs a second, no more."""

import asyncio
import contextlib


class Bell:
    """Rung by whoever has stored an event; heard by whoever delivers."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Say that there may be news. Never blocks."""
        self._rung.set()

    async def wait(self, seconds: float) -> None:
        """Wait until it is rung, or for so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), seconds)
        self._rung.clear()
