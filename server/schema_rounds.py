"""When installations are compared with their accounts unasked: each some hours after it was saved or checked last.

They come one after the other, so few at a time that no provider notices, and each is checked by one process.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol

from installations.installation import Installation
from server import logs
from server.clock import Clock
from server.delivering.beat import DEAD_AFTER_SECONDS
from server.store.contract import Missing, SchemaCheck, StoreError

ROUND_SECONDS = 60.0
AT_MOST = 20
"""How many installations one process checks in one round: 28 800 a day."""
LEASE_SECONDS = 120.0
"""Longer than the account is waited for."""

Check = Callable[[Installation], Awaitable[object]]


class CheckStore(Protocol):
    """The part of the store that the rounds use."""

    async def due_schema_checks(self, *, before: datetime, now: datetime, limit: int) -> list[tuple[str, str]]:
        """List what was not checked lately."""
        ...

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one."""
        ...

    async def schema_check(self, project_id: str, installation_id: str) -> SchemaCheck | None:
        """Find the last check."""
        ...

    async def take_lease(self, name: str, *, owner: str, seconds: float, dead_after_seconds: float) -> bool:
        """Take a lease if nobody alive holds it."""
        ...

    async def release_lease(self, name: str, *, owner: str) -> None:
        """Give it back."""
        ...


class SchemaRounds:
    """The rounds of one process."""

    def __init__(
        self,
        store: CheckStore,
        check: Check,
        *,
        every: timedelta,
        clock: Clock,
        owner: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._check = check
        self._every = every
        self._clock = clock
        self._owner = owner
        self._sleep = sleep
        self._failed: set[str] = set()
        """Those that could not be checked: due for ever, and yet the last to be tried again."""

    async def run(self) -> None:
        """Go the rounds until cancelled; the first after a pause, for a process that starts has other things to do."""
        while True:
            await self._sleep(ROUND_SECONDS)
            try:
                await self.go()
            except StoreError as error:
                logs.failed("store.unavailable", error)
            except Exception as error:  # noqa: BLE001 -- the rim: the rounds must go on whatever one came to
                logs.failed("schema.round_failed", error)

    async def go(self) -> int:
        """Go one round and answer how many installations were checked. Raises `StoreError`."""
        now = self._clock()
        before = now - self._every
        due = await self._store.due_schema_checks(before=before, now=now, limit=AT_MOST + len(self._failed))
        self._failed &= {installation_id for _, installation_id in due}
        chosen = sorted(due, key=lambda each: each[1] in self._failed)[:AT_MOST]
        return sum([await self._alone(*each, since=before) for each in chosen])

    async def _alone(self, project_id: str, installation_id: str, *, since: datetime) -> bool:
        """Check one unless another process is at it, or has just been."""
        lease = f"schema-check/{installation_id}"
        if not await self._store.take_lease(
            lease, owner=self._owner, seconds=LEASE_SECONDS, dead_after_seconds=DEAD_AFTER_SECONDS
        ):
            return False
        try:
            last = await self._store.schema_check(project_id, installation_id)
            installation = await self._store.installation(project_id, installation_id)
            checked = last.check_time if last and last.config_id == installation.config.id else None
            fresh = checked is not None and since <= checked <= self._clock()
            return False if fresh else await self._checked(installation)
        except Missing:
            return False
        finally:
            await self._store.release_lease(lease, owner=self._owner)

    async def _checked(self, installation: Installation) -> bool:
        try:
            await self._check(installation)
        except (StoreError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 -- the rim: no installation's trouble is another one's
            self._failed.add(installation.id)
            logs.failed("schema.check_failed", error, installation_id=installation.id)
            return False
        return True
