"""What every engine does, whoever brings the hints."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from server.clock import utc_now
from server.engine.embedded import EmbeddedEngine
from server.engine.pgqueuer import PgqueuerEngine
from server.engine.port import Attend, Engine

PATIENCE = 60
"""Seconds for what takes milliseconds, unless the machine has other things to do."""
Make = Callable[..., Engine]


@pytest.fixture(params=["embedded", "pgqueuer"])
def make(request: pytest.FixtureRequest) -> Make:
    """Make an engine; those of one test share what several processes would share."""
    if request.param == "embedded":
        return lambda at_once=50: EmbeddedEngine(clock=utc_now, at_once=at_once)
    url = str(request.getfixturevalue("migrated_postgres_url"))

    def pgqueuer(*, at_once: int = 50) -> Engine:
        return PgqueuerEngine(url, clock=utc_now, at_once=at_once)

    return pgqueuer


class Desk:
    """Attends to lanes, and holds those that are to take long until they are let go."""

    def __init__(self) -> None:
        self.begun: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.begun_at: dict[str, datetime] = {}
        self.now: set[str] = set()
        self.most = 0
        self.held: dict[str, asyncio.Event] = {}
        self._moved = asyncio.Condition()

    def hold(self, *lanes: str) -> None:
        """Have lanes take until `let_go`."""
        self.held |= {lane: asyncio.Event() for lane in lanes}

    def let_go(self) -> None:
        """Let all of them end."""
        for event in self.held.values():
            event.set()

    async def attend(self, lane: str) -> None:
        """Do a lane's work."""
        assert lane not in self.now, "a lane is attended to once at a time"
        self.begun[lane] += 1
        self.begun_at[lane] = utc_now()
        self.now.add(lane)
        self.most = max(self.most, len(self.now))
        await self._tell()
        try:
            if lane in self.held:
                await self.held[lane].wait()
            self.done[lane] += 1
        finally:
            self.now.discard(lane)
        await self._tell()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Wait for something to be so."""
        async with self._moved:
            await asyncio.wait_for(self._moved.wait_for(fact), PATIENCE)

    async def _tell(self) -> None:
        async with self._moved:
            self._moved.notify_all()


@asynccontextmanager
async def running(engine: Engine, attend: Attend) -> AsyncIterator[None]:
    """Run an engine, and close it at the end."""
    task = asyncio.create_task(engine.run(attend))
    try:
        yield
    finally:
        await asyncio.wait_for(engine.close(), PATIENCE)
        await asyncio.wait_for(task, PATIENCE)


async def test_what_is_submitted_is_attended_to_before_and_after_it_runs(make: Make) -> None:
    engine, desk = make(), Desk()
    await engine.submit("early")
    async with running(engine, desk.attend):
        await desk.until(lambda: desk.done["early"] == 1)
        await engine.submit("late")
        await desk.until(lambda: desk.done["late"] == 1)


async def test_twice_is_once_as_long_as_it_has_not_begun(make: Make) -> None:
    engine, desk = make(), Desk()
    for _ in range(5):
        await engine.submit("a")
    async with running(engine, desk.attend):
        await desk.until(lambda: desk.done["a"] >= 1)
        await engine.submit("b")
        await desk.until(lambda: desk.done["b"] >= 1)
    assert desk.done == {"a": 1, "b": 1}


async def test_what_is_submitted_while_it_is_attended_to_is_attended_to_once_more(make: Make) -> None:
    engine, desk = make(), Desk()
    desk.hold("a")
    async with running(engine, desk.attend):
        await engine.submit("a")
        await desk.until(lambda: "a" in desk.now)
        await engine.submit("a")
        await engine.submit("b")
        await desk.until(lambda: desk.done["b"] == 1)
        desk.let_go()
        await desk.until(lambda: desk.done["a"] == 2)


async def test_nothing_is_attended_to_before_its_time(make: Make) -> None:
    engine, desk = make(), Desk()
    async with running(engine, desk.attend):
        due = utc_now() + timedelta(seconds=0.6)
        await engine.submit("later", not_before=due)
        await engine.submit("now", not_before=utc_now() - timedelta(hours=1))
        await desk.until(lambda: desk.done["now"] == desk.done["later"] == 1)
    assert desk.begun_at["later"] >= due


async def test_what_is_due_later_does_not_hold_up_what_is_due_now(make: Make) -> None:
    engine, desk = make(), Desk()
    async with running(engine, desk.attend):
        await engine.submit("a", not_before=utc_now() + timedelta(seconds=55))
        await engine.submit("b")
        await desk.until(lambda: desk.done["b"] == 1)
        await engine.submit("a")
        await desk.until(lambda: desk.done["a"] == 1)


async def test_what_is_cancelled_is_forgotten(make: Make) -> None:
    engine, desk = make(), Desk()
    async with running(engine, desk.attend):
        due = utc_now() + timedelta(seconds=0.8)
        await engine.submit("a", not_before=due)
        await engine.submit("first")
        await desk.until(lambda: desk.done["first"] == 1)
        await engine.cancel("a")
        cancelled_at = utc_now()
        await engine.submit("b", not_before=due + timedelta(seconds=0.2))
        await desk.until(lambda: desk.done["b"] == 1)
    # A machine that stood still for that long let it begin before it was cancelled.
    assert desk.begun["a"] == 0 or cancelled_at >= due


async def test_many_lanes_are_attended_to_so_many_at_once(make: Make) -> None:
    engine, desk = make(at_once=10), Desk()
    lanes = [f"lane-{number}" for number in range(60)]
    desk.hold(*lanes)
    async with running(engine, desk.attend):
        for lane in lanes:
            await engine.submit(lane)
        await desk.until(lambda: len(desk.now) == 10)
        desk.let_go()
        await desk.until(lambda: len(desk.done) == len(lanes))
    assert desk.most == 10
    assert set(desk.done.values()) == {1}


async def test_a_slow_lane_does_not_hold_up_others(make: Make) -> None:
    engine, desk = make(at_once=4), Desk()
    desk.hold("slow")
    async with running(engine, desk.attend):
        await engine.submit("slow")
        await desk.until(lambda: "slow" in desk.now)
        for number in range(40):
            await engine.submit(f"quick-{number}")
        await desk.until(lambda: len(desk.done) == 40)
        assert desk.done["slow"] == 0
        desk.let_go()


async def test_closing_ends_when_what_has_begun_is_done_and_begins_nothing(make: Make) -> None:
    engine, desk = make(at_once=4), Desk()
    desk.hold("begun")
    task = asyncio.create_task(engine.run(desk.attend))
    await engine.submit("begun")
    await desk.until(lambda: "begun" in desk.now)
    closing = asyncio.create_task(engine.close())
    await engine.submit("too late")
    await asyncio.sleep(0)
    assert not closing.done()
    desk.let_go()
    await asyncio.wait_for(closing, PATIENCE)
    await asyncio.wait_for(task, PATIENCE)
    assert desk.done == {"begun": 1}
    assert desk.begun["too late"] == 0


async def test_an_engine_that_never_ran_closes(make: Make) -> None:
    engine = make()
    await engine.submit("a")
    await asyncio.wait_for(engine.close(), PATIENCE)


async def test_who_is_cancelled_ends_what_it_attends_to(make: Make) -> None:
    engine, desk = make(), Desk()
    desk.hold("a")
    task = asyncio.create_task(engine.run(desk.attend))
    await engine.submit("a")
    await desk.until(lambda: "a" in desk.now)
    task.cancel()
    await asyncio.wait({task}, timeout=PATIENCE)
    assert task.cancelled()
    assert not desk.now
    assert desk.done["a"] == 0


async def test_a_lane_whose_work_fails_fails_alone(make: Make, capsys: pytest.CaptureFixture[str]) -> None:
    engine, desk = make(), Desk()

    async def attend(lane: str) -> None:
        await desk.attend(lane)
        if lane == "broken":
            raise RuntimeError("s3cret")

    async with running(engine, attend):
        await engine.submit("broken")
        await desk.until(lambda: desk.done["broken"] == 1)
        await engine.submit("sound")
        await desk.until(lambda: desk.done["sound"] == 1)
    assert "s3cret" not in capsys.readouterr().err
