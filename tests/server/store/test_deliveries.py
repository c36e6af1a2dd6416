"""Messages on their way: fanned out once, claimed by one, settled by whoever claimed them."""

import asyncio
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from server.store.contract import Delivery, DeliveryFilter, Store, Tried, Unattended
from tests.server.store.samples import NOW, SECRET, destination, destination_route, event, later

NOTHING = Unattended(projects=(), destinations=())
DUE = Unattended(projects=(), destinations=(("p1", "d1"),))
ANY = DeliveryFilter()


async def tell(store: Store, *names: str) -> None:
    for name in names:
        await store.update_connection("p1", "c1", now=NOW, event=event(name, data=name.encode()))


async def unattended(store: Store, at: float = 0) -> Unattended:
    return await store.unattended(now=later(at), dead_after_seconds=15, limit=100)


async def claim(store: Store, at: float = 0, *, owner: str = "me", limit: int = 10) -> list[Delivery]:
    return await store.claim_deliveries("p1", "d1", owner=owner, now=later(at), until=later(at + 60), limit=limit)


async def all_of(store: Store, which: DeliveryFilter = ANY) -> list[Delivery]:
    return list((await store.deliveries("p1", "d1", which, page_size=100)).results)


def tried(delivery: Delivery, state: Any = "delivered", **changes: Any) -> Tried:
    made = Tried(delivery=delivery, state=state, now=later(1), run_at=later(5), status=200)
    return replace(made, **changes)


async def test_an_event_leads_to_a_delivery_for_each_destination_it_is_routed_to(store: Store) -> None:
    await store.create_destination(destination(id="d9", name="other"), signing_keys=SECRET)
    await store.create_destination_route(destination_route(id="y9", destination_id="d9"))
    await tell(store, "e1")
    assert await unattended(store) == Unattended(projects=("p1",), destinations=())
    assert await store.fan_out("p1", now=NOW, limit=10) == 1
    assert sorted((await unattended(store)).destinations) == [("p1", "d1"), ("p1", "d9")]
    (made,) = await claim(store)
    assert made == Delivery(
        id="e1.d1",
        project_id="p1",
        destination_id="d1",
        event_id="e1",
        event_type="connection.updated",
        data=b"e1",
        state="pending",
        attempts=1,
        run_at=later(60),
        owner="me",
        create_time=NOW,
        update_time=NOW,
    )


async def test_an_event_is_fanned_out_once_and_in_portions(store: Store) -> None:
    await tell(store, "e1", "e2", "e3")
    assert [await store.fan_out("p1", now=NOW, limit=2) for _ in range(3)] == [2, 1, 0]
    assert await unattended(store) == DUE
    assert [one.id for one in await all_of(store)] == ["e3.d1", "e2.d1", "e1.d1"]


async def test_two_who_fan_out_together_make_each_delivery_once(store: Store) -> None:
    await tell(store, *(f"e{number:02}" for number in range(20)))
    taken = await asyncio.gather(*(store.fan_out("p1", now=NOW, limit=5) for _ in range(6)))
    assert sum(taken) == 20
    assert len(await all_of(store)) == 20


async def test_an_event_that_nobody_listens_to_leads_to_nothing(store: Store) -> None:
    await store.delete_event_route("p1", "e1")
    await tell(store, "e1")
    assert await store.fan_out("p1", now=NOW, limit=10) == 1
    assert await unattended(store) == NOTHING


async def test_a_delivery_is_claimed_by_one(store: Store) -> None:
    await tell(store, *(f"e{number:02}" for number in range(20)))
    await store.fan_out("p1", now=NOW, limit=100)
    claimed = await asyncio.gather(*(claim(store, owner=f"o{number}", limit=6) for number in range(6)))
    ids = [one.id for some in claimed for one in some]
    assert len(ids) == len(set(ids))
    rest = await claim(store, limit=20)
    assert len(ids) + len(rest) == 20
    assert await unattended(store) == NOTHING


async def test_what_is_settled_is_over_or_comes_again_in_time(store: Store) -> None:
    await tell(store, "e1", "e2", "e3")
    await store.fan_out("p1", now=NOW, limit=10)
    first, second, third = await claim(store)
    assert await store.settle_deliveries(
        [tried(first), tried(second, "pending", status=503, error="busy"), tried(third, "failed", status=None)]
    ) == [True, True, True]
    assert [(one.state, one.status, one.error, one.owner) for one in await all_of(store)] == [
        ("failed", None, "", ""),
        ("pending", 503, "busy", ""),
        ("delivered", 200, "", ""),
    ]
    assert await unattended(store, 4) == NOTHING
    assert await unattended(store, 5) == DUE
    (again,) = await claim(store, 5)
    assert (again.id, again.attempts) == ("e2.d1", 2)


async def test_only_who_claimed_it_last_settles_it(store: Store) -> None:
    await tell(store, "e1")
    await store.fan_out("p1", now=NOW, limit=10)
    (mine,) = await claim(store)
    (theirs,) = await claim(store, 60, owner="other")
    assert await store.settle_deliveries([tried(mine, "failed")]) == [False]
    assert await store.settle_deliveries([tried(replace(theirs, attempts=1))]) == [False]
    assert await store.settle_deliveries([tried(theirs)]) == [True]
    assert await store.settle_deliveries([tried(theirs, "failed")]) == [False]
    assert (await all_of(store))[0].state == "delivered"


