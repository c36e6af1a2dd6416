import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from installations.installation import Connection, ConnectionStatus, Installation
from server.settings import Settings
from server.store.contract import Event, InUse, Store, Superseded
from server.store.opening import open_store
from server.store.piccolo import PiccoloStore
from server.store.rows.events import store_event
from tests.server.store.samples import MASTER_KEY, NOW, config, connection, event, installation, project, spec


async def test_an_event_is_stored_with_the_change_it_tells_of(store: Store) -> None:
    made = event("e1", type="connection.created", data=b'{"connectionId":"c9"}')
    await store.create_connection(connection(1, id="c9"), event=made)
    await store.update_connection("p1", "c9", now=NOW, status="created", event=event("e2"))
    await store.delete_connection("p1", "c9", event=event("e3", type="connection.deleted"))
    assert [one.id for one in await store.events("p1")] == ["e1", "e2", "e3"]
    assert (await store.events("p1"))[0] == replace(made, sequence=1)


async def test_a_change_that_fails_tells_nothing(store: Store) -> None:
    with pytest.raises(InUse):
        await store.delete_connection("p1", "c1", event=event())
    assert await store.events("p1") == []


def gone(connection: Connection) -> Event:
    told = f"{connection.group.group_ref} {connection.consumer.consumer_ref}".encode()
    return event(f"gone {connection.id}", type="connection.deleted", data=told)


async def test_a_connection_that_goes_with_its_last_installation_is_told_of(store: Store) -> None:
    await store.delete_installation("p1", "n1", event_for=gone)
    (told,) = await store.events("p1")
    assert (told.id, told.type, told.data) == ("gone c1", "connection.deleted", b"acme jo")
    assert await store.connections("p1") == []


async def test_a_connection_that_another_installation_needs_is_not_told_of(store: Store) -> None:
    await store.deploy("p1", [spec("two")], spec_version="1.0.0", now=NOW, ids=["i8", "r8"])
    other = config("v8", revision_id="r8")
    await store.create_installation(installation(1, id="n8", integration_id="i8", config=other))
    await store.delete_installation("p1", "n1", event_for=gone)
    assert await store.events("p1") == []
    await store.delete_integration("p1", "i8", event_for=gone)
    assert [one.id for one in await store.events("p1")] == ["gone c1"]


async def test_every_connection_that_goes_with_an_integration_is_told_of(store: Store) -> None:
    for number in (7, 8):
        await store.create_connection(connection(1, id=f"c{number}", group_ref=f"g{number}"))
        mine = config(f"v{number}", revision_id="r1")
        made = installation(1, id=f"n{number}", connection_id=f"c{number}", group_ref=f"g{number}", config=mine)
        await store.create_installation(made)
    await store.create_connection(connection(1, id="c9"))
    await store.delete_integration("p1", "i1", event_for=gone)
    assert sorted(one.id for one in await store.events("p1")) == ["gone c1", "gone c7", "gone c8"]
    assert [one.id for one in await store.connections("p1")] == ["c9"]


def told_of(name: str) -> Callable[..., Event]:
    """Build events that say which groups and configs they are about."""

    def build(*installations: Installation) -> Event:
        said = " ".join(f"{one.group.group_name} {one.config.id}" for one in installations)
        return event(f"{name} {installations[0].id}", type="installation.updated", data=said.encode())

    return build


async def test_what_happens_to_an_installation_is_told_with_the_change(store: Store) -> None:
    made = installation(1, id="n9", group_ref="new", config=config("v9"))
    await store.create_installation(made, event_for=told_of("made"))
    await store.update_installation(
        "p1", "n9", now=NOW, if_config="v9", config=config("v10"), event_for=told_of("changed")
    )
    with pytest.raises(Superseded):
        await store.update_installation("p1", "n9", now=NOW, if_config="v9", event_for=told_of("never"))
    await store.delete_installation("p1", "n9", removed=told_of("gone"))
    await store.delete_integration("p1", "i1", event_for=gone, removed=told_of("gone"))
    assert [(one.id, one.data) for one in await store.events("p1")] == [
        ("made n9", b"new v9"),
        ("changed n9", b"new v10 new v9"),
        ("gone n9", b"new v10"),
        ("gone n1", b"acme v1"),
        ("gone c1", b"acme jo"),
    ]


