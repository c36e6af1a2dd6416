"""One visit at a lane: claim what is due, make its calls, settle, until nothing is left or others shall have a turn.

Claims run a little ahead of the calls, so that no call waits for the database, and no further than what is made in a
fraction of a second: what is claimed is nobody else's.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from installations.operation import Operation
from installations.outlook import QUARANTINE_AFTER
from server.delivering.breaker import learnt, probing
from server.delivering.calls import Called
from server.delivering.grouping import LARGEST_BATCH, grouped
from server.delivering.means import Means
from server.delivering.settlements import release
from server.store.contract import Lane

QUANTUM_SECONDS = 2.0
"""How long a lane is attended to before others have a turn."""
GRACE_SECONDS = 0.5
"""How long the end of a turn waits for calls under way; a slow provider's lane goes on instead of lying idle."""
AHEAD_SECONDS = 0.25
"""How far claims run ahead of the calls."""
SETTLING = 4
"""So many times the calls that may be under way may be stored meanwhile: they share commits."""
MOST_CALLS = 64
"""Of one claim."""
AGAIN_SECONDS = 1.0
"""How often a lane with calls under way is looked at for more, if nobody says that there is."""
PARKED_AT_ONCE = 500
LOOKS_AT_ONCE = 10
LOOK_AGAIN = timedelta(minutes=1)
"""When an operation is looked up again whose look-up came to nothing."""
QUARANTINED = timedelta(seconds=2)
"""When what had to make room for an operation that must be alone goes on, and another one of that kind is tried."""


