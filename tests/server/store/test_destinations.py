import pytest
from msgspec.structs import replace

from server.settings import Settings
from server.store.contract import Missing, Store, Superseded, Taken
from server.store.opening import open_store
from tests.server.store.samples import (
    MASTER_KEY,
    NOW,
    SECRET,
    destination,
    destination_route,
    event_route,
    later,
    project,
    topic,
)


async def test_a_destination_is_found_by_id_and_by_name(store: Store) -> None:
    assert await store.destination("p1", "d1") == destination()
    assert await store.destination("p1", "hook") == destination()
    assert await store.destinations("p1") == [destination()]
    assert await store.signing_keys("p1", "d1") == SECRET


async def test_an_id_stands_before_a_name(store: Store) -> None:
    await store.create_destination(destination(id="d9", name="d1"), signing_keys=SECRET)
    assert (await store.destination("p1", "d1")).id == "d1"


async def test_a_destination_changes_in_what_is_given(store: Store) -> None:
    changed = await store.update_destination("p1", "d1", now=NOW, url="https://other.example.test")
    assert changed == destination(url="https://other.example.test", update_time=NOW)
    changed = await store.update_destination("p1", "d1", now=later(1), headers={}, name="other")
    assert changed == destination(url="https://other.example.test", headers={}, name="other", update_time=later(1))
    assert await store.destination("p1", "other") == changed


async def test_names_of_destinations_and_topics_are_given_once(store: Store) -> None:
    with pytest.raises(Taken):
        await store.create_destination(destination(id="d9"), signing_keys=SECRET)
    await store.create_destination(destination(id="d9", name="spare"), signing_keys=SECRET)
    with pytest.raises(Taken):
        await store.update_destination("p1", "d9", now=NOW, name="hook")
    assert (await store.update_destination("p1", "d9", now=NOW, name="spare")).name == "spare"
    with pytest.raises(Taken):
        await store.create_topic(topic(id="t9"))
    await store.create_topic(topic(id="t9", name="spare"))
    with pytest.raises(Taken):
        await store.rename_topic("p1", "t9", name="news", now=NOW)


async def test_signing_keys_are_replaced_by_whoever_knows_them(store: Store) -> None:
    await store.replace_signing_keys("p1", "d1", b"new", if_keys=SECRET, now=NOW)
    with pytest.raises(Superseded):
        await store.replace_signing_keys("p1", "d1", b"newer", if_keys=SECRET, now=NOW)
    assert await store.signing_keys("p1", "d1") == b"new"
    assert (await store.destination("p1", "d1")).update_time == NOW


async def test_a_topic_is_renamed_and_removed_with_its_routes(store: Store) -> None:
    assert await store.rename_topic("p1", "t1", name="olds", now=NOW) == topic(name="olds", update_time=NOW)
    assert (await store.topics("p1"))[0].name == "olds"
    await store.delete_topic("p1", "t1")
    assert [await store.topics("p1"), await store.event_routes("p1"), await store.destination_routes("p1")] == [
        [],
        [],
        [],
    ]
    assert await store.event_routes("p2") == [event_route(2)]


async def test_a_destination_goes_with_its_routes(store: Store) -> None:
    await store.delete_destination("p1", "d1")
    assert await store.destination_routes("p1") == []
    assert await store.destination_routes("p2") == [destination_route(2)]
    for missing in (store.destination("p1", "d1"), store.signing_keys("p1", "d1")):
        with pytest.raises(Missing):
            await missing


async def test_an_equal_route_is_answered_instead_of_stored(store: Store) -> None:
    assert await store.create_event_route(event_route(id="e9")) == event_route()
    assert await store.create_destination_route(destination_route(id="y9")) == destination_route()
    other = event_route(id="e9", event_type="connection.created")
    assert await store.create_event_route(other) == other
    assert await store.event_routes("p1") == [event_route(), other]


async def test_routes_are_listed_by_what_they_join(store: Store) -> None:
    await store.create_topic(topic(id="t9", name="spare"))
    other = event_route(id="e9", topic_id="t9", event_type="connection.created")
    await store.create_event_route(other)
    onward = destination_route(id="y9", topic_id="t9")
    await store.create_destination_route(onward)
    assert await store.event_routes("p1", topic_id="t9") == [other]
    assert await store.event_routes("p1", event_type="connection.updated") == [event_route()]
    assert await store.destination_routes("p1", topic_id="t9") == [onward]
    assert await store.destination_routes("p1", destination_id="d1") == [destination_route(), onward]
    await store.delete_event_route("p1", "e9")
    await store.delete_destination_route("p1", "y9")
    assert await store.event_routes("p1", topic_id="t9") == []
    assert await store.destination_routes("p1", topic_id="t9") == []


async def test_a_dump_tells_neither_where_messages_go_nor_how_they_are_signed(sqlite_url: str) -> None:
    store = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await store.create_project(project())
    await store.create_destination(replace(destination()), signing_keys=b"whsec_SECRET")
    await store.close()
    with open(sqlite_url.removeprefix("sqlite:///"), "rb") as file:  # noqa: ASYNC230, PTH123 -- nothing else runs
        assert b"SECRET" not in file.read()
