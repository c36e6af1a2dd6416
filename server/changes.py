"""Who wants to know that configuration changed, in this process or in another one."""

import asyncio
from collections.abc import Callable

from server import logs
from server.store.contract import Heartbeats, Unavailable

POLL_SECONDS = 0.5
"""How late a change made by another process may be seen; revocation promises one second."""


class Changes:
    """A board on which a change is announced. It says that something changed, never what."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []

    def subscribe(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called at every change from now on. It must not block and must not raise."""
        self._callbacks.append(callback)

    def announce(self) -> None:
        """Say that something changed."""
        for callback in self._callbacks:
            callback()


async def follow(changes: Changes, *, store: Heartbeats) -> None:
    """Announce what other processes changed, until cancelled. A database that is away is asked again."""
    seen: int | None = None
    while True:
        try:
            epoch = await store.epoch()
        except Unavailable:
            epoch = None
        except Exception as error:  # noqa: BLE001 -- the rim: whoever stops asking serves for ever what was deleted
            logs.failed("changes.unknown", error)
            epoch = None
        if epoch != seen:
            changes.announce()
            seen = epoch
        await asyncio.sleep(POLL_SECONDS)
