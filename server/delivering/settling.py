"""Makes moves as surely as can be: what the provider did must be written down, however long the database is away.

Nobody else could: an operation is recovered when its owner is dead, not when it has only failed to write.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from msgspec.structs import replace

from installations.operation import Operation, State
from server import logs
from server.delivering.settlements import gives_way, last_word
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


def doubted(operation: Operation, move: Settlement) -> Settlement:
    """Build the move for an operation whose real one cannot be stored: a person has to look, and nothing is sent."""
    return Settlement(
        operation_id=operation.id,
        project_id=operation.project_id,
        from_state=move.from_state,
        owner=operation.owner,
        to_state="unknown",
        now=move.now,
        from_attempts=operation.attempts,
        reason="ambiguous",
        gives_way=gives_way(operation, "unknown"),
        summary="Outcome unknown: what came of it could not be stored",
        doubtful=True,
    )


def _from_other(settled: Settlement) -> Settlement | None:
    other = _OTHER.get(settled.from_state)
    return None if other is None else replace(settled, from_state=other)


class Settling:
    """Stores moves with their events."""

    def __init__(self, store: SettlingStore, completion: Teller, *, ring: Callable[[], None]) -> None:
        """``ring`` is called when there is something to tell."""
        self._store = store
        self._completion = completion
        self._ring = ring

    async def see_through(self, moves: Sequence[tuple[Operation, Settlement]]) -> list[bool]:
        """Make moves of operations that this process holds, and tell which were made. Ends when the database answers.

        Where a mark was cut off, nobody knows whether an operation is ``claimed`` or ``sent``: both are tried. Where
        others took this process for dead meanwhile, what it knows still counts (`last_word`). A move that fails for a
        reason that nobody foresaw leaves its operation ``unknown``, and keeps no other one back.
        """
        try:
            return await self._seen_through(moves)
        except Exception as error:  # noqa: BLE001 -- the rim: what nobody moves stays under way as long as we live
            logs.failed("write.unsettled", error, operations=len(moves), operation_id=moves[0][0].id)
        if len(moves) > 1:
            return [made for move in moves for made in await self.see_through([move])]
        ((operation, move),) = moves
        try:
            return await self._made([doubted(operation, move)])
        except Exception as error:  # noqa: BLE001 -- as above; nothing less can be stored
            logs.failed("write.lost", error, operation_id=operation.id)
        return [False]

    async def _seen_through(self, moves: Sequence[tuple[Operation, Settlement]]) -> list[bool]:
        settlements = await self._again(lambda: self._told(moves))
        made = await self._made(settlements)
        if any(each.event is not None for each in settlements):
            self._ring()
        return made

    async def _made(self, settlements: Sequence[Settlement]) -> list[bool]:
        made = await self._all_of(settlements)
        for otherwise in (_from_other, last_word):
            others = {
                index: other
                for index, done in enumerate(made)
                if not done and (other := otherwise(settlements[index])) is not None
            }
            if others:
                for index, done in zip(others, await self._all_of([*others.values()]), strict=True):
                    made[index] = done
        return made

    async def _all_of(self, settlements: Sequence[Settlement]) -> list[bool]:
        return await self._again(lambda: self._store.settle_all(settlements))

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
