"""Several processes on one PostgreSQL: one wins, the dead are replaced, and who was only asleep does no harm."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.chaos.customers import Town, move_in
from tests.chaos.databases import Postgres, database
from tests.chaos.faults import SMOOTH, Faults
from tests.chaos.fleet import Fleet, Seat
from tests.chaos.processes import Nursery
from tests.chaos.provider import Provider
from tests.chaos.workload import Ask, Kind, ask
from tests.server.store.test_migrate import ROOT, made_with_the_first_steps

PATIENCE = 90
LOOK_SECONDS = 0.02
KILLED_MIDWAY = """
import asyncio, os, signal, sys
from migrations.isthmus_migrations import isthmus_0010_queue as step
from server.store.opening import migrate_database

class Deadly(tuple):
    def __iter__(self):
        yield from list(tuple.__iter__(self))[:3]
        os.kill(os.getpid(), signal.SIGKILL)

step.OURS = Deadly(step.OURS)
asyncio.run(migrate_database(sys.argv[1]))
"""


class Floor:
    """A server that only accepts, and workers."""

    def __init__(self, fleet: Fleet, provider: Provider, base: Postgres, town: Town, front: Seat) -> None:
        self.fleet = fleet
        self.provider = provider
        self.base = base
        self.town = town
        self.front = front
        self.operations: list[str] = []

    @property
    def workers(self) -> list[Seat]:
        """The seats of workers."""
        return [seat for seat in self.fleet.seats if seat.role == "worker"]

    async def hand_in(self, asks: Sequence[Ask]) -> None:
        """Have operations accepted, all at once."""
        async with httpx.AsyncClient(
            base_url=f"{self.front.origin}/v1/projects/{self.town.project}/integrations/crm",
            headers={"X-Api-Key": self.town.api_key},
            timeout=PATIENCE,
            trust_env=False,
        ) as http:
            answers = await asyncio.gather(
                *(http.post(f"/objects/{one.object_name}", json=dict(one.body)) for one in asks)
            )
        assert {answer.status_code for answer in answers} == {200}
        self.operations += [answer.json()["operationId"] for answer in answers]

    async def rows(self, statement: str) -> list[list[str]]:
        """Ask the database."""
        said = await asyncio.to_thread(self.base.run, statement)
        return [line.split("|") for line in said.splitlines()]

    async def states(self) -> Counter[str]:
        """Count the operations by their states."""
        rows = await self.rows("SELECT state, count(*) FROM operations GROUP BY state")
        return Counter({state: int(count) for state, count in rows})

    async def finished(self) -> None:
        """Wait until every operation that was accepted is done."""
        async with asyncio.timeout(PATIENCE):
            while await self.states() != {"success": len(self.operations)}:  # noqa: ASYNC110 -- nobody here could tell
                await asyncio.sleep(LOOK_SECONDS)

    async def take_for_dead(self, seat: Seat) -> None:
        """Let the others believe that a process, and whatever it attends to, has been silent for long."""
        assert seat.process is not None
        await self.fleet.forget(seat.process)

    async def last_beat(self, seat: Seat) -> float:
        """Tell when a process was heard of last, by the database's clock."""
        assert seat.process is not None
        name = f"%-{seat.process.pid}-________"
        [[seen_at]] = await self.rows(f"SELECT seen_at FROM processes WHERE id LIKE '{name}'")  # noqa: S608 -- ours
        return float(seen_at)

    async def heard_of(self, seat: Seat, *, after: float) -> None:
        """Wait until a process has beaten again."""
        async with asyncio.timeout(PATIENCE):
            while await self.last_beat(seat) <= after:  # noqa: ASYNC110 -- nobody here could tell
                await asyncio.sleep(LOOK_SECONDS)

    def calls_of(self, asks: Sequence[Ask]) -> Counter[str]:
        """Count the calls in which each of these was sent."""
        tags = {one.tag for one in asks}
        return Counter(tag for call in self.provider.calls for tag in call.tags if tag in tags)

    def created(self) -> int:
        """Count the records that were made at the provider."""
        return sum(entry.action == "create" for entry in self.provider.ledger())


