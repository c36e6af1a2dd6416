"""Keys: what they look like, and how long they are remembered."""

import pytest

from installations.installation import Project
from server.access.errors import Forbidden, Unauthenticated
from server.access.keyring import Keyring
from server.access.keys import is_well_formed, new_key
from server.access.remembered import REMEMBER_SECONDS
from server.store.contract import Missing
from server.store.memory import MemoryStore
from tests.server.house import START, stored_key


def test_a_key_can_be_told_from_noise() -> None:
    key = new_key()
    assert is_well_formed(key)
    assert new_key() != key
    for wrong in (
        key[:-1],
        key + "a",
        key.replace("isk_", "xxx_"),
        key[:-1] + ("a" if key[-1] != "a" else "b"),
        "",
        "ü",
    ):
        assert not is_well_formed(wrong)


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def inhabited(key: str, *, scopes: tuple[str, ...] = ("full",)) -> MemoryStore:
    store = MemoryStore()
    project = Project(id="p1", name="acme", app_name="Acme", org_id="o1", create_time=START)
    await store.create_project(project, key=stored_key("p1", key, scopes=scopes))
    return store


async def test_a_key_that_was_switched_off_elsewhere_ends_within_a_second() -> None:
    key, time = new_key(), Time()
    store = await inhabited(key)
    keyring = Keyring(store, monotonic=time)
    access = await keyring.authenticate(key)
    await store.update_api_key("p1", access.key_id, active=False)
    assert await keyring.authenticate(key) == access
    time.seconds += REMEMBER_SECONDS
    with pytest.raises(Unauthenticated):
        await keyring.authenticate(key)


async def test_a_change_here_is_seen_at_once() -> None:
    key = new_key()
    store = await inhabited(key)
    keyring = Keyring(store, monotonic=Time())
    access = await keyring.authenticate(key)
    await store.delete_api_key("p1", access.key_id)
    keyring.forget()
    with pytest.raises(Unauthenticated):
        await keyring.authenticate(key)


@pytest.mark.parametrize("presented", [None, "", "isk_", "nonsense", new_key(), "\x00", "ü" * 42])
async def test_nobody_else_gets_in(presented: str | None) -> None:
    keyring = Keyring(await inhabited(new_key()))
    with pytest.raises(Unauthenticated):
        await keyring.authenticate(presented)


async def test_a_key_opens_one_project_by_either_name() -> None:
    key = new_key()
    access = await Keyring(await inhabited(key)).authenticate(key)
    assert access.enter("p1") == access.enter("acme") == "p1"
    with pytest.raises(Missing):
        access.enter("p2")


async def test_a_frontend_key_is_not_full() -> None:
    key = new_key()
    access = await Keyring(await inhabited(key, scopes=("frontend",))).authenticate(key)
    with pytest.raises(Forbidden):
        access.require_full()
