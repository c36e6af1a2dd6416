"""What time it is, and fresh names: injected, so that tests decide both."""

import asyncio
import os
import platform
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Answers an aware UTC time."""
NewId: TypeAlias = Callable[[], str]
"""Answers an id nobody has used and nobody can guess; it never holds ``:`` or ``/``."""


def utc_now() -> datetime:
    """Read the system's clock."""
    return datetime.now(UTC)


async def system_time() -> datetime:
    """Read the system's clock, for a `SharedClock` that nobody shares."""
    return utc_now()


# Unlike CLOCK_MONOTONIC it goes on while the machine sleeps; not every system has it.
elapsed: Callable[[], float] = partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
"""Tells the seconds since some moment; nobody can set it."""


LARGEST_DRIFT = timedelta(days=1)


class SharedClock:
    """The time of the database that several processes share, whatever the clocks of their machines say.

    A process alone asks its own system instead, which may be set as well. Between two questions it is carried by a
    clock that nobody sets. It does not go back: where the database turns out to be behind, it runs at half speed until
    they agree, so that nothing comes due later by all of it. Only what is more than a day is no drift but a mistake put
    right, and followed at once. The clock is as exact as a question is quick.
    """

    def __init__(self, ask: Callable[[], Awaitable[datetime]], *, elapsed: Callable[[], float] = elapsed) -> None:
        self._ask = ask
        self._elapsed = elapsed
        self._told: datetime | None = None
        self._at = 0.0
        self._ahead = 0.0
        """Seconds that the clock was ahead of the database when it was last set."""

    def __call__(self) -> datetime:
        """Tell the time, an aware one in UTC. It must have been set."""
        if self._told is None:
            raise RuntimeError("the clock was never set")
        passed = self._elapsed() - self._at
        return self._told + timedelta(seconds=passed - min(self._ahead, passed / 2))

    async def set(self) -> None:
        """Ask the database. Raises what that raises, and goes on as before."""
        before = self._elapsed()
        told = (await self._ask()).astimezone(UTC)
        after = self._elapsed()
        # When it was read nobody knows, but that it was between. Within these bounds the clock is right as it is.
        earliest, latest = told, told + timedelta(seconds=after - before)
        now = self() if self._told is not None else earliest
        if now - latest > LARGEST_DRIFT:
            now = latest
        self._told, self._at = max(now, earliest), after
        self._ahead = max(0.0, (now - latest).total_seconds())

    async def follow(self, *, every_seconds: float, failed: Callable[[BaseException], None]) -> None:
        """Set it again and again until cancelled; ``failed`` is told of questions that came to nothing."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.set()
            except Exception as error:  # noqa: BLE001 -- the rim: without the database it goes on by itself
                failed(error)


def new_id() -> str:
    """Draw a UUID of version 7: 48 bits of time, then 74 that nobody can guess.

    Ids that grow with time lie side by side in an index: a group of writes touches a few of its pages instead of one
    for each. https://www.rfc-editor.org/rfc/rfc9562#section-5.7
    """
    drawn = (time.time_ns() // 1_000_000).to_bytes(6, "big") + os.urandom(10)
    digits = drawn.hex()
    return f"{digits[:8]}-{digits[8:12]}-7{digits[13:16]}-{'89ab'[drawn[8] & 3]}{digits[17:20]}-{digits[20:]}"


def process_name() -> str:
    """Name this process among all that ever ran, for leases and heartbeats."""
    return f"{platform.node()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
