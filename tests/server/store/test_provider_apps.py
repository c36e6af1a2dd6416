import pytest
from msgspec import UNSET

from server.store.contract import Store, Taken
from tests.server.store.samples import SECRET, later, provider_app


async def test_an_app_comes_back_as_it_was_stored(store: Store) -> None:
    assert await store.provider_app("p1", "a1") == provider_app()
    assert await store.provider_apps("p1") == [provider_app()]
    assert await store.client_secret("p1", "a1") == SECRET


async def test_members_that_were_not_given_stay_so(store: Store) -> None:
    bare = provider_app(1, id="a9", client_id="other", scopes=UNSET, metadata=UNSET, create_time=later(9))
    await store.create_provider_app(bare, client_secret=b"")
    assert await store.provider_app("p1", "a9") == bare
    assert await store.client_secret("p1", "a9") == b""


async def test_provider_and_client_id_are_unique_within_a_project(store: Store) -> None:
    with pytest.raises(Taken) as taken:
        await store.create_provider_app(provider_app(1, id="a9"), client_secret=b"")
    assert taken.value.existing_id == "a1"
    await store.create_provider_app(provider_app(1, id="a9", client_id="other"), client_secret=b"")
    with pytest.raises(Taken):
        await store.update_provider_app("p1", provider_app(1, id="a9"))


async def test_an_update_replaces_members_and_keeps_the_secret_unless_given(store: Store) -> None:
    changed = provider_app(1, client_id="new", scopes=UNSET, update_time=later(9))
    assert await store.update_provider_app("p1", changed) == changed
    assert await store.client_secret("p1", "a1") == SECRET
    await store.update_provider_app("p1", changed, client_secret=b"new")
    assert await store.client_secret("p1", "a1") == b"new"
    assert (await store.connection("p1", "c1")).provider_app == changed


async def test_a_connection_outlives_its_app(store: Store) -> None:
    await store.delete_provider_app("p1", "a1")
    assert (await store.connection("p1", "c1")).provider_app is UNSET
