"""Leave to send ends with the first silence that is long enough to be taken for death."""

import asyncio
from collections.abc import Sequence

import httpx
import msgspec

from connectors.memory.server import MemoryServer
from installations.record import WriteRequest
from server.delivering.beat import DEAD_AFTER_SECONDS, FRESH_SECONDS, Beat
from server.delivering.deliveries import Deliveries
from server.delivering.holds import Holds
from server.delivering.turns import Turns
from server.liveness import stay_alive
from server.store.memory import MemoryStore
from tests.server.delivering.yard import PROJECT, START, open_yard


class Seconds:
    """A clock that is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_process_that_was_never_heard_of_may_send_and_one_that_is_heard_of_as_well() -> None:
    seconds = Seconds()
    beat = Beat(monotonic=seconds)
    permit = beat.permit()
    assert permit()
    for _ in range(10):
        beat.taken(beat.now())
        seconds.now += 2
    assert permit()


def test_leave_ends_before_others_take_over() -> None:
    seconds = Seconds()
    beat = Beat(monotonic=seconds)
    beat.taken(beat.now())
    permit = beat.permit()
    seconds.now += FRESH_SECONDS - 0.1
    assert permit()
    seconds.now += 0.1
    assert not permit()
    assert FRESH_SECONDS < DEAD_AFTER_SECONDS


def test_leave_that_has_ended_does_not_come_back_with_the_next_beat() -> None:
    seconds = Seconds()
    beat = Beat(monotonic=seconds)
    beat.taken(beat.now())
    permit = beat.permit()
    seconds.now += 20
    beat.taken(beat.now())
    assert (permit(), beat.permit()(), beat.is_fresh()) == (False, True, True)


def test_who_was_not_heard_of_itself_judges_nobody_until_the_others_had_time_to_be() -> None:
    seconds = Seconds()
    beat = Beat(monotonic=seconds)
    assert beat.may_judge(), "what a process finds when it starts is dead"
    beat.taken(beat.now())
    seconds.now += 20
    assert not beat.may_judge()
    judged = []
    for _ in range(10):
        beat.taken(beat.now())
        judged.append(beat.may_judge())
        seconds.now += 2
    assert judged == [False] * 8 + [True] * 2


async def test_nobody_is_recovered_from_right_after_the_database_was_away_for_all() -> None:
    seconds, recovered = Seconds(), list[float]()
    beat = Beat(monotonic=seconds)
    beat.taken(beat.now())
    seconds.now += 20
    begun = seconds.now

    async def recover(*, living: Sequence[str]) -> int:
        assert "p1" in living
        recovered.append(seconds.now)
        return 0

    class Quick(MemoryStore):
        async def beat(self, owner: str, *, kind: str) -> None:
            await super().beat(owner, kind=kind)
            seconds.now += 1

    alive = asyncio.create_task(
        stay_alive(Quick(), owner="p1", kind="worker", clock=lambda: START, beat=beat, recover=recover, beat_seconds=0)
    )
    async with asyncio.timeout(60):
        while not recovered:  # noqa: ASYNC110 -- each turn of the loop is a beat
            await asyncio.sleep(0)
    alive.cancel()
    await asyncio.gather(alive, return_exceptions=True)
    assert recovered[0] - begun >= DEAD_AFTER_SECONDS


class Stopped(MemoryServer):
    """Has the process stand still while it connects, and be heard of again before it sends."""

    def __init__(self, beat: Beat, seconds: Seconds) -> None:
        super().__init__()
        self.beat = beat
        self.seconds = seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seconds.now += 20
        self.beat.taken(self.beat.now())
        return await super().handle_async_request(request)


async def test_what_was_stored_before_a_long_silence_is_not_sent_after_it() -> None:
    seconds = Seconds()
    beat = Beat(monotonic=seconds)
    beat.taken(beat.now())
    provider = Stopped(beat, seconds)
    yard = await open_yard(provider)
    services = yard.services
    deliveries = Deliveries(
        store=yard.store,
        directory=services.directory,
        perform=services.perform,
        waking=services.worker,
        turns=Turns(),
        holds=Holds(clock=yard.clock),
        permits=beat.permit,
        clock=yard.clock,
        new_id=lambda: "o1",
        owner="w1",
    )
    body = {"groupRef": "g1", "type": "create", "record": {"a": 1}}
    accepted = await deliveries.accept(PROJECT, "crm", "people", msgspec.convert(body, WriteRequest))
    async with asyncio.timeout(60):
        delivered = await deliveries.write(accepted)
    assert (delivered.operation.state, delivered.operation.reason) == ("failure", "abandoned")
    assert provider.records == {}
