import asyncio

import pytest
from msgspec import UNSET

from installations.installation import Consumer, Group, MetadataValue
from server.store.contract import InUse, Missing, Store, StoredCredentials, Superseded
from tests.server.store.samples import NOW, SECRET, connection, event, later, provider_app


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
    assert (await store.credentials("p1", "c1")).content == SECRET
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
    assert (await store.credentials("p1", "c1")).content == b"new"
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


async def renewed(store: Store, *, if_version: int = 1, connection_id: str = "c1") -> int:
    return await store.renew_credentials(
        "p1",
        connection_id,
        if_version=if_version,
        credentials=b"renewed",
        keep_alive_at=later(60),
        now=later(9),
        event=event("renewed"),
    )


async def test_credentials_have_a_version_that_grows_with_them(store: Store) -> None:
    assert await store.credentials("p1", "c1") == StoredCredentials(content=SECRET, version=1)
    await store.update_connection("p1", "c1", now=later(9), provider_workspace_ref="w")
    assert (await store.credentials("p1", "c1")).version == 1
    await store.update_connection("p1", "c1", now=later(9), credentials=b"new")
    assert await store.credentials("p1", "c1") == StoredCredentials(content=b"new", version=2)


async def test_renewed_credentials_replace_those_of_the_expected_version(store: Store) -> None:
    before = await store.epoch()
    assert await renewed(store) == 2
    assert await store.credentials("p1", "c1") == StoredCredentials(content=b"renewed", version=2)
    assert (await store.connection("p1", "c1")).update_time == later(9)
    assert (await store.epoch(), await store.events("p1")) == (before, [])
    with pytest.raises(Superseded):
        await renewed(store)
    with pytest.raises(Missing):
        await renewed(store, connection_id="nothing")


async def test_a_renewal_heals_bad_credentials_and_caches_hear_of_it(store: Store) -> None:
    await store.update_connection("p1", "c1", now=NOW, status="bad_credentials")
    before = await store.epoch()
    assert await renewed(store) == 2
    assert (await store.connection("p1", "c1")).status == "working"
    assert await store.epoch() > before
    assert [one.id for one in await store.events("p1")] == ["renewed"]


async def test_a_renewal_leaves_a_connection_that_nobody_tried_yet_as_it_is(store: Store) -> None:
    await store.update_connection("p1", "c1", now=NOW, status="created")
    await renewed(store)
    assert (await store.connection("p1", "c1")).status == "created"


async def test_of_renewals_that_come_together_one_wins(store: Store) -> None:
    outcomes = await asyncio.gather(*(renewed(store) for _ in range(10)), return_exceptions=True)
    assert min(map(str, outcomes)) == "2"
    assert sum(isinstance(outcome, Superseded) for outcome in outcomes) == 9
    assert (await store.credentials("p1", "c1")).version == 2


async def test_a_guarded_update_changes_nothing_when_somebody_was_faster(store: Store) -> None:
    await renewed(store)
    before = await store.connection("p1", "c1")
    with pytest.raises(Superseded):
        await store.update_connection("p1", "c1", now=later(10), status="bad_credentials", if_version=1, event=event())
    assert await store.connection("p1", "c1") == before
    assert await store.events("p1") == []
    changed = await store.update_connection("p1", "c1", now=later(10), status="bad_credentials", if_version=2)
    assert changed.status == "bad_credentials"
    with pytest.raises(Missing):
        await store.update_connection("p1", "nothing", now=later(10), if_version=2)


async def test_who_connected_and_with_which_app_may_change(store: Store) -> None:
    await store.create_provider_app(provider_app(1, id="a9", client_id="other"), client_secret=SECRET)
    changed = await store.update_connection(
        "p1", "c1", now=later(9), provider_consumer_ref="jo@hub", provider_app_id="a9"
    )
    assert changed.provider_consumer_ref == "jo@hub"
    assert changed.provider_app == provider_app(1, id="a9", client_id="other")
    with pytest.raises(Missing):
        await store.update_connection("p1", "c1", now=later(9), status="created", provider_app_id="a2")
    assert await store.connection("p1", "c1") == changed


async def test_tokens_that_die_soonest_are_renewed_first(store: Store) -> None:
    for number, (name, at) in enumerate((("c1", 60), ("x", 30), ("y", 90)), 1):
        if name != "c1":
            await store.create_connection(connection(1, id=name, now=later(number)))
        await store.update_connection("p1", name, now=NOW, keep_alive_at=later(at))
    await store.update_connection("p2", "c2", now=NOW, keep_alive_at=later(45))
    assert [one.id for one in await store.dying_connections(now=later(60), limit=9)] == ["x", "c2", "c1"]
    assert [one.id for one in await store.dying_connections(now=later(99), limit=2)] == ["x", "c2"]
    assert await store.dying_connections(now=later(29), limit=9) == []
    await store.update_connection("p1", "x", now=NOW, status="bad_credentials")
    await store.update_connection("p1", "c1", now=NOW, keep_alive_at=None)
    await store.update_connection("p1", "y", now=NOW, provider_workspace_ref="w")
    await store.delete_installation("p2", "n2")
    assert [one.id for one in await store.dying_connections(now=later(99), limit=9)] == ["y"]


async def test_a_connection_is_kept_alive_from_its_first_moment(store: Store) -> None:
    await store.create_connection(connection(1, id="c9", keep_alive_at=later(5)))
    assert [one.id for one in await store.dying_connections(now=later(5), limit=9)] == ["c9"]


async def test_a_dying_connection_is_told_whole(store: Store) -> None:
    await store.update_connection("p1", "c1", now=NOW, keep_alive_at=NOW)
    assert await store.dying_connections(now=NOW, limit=9) == [await store.connection("p1", "c1")]
