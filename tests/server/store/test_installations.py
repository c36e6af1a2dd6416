import asyncio

import pytest
from msgspec import UNSET

from installations.config import ConfigContent, ProxyConfig
from server.store.contract import Missing, Store, Superseded, Taken
from tests.server.store.samples import config, connection, installation, later, operation, spec


async def test_an_installation_carries_all_it_points_at(store: Store) -> None:
    found = await store.installation("p1", "n1")
    assert found.config == config()
    assert found.group.group_ref == "acme"
    assert found.connection == await store.connection("p1", "c1")
    assert found.health_status == "healthy"
    assert await store.installations("p1") == [found]


async def test_one_group_has_an_integration_once(store: Store) -> None:
    with pytest.raises(Taken) as taken:
        await store.create_installation(installation(1, id="n9", config=config("v9")))
    assert taken.value.existing_id == "n1"


async def test_parallel_installations_make_one(store: Store) -> None:
    await store.delete_installation("p1", "n1")
    await store.create_connection(connection())

    async def install(name: str) -> str:
        try:
            return (await store.create_installation(installation(1, id=name, config=config(f"v{name}")))).id
        except Taken as taken:
            return taken.existing_id

    assert len({await done for done in asyncio.as_completed([install(f"n1{n}") for n in range(8)])}) == 1


@pytest.mark.parametrize("dead", ["integration_id", "connection_id", "project_id"])
async def test_dead_ids_are_missing(store: Store, dead: str) -> None:
    with pytest.raises(Missing):
        await store.create_installation(installation(1, id="n9", group_ref="new", **{dead: "nothing"}))


async def test_a_dead_revision_is_missing(store: Store) -> None:
    with pytest.raises(Missing):
        await store.create_installation(
            installation(1, id="n9", group_ref="new", config=config("v9", revision_id="nothing"))
        )


async def test_installations_are_searched(store: Store) -> None:
    await store.deploy("p1", [spec("two")], spec_version="1.0.0", now=later(9), ids=["i9", "r9"])
    await store.create_installation(
        installation(1, id="n9", integration_id="i9", group_ref="other", now=later(9), config=config("v9"))
    )
    assert [one.id for one in await store.installations("p1")] == ["n1", "n9"]
    assert [one.id for one in await store.installations("p1", integration_id="i9")] == ["n9"]
    assert [one.id for one in await store.installations("p1", group_ref="acme")] == ["n1"]
    assert await store.installations("p1", group_ref="acme", integration_id="i9") == []


async def test_a_new_config_replaces_the_one_it_was_made_from(store: Store) -> None:
    content = ConfigContent(provider="hubspot", proxy=ProxyConfig(enabled=True))
    changed = await store.update_installation(
        "p1", "n1", now=later(9), if_config="v1", config=config("v9", content=content)
    )
    assert (changed.config.id, changed.config.content, changed.update_time) == ("v9", content, later(9))
    assert await store.installation("p1", "n1") == changed
    with pytest.raises(Superseded):
        await store.update_installation("p1", "n1", now=later(9), if_config="v1", config=config("v10"))


async def test_of_parallel_updates_from_one_config_one_wins(store: Store) -> None:
    async def change(name: str) -> bool:
        try:
            await store.update_installation("p1", "n1", now=later(9), if_config="v1", config=config(name))
        except Superseded:
            return False
        return True

    assert sum(await asyncio.gather(*(change(f"w{n}") for n in range(8)))) == 1


async def test_the_connection_is_swapped(store: Store) -> None:
    await store.create_connection(connection(1, id="c9"))
    changed = await store.update_installation("p1", "n1", now=later(9), if_config="v1", connection_id="c9")
    assert (changed.connection.id, changed.config.id) == ("c9", "v1")
    with pytest.raises(Missing):
        await store.update_installation("p1", "n1", now=later(9), if_config="v1", connection_id="c2")
    await store.delete_connection("p1", "c1")


async def test_deleting_takes_the_connection_unless_it_is_used(store: Store) -> None:
    await store.deploy("p1", [spec("two")], spec_version="1.0.0", now=later(9), ids=["i9", "r9"])
    await store.create_installation(installation(1, id="n9", integration_id="i9", config=config("v9")))
    await store.delete_installation("p1", "n1")
    assert [one.id for one in await store.connections("p1")] == ["c1"]
    await store.delete_installation("p1", "n9")
    assert await store.connections("p1") == []
    assert (await store.operation("p1", "o1")).installation_id == "n1"


async def test_health_and_the_last_operation_show(store: Store) -> None:
    assert (await store.installation("p1", "n1")).last_operation_status == "in_progress"
    await store.begin(operation("o9", state="failure", create_time=later(9)))
    await store.update_connection("p1", "c1", now=later(9), status="bad_credentials")
    found = await store.installation("p1", "n1")
    assert (found.health_status, found.last_operation_status) == ("unhealthy", "failure")
    await store.create_installation(installation(1, id="n9", group_ref="new", config=config("v9")))
    assert (await store.installation("p1", "n9")).last_operation_status is UNSET