async def test_what_a_dead_process_claimed_is_due_at_once(store: Store) -> None:
    await tell(store, "e1", "e2")
    await store.fan_out("p1", now=NOW, limit=10)
    await claim(store, owner="dead", limit=1)
    await store.beat("alive", kind="server")
    await claim(store, owner="alive", limit=1)
    assert await unattended(store, 14) == NOTHING
    await unattended(store, 16)
    assert await unattended(store, 16) == DUE
    assert [(one.id, one.attempts) for one in await claim(store, 16)] == [("e1.d1", 1)]


async def test_since_when_a_destination_fails_is_known_until_something_arrives(store: Store) -> None:
    await tell(store, "e1", "e2", "e3")
    await store.fan_out("p1", now=NOW, limit=10)
    first, second, third = await claim(store)
    await store.settle_deliveries([tried(first, "pending", now=later(1))])
    await store.settle_deliveries([tried(second, "pending", now=later(2))])
    assert (await store.destination("p1", "d1")).failing_since == later(1)
    await store.settle_deliveries([tried(third)])
    assert (await store.destination("p1", "d1")).failing_since is None


async def test_a_disabled_destination_is_told_of_once_and_sent_nothing(store: Store) -> None:
    await tell(store, "e1", "e2", "e3", "e4")
    await store.fan_out("p1", now=NOW, limit=10)
    first, second, third = await claim(store, limit=3)
    over = [
        tried(one, "failed", disable="gone", event=event(f"off{one.id}", type="destination.webhook.disabled"))
        for one in (first, second)
    ]
    assert await store.settle_deliveries(over) == [True, True]
    assert await store.settle_deliveries([tried(third, "pending")]) == [True]
    await tell(store, "e5")
    await store.fan_out("p1", now=NOW, limit=10)
    assert [one.state for one in await all_of(store)] == ["skipped", "skipped", "skipped", "failed", "failed"]
    assert (await store.destination("p1", "d1")).disabled == "gone"
    told = [one.id for one in await store.events("p1") if one.type == "destination.webhook.disabled"]
    assert told == ["offe1.d1"]
    assert await claim(store, 100) == []
    healed = await store.update_destination("p1", "d1", now=NOW, enabled=True)
    assert (healed.disabled, healed.failing_since) == ("", None)


async def test_what_is_over_is_replayed_by_id_time_type_and_state(store: Store) -> None:
    await tell(store, "e1", "e2", "e3")
    await store.fan_out("p1", now=NOW, limit=10)
    first, second, third = await claim(store)
    await store.settle_deliveries([tried(first), tried(second, "failed")])
    cases = [
        (ANY, 2),
        (DeliveryFilter(ids=("e1.d1", third.id)), 1),
        (DeliveryFilter(states=("failed",)), 1),
        (DeliveryFilter(event_type="connection.created"), 0),
        (DeliveryFilter(created_from=NOW, created_before=later(1)), 2),
        (DeliveryFilter(created_from=later(1)), 0),
        (DeliveryFilter(created_before=NOW), 0),
    ]
    for which, count in cases:
        assert await store.replay_deliveries("p1", "d1", which, now=later(9), dry_run=True) == count
    failed = DeliveryFilter(states=("failed",))
    assert await store.replay_deliveries("p1", "d1", failed, now=later(9), dry_run=False) == 1
    (again,) = await claim(store, 9)
    assert (again.id, again.event_id, again.attempts, again.data) == ("e2.d1", "e2", 1, b"e2")


async def test_deliveries_are_listed_in_pages_without_their_data(store: Store) -> None:
    await tell(store, "e1", "e2", "e3")
    await store.fan_out("p1", now=NOW, limit=10)
    page = await store.deliveries("p1", "d1", ANY, page_size=2)
    assert [(one.id, one.data) for one in page.results] == [("e3.d1", b""), ("e2.d1", b"")]
    page = await store.deliveries("p1", "d1", ANY, page_size=2, page_token=page.next_page_token)
    assert ([one.id for one in page.results], page.next_page_token) == (["e1.d1"], None)
    assert (await store.deliveries("p2", "d1", ANY, page_size=2)).results == ()


async def test_old_messages_are_forgotten_but_never_those_still_on_their_way(store: Store) -> None:
    await tell(store, "e1", "e2", "e3")
    await store.fan_out("p1", now=NOW, limit=2)
    first, _ = await claim(store)
    await store.settle_deliveries([tried(first)])
    soon, now = timedelta(seconds=10), NOW

    async def prune() -> None:
        await store.prune_notifications(events_before=now + soon, delivered_before=now + soon, failed_before=now + soon)

    await prune()
    assert [one.id for one in await all_of(store)] == ["e2.d1"]
    assert [one.id for one in await store.events("p1")] == ["e3"]
    assert await store.fan_out("p1", now=NOW, limit=2) == 1
    await prune()
    assert await store.events("p1") == []
    assert await unattended(store) == DUE
    await tell(store, "e4")
    await prune()
    assert [one.sequence for one in await store.events("p1")] == [4]
