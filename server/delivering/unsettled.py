"""Keeps what a synchronous write came to while the database is away: nobody else could ever write it down.

An operation is recovered when its process is dead, not when that has only failed to write.
"""

import asyncio
from typing import Protocol

from installations.operation import Operation
from server import logs
from server.clock import Clock
from server.delivering.settlements import abandoned, last_word
from server.delivering.settling import doubted
from server.store.contract import Settlement, Superseded, Unavailable

MOST_UNHEARD_OF = 10_000
"""So many operations are remembered that were perhaps stored and are known not to have been sent."""
AT_ONCE = 100
"""Late moves that share commits."""


class SettlingStore(Protocol):
    """The part of the store that moves one operation."""

    async def settle(self, settlement: Settlement) -> None:
        """Move it, durably."""
        ...


class Unsettled:
    """The moves that are still to be made."""

    def __init__(self, store: SettlingStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._moves: dict[str, Settlement] = {}
        """By the operation's id."""

    async def settle(self, operation: Operation, settled: Settlement) -> None:
        """Make a move, or remember it and raise what stood in its way: its caller is not answered."""
        try:
            await self._settle(settled)
        except Superseded:
            raise
        except Unavailable:
            self._moves[operation.id] = settled
            raise
        except Exception:
            # It cannot be stored as it is, and what cannot be told is a question.
            self._moves[operation.id] = doubted(operation, settled)
            raise

    def unheard_of(self, operation: Operation) -> None:
        """Remember to end one that was not sent, if it was stored: the database did not say."""
        if len(self._moves) < MOST_UNHEARD_OF:
            self._moves[operation.id] = abandoned(operation, now=self._clock())

    async def settle_late(self) -> None:
        """Make the moves that could not be made before. Raises `Unavailable` where they still cannot."""
        waiting = list(self._moves.values())
        for start in range(0, len(waiting), AT_ONCE):
            made = await asyncio.gather(
                *map(self._settle_late, waiting[start : start + AT_ONCE]), return_exceptions=True
            )
            for error in made:
                if isinstance(error, BaseException):
                    raise error

    async def _settle(self, settled: Settlement) -> None:
        try:
            await self._store.settle(settled)
        except Superseded:
            if (last := last_word(settled)) is None:
                raise
            await self._store.settle(last)

    async def _settle_late(self, settled: Settlement) -> None:
        try:
            await self._settle(settled)
        except Superseded:
            logs.event("write.superseded", operation_id=settled.operation_id)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- the rim: one that cannot be written keeps no other back
            logs.failed("write.unsettled", error, operation_id=settled.operation_id)
            return
        self._moves.pop(settled.operation_id, None)
