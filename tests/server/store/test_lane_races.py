"""Two processes on one PostgreSQL: no operation without somebody who comes for it, none claimed twice, no deadlock."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from installations.operation import Operation
from server.settings import Settings
from server.store.contract import Replay, Store, Superseded, Unavailable
from server.store.opening import open_store
from server.store.piccolo import PiccoloStore
from server.store.postgres import PostgresDatabase
from server.store.postgres_moves import PostgresMoves
from server.store.vault import parse_master_keys
from tests.server.store.samples import MASTER_KEY, NOW, event, idempotency, later, populated, settlement
from tests.server.store.test_gathering import batch
from tests.server.store.test_lanes import ALIVE, due, queued
from tests.server.store.test_postgres import LosesOneAnswer

Pair = tuple[Store, Store]


async def opened(url: str) -> Store:
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    return store


@pytest.fixture
async def two(migrated_postgres_url: str) -> AsyncIterator[Pair]:
    """Two stores on one database, as two processes have them."""
    first, second = await opened(migrated_postgres_url), await opened(migrated_postgres_url)
    await populated(first)
    yield first, second
    await first.close()
    await second.close()


async def finish_what_is_due(store: Store, owner: str) -> list[str]:
    """Attend to every due lane once."""
    done: list[str] = []
    for name in await store.due_lanes(now=NOW, dead_after_seconds=ALIVE, limit=9):
        lane = await store.take_lane(name, owner=owner, now=NOW, dead_after_seconds=ALIVE)
        stay = lane is not None
        while lane and stay:
            names = [one.id for one in await store.claim(name, owner=owner, now=NOW, calls=3, batch=1)]
            moves = [replace(settlement(one), from_state="claimed", owner=owner, event=event(one)) for one in names]
            assert all(await store.settle_all(moves))
            done += names
            next_at = await store.leave_lane(lane, owner=owner, now=NOW, stay=random.random() < 0.5)  # noqa: S311
            stay = False if next_at is None else next_at <= NOW and (await _attends(store, name, owner))
    return done


async def _attends(store: Store, lane_id: str, owner: str) -> bool:
    """Take what was left; whether it is still ours or another's turn."""
    return await store.take_lane(lane_id, owner=owner, now=NOW, dead_after_seconds=ALIVE) is not None


async def test_nothing_that_is_accepted_while_a_lane_is_left_is_forgotten(two: Pair) -> None:
    names = [f"x{number}" for number in range(120)]
    accepting = True
    done: list[str] = []

    async def accept(store: Store, mine: list[str]) -> None:
        for number, name in enumerate(mine):
            turns = (f"r{number % 3}",) if number % 4 == 0 else ()
            lane = f"c{1 + number % 2}"
            await store.begin(queued(name, lane=lane), turns=turns, idempotency=idempotency(name))

    async def work(store: Store, owner: str) -> None:
        while accepting:
            done.extend(await finish_what_is_due(store, owner))

    workers = [asyncio.create_task(work(two[number % 2], f"w{number}")) for number in range(3)]
    await asyncio.gather(accept(two[0], names[::2]), accept(two[1], names[1::2]))
    accepting = False
    await asyncio.gather(*workers)
    # Only what is due by a lane's own time is looked at: were one forgotten, nobody would come for it.
    while await due(two[0]):
        done.extend(await finish_what_is_due(two[0], "last"))
    assert sorted(done) == sorted(names)
    assert [one.sequence for one in await two[0].events("p1", limit=999)] == list(range(1, 121))


async def test_processes_that_move_each_others_operations_do_not_wait_in_a_circle(two: Pair) -> None:
    names = [f"x{number}" for number in range(60)]
    for number, name in enumerate(names):
        await two[0].begin(queued(name, lane=f"c{number % 3}"), turns=[f"r{number % 5}", f"s{number % 3}"])
    cancel = [replace(settlement(name), from_state="queued", to_state="failure", owner="you") for name in names]

    async def work(store: Store, owner: str) -> int:
        count = 0
        for _ in range(40):
            count += len(await finish_what_is_due(store, owner))
        return count

    async def take_back(store: Store) -> int:
        await asyncio.sleep(0)
        return sum([sum(await store.settle_all(cancel[n : n + 7])) for n in range(0, 60, 7)])

    async def park_and_go_on(store: Store) -> int:
        for number in range(20):
            await store.park(f"c{number % 3}", now=NOW, limit=5)
            await store.unpark(f"c{number % 3}", run_at=[NOW] * 9, now=NOW)
        return 0

    counts = await asyncio.gather(
        work(two[0], "a"), work(two[1], "b"), take_back(two[0]), take_back(two[1]), park_and_go_on(two[1])
    )
    for lane in ("c0", "c1", "c2"):
        while await two[0].unpark(lane, run_at=[NOW] * 9, now=NOW):
            pass
    finished = 0
    while await two[0].due_lanes(now=later(1), dead_after_seconds=ALIVE, limit=9) and (
        more := await finish_what_is_due(two[0], "last")
    ):
        finished += len(more)
    states = [(await two[0].operation("p1", name)).state for name in names]
    assert sum(counts) + finished == 60
    assert set(states) == {"success", "failure"}


