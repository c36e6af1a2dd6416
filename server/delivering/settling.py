"""Makes moves as surely as can be: what the provider did must be written down, however long the database is away.

Nobody else could: an operation is recovered when its owner is dead, not when it has only failed to write.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from installations.operation import Operation, State
from server import logs
from server.store.contract import Settlement, Unavailable

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
_OTHER: dict[State, State] = {"claimed": "sent", "sent": "claimed"}


class SettlingStore(Protocol):
    """The part of the store that moves operations."""

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Make several moves."""
        ...


class Teller(Protocol):
    """Adds what the builder is told to the last move of an operation."""

    async def told(self, operation: Operation, settlement: Settlement) -> Settlement:
        """Answer the move with its event."""
        ...


class Settling:
    """Stores moves with their events."""

    def __init__(self, store: SettlingStore, completion: Teller, *, ring: Callable[[], None]) -> None:
        """``ring`` is called when there is something to tell."""
        self._store = store
        self._completion = completion
        self._ring = ring

    async def see_through(self, moves: Sequence[tuple[Operation, Settlement]]) -> list[bool]:
        """Make moves of operations that this process holds, and tell which were made. Ends when the database answers.

        Where a mark was cut off, nobody knows whether an operation is ``claimed`` or ``sent``: both are tried.
        """
        settlements = await self._again(lambda: self._told(moves))
        made = await self._again(lambda: self._store.settle_all(settlements))
        left = [i for i, done in enumerate(made) if not done and settlements[i].from_state in _OTHER]
        if left:
            others = [replace(settlements[i], from_state=_OTHER[settlements[i].from_state]) for i in left]
            for index, done in zip(left, await self._again(lambda: self._store.settle_all(others)), strict=True):
                made[index] = done
        if any(each.event is not None for each in settlements):
            self._ring()
        return made

    async def _told(self, moves: Sequence[tuple[Operation, Settlement]]) -> list[Settlement]:
        return [await self._completion.told(operation, settlement) for operation, settlement in moves]

    async def _again(self, work: Callable[[], Awaitable[T]]) -> T:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return await work()
            except Unavailable as error:
                logs.failed("store.unavailable", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
