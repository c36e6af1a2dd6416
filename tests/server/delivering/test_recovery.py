"""What becomes of operations whose process died: every state it may have died in, memory store and SQLite."""

import math
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import httpx
import pytest
from msgspec.structs import replace

from connectors.connector import Recognition
from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from installations.operation import Mode, Operation, Reason, Repeat, State
from server.delivering.recovery import BATCH
from server.settings import Settings
from server.store.contract import Settlement
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.delivering.yard import PROJECT, START, VirtualClock, Yard, open_yard
from tests.server.store.samples import MASTER_KEY

RECOGNITIONS = {"marked": Recognition(kind="marker", field="mark", exact=True)}


async def a_yard(provider: MemoryServer, *, store: MemoryStore | None = None, owner: str = "alive") -> Yard:
    return await open_yard(provider, store=store, connectors=(Memory(RECOGNITIONS),), owner=owner)


@pytest.fixture(params=["memory", "sqlite"])
async def yard(request: pytest.FixtureRequest) -> AsyncIterator[Yard]:
    if request.param == "memory":
        yield await a_yard(MemoryServer())
        return
    store = open_store(Settings(database_url=request.getfixturevalue("sqlite_url"), master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        yield await open_yard(MemoryServer(), store=store, connectors=(Memory(RECOGNITIONS),), owner="alive")
    finally:
        await store.close()


async def left(
    yard: Yard, *, name: str = "people", action: str = "create", owner: str = "dead", **members: object
) -> str:
    """Leave an operation behind as its process had it when it died."""
    record = {"id": "7", "a": 1} if action == "update" else {"a": 1}
    target = await yard.services.deliveries.accept(PROJECT, "crm", name, yard.request(action, record))
    operation = yard.order(target, yard.request(action, record))
    await yard.store.begin(replace(operation, owner=owner, attempts=1, **members))
    return operation.id


FATES: list[tuple[State, Mode, Repeat, str, State, Reason]] = [
    # the state it died in, how it was asked, what sending twice would do, the object, where it goes, why
    ("claimed", "asynchronous", "bare", "people", "queued", ""),
    ("claimed", "synchronous", "bare", "people", "failure", "abandoned"),
    ("sent", "asynchronous", "safe", "people", "queued", ""),
    ("sent", "asynchronous", "keyed", "people", "queued", ""),
    ("sent", "asynchronous", "bare", "people", "unknown", "ambiguous"),
    ("sent", "asynchronous", "bare", "marked", "unknown", "ambiguous"),
    ("sent", "synchronous", "safe", "people", "unknown", "ambiguous"),
    ("sent", "synchronous", "bare", "marked", "unknown", "ambiguous"),
]


@pytest.mark.parametrize(
    ("state", "mode", "repeat", "name", "ends", "reason"), FATES, ids=[f"{s} {m} {r} {n}" for s, m, r, n, *_ in FATES]
)
async def test_what_a_dead_process_held_goes_where_nothing_is_done_twice(  # noqa: PLR0917 -- a row of the table
    yard: Yard, state: State, mode: Mode, repeat: Repeat, name: str, ends: State, reason: Reason
) -> None:
    operation_id = await left(yard, name=name, state=state, mode=mode, repeat=repeat)
    assert await yard.services.recovery.recover(living=["alive"]) == 1
    found = await yard.operation(operation_id)
    assert (found.state, found.reason, found.crashes, found.owner) == (
        ends,
        reason,
        1,
        "" if ends == "queued" else found.owner,
    )
    assert found.doubtful is (state == "sent")
    assert (found.look_at is not None) is (name == "marked")
    (attempt,) = await yard.attempts(operation_id)
    assert attempt.effect == ("ambiguous" if state == "sent" else "not_sent")
    told = [event.type for event in await yard.store.events(PROJECT)]
    assert told == (["write.async.unknown"] if (ends, mode) == ("unknown", "asynchronous") else [])
    assert await yard.services.recovery.recover(living=["alive"]) == 0


async def test_what_the_living_hold_and_what_has_ended_is_left_alone(yard: Yard) -> None:
    mine = await left(yard, state="sent", owner="alive")
    assert await yard.services.recovery.recover(living=["alive"]) == 0
    assert (await yard.operation(mine)).state == "sent"


async def test_more_than_one_page_is_settled() -> None:
    yard = await a_yard(MemoryServer())
    for _ in range(BATCH + 3):
        await left(yard, state="sent", repeat="safe")
    assert await yard.services.recovery.recover(living=["alive"]) == BATCH + 3


async def test_what_was_in_doubt_before_and_is_late_now_is_looked_up() -> None:
    yard = await a_yard(MemoryServer())
    operation_id = await left(yard, name="marked", state="claimed", doubtful=True, deadline_at=START)
    await yard.services.recovery.recover(living=["alive"])
    found = await yard.operation(operation_id)
    assert (found.state, found.reason, found.look_at) == ("unknown", "deadline", START + timedelta(minutes=1))


class Beaten(MemoryStore):
    """A store in which somebody else is always faster."""

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        await super().settle_all(settlements)
        return await super().settle_all(settlements)


async def test_what_somebody_else_settles_meanwhile_is_not_counted() -> None:
    yard = await a_yard(MemoryServer(), store=Beaten())
    operation_id = await left(yard, state="sent")
    assert await yard.services.recovery.recover(living=["alive"]) == 0
    assert (await yard.operation(operation_id)).state == "unknown"


async def test_after_two_deaths_an_operation_is_sent_by_itself_and_after_three_its_blame_is_proved() -> None:
    yard = await a_yard(MemoryServer())
    operation_id = await left(yard, state="claimed", crashes=1, batch_key="b")
    await left(yard, state="claimed")
    await yard.services.recovery.recover(living=["alive"])
    found = await yard.operation(operation_id)
    assert (found.state, found.crashes, found.batch_key) == ("queued", 2, "")


@pytest.mark.parametrize(("neighbours", "state", "reason"), [(0, "failure", "poison"), (1, "queued", "")])
async def test_only_what_died_alone_is_to_blame(neighbours: int, state: State, reason: Reason) -> None:
    yard = await a_yard(MemoryServer())
    operation_id = await left(yard, state="claimed", crashes=3, lone_crashes=2)
    for _ in range(neighbours):
        await left(yard, state="claimed")
    await yard.services.recovery.recover(living=["alive"])
    found = await yard.operation(operation_id)
    assert (found.state, found.reason, found.lone_crashes) == (state, reason, 2 if neighbours else 3)


async def test_processes_that_are_killed_over_and_over_condemn_nobody_who_was_there_with_others() -> None:
    yard = await a_yard(MemoryServer())
    operation_id = await left(yard, state="claimed", crashes=20, lone_crashes=1)
    await yard.services.recovery.recover(living=["alive"])
    assert (await yard.operation(operation_id)).state == "queued"


class Died(BaseException):
    """Ends the process where it stands; nobody catches it."""


class Dying(MemoryServer):
    """Takes its caller down with the first write, before or after it is done."""

    def __init__(self, *, does_it: bool) -> None:
        super().__init__()
        self.does_it = does_it
        self.deaths = 1

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.deaths and request.method != "GET" and not request.url.path.endswith((":find", ":fetch")):
            self.deaths -= 1
            if self.does_it:
                await super().handle_async_request(request)
            raise Died
        return await super().handle_async_request(request)


async def crashed(store: MemoryStore, provider: MemoryServer, clock: VirtualClock) -> Yard:
    """Open the next process on the store of one that is gone, and have it recover what that one left."""
    store.processes.clear()
    for lane in store.lanes.values():
        lane.attended_at = -math.inf
    following = await open_yard(provider, store=store, connectors=(Memory(RECOGNITIONS),), owner="next", clock=clock)
    await following.services.recovery.recover(living=["next"])
    return following


@pytest.mark.parametrize("does_it", [True, False])
async def test_a_marked_create_whose_process_died_is_found_or_sent_again_but_never_done_twice(*, does_it: bool) -> None:
    provider, store = Dying(does_it=does_it), MemoryStore()
    yard = await a_yard(provider, store=store, owner="first")
    submitted = await yard.submit("create", {"a": 1}, name="marked")
    with pytest.raises(Died):
        await yard.attend()
    following = await crashed(store, provider, yard.clock)
    for step in (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(seconds=1)):
        yard.clock.now += step
        await following.attend()
    operation = await following.operation(submitted.operation.id)
    assert (operation.state, operation.successful_record_ids) == ("success", ("1",))
    assert len(provider.records["marked"]) == 1


async def test_an_update_whose_process_died_is_made_again() -> None:
    provider, store = Dying(does_it=True), MemoryStore()
    provider.records["people"] = {"7": {"a": 0}}
    yard = await a_yard(provider, store=store, owner="first")
    submitted = await yard.submit("update", {"id": "7", "a": 1})
    with pytest.raises(Died):
        await yard.attend()
    following = await crashed(store, provider, yard.clock)
    await following.attend()
    operation: Operation = await following.operation(submitted.operation.id)
    assert (operation.state, operation.attempts, operation.crashes) == ("success", 2, 1)
    assert yard.clock.now == START


@pytest.mark.parametrize(("crashes", "place"), [(0, 0), (1, 3), (2, 3)])
async def test_what_lost_its_process_once_keeps_its_place_and_who_lost_more_goes_behind(
    yard: Yard, crashes: int, place: int
) -> None:
    lost = await left(yard, action="update", state="sent", repeat="safe", crashes=crashes)
    for _ in range(3):
        yard.clock.move(seconds=1)
        await yard.submit("create", {"b": 2})
    yard.clock.move(seconds=20)
    await yard.services.recovery.recover(living=["alive"])
    await yard.store.take_lane("c-g1", owner="alive", now=yard.clock(), dead_after_seconds=15)
    claimed = await yard.store.claim("c-g1", owner="alive", now=yard.clock(), calls=9, batch=1)
    assert [each.id for each in claimed].index(lost) == place