class Visit:
    """A lane while this process attends to it."""

    def __init__(self, lane: Lane, means: Means) -> None:
        self.lane = lane
        self._means = means
        self._waiting: deque[list[Operation]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()
        self._calling = 0
        self._for_slots: set[asyncio.Task[bool]] = set()
        """Calls that wait for a place in the process."""
        self._woken = asyncio.Event()
        self.nudged = False
        """Whether somebody said that there may be more since the lane was last looked at."""
        self._ahead = means.concurrency
        self._claimed_at = 0.0
        self._turn_ends = means.monotonic() + QUANTUM_SECONDS

    def nudge(self) -> None:
        """Say that there may be more to do."""
        self.nudged = True
        self._woken.set()

    async def run(self) -> datetime | None:
        """Attend to the lane, and answer when it has work next; ``None`` for never as far as is known."""
        while True:
            over = await self._work()
            now = self._means.clock()
            stay = not over and self._open()
            self.nudged = False
            due = await self._means.store.leave_lane(self.lane, owner=self._means.owner, now=now, stay=stay)
            if due is not None and self._means.quarantine.closed:
                due = max(due, now + QUARANTINED)
            if not stay or due is None or due > now:
                return due

    def _held(self) -> bool:
        if (told := self._means.holds.until(self.lane.id)) is not None:
            self._hold(told)
        hold = self.lane.hold_until
        return self.lane.parked or (hold is not None and hold > self._means.clock())

    def _open(self) -> bool:
        return self._means.permit() and not self._held() and not self._means.quarantine.closed

    async def _work(self) -> bool:
        """Do what there is to do now; tell whether it ended because the turn did."""
        try:
            if self._open():
                self._under_way.add(asyncio.create_task(self._look()))
            over = await self._serve()
        except asyncio.CancelledError:
            # What is claimed or sent is left as it is: whoever finds this process dead knows what to do.
            await self._break_off()
            raise
        except Exception:
            await self._finish()
            raise
        await self._finish()
        _raise_first(self._under_way)
        self._under_way.clear()
        if self.lane.parked:
            await self._park()
        return over

    async def _finish(self) -> None:
        await self._give_back()
        if self._under_way:
            await asyncio.wait(self._under_way)

    async def _break_off(self) -> None:
        self._means.quarantine.leave(sum(map(len, self._waiting)))
        self._waiting.clear()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _serve(self) -> bool:
        while True:
            claims = self._has_turn()
            if not self._open():
                # Nobody shall wait for what this process only keeps.
                await self._give_back()
            elif claims and len(self._waiting) < self._means.concurrency:
                await self._claim()
            self._begin()
            if not self._under_way:
                return not claims
            await self._something(AGAIN_SECONDS if claims else GRACE_SECONDS)

    def _has_turn(self) -> bool:
        """Whether more may be claimed. A turn that is over begins anew if its calls do not come to an end."""
        now = self._means.monotonic()
        if now > self._turn_ends + GRACE_SECONDS:
            self._turn_ends = now + QUANTUM_SECONDS
        return now < self._turn_ends

    async def _claim(self) -> None:
        means, probe = self._means, probing(self.lane)
        if probe and (self._under_way or self._waiting):
            return
        granted, after_seconds = means.budget.grant(self.lane.id, 1 if probe else self._ahead)
        if not granted:
            self._hold(means.clock() + timedelta(seconds=after_seconds))
            return
        groups: list[list[Operation]] = []
        try:
            claimed = await means.store.claim(
                self.lane.id, owner=means.owner, now=means.clock(), calls=granted, batch=LARGEST_BATCH
            )
            groups = grouped(claimed)
        finally:
            means.budget.give_back(self.lane.id, granted - len(groups))
        means.quarantine.enter(len(claimed))
        self._waiting.extend(groups)
        self._adapt(full=len(groups) == granted)

    def _adapt(self, *, full: bool) -> None:
        """Claim as much as is called in a fraction of a second."""
        now = self._means.monotonic()
        quick = now - self._claimed_at < AHEAD_SECONDS
        self._claimed_at = now
        if full:
            self._ahead = min(self._ahead * 2, MOST_CALLS) if quick else max(self._ahead // 2, self._means.concurrency)

    def _begin(self) -> None:
        most = self._means.concurrency
        while self._waiting and self._open() and self._calling < most and len(self._under_way) < SETTLING * most:
            self._calling += 1
            self._under_way.add(asyncio.create_task(self._call(self._waiting.popleft())))

    async def _something(self, seconds: float) -> None:
        """Wait until a call is over, somebody says that there is more, or so many seconds have passed."""
        woken = asyncio.create_task(self._woken.wait())
        try:
            done, _ = await asyncio.wait(
                {woken, *self._under_way}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            woken.cancel()
        self._woken.clear()
        done.discard(woken)
        self._under_way -= done
        _raise_first(done)

    async def _call(self, operations: list[Operation]) -> None:
        try:
            if operations[0].crashes < QUARANTINE_AFTER:
                await self._carry(operations, self._in_place)
                return
            async with self._means.quarantine.alone() as alone:
                await self._carry(operations, self._out if alone else self._put_off)
        finally:
            self._means.quarantine.leave(len(operations))

    async def _carry(self, operations: list[Operation], how: Callable[[list[Operation]], Awaitable[Called]]) -> None:
        try:
            called = await how(operations)
        finally:
            # The next call may begin while this one is written down.
            self._calling -= 1
            self._woken.set()
        await self._means.settling.see_through(called.moves)

    async def _in_place(self, operations: list[Operation]) -> Called:
        """Make a call when there is a place for it in the process; give it back where nothing more may be begun."""
        if not await self._has_slot():
            return self._released(operations)
        try:
            return await self._out(operations) if self._open() else self._released(operations)
        finally:
            self._means.slots.release()

    async def _out(self, operations: list[Operation]) -> Called:
        called = await self._means.calls.make(operations)
        self._learn(called)
        return called

    async def _has_slot(self) -> bool:
        if not self._means.slots.locked():
            return await self._means.slots.acquire()
        waiting = asyncio.create_task(self._means.slots.acquire())
        self._for_slots.add(waiting)
        try:
            await asyncio.wait({waiting})
        finally:
            self._for_slots.discard(waiting)
            waiting.cancel()
        return not waiting.cancelled()

    def _learn(self, called: Called) -> None:
        if called.parked:
            self.lane = replace(self.lane, parked=True)
        if called.down is not None:
            now, jitter = self._means.clock(), self._means.jitter()
            self.lane = learnt(self.lane, failure=called.down, now=now, jitter=jitter)
        # Those who send without a lane hear of it, too.
        self._means.holds.told(self.lane.id, called.hold_until)

    def _hold(self, until: datetime) -> None:
        held = self.lane.hold_until
        self.lane = replace(self.lane, hold_until=until if held is None else max(held, until))

    def _released(self, operations: Sequence[Operation], *, run_at: datetime | None = None) -> Called:
        now = self._means.clock()
        return Called(moves=tuple((each, release(each, now=now, run_at=run_at)) for each in operations))

    async def _put_off(self, operations: Sequence[Operation]) -> Called:
        return self._released(operations, run_at=self._means.clock() + QUARANTINED)

    async def _give_back(self) -> None:
        for task in self._for_slots:
            task.cancel()
        operations = [each for group in self._waiting for each in group]
        self._waiting.clear()
        if operations:
            try:
                await self._means.settling.see_through(self._released(operations).moves)
            finally:
                self._means.quarantine.leave(len(operations))

    async def _look(self) -> None:
        means, limit = self._means, LOOKS_AT_ONCE
        while self._open():
            now = means.clock()
            found = await means.store.due_looks(
                self.lane.id, owner=means.owner, now=now, again_at=now + LOOK_AGAIN, limit=limit
            )
            for operation in found:
                async with means.slots:
                    moves = await means.looking.look(operation)
                await means.settling.see_through(moves)
            if len(found) < limit:
                return

    async def _park(self) -> None:
        means = self._means
        while means.permit():
            if await means.store.park(self.lane.id, now=means.clock(), limit=PARKED_AT_ONCE) < PARKED_AT_ONCE:
                return


def _raise_first(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Raise one of the errors. All of them are looked at: asyncio complains about those that nobody has seen."""
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception()) is not None]
    if errors:
        raise errors[0]