async def until(fact: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    async with asyncio.timeout(PATIENCE):
        while not fact():  # noqa: ASYNC110 -- nobody here could tell
            await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def floor(folder: Path, *, workers: int, customers: int = 1) -> AsyncIterator[Floor]:
    """Put everything up."""
    provider = Provider(Faults(SMOOTH, seed=1))
    async with (
        Nursery() as nursery,
        database("postgres", folder) as base,
        provider.served() as origin,
    ):
        assert isinstance(base, Postgres)
        fleet = Fleet(nursery, base, folder, provider_origin=origin, servers=0, workers=workers)
        project = await fleet.init("floor")
        front = Seat(name="front", role="serve")
        front.process = await nursery.spawn(
            "serve", "--port", "0", "--without-worker", folder=folder, environment=fleet.environment
        )
        fleet.show(front, await front.process.origin())
        names = [f"customer-{number}" for number in range(1, customers + 1)]
        town = await move_in(provider, project, front.origin, customers=names)
        try:
            yield Floor(fleet, provider, base, town, front)
        finally:
            await fleet.kill()


def asks(kind: Kind, numbers: range, *, customers: int = 1, record: str = "") -> list[Ask]:
    """Build operations for customers in turn."""
    return [
        ask(f"chaos-{number:06}", kind, customer=f"customer-{number % customers + 1}", record=record)
        for number in numbers
    ]


async def test_of_eight_workers_that_race_one_does_each_operation(tmp_path: Path) -> None:
    async with floor(tmp_path, workers=8, customers=4) as house:
        wanted = asks("bare", range(80), customers=4)
        await house.hand_in(wanted)
        await asyncio.gather(*map(house.fleet.fill, house.workers))
        await house.finished()
        more = asks("bare", range(100, 180), customers=4)
        await house.hand_in(more)
        await house.finished()
        assert set(house.calls_of([*wanted, *more]).values()) == {1}
        assert house.created() == 160
        codes = await asyncio.gather(*(house.fleet.empty(seat, signal.SIGTERM) for seat in house.workers))
        assert set(codes) == {0}


async def test_what_a_killed_worker_left_is_done_by_another_one(tmp_path: Path) -> None:
    async with floor(tmp_path, workers=2) as house:
        dying, heir = house.workers
        await house.fleet.fill(dying)
        record = house.provider.plant("customer-1", "contacts", {"email": "a@acme.test"})
        house.provider.slow["customer-1"] = 600
        wanted = [*asks("marker", range(3)), *asks("update", range(10, 12), record=record)]
        await house.hand_in(wanted)
        await until(lambda: house.provider.under_way >= 2)
        await house.fleet.fill(heir)
        await house.fleet.empty(dying)
        house.provider.slow.clear()
        await house.take_for_dead(dying)
        late = asks("update", range(20, 21), record=record)
        await house.hand_in(late)
        # The dead one's calls are still under way: nobody waits for them.
        await until(lambda: bool(house.calls_of(late)))
        assert house.provider.under_way >= 2


async def test_who_was_stopped_for_long_sends_nothing_and_changes_nothing_when_it_wakes(tmp_path: Path) -> None:
    async with floor(tmp_path, workers=2) as house:
        asleep, heir = house.workers
        rows_of = "SELECT id, state, attempts, update_time FROM operations ORDER BY sequence"
        record = house.provider.plant("customer-1", "contacts", {"email": "a@acme.test"})
        house.provider.slow["customer-1"] = 5.0
        creates, changes = asks("unique", range(30)), asks("update", range(100, 103), record=record)
        await house.hand_in([*creates, *changes])
        await house.fleet.fill(asleep)
        # Both its calls have left: it is taken for dead before its time below, when its own clock still lets it send.
        await until(lambda: house.provider.under_way == 2)
        assert asleep.process is not None
        asleep.process.send(signal.SIGSTOP)
        house.provider.slow.clear()
        await house.fleet.fill(heir)
        await house.take_for_dead(asleep)
        silent_since = await house.last_beat(asleep)
        await house.finished()
        calls, rows = len(house.provider.calls), await house.rows(rows_of)
        asleep.process.send(signal.SIGCONT)
        await house.heard_of(asleep, after=silent_since)
        # It is alone then, so that what comes next tells that it is awake, and has been through what it had in hand.
        assert await house.fleet.empty(heir, signal.SIGTERM) == 0
        after = asks("unique", range(200, 201))
        await house.hand_in(after)
        await house.finished()
        assert await house.fleet.empty(asleep, signal.SIGTERM) == 0
        assert len(house.provider.calls) == calls + 1
        assert (await house.rows(rows_of))[: len(rows)] == rows
        assert house.created() == len(creates) + len(after)


async def test_a_worker_that_is_told_to_stop_finishes_what_is_under_way_and_gives_the_rest_back(
    tmp_path: Path,
) -> None:
    async with floor(tmp_path, workers=2) as house:
        leaving, heir = house.workers
        await house.fleet.fill(leaving)
        record = house.provider.plant("customer-1", "contacts", {"email": "a@acme.test"})
        house.provider.slow["customer-1"] = 1.0
        wanted = [*asks("bare", range(5)), *asks("update", range(10, 15), record=record)]
        await house.hand_in(wanted)
        await until(lambda: house.provider.under_way > 0)
        assert await house.fleet.empty(leaving, signal.SIGTERM) == 0
        states = await house.states()
        assert states["claimed"] == states["sent"] == states["unknown"] == 0
        assert states["success"] > 0
        assert states["queued"] > 0
        house.provider.slow.clear()
        await house.fleet.fill(heir)
        await house.finished()
        assert set(house.calls_of(wanted).values()) == {1}


async def test_what_was_accepted_survives_crashes_of_the_database(tmp_path: Path) -> None:
    async with floor(tmp_path, workers=2, customers=3) as house:
        await house.fleet.fill(house.workers[0])
        await house.fleet.fill(house.workers[1])
        house.provider.slow = {f"customer-{number}": 0.1 for number in (1, 2, 3)}
        wanted: list[Ask] = []
        for crash in range(3):
            more = asks("unique", range(100 * crash, 100 * crash + 60), customers=3)
            wanted += more
            await house.hand_in(more)
            await until(lambda: house.provider.under_way > 0)
            await house.base.crash()
            await house.base.start()
        house.provider.slow.clear()
        await house.finished()
        assert house.created() == len(wanted)


async def test_two_servers_that_start_at_once_on_an_old_schema_migrate_it_once_and_serve(tmp_path: Path) -> None:
    async with Nursery() as nursery, database("postgres", tmp_path) as base:
        assert isinstance(base, Postgres)
        await made_with_the_first_steps(base.url, tmp_path / "before", count=7)
        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED_MIDWAY, base.url, cwd=ROOT)
        assert await killed.wait() == -signal.SIGKILL
        fleet = Fleet(nursery, base, tmp_path, provider_origin="http://127.0.0.1:9", servers=2)
        first, second = await asyncio.gather(*map(fleet.begin, fleet.seats))
        origins = await asyncio.gather(first.origin(), second.origin())
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
            answers = [await http.get(f"{origin}/readyz") for origin in origins]
        assert [answer.status_code for answer in answers] == [200, 200]
        steps = await asyncio.to_thread(base.run, "SELECT count(*), count(DISTINCT name) FROM migration")
        assert len(set(steps.split("|"))) == 1
        assert set(await asyncio.gather(first.end(signal.SIGTERM), second.end(signal.SIGTERM))) == {0}
