"""Being alone with a connection's credentials: among tasks of this process by a turn, among processes by a lease."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from server import logs
from server.delivering.turns import Turns
from server.store.contract import StoreError
from server.tokens.pace import Pace

PREFIX = "refresh/"


class LeaseStore(Protocol):
    """The part of the store that keeps leases."""

    async def take_lease(self, name: str, *, owner: str, seconds: float, dead_after_seconds: float) -> bool:
        """Take one."""
        ...

    async def release_lease(self, name: str, *, owner: str) -> None:
        """Give it back."""
        ...


def lease_name(project_id: str, connection_id: str) -> str:
    """Name the lease. It says what was under way when its holder died."""
    return f"{PREFIX}{project_id}/{connection_id}"


def connection_of(name: str) -> tuple[str, str]:
    """Read a lease's name: the project's and the connection's id."""
    project_id, _, connection_id = name.removeprefix(PREFIX).partition("/")
    return project_id, connection_id


class NotAlone(Exception):
    """Somebody else is at it, and does not come to an end."""


class Solitude:
    """Hands out the right to change a connection's credentials or their standing."""

    def __init__(self, store: LeaseStore, *, owner: str, pace: Pace) -> None:
        self._store = store
        self._owner = owner
        self._pace = pace
        self._turns = Turns()

    @asynccontextmanager
    async def alone(
        self, name: str, *, patience: float, until: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator[bool]:
        """Wait to be alone, but no longer than ``until`` answers false; it is asked after each pause.

        The context is entered with true when we are alone, with false when waiting was over before. Raises `NotAlone`
        after ``patience`` seconds. No lease outlives its context, except that of work that was broken off.
        """
        async with self._turns.taken([name]):
            if not await self._taken(name, patience=patience, until=until):
                yield False
                return
            try:
                yield True
            except asyncio.CancelledError:
                # Broken off in the middle, as a kill would: the lease stays, and tells those who live on.
                raise
            except BaseException:
                await self._give_back(name)
                raise
            await self._give_back(name)

    async def still(self, name: str) -> bool:
        """Make the lease last its full time again. False if it was lost meanwhile, because we seemed dead."""
        pace = self._pace
        return await self._store.take_lease(
            name, owner=self._owner, seconds=pace.lease_seconds, dead_after_seconds=pace.dead_after_seconds
        )

    async def _taken(self, name: str, *, patience: float, until: Callable[[], Awaitable[bool]] | None) -> bool:
        waited = 0.0
        while not await self.still(name):
            if waited >= patience:
                raise NotAlone
            pause = self._pace.poll_pause()
            await self._pace.sleep(pause)
            waited += pause
            if until is not None and await until():
                return False
        return True

    async def _give_back(self, name: str) -> None:
        try:
            await self._store.release_lease(name, owner=self._owner)
        except StoreError as error:
            # It ends by itself, and until then it is ours.
            logs.failed("lease.kept", error, lease=name)
