"""Kills and pauses processes when their time has come, and puts others in their place."""

import asyncio
import random
import signal
import time
from collections.abc import Sequence

from tests.chaos.callers import Callers
from tests.chaos.databases import Postgres
from tests.chaos.fleet import Fleet, Seat
from tests.chaos.processes import DidNotStart
from tests.chaos.schedule import Kill

LONGEST_OUTAGE = 1.0
TIRED_SECONDS = 17.0
"""How long a process is stopped: longer than it takes for the others to believe that it is dead."""


class Wounding:
    """Carries a schedule out."""

    def __init__(self, fleet: Fleet, *, waiting_share: float, seed: int) -> None:
        self._fleet = fleet
        self._waiting_share = waiting_share
        """Of the dead whose death is noticed as in life, by their silence; the others are made to be long silent."""
        self._chance = random.Random(seed)  # noqa: S311 -- a schedule, no secrets
        self._crashing = asyncio.Lock()
        self._there = asyncio.Event()
        """Set while the database is: a process that starts without one ends at once, and is to be started again."""
        self._there.set()
        self._crashes = 0
        self.stops = 0
        self.back: list[float] = []
        """Seconds from when a crashed database is there again to the next accepted operation."""

    async def carry_out(self, plan: Sequence[Kill], callers: Callers) -> None:
        """Kill one after the other, each when its time has come."""
        async with asyncio.TaskGroup() as pauses:
            for kill in plan:
                await callers.accepted(kill.after_accepts)
                await asyncio.sleep(kill.pause_seconds)
                seat = self._fleet.seats[kill.seat]
                if kill.wound == "crash":
                    pauses.create_task(self.crash(callers))
                elif kill.wound == "stop":
                    pauses.create_task(self.pause(seat))
                else:
                    await self.kill(seat, young_seconds=kill.young_seconds)

    async def kill(self, seat: Seat, *, young_seconds: float | None = None) -> None:
        """Kill whoever sits there and put somebody else in the place, who may be killed while starting."""
        await self._end(seat)
        await self._there.wait()
        if young_seconds is not None:
            await self._fleet.begin(seat)
            await asyncio.sleep(young_seconds)
            await self._end(seat)
        await self._fill(seat)

    async def _fill(self, seat: Seat) -> None:
        """Start a process; again where the database was crashed just then, for without one a process ends at once."""
        while True:
            await self._there.wait()
            before = self._crashes
            try:
                await self._fleet.fill(seat)
            except DidNotStart:
                if self._crashes == before:
                    raise
            else:
                return

    async def pause(self, seat: Seat, seconds: float = TIRED_SECONDS) -> None:
        """Stop a process in the middle of what it does, and let it go on when the others take it for dead."""
        process, self.stops = seat.process, self.stops + 1
        assert process is not None
        origin = seat.origin
        self._fleet.hide(seat)
        process.send(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send(signal.SIGCONT)
        if origin and seat.process is process and process.alive:
            self._fleet.show(seat, origin)

    async def crash(self, callers: Callers) -> None:
        """Crash the database and start it again, and see how soon operations are accepted."""
        base = self._fleet.database
        assert isinstance(base, Postgres)
        async with self._crashing:
            self._there.clear()
            self._crashes += 1
            await base.crash()
            await asyncio.sleep(self._chance.uniform(0, LONGEST_OUTAGE))
            await base.start()
            self._there.set()
            started, before = time.monotonic(), len(callers.asked)
            await callers.accepted(before + 1)
            self.back.append(time.monotonic() - started)

    async def _end(self, seat: Seat) -> None:
        process = seat.process
        if process is None:
            return
        await self._fleet.empty(seat)
        if self._chance.random() >= self._waiting_share:
            await self._fleet.forget(process)
