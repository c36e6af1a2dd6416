"""The time that processes share, whatever anybody's clock does; and ids that grow with it."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from server.clock import SharedClock, elapsed, new_id, utc_now
from server.serving import keeping_time
from server.settings import Settings
from server.store.memory import MemoryStore
from tests.server.house import START

HOUR, FIVE_YEARS = timedelta(hours=1), timedelta(days=5 * 365)


class Machine:
    """A process's own seconds, and a database whose clock anybody may set."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.database = START
        self.slow = 0.0
        """How long an answer takes on its way."""
        self.away = False

    def elapsed(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        """Let time go by for everybody."""
        self.seconds += seconds
        self.database += timedelta(seconds=seconds)

    async def ask(self) -> datetime:
        if self.away:
            raise OSError("away")
        told = self.database
        self.passes(self.slow)
        return told


async def clock_of(machine: Machine) -> SharedClock:
    clock = SharedClock(machine.ask, elapsed=machine.elapsed)
    await clock.set()
    return clock


async def test_the_shared_clock_goes_on_between_two_questions() -> None:
    machine = Machine()
    clock = await clock_of(machine)
    assert clock() == START
    machine.passes(90)
    assert clock() == START + timedelta(seconds=90)
    machine.database = machine.database.astimezone(timezone(timedelta(hours=5, minutes=45)))
    await clock.set()
    assert clock() == START + timedelta(seconds=90)
    assert clock().tzinfo is UTC


async def test_processes_agree_whenever_they_ask() -> None:
    machine = Machine()
    first = await clock_of(machine)
    machine.passes(3600)
    second = await clock_of(machine)
    assert first() == second() == START + HOUR


@pytest.mark.parametrize("jump", [timedelta(seconds=0.2), HOUR, FIVE_YEARS])
async def test_a_database_that_is_set_forward_is_followed(jump: timedelta) -> None:
    machine = Machine()
    clock = await clock_of(machine)
    machine.database += jump
    assert clock() == START
    await clock.set()
    assert clock() == START + jump


@pytest.mark.parametrize("jump", [timedelta(seconds=0.2), HOUR, timedelta(hours=23)])
async def test_a_database_that_is_set_back_is_waited_for_at_half_speed(jump: timedelta) -> None:
    machine = Machine()
    clock = await clock_of(machine)
    machine.database -= jump
    last, slowest = clock(), jump.total_seconds() / 50
    for _ in range(50):
        await clock.set()
        assert clock() >= last
        machine.passes(slowest)
        assert clock() - last == pytest.approx(timedelta(seconds=slowest / 2), abs=timedelta(milliseconds=1))
        last = clock()
    machine.passes(jump.total_seconds())
    await clock.set()
    assert clock() == pytest.approx(machine.database, abs=timedelta(milliseconds=1))


async def test_a_mistake_of_years_that_is_put_right_is_followed_at_once() -> None:
    machine = Machine()
    clock = await clock_of(machine)
    machine.database += FIVE_YEARS
    await clock.set()
    machine.database -= FIVE_YEARS
    await clock.set()
    assert clock() == START


async def test_an_answer_that_took_long_moves_no_clock_that_may_be_right() -> None:
    machine = Machine()
    clock = await clock_of(machine)
    machine.slow = 5.0
    for _ in range(3):
        await clock.set()
        assert clock() == machine.database
    late = await clock_of(machine)
    assert machine.database - late() == timedelta(seconds=5), "no question was quicker"
    machine.slow = 0.0
    await late.set()
    assert late() == machine.database


async def test_the_clock_goes_on_while_the_database_is_away() -> None:
    machine = Machine()
    told: list[datetime] = []
    back = asyncio.Event()

    async def ask() -> datetime:
        if len(told) == 2:
            machine.away = False
            back.set()
        return await machine.ask()

    def failed(error: BaseException) -> None:
        assert isinstance(error, OSError)
        machine.passes(1)
        told.append(clock())

    clock = SharedClock(ask, elapsed=machine.elapsed)
    await clock.set()
    machine.away = True
    following = asyncio.create_task(clock.follow(every_seconds=0, failed=failed))
    await asyncio.wait_for(back.wait(), 60)
    following.cancel()
    await asyncio.wait({following})
    assert told == [START + timedelta(seconds=1), START + timedelta(seconds=2)]


async def test_a_process_alone_keeps_a_clock_that_is_not_set_back_either() -> None:
    async with keeping_time(Settings(database_url="sqlite:///unused.db"), MemoryStore()) as clock:
        assert isinstance(clock, SharedClock)
        before = clock()
        assert before <= clock() <= utc_now() + timedelta(seconds=1)


def test_a_clock_that_was_never_set_tells_no_time() -> None:
    with pytest.raises(RuntimeError):
        SharedClock(Machine().ask)()


def test_elapsed_time_grows() -> None:
    assert elapsed() <= elapsed()


def test_ids_are_uuids_of_version_7_that_grow_with_time() -> None:
    drawn = [new_id() for _ in range(10_000)]
    assert len(set(drawn)) == len(drawn)
    assert all(uuid.UUID(each).version == 7 and uuid.UUID(each).variant == uuid.RFC_4122 for each in drawn)
    times = [each[:13] for each in drawn]
    assert times == sorted(times), "within one process the clock goes forward"
    assert all(str(uuid.UUID(each)) == each for each in drawn)
