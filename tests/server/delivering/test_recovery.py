"""What becomes of operations whose process died."""

from collections.abc import AsyncIterator

import pytest

from installations.operation import State
from server.delivering.recovery import BATCH, recover
from server.settings import Settings
from server.store.contract import Settlement, Store, Superseded
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY, NOW, later, operation, populated, settlement


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    opened: Store = MemoryStore()
    if request.param == "sqlite":
        opened = open_store(Settings(database_url=request.getfixturevalue("sqlite_url"), master_keys=(MASTER_KEY,)))
        await opened.start()
    try:
        await populated(opened)
        yield opened
    finally:
        await opened.close()


FATES: list[tuple[State, State, str, str]] = [
    # the state it died in, where it ends, the effect, what is said
    ("sent", "unknown", "ambiguous", "Outcome unknown"),
    ("claimed", "failure", "not_sent", "Not sent"),
]


@pytest.mark.parametrize(("state", "ends", "effect", "said"), FATES, ids=[state for state, *_ in FATES])
async def test_what_a_dead_process_held_is_settled(
    store: Store, state: State, ends: State, effect: str, said: str
) -> None:
    await store.begin(operation("x", state=state, owner="dead", attempts=1))
    assert await recover(store, clock=lambda: later(60), living=["me"]) == 1
    found = await store.operation("p1", "x")
    assert (found.state, said in found.summary, found.update_time) == (ends, True, later(60))
    (attempt,) = await store.attempts("p1", "x")
    assert (attempt.effect, attempt.number, attempt.started_at, attempt.finished_at) == (effect, 1, NOW, later(60))
    assert await recover(store, clock=lambda: later(61), living=["me"]) == 0


async def test_what_the_living_hold_and_what_has_ended_is_left_alone(store: Store) -> None:
    await store.begin(operation("mine", owner="me"))
    await store.begin(operation("ended", owner="dead"))
    await store.settle(settlement("ended", owner="dead"))
    assert await recover(store, clock=lambda: NOW, living=["me"]) == 0
    states = [(await store.operation("p1", name)).state for name in ("mine", "ended")]
    assert states == ["sent", "success"]


async def test_more_than_one_page_is_settled(store: Store) -> None:
    for number in range(BATCH + 3):
        await store.begin(operation(f"x{number}", owner="dead"))
    assert await recover(store, clock=lambda: NOW, living=["me"]) == BATCH + 3


class Beaten(MemoryStore):
    """A store in which somebody else is always faster."""

    async def settle(self, settlement: Settlement) -> None:
        await super().settle(settlement)
        raise Superseded("somebody else settled it")


async def test_what_somebody_else_settles_meanwhile_is_not_counted() -> None:
    store = Beaten()
    await populated(store)
    assert await recover(store, clock=lambda: NOW, living=[]) == 0
    assert (await store.operation("p1", "o1")).state == "unknown"
