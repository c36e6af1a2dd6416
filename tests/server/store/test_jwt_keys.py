import asyncio
from collections.abc import AsyncIterator

import pytest

from server.settings import Settings
from server.store.contract import Missing, SessionKey, Store
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY, SECRET, jwt_key, later, populated, session_key


async def test_a_key_is_found_by_its_kid_alone(store: Store) -> None:
    assert await store.jwt_key("j1") == jwt_key()
    assert await store.jwt_key("nothing") is None


async def test_keys_are_listed_changed_and_removed(store: Store) -> None:
    second = jwt_key(1, id="j9", create_time=later(9), update_time=later(9), active=False)
    await store.add_jwt_key(second)
    assert await store.jwt_keys("p1") == [jwt_key(), session_key(), second]
    assert await store.jwt_keys("p1", active=False) == [second]
    changed = await store.update_jwt_key("p1", "j9", now=later(10), label="renamed", active=True)
    assert (changed.label, changed.active, changed.update_time) == ("renamed", True, later(10))
    assert await store.jwt_key("j9") == changed
    await store.delete_jwt_key("p1", "j1")
    assert await store.jwt_keys("p1", active=True) == [session_key(), changed]
    assert await store.jwt_key("j1") is None


async def test_a_key_of_no_project_is_refused(store: Store) -> None:
    with pytest.raises(Missing):
        await store.add_jwt_key(jwt_key(3))
    with pytest.raises(Missing):
        await store.keep_session_key(session_key(3), private_key=SECRET)
    with pytest.raises(Missing):
        await store.session_key("p3")


async def test_a_session_key_is_opened_and_only_its_public_half_is_shown(store: Store) -> None:
    kept = await store.session_key("p1")
    assert kept == SessionKey(id="g1", private_key=SECRET)
    assert repr(kept) == "SessionKey(***)"
    assert await store.jwt_key("g1") == session_key()


async def test_a_session_key_in_use_stays_when_another_one_comes(store: Store) -> None:
    another = session_key(id="g9", create_time=later(9))
    assert await store.keep_session_key(another, private_key=b"later") == SessionKey(id="g1", private_key=SECRET)
    assert await store.jwt_key("g9") is None


@pytest.mark.parametrize("way", ["switched off", "deleted"])
async def test_a_session_key_that_is_out_of_use_makes_room_for_another(store: Store, way: str) -> None:
    if way == "deleted":
        await store.delete_jwt_key("p1", "g1")
    else:
        await store.update_jwt_key("p1", "g1", now=later(9), active=False)
    assert await store.session_key("p1") is None
    before, second = await store.epoch(), session_key(id="g9", create_time=later(9))
    made = await store.keep_session_key(second, private_key=b"second")
    assert made == SessionKey(id="g9", private_key=b"second") == await store.session_key("p1")
    assert await store.epoch() > before
    if way == "switched off":
        await store.update_jwt_key("p1", "g1", now=later(10), active=True)
        assert await store.session_key("p1") == made


async def test_of_many_that_come_at_once_one_is_kept(store: Store) -> None:
    await store.delete_jwt_key("p1", "g1")
    wanted = [session_key(id=f"g{number}", create_time=later(number)) for number in range(10, 18)]
    kept = await asyncio.gather(*(store.keep_session_key(one, private_key=one.id.encode()) for one in wanted))
    assert len({one.id for one in kept}) == 1
    assert all(one.private_key == one.id.encode() for one in kept)
    assert [one.id for one in await store.jwt_keys("p1")] == ["j1", kept[0].id]


@pytest.fixture
async def two_processes(migrated_postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    settings = Settings(database_url=migrated_postgres_url, master_keys=(MASTER_KEY,))
    stores = open_store(settings), open_store(settings)
    for each in stores:
        await each.start()
    try:
        yield stores
    finally:
        for each in stores:
            await each.close()


async def test_two_processes_that_race_end_with_one(two_processes: tuple[Store, Store]) -> None:
    await populated(two_processes[0])
    await two_processes[0].delete_jwt_key("p1", "g1")
    tries = [
        each.keep_session_key(session_key(id=f"g{number}{place}"), private_key=b"x")
        for number in range(5)
        for place, each in enumerate(two_processes)
    ]
    kept = await asyncio.gather(*tries)
    assert len({one.id for one in kept}) == 1
