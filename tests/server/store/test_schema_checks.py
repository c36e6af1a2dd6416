import asyncio

import pytest

from server.store.contract import Event, Missing, SchemaCheck, Store
from tests.server.store.samples import NOW, config, event, installation, keep, later, schema_check


async def test_the_last_finding_is_kept(store: Store) -> None:
    assert await store.schema_check("p1", "n1") == schema_check()
    sound = schema_check(broken=False, issues=(), check_time=later(99), broken_since=None)
    await keep(store, sound)
    assert await store.schema_check("p1", "n1") == sound
    assert await store.schema_checks("p1") == [sound]
    assert await store.schema_checks("p1", broken=True) == []
    assert await store.schema_checks("p1", broken=False) == [sound]


async def test_what_is_told_is_stored_with_the_finding(store: Store) -> None:
    seen: list[SchemaCheck | None] = []

    def decide(before: SchemaCheck | None) -> tuple[SchemaCheck, Event]:
        seen.append(before)
        return schema_check(check_time=later(5)), event(type="installation.schema.broken")

    kept = await store.keep_schema_check("p1", "n1", decide)
    assert (kept.check_time, seen) == (later(5), [schema_check()])
    assert [each.type for each in await store.events("p1")] == ["installation.schema.broken"]


async def test_of_two_that_come_at_once_one_sees_what_the_other_kept(store: Store) -> None:
    seen: list[SchemaCheck | None] = []

    def decide(before: SchemaCheck | None) -> tuple[SchemaCheck, None]:
        seen.append(before)
        return schema_check(check_time=later(10 + len(seen))), None

    await asyncio.gather(*(store.keep_schema_check("p1", "n1", decide) for _ in range(5)))
    assert sorted(check.check_time for check in seen if check) == [later(1), *(later(10 + n) for n in range(1, 5))]


async def test_a_finding_goes_with_its_installation(store: Store) -> None:
    await store.delete_installation("p1", "n1")
    assert await store.schema_check("p1", "n1") is None
    assert await store.schema_checks("p1") == []
    with pytest.raises(Missing):
        await keep(store, schema_check())


async def test_to_keep_a_finding_is_no_change_of_configuration(store: Store) -> None:
    before = await store.epoch()
    await keep(store, schema_check(check_time=later(50)))
    assert await store.epoch() == before


async def test_those_that_nobody_looked_at_for_longest_are_due_first(store: Store) -> None:
    third = installation(1, id="n3", group_ref="new", config=config("v3"), now=later(0.5))
    await store.create_installation(third)
    assert await store.due_schema_checks(before=later(60), now=later(60), limit=9) == [
        ("p1", "n3"),
        ("p1", "n1"),
        ("p2", "n2"),
    ]
    assert await store.due_schema_checks(before=later(60), now=later(60), limit=2) == [("p1", "n3"), ("p1", "n1")]
    assert await store.due_schema_checks(before=later(1.5), now=later(60), limit=9) == [("p1", "n3"), ("p1", "n1")]
    assert await store.due_schema_checks(before=later(0), now=later(60), limit=9) == []


async def test_what_was_never_checked_counts_from_when_it_was_saved(store: Store) -> None:
    third = installation(1, id="n3", group_ref="new", config=config("v3"), now=later(0.1))
    await store.create_installation(third)
    assert await store.due_schema_checks(before=later(0.5), now=later(60), limit=9) == [("p1", "n3")]
    await store.update_installation("p1", "n3", now=later(9), if_config="v3", config=config("v4"))
    assert await store.due_schema_checks(before=later(0.5), now=later(60), limit=9) == []


async def test_what_is_broken_is_due_as_soon_as_its_config_changes(store: Store) -> None:
    await keep(store, schema_check(2, broken=False, broken_since=None))
    for number in (1, 2):
        name = f"v{number}"
        await store.update_installation(
            f"p{number}", f"n{number}", now=later(9), if_config=name, config=config(f"{name}9", number=number)
        )
    assert await store.due_schema_checks(before=later(0), now=later(60), limit=9) == [("p1", "n1")]


async def test_what_was_checked_in_the_future_is_due(store: Store) -> None:
    await keep(store, schema_check(check_time=later(50)))
    assert await store.due_schema_checks(before=later(0), now=later(49), limit=9) == [("p1", "n1")]
    assert await store.due_schema_checks(before=later(0), now=later(50), limit=9) == []


async def test_where_the_account_cannot_be_asked_nothing_is_due(store: Store) -> None:
    await store.update_connection("p1", "c1", now=NOW, status="bad_credentials")
    assert await store.due_schema_checks(before=later(60), now=later(60), limit=9) == [("p2", "n2")]
