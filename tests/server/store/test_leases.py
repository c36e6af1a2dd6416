import asyncio

from server.settings import Settings
from server.store.contract import Store
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY

ALIVE = 60.0
DEAD = -10.0
"""A patience at which even a process heard of just now counts as dead."""


async def take(store: Store, owner: str, *, seconds: float = 60.0, dead_after: float = ALIVE) -> bool:
    return await store.take_lease("refresh/c1", owner=owner, seconds=seconds, dead_after_seconds=dead_after)


async def test_of_those_who_come_together_one_gets_the_lease(store: Store) -> None:
    answers = await asyncio.gather(*(take(store, f"process {number}") for number in range(20)))
    assert answers.count(True) == 1


async def test_a_lease_is_one_name_s_only(store: Store) -> None:
    assert await take(store, "me")
    assert await store.take_lease("refresh/c2", owner="you", seconds=60, dead_after_seconds=ALIVE)


async def test_the_owner_may_take_its_lease_again(store: Store) -> None:
    assert await take(store, "me")
    assert await take(store, "me")
    assert not await take(store, "you")


async def test_a_lease_that_is_given_back_is_free(store: Store) -> None:
    assert await take(store, "me")
    await store.release_lease("refresh/c1", owner="me")
    assert await take(store, "you")


async def test_a_lease_that_is_over_is_free_and_its_late_owner_cannot_give_it_back(store: Store) -> None:
    assert await take(store, "me", seconds=0)
    assert await take(store, "you")
    await store.release_lease("refresh/c1", owner="me")
    assert not await take(store, "me")


async def test_the_lease_of_a_process_that_is_heard_of_no_more_is_free(store: Store) -> None:
    await store.beat("me", kind="server")
    assert await take(store, "me")
    assert not await take(store, "you", dead_after=ALIVE)
    assert await take(store, "you", dead_after=DEAD)
    assert not await take(store, "me", dead_after=DEAD)


async def test_a_process_that_beats_late_keeps_what_it_took_a_moment_ago(store: Store) -> None:
    await store.beat("me", kind="server")
    assert await take(store, "me")
    assert not await store.take_lease("refresh/c1", owner="you", seconds=40, dead_after_seconds=DEAD)
    assert await store.take_lease("refresh/c1", owner="you", seconds=70, dead_after_seconds=DEAD)


async def test_a_process_that_was_never_heard_of_keeps_its_lease(store: Store) -> None:
    assert await take(store, "me")
    assert not await take(store, "you", dead_after=DEAD)


async def abandoned(store: Store, *, dead_after: float = ALIVE, limit: int = 10) -> list[str]:
    return await store.abandoned_leases("refresh/", dead_after_seconds=dead_after, limit=limit)


async def test_a_lease_that_nobody_gave_back_is_listed_until_somebody_does(store: Store) -> None:
    await store.beat("me", kind="server")
    assert await take(store, "me")
    assert await abandoned(store) == []
    assert await abandoned(store, dead_after=DEAD) == ["refresh/c1"]
    assert await take(store, "me", seconds=0)
    assert await abandoned(store) == ["refresh/c1"]
    await store.release_lease("refresh/c1", owner="me")
    assert await abandoned(store, dead_after=DEAD) == []


async def test_only_so_many_abandoned_leases_of_one_prefix_are_listed(store: Store) -> None:
    for number in range(3):
        await store.take_lease(f"refresh/c{number}", owner="me", seconds=0, dead_after_seconds=ALIVE)
    await store.take_lease("refresh_1", owner="me", seconds=0, dead_after_seconds=ALIVE)
    assert await abandoned(store, limit=2) == ["refresh/c0", "refresh/c1"]
    assert len(await abandoned(store)) == 3


async def test_on_sqlite_nothing_is_held_by_a_process_that_was_there_before(sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,))
    before, now = open_store(settings), open_store(settings)
    await before.start()
    assert await take(before, "before")
    await before.close()
    await now.start()
    assert await abandoned(now) == ["refresh/c1"]
    assert await take(now, "now")
    await now.close()


async def test_on_postgresql_one_of_two_processes_gets_the_lease(migrated_postgres_url: str) -> None:
    settings = Settings(database_url=migrated_postgres_url, master_keys=(MASTER_KEY,))
    stores = [open_store(settings) for _ in range(2)]
    for store in stores:
        await store.start()
    for round_ in range(10):
        name = f"refresh/{round_}"
        answers = await asyncio.gather(
            *(
                store.take_lease(name, owner=f"{number}", seconds=60, dead_after_seconds=ALIVE)
                for number, store in enumerate(stores * 4)
            )
        )
        assert answers.count(True) == 1
    for store in stores:
        await store.close()
