import pytest
from msgspec import UNSET

from installations.installation import Consumer, Group, MetadataValue
from server.store.contract import InUse, Missing, Store
from tests.server.store.samples import SECRET, connection, later, provider_app


async def test_names_default_to_refs(store: Store) -> None:
    found = await store.connection("p1", "c1")
    assert found.group == Group(group_ref="acme", group_name="acme", project_id="p1", create_time=later(1))
    assert found.consumer == Consumer(consumer_ref="jo", consumer_name="jo", project_id="p1", create_time=later(1))
    assert found.provider_app == provider_app()
    assert found.provider_metadata == {"workspace": MetadataValue(value="acme-eu")}
    assert found.provider_workspace_ref is UNSET


async def test_a_later_connection_renames_and_keeps_the_time_of_birth(store: Store) -> None:
    await store.create_connection(connection(1, id="c9", group_name="ACME Inc", consumer_name="Jo", now=later(9)))
    found = await store.connection("p1", "c1")
    assert (found.group.group_name, found.group.create_time) == ("ACME Inc", later(1))
    assert found.consumer.consumer_name == "Jo"
    assert (await store.installation("p1", "n1")).group.group_name == "ACME Inc"


async def test_usable_connections_come_first_then_the_newest(store: Store) -> None:
    for name, status, age in (("bad", "bad_credentials", 9), ("made", "created", 8), ("new", "working", 7)):
        await store.create_connection(connection(1, id=name, status=status, now=later(age)))
    assert [one.id for one in await store.connections("p1")] == ["new", "c1", "made", "bad"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ({"provider": "hubspot"}, ["c1"]),
        ({"provider": "salesforce"}, ["c9"]),
        ({"group_ref": "acme"}, ["c1"]),
        ({"group_ref": "other", "provider": "salesforce"}, ["c9"]),
        ({"consumer_ref": "kim"}, ["c9"]),
        ({"consumer_ref": "kim", "group_ref": "acme"}, []),
    ],
)
async def test_connections_are_searched(store: Store, search: dict[str, str], found: list[str]) -> None:
    await store.create_connection(
        connection(1, id="c9", provider="salesforce", group_ref="other", consumer_ref="kim", now=later(9))
    )
    assert [one.id for one in await store.connections("p1", **search)] == found


async def test_an_update_changes_what_is_given(store: Store) -> None:
    before = await store.connection("p1", "c1")
    changed = await store.update_connection("p1", "c1", now=later(9), status="bad_credentials")
    assert (changed.status, changed.update_time) == ("bad_credentials", later(9))
    assert changed.provider_metadata == before.provider_metadata
    assert await store.credentials("p1", "c1") == SECRET
    changed = await store.update_connection(
        "p1",
        "c1",
        now=later(10),
        credentials=b"new",
        provider_workspace_ref="w",
        provider_metadata={"a": MetadataValue(value="b", source="token")},
    )
    assert changed.provider_workspace_ref == "w"
    assert changed.provider_metadata == {"a": MetadataValue(value="b", source="token")}
    assert await store.credentials("p1", "c1") == b"new"
    assert await store.connection("p1", "c1") == changed


async def test_a_connection_in_use_stays(store: Store) -> None:
    with pytest.raises(InUse):
        await store.delete_connection("p1", "c1")
    await store.create_connection(connection(1, id="c9"))
    await store.delete_connection("p1", "c9")
    with pytest.raises(Missing):
        await store.connection("p1", "c9")


async def test_a_dead_provider_app_is_missing(store: Store) -> None:
    with pytest.raises(Missing):
        await store.create_connection(connection(1, id="c9", provider_app_id="nothing"))
    with pytest.raises(Missing):
        await store.create_connection(connection(1, id="c9", project_id="nobody"))