async def test_gathering_in_two_processes_loses_no_record(two: Pair) -> None:
    ids = await asyncio.gather(*(two[n % 2].gather(batch(f"x{n}"), b"%d" % n, most=10) for n in range(60)))
    masters = sorted({one for one in ids if isinstance(one, str)})
    records = [record for master in masters for record in await two[0].gathered("p1", master)]
    assert sorted(records, key=int) == [b"%d" % number for number in range(60)]
    assert len(masters) == 6


async def test_a_failure_is_done_again_once_by_two_processes(two: Pair) -> None:
    names = [f"x{number}" for number in range(20)]
    for name in names:
        await two[0].begin(replace(queued(name), state="failure"))
    answers = await asyncio.gather(
        *(
            store.replay("p1", [Replay(operation=queued(f"r{who}-{name}", replay_of=name)) for name in names])
            for who, store in enumerate(two)
        )
    )
    assert [sum(pair) for pair in zip(*answers, strict=True)] == [1] * 20


async def lossy(url: str) -> tuple[PiccoloStore, LosesOneAnswer]:
    """Open a store whose next commit's answer can be lost: set ``lost`` to false."""
    database = LosesOneAnswer(url)
    database.lost = True
    await database.open()
    return PiccoloStore(database, moves=PostgresMoves(database), master=parse_master_keys([MASTER_KEY])), database


async def test_what_was_committed_without_an_answer_is_done_once(migrated_postgres_url: str) -> None:
    store = await opened(migrated_postgres_url)
    await populated(store)
    fresh, database = await lossy(migrated_postgres_url)

    def lose() -> None:
        database.lost = False

    lose()
    await fresh.begin(queued("x1"), turns=["r"])
    await fresh.begin(queued("x2"), turns=["r"])
    lose()
    assert await fresh.gather(batch("g1"), b"1", most=9) == "g1"
    lose()
    assert await fresh.gather(batch("g2"), b"2", most=9, idempotency=idempotency()) == "g1"
    assert await fresh.gathered("p1", "g1") == [b"1", b"2"]
    lose()
    lane = await fresh.take_lane("c1", owner="me", now=NOW, dead_after_seconds=ALIVE)
    assert lane is not None
    lose()
    assert [one.id for one in await fresh.claim("c1", owner="me", now=NOW, calls=5, batch=1)] == ["x1"]
    lose()
    await fresh.settle(replace(settlement("x1"), from_state="claimed", event=event("e1")))
    assert [one.sequence for one in await fresh.events("p1")] == [1]
    lose()
    assert await fresh.leave_lane(lane, owner="me", now=NOW, stay=True) == NOW
    assert [one.id for one in await fresh.claim("c1", owner="me", now=later(1), calls=5, batch=1)] == ["x2"]
    with pytest.raises(Superseded):
        await fresh.settle(replace(settlement("x1"), from_state="claimed"))
    await fresh.close()
    await store.close()


async def test_what_is_sent_at_once_is_stored_one_way_though_the_answer_was_lost(migrated_postgres_url: str) -> None:
    store = await opened(migrated_postgres_url)
    await populated(store)
    fresh, database = await lossy(migrated_postgres_url)

    async def lost(name: str, turn: str) -> str:
        sent = replace(queued(name), state="sent", owner="me", attempts=1)
        database.lost = False
        found = await fresh.begin_in_turn(
            sent, queued=replace(sent, state="queued", owner="", attempts=0), turns=[turn]
        )
        assert isinstance(found, Operation)
        assert found.state == (await store.operation("p1", name)).state
        return found.state

    assert await lost("s1", "q") == "sent"
    await store.begin(queued("x1"), turns=["r"])
    assert await lost("s2", "r") == "queued"
    await fresh.close()
    await store.close()


