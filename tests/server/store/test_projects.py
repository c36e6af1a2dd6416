import pytest
from msgspec import UNSET

from installations.installation import AccessPolicy
from server.store.contract import Missing, Store, Taken
from tests.server.store.samples import api_key, later, project


async def test_a_project_is_found_by_id_and_by_name(store: Store) -> None:
    assert await store.project("p1") == project()
    assert await store.project("Project 1") == project()


async def test_an_id_stands_before_a_name(store: Store) -> None:
    await store.create_project(project(3, name="p1"))
    assert await store.project("p1") == project()


async def test_projects_are_listed_oldest_first(store: Store) -> None:
    await store.create_project(project(0))
    assert [one.id for one in await store.projects()] == ["p0", "p1", "p2"]


async def test_a_taken_name_tells_who_has_it_and_stores_nothing(store: Store) -> None:
    with pytest.raises(Taken) as taken:
        await store.create_project(project(3, name="Project 1"), key=api_key(3))
    assert taken.value.existing_id == "p1"
    assert await store.api_key(api_key(3).digest) is None
    assert len(await store.projects()) == 2


async def test_a_taken_id_is_refused(store: Store) -> None:
    with pytest.raises(Taken):
        await store.create_project(project(1, name="Other"))


async def test_names_change(store: Store) -> None:
    changed = await store.update_project("p1", now=later(9), name="New", app_name="New app")
    assert (changed.name, changed.app_name, changed.update_time) == ("New", "New app", later(9))
    assert await store.project("New") == changed


async def test_a_project_may_keep_its_name_but_not_take_anothers(store: Store) -> None:
    await store.update_project("p1", now=later(9), name="Project 1")
    with pytest.raises(Taken) as taken:
        await store.update_project("p1", now=later(9), name="Project 2")
    assert taken.value.existing_id == "p2"


async def test_an_unknown_project_is_missing(store: Store) -> None:
    with pytest.raises(Missing):
        await store.project("nobody")
    with pytest.raises(Missing):
        await store.update_project("nobody", now=later(9), name="x")
    with pytest.raises(Missing):
        await store.add_api_key("nobody", api_key(3))


async def test_a_key_is_found_by_its_digest_alone(store: Store) -> None:
    assert await store.api_key(api_key().digest) == api_key()
    assert await store.api_key(b"nothing") is None


async def test_keys_are_listed_changed_and_removed(store: Store) -> None:
    second = api_key(1, id="k9", digest=b"9", create_time=later(9), active=False)
    await store.add_api_key("p1", second)
    assert await store.api_keys("p1") == [api_key(), second]
    assert await store.api_keys("p1", active=False) == [second]
    changed = await store.update_api_key("p1", "k9", label="renamed", active=True, scopes=("read",))
    assert (changed.label, changed.active, changed.scopes) == ("renamed", True, ("read",))
    assert await store.update_api_key("p1", "k9") == changed
    await store.delete_api_key("p1", "k1")
    assert await store.api_keys("p1", active=True) == [changed]
    assert await store.api_key(api_key().digest) is None


async def test_a_policy_is_kept_until_it_is_the_default_again(store: Store) -> None:
    assert (await store.project("p1")).access_policy is UNSET
    strict = AccessPolicy(require_jwt=True, allowed_origins=("https://app.example.test",))
    changed = await store.update_project("p1", now=later(9), access_policy=strict)
    assert changed.access_policy == strict
    await store.update_project("p1", now=later(9), name="Other")
    assert (await store.project("p1")).access_policy == strict
    assert (await store.update_project("p1", now=later(9), access_policy=AccessPolicy())).access_policy is UNSET
    assert (await store.project("p1")).access_policy is UNSET


async def test_a_project_may_be_born_strict(store: Store) -> None:
    strict = project(3, access_policy=AccessPolicy(strict_connect=True))
    await store.create_project(strict)
    assert await store.project("p3") == strict
    await store.create_project(project(4, access_policy=AccessPolicy()))
    assert await store.project("p4") == project(4)