async def test_renewed_tokens_are_told_of_as_such_unless_they_heal(store: Store) -> None:
    statuses: tuple[ConnectionStatus, ...] = ("working", "bad_credentials")
    for version, status in enumerate(statuses, start=1):
        await store.update_connection("p1", "c1", now=NOW, status=status)
        await store.renew_credentials(
            "p1",
            "c1",
            if_version=version,
            credentials=b"new",
            keep_alive_at=None,
            now=NOW,
            event=event(f"healed {version}"),
            refreshed=event(f"refreshed {version}"),
        )
    assert [one.id for one in await store.events("p1")] == ["refreshed 1", "healed 2"]


async def test_events_are_read_on_from_the_last_one_seen(store: Store) -> None:
    for name in ("e3", "e1", "e2"):
        await store.update_connection("p1", "c1", now=NOW, event=event(name))
    await store.update_connection("p2", "c2", now=NOW, event=event("e4", number=2))
    assert [(one.id, one.sequence) for one in await store.events("p1", limit=2)] == [("e3", 1), ("e1", 2)]
    assert [one.id for one in await store.events("p1", after=2)] == ["e2"]
    assert await store.events("p1", after=3) == []
    assert [one.sequence for one in await store.events("p2")] == [1]


async def test_a_place_is_not_given_again_when_events_are_swept_away(store: Store) -> None:
    await store.update_connection("p1", "c1", now=NOW, event=event("e1"))
    await store.fan_out("p1", now=NOW, limit=10)
    later = NOW + timedelta(days=7)
    await store.prune_notifications(events_before=later, delivered_before=later, failed_before=later)
    await store.update_connection("p1", "c1", now=NOW, event=event("e2"))
    assert [one.sequence for one in await store.events("p1")] == [2]


async def follow(store: Store, *, most: int) -> list[str]:
    """Read on from the last event seen until so many were seen, as a delivery does."""
    seen: list[Event] = []
    while len(seen) < most:
        seen += await store.events("p1", after=seen[-1].sequence if seen else 0, limit=7)
        await asyncio.sleep(0)
    return [one.id for one in seen]


def shuffled(count: int) -> list[str]:
    """Make ids in no order, as those of many processes come."""
    return [f"e{number * 37 % count:03}" for number in range(count)]


async def test_who_follows_misses_no_event_however_ids_and_commits_are_ordered(store: Store) -> None:
    names = shuffled(60)
    following = asyncio.create_task(follow(store, most=60))
    writing = [store.update_connection("p1", "c1", now=NOW, event=event(name)) for name in names]
    await asyncio.gather(*writing)
    seen = await asyncio.wait_for(following, 60)
    assert len(seen) == 60
    assert sorted(seen) == sorted(names)


async def test_who_follows_misses_no_event_of_transactions_that_overlap(database_url: str) -> None:
    settings = Settings(database_url=database_url, master_keys=(MASTER_KEY,))
    store = open_store(settings)
    assert isinstance(store, PiccoloStore)
    await store.start()
    await store.create_project(project())
    names = shuffled(60)
    following = asyncio.create_task(follow(store, most=60))

    async def write(some: list[str]) -> None:
        for name in some:
            async with store.writing():
                await store_event("p1", event(name))
                await asyncio.sleep(0)

    await asyncio.gather(*(write(names[start::6]) for start in range(6)))
    seen = await asyncio.wait_for(following, 60)
    await store.close()
    assert len(seen) == 60
    assert sorted(seen) == sorted(names)
