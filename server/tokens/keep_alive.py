"""Renewals that no request asks for: refresh tokens that die when nobody uses them, and what a dead process left.

A process that is killed in the middle of a renewal may have spent a refresh token and not stored the next. Providers
forgive a second use for some seconds, so somebody has to try again soon, whether or not a request comes along.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from connectors.errors import ConnectorError
from installations.installation import Connection
from server import logs
from server.clock import Clock
from server.store.contract import StoreError
from server.tokens.pace import Pace
from server.tokens.solitude import PREFIX, connection_of
from server.tokens.tokens import Tokens

LEFT_SECONDS = 2.0
"""How often it is looked for what dead processes left."""
DYING_SECONDS = 60.0
"""How often it is looked for refresh tokens that must be used."""
ROUND_SECONDS = 60.0
"""For how long a round begins renewals; what is left waits for the next."""
AT_ONCE = 8
"""How many renewals are under way at one provider, which may be slow, and so must not hold up the others."""
MOST = 500
"""How many connections are taken up in one round besides those that had their turn before."""


class Duties(Protocol):
    """The part of the store that knows what is due."""

    async def dying_connections(self, *, now: datetime, limit: int) -> list[Connection]:
        """List connections whose refresh token must be used."""
        ...

    async def abandoned_leases(self, prefix: str, *, dead_after_seconds: float, limit: int) -> list[str]:
        """List leases whose holders did not live to give them back."""
        ...


class KeepAlive:
    """The rounds of one process. Several processes may go theirs at once: each renewal is made by one of them."""

    def __init__(self, tokens: Tokens, store: Duties, *, clock: Clock, pace: Pace) -> None:
        self._tokens = tokens
        self._store = store
        self._clock = clock
        self._pace = pace
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._taken_up: set[str] = set()
        self._tried: set[str] = set()
        """Those that are due although they had their turn: the most urgent for ever, and yet the last to be tried."""

    async def run(self) -> None:
        """Go the rounds until cancelled; the first ones at once."""
        async with asyncio.TaskGroup() as rounds:
            rounds.create_task(self._every(LEFT_SECONDS, self.take_up_left))
            rounds.create_task(self._every(DYING_SECONDS, self.renew_dying))

    async def take_up_left(self) -> None:
        """Begin the renewals that dead processes left unfinished; they go on beside. Raises `StoreError`."""
        now = self._clock()
        left = await self._store.abandoned_leases(PREFIX, dead_after_seconds=self._pace.dead_after_seconds, limit=MOST)
        for name in left:
            if name not in self._taken_up:
                self._taken_up.add(name)
                self._tokens.errands.run("token.renewal_failed", self._take_up(name, since=now))

    async def renew_dying(self) -> None:
        """Use the refresh tokens that would die soon. Raises `StoreError`."""
        now, until = self._clock(), self._pace.monotonic() + ROUND_SECONDS
        dying = await self._store.dying_connections(now=now, limit=MOST + len(self._tried))
        self._tried &= {connection.id for connection in dying}
        async with asyncio.TaskGroup() as group:
            for connection in sorted(dying, key=lambda one: one.id in self._tried):
                group.create_task(self._in_turn(connection, since=now, until=until))

    async def _in_turn(self, connection: Connection, *, since: datetime, until: float) -> None:
        async with self._slots[connection.provider]:
            if self._pace.monotonic() <= until:
                self._tried.add(connection.id)
                await self._renew(connection.project_id, connection.id, since=since)

    async def _take_up(self, name: str, *, since: datetime) -> None:
        try:
            project_id, connection_id = connection_of(name)
            await self._renew(project_id, connection_id, since=since)
            await self._tokens.clear_lease(name)
        finally:
            self._taken_up.discard(name)

    async def _renew(self, project_id: str, connection_id: str, *, since: datetime) -> None:
        """Renew one. No connection's trouble is another one's."""
        try:
            await self._tokens.keep_alive(project_id, connection_id, since=since)
        except ConnectorError:
            return  # recorded already; the next round or the next request tries again
        except StoreError as error:
            logs.failed("store.unavailable", error, connection_id=connection_id)
        except Exception as error:  # noqa: BLE001 -- the rim: there is no caller to tell
            logs.failed("token.renewal_failed", error, connection_id=connection_id)

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except StoreError as error:
                logs.failed("store.unavailable", error)
            except Exception as error:  # noqa: BLE001 -- the rim: the rounds must go on whatever one came to
                logs.failed("keep_alive.round_failed", error)
            await self._pace.sleep(seconds)