async def test_nobody_waits_for_ever_behind_a_turn_that_is_given_up_meanwhile(two: Pair) -> None:
    one, other = two
    states = []
    lane = None
    for number in range(40):
        await one.begin(queued(f"x{number}"), turns=["r"])
        lane = lane or await one.take_lane("c1", owner="a", now=NOW, dead_after_seconds=ALIVE)
        (first,) = await one.claim("c1", owner="a", now=NOW, calls=1, batch=1)
        sent = replace(queued(f"s{number}"), state="sent", owner="me", attempts=1)
        waiting = replace(sent, state="queued", owner="", attempts=0)
        _, found = await asyncio.gather(
            one.settle(replace(settlement(first.id), owner="a", from_state="claimed")),
            other.begin_in_turn(sent, queued=waiting, turns=["r"]),
        )
        assert isinstance(found, Operation)
        states.append(found.state)
        if found.state == "queued":
            (mine,) = await one.claim("c1", owner="a", now=later(1), calls=1, batch=1)
            assert mine.id == sent.id
            await one.settle(replace(settlement(mine.id), owner="a", from_state="claimed"))
    assert len(states) == 40


class Announced:
    """Remembers what an engine was told, and sees only what its own transaction stored."""

    def __init__(self) -> None:
        self.told: list[list[str]] = []
        self.fails = False

    async def __call__(self, connection: Any, lane_ids: Any) -> None:
        """Be told inside the transaction."""
        assert connection.is_in_transaction()
        self.told.append([*lane_ids])
        if self.fails:
            raise Unavailable("no")


async def test_an_engine_is_told_inside_the_transaction_that_gives_a_lane_work(migrated_postgres_url: str) -> None:
    announced = Announced()
    settings = Settings(database_url=migrated_postgres_url, master_keys=(MASTER_KEY,))
    store = open_store(settings, announce=announced)
    await store.start()
    await populated(store)
    assert announced.told == [], "nothing of it waits"

    def told() -> list[str]:
        names = [name for one in announced.told for name in one]
        announced.told.clear()
        return names

    await store.begin(queued("x1"))
    assert told() == ["c1"]
    await store.begin(queued("x2", lane="c2", run_at=later(9)))
    assert told() == [], "it is not due"
    await store.gather(batch("g1", lane="c3"), b"1", most=2)
    assert told() == []
    await store.gather(batch("g2", lane="c3"), b"2", most=2)
    assert told() == ["c3"]
    await store.begin(queued("x3"))
    assert told() == [], "it had work already"
    lane = await store.take_lane("c1", owner="me", now=NOW, dead_after_seconds=ALIVE)
    assert lane is not None
    await store.begin(queued("x4"))
    assert told() == [], "who attends sees it before leaving"
    one, *_ = await store.claim("c1", owner="me", now=NOW, calls=9, batch=1)
    await store.leave_lane(replace(lane, hold_until=later(5)), owner="me", now=NOW, stay=False)
    await store.begin(queued("x5"))
    assert told() == [], "it is on hold"
    assert await due(store, later(4)) == ["c3"]
    assert await due(store, later(5)) == ["c3", "c1"]
    lane = await store.take_lane("c1", owner="me", now=later(5), dead_after_seconds=ALIVE)
    assert lane is not None
    await store.claim("c1", owner="me", now=later(5), calls=9, batch=1)
    await store.leave_lane(lane, owner="me", now=later(5), stay=False)
    await store.settle(
        replace(settlement(one.id), from_state="claimed", to_state="queued", now=later(5), run_at=later(5))
    )
    assert told() == ["c1"]
    await store.wake_lane("c1", project_id="p1", at=NOW)
    assert told() == ["c1"]
    await store.park("c1", now=NOW, limit=9)
    await store.unpark("c1", run_at=[NOW], now=NOW)
    assert told() == ["c1"]
    announced.fails = True
    with pytest.raises(Unavailable):
        await store.begin(queued("x9", lane="c9"))
    announced.fails = False
    assert "x9" not in {one.id for one in await store.expired(now=later(9999), limit=99)}
    await store.close()


async def test_a_lane_on_a_database_that_went_away_is_unavailable() -> None:
    database = PostgresDatabase("postgresql://nobody@127.0.0.1:1/nothing")
    store = PiccoloStore(database, moves=PostgresMoves(database), master=parse_master_keys([MASTER_KEY]))
    with pytest.raises(Unavailable):
        await store.take_lane("c1", owner="me", now=NOW, dead_after_seconds=ALIVE)
