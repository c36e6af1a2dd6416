import pytest

from server.store.contract import InUse, Store
from tests.server.store.samples import NOW, connection, event


async def test_an_event_is_stored_with_the_change_it_tells_of(store: Store) -> None:
    made = event("e1", type="connection.created", data=b'{"connectionId":"c9"}')
    await store.create_connection(connection(1, id="c9"), event=made)
    await store.update_connection("p1", "c9", now=NOW, status="created", event=event("e2"))
    await store.delete_connection("p1", "c9", event=event("e3", type="connection.deleted"))
    assert [one.id for one in await store.events("p1")] == ["e1", "e2", "e3"]
    assert (await store.events("p1"))[0] == made


async def test_a_change_that_fails_tells_nothing(store: Store) -> None:
    with pytest.raises(InUse):
        await store.delete_connection("p1", "c1", event=event())
    assert await store.events("p1") == []


async def test_events_are_read_on_from_the_last_one_seen(store: Store) -> None:
    for name in ("e3", "e1", "e2"):
        await store.update_connection("p1", "c1", now=NOW, event=event(name))
    assert [one.id for one in await store.events("p1", limit=2)] == ["e1", "e2"]
    assert [one.id for one in await store.events("p1", after="e2")] == ["e3"]
    assert await store.events("p1", after="e3") == []
