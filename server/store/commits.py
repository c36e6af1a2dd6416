"""Group commit: while one transaction is on its way to the disk, whoever comes gathers for the next.

A caller alone waits for nobody. A group is bounded, so that nobody waits long either. A move that the database
refuses fails alone: its group is rolled back and its neighbours are committed one by one. A database that cannot
answer fails the whole group at once.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from server.store.contract import Unavailable
from server.store.engine import Session
from server.store.hot import Move, Result

LARGEST_GROUP = 200


class Moves(Protocol):
    """Runs a group of moves in one transaction."""

    async def commit(self, moves: Sequence[Move]) -> list[Result]:
        """Run all and answer their results in order; if it raises, nothing was done."""

    async def announce(self, session: Session, lane_ids: Sequence[str]) -> None:
        """Tell the engine inside the session at hand that these lanes may have work, if it is to be told so."""


class Commits:
    """The queue in front of the database."""

    def __init__(self, moves: Moves) -> None:
        self._moves = moves
        self._waiting: deque[tuple[Move, asyncio.Future[Result]]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    async def submit(self, move: Move) -> Result:
        """Have a move committed with whatever else is waiting. A caller that is cancelled does not undo it."""
        if self._closed:
            raise Unavailable("the store is closed")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((move, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await future

    async def announce(self, session: Session, lane_ids: Sequence[str]) -> None:
        """As `Moves.announce`."""
        await self._moves.announce(session, lane_ids)

    async def close(self) -> None:
        """Commit what is waiting and take no more."""
        self._closed = True
        if self._task is not None:
            await self._task

    async def _drain(self) -> None:
        while self._waiting:
            size = min(len(self._waiting), LARGEST_GROUP)
            await self._commit([self._waiting.popleft() for _ in range(size)])

    async def _commit(self, group: list[tuple[Move, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._moves.commit([move for move, _ in group])
        except Exception as error:  # noqa: BLE001 -- it is handed to the callers, who are its rim
            await self._commit_singly(group, error)
            return
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _commit_singly(self, group: list[tuple[Move, asyncio.Future[Result]]], error: Exception) -> None:
        if len(group) > 1 and not isinstance(error, Unavailable):
            for pair in group:
                await self._commit([pair])
            return
        for _, future in group:
            if not future.done():
                future.set_exception(error)
