import pytest

from server.store.contract import Missing, Store
from tests.server.store.samples import jwt_key, later


async def test_a_key_is_found_by_its_kid_alone(store: Store) -> None:
    assert await store.jwt_key("j1") == jwt_key()
    assert await store.jwt_key("nothing") is None


async def test_keys_are_listed_changed_and_removed(store: Store) -> None:
    second = jwt_key(1, id="j9", create_time=later(9), update_time=later(9), active=False)
    await store.add_jwt_key(second)
    assert await store.jwt_keys("p1") == [jwt_key(), second]
    assert await store.jwt_keys("p1", active=False) == [second]
    changed = await store.update_jwt_key("p1", "j9", now=later(10), label="renamed", active=True)
    assert (changed.label, changed.active, changed.update_time) == ("renamed", True, later(10))
    assert await store.jwt_key("j9") == changed
    await store.delete_jwt_key("p1", "j1")
    assert await store.jwt_keys("p1", active=True) == [changed]
    assert await store.jwt_key("j1") is None


async def test_a_key_of_no_project_is_refused(store: Store) -> None:
    with pytest.raises(Missing):
        await store.add_jwt_key(jwt_key(3))
