"""A restored backup: what may have been sent since it was made is not sent again."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from connectors.connector import Recognition
from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from installations.operation import Operation, State
from installations.pipeline import Plan, PlannedRecord
from server.clock import utc_now
from server.delivering.payloads import Stored, encoded
from server.restoring import HeldBack, hold_back, hold_back_in
from server.settings import Settings
from server.store.contract import Unavailable
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.delivering.yard import Yard, open_yard
from tests.server.store.samples import MASTER_KEY, operation, populated

HOUR = timedelta(hours=1)
NOW = utc_now()


def waiting(name: str, **changes: Any) -> Operation:
    members: dict[str, Any] = {
        "mode": "asynchronous",
        "state": "queued",
        "owner": "",
        "connection_id": "c1",
        "create_time": NOW,
        "update_time": NOW,
        "run_at": NOW,
        "deadline_at": NOW + HOUR,
    }
    return operation(name, **(members | changes))


def known(name: str, **changes: Any) -> Operation:
    """Build a create that HubSpot recognises by its email."""
    records = (PlannedRecord(fields={"email": f"{name}@example.test"}),)
    plan = Plan(action="create", object_name="contacts", records=records)
    return waiting(name, object_name="contacts", payload=encoded(Stored(plan=plan)), **changes)


FOUND = {
    "queued": (waiting("queued"), "unknown"),
    "tried": (waiting("tried", attempts=3, repeat="keyed"), "unknown"),
    "gathering": (waiting("gathering", gather_key="g", gathered=1, run_at=NOW + HOUR), "unknown"),
    "upsert": (waiting("upsert", action="upsert"), "unknown"),
    "update": (waiting("update", action="update", record_key="contact/7"), "queued"),
    "native": (waiting("native", action="upsert", attempts=1, repeat="safe"), "queued"),
    "unique": (known("unique"), "queued"),
    "under way": (known("under way", state="sent", owner="gone", attempts=1, repeat="keyed"), "queued"),
    "unclaimed": (known("unclaimed", state="claimed", owner="gone", attempts=1), "queued"),
    "parked": (known("parked", state="parked", reason="auth"), "parked"),
    "late": (known("late", deadline_at=NOW - HOUR), "unknown"),
    "over": (waiting("over", state="success"), "success"),
    "open": (waiting("open", state="unknown", reason="ambiguous", doubtful=True), "unknown"),
}


@pytest.fixture(params=["sqlite", "postgres"])
async def settings(request: pytest.FixtureRequest) -> Settings:
    name = {"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param]
    found = Settings(database_url=str(request.getfixturevalue(name)), master_keys=(MASTER_KEY,))
    store = open_store(found)
    await store.start()
    await populated(store)
    for one, _ in FOUND.values():
        await store.begin(one)
    await store.close()
    return found


async def test_creates_wait_for_somebody_who_knows_and_the_rest_goes_on(settings: Settings) -> None:
    # The samples have a synchronous write for each project that was being sent.
    assert await hold_back(settings) == HeldBack(unknown=5, going_on=8)
    assert await hold_back(settings) == HeldBack(unknown=0, going_on=8)
    store = open_store(settings)
    await store.start()
    try:
        for name, (before, state) in FOUND.items():
            now = await store.operation("p1", name)
            assert now.state == state, name
            assert now.doubtful == (state == "unknown" or before.object_name == "contacts"), name
            if (before.state, state) == ("queued", "unknown"):
                assert (now.reason, now.gather_key) == ("ambiguous", "")
                assert now.look_at is not None
            elif now.doubtful and state != "unknown":
                assert (now.owner, now.reason, now.first_sent_at, now.run_at) == ("", before.reason, NOW, NOW)
        told = [event.data for event in await store.events("p1") if event.type == "write.async.unknown"]
        assert {msgspec.json.decode(data)["operationId"] for data in told} == {
            *("queued", "tried", "gathering", "upsert", "late"),
        }
        assert len(told) == 5
        later = utc_now() + 2 * HOUR
        assert await store.due_lanes(now=later, dead_after_seconds=15, limit=9) == ["c1"]
    finally:
        await store.close()


async def test_nothing_is_held_back_under_a_process_that_runs(settings: Settings) -> None:
    store = open_store(settings)
    await store.start()
    await store.beat("somebody", kind="server")
    try:
        with pytest.raises(Unavailable, match=r"stop them first|in use|one process"):
            await hold_back(settings)
    finally:
        await store.close()


RECOGNITIONS = {
    "unique": Recognition(kind="unique", field="email"),
    "keyed": Recognition(kind="key", window_seconds=7200),
    "marked": Recognition(kind="marker", field="mark"),
}


async def brought_back(provider: MemoryServer, *names: str, hours: float = 0.0) -> tuple[Yard, list[str]]:
    """Bring back, after so many hours, a backup that was made before a create of each object was carried out."""
    connectors, store = (Memory(RECOGNITIONS),), MemoryStore()
    yard = await open_yard(provider, store=store, connectors=connectors)
    ids = []
    for name in names:
        record, policy = {"email": f"{name}@a.test"}, {"deadlineHours": 48}
        ids.append((await yard.submit("create", record, name=name, retryPolicy=policy)).operation.id)
    backup = {each: await yard.operation(each) for each in ids}
    await yard.attend()
    store.operations_by_id |= backup
    yard.clock.move(hours=hours)
    await hold_back_in(store, connectors=connectors, clock=yard.clock)
    return yard, ids


@pytest.mark.parametrize(
    ("name", "hours", "state", "record_ids"),
    [
        ("unique", 0, "success", ("1",)),
        ("unique", 40, "success", ("1",)),
        ("keyed", 1, "success", ("1",)),
        ("keyed", 3, "unknown", ()),
        ("people", 0, "unknown", ()),
    ],
)
async def test_what_was_written_since_and_is_recognised_is_told_as_written_and_nothing_is_done_twice(
    name: str, hours: int, state: State, record_ids: tuple[str, ...]
) -> None:
    provider = MemoryServer(unique={"unique": "email"})
    yard, (operation_id,) = await brought_back(provider, name, hours=hours)
    yard.clock.move(seconds=30)
    await yard.attend()
    found = await yard.operation(operation_id)
    assert (found.state, found.successful_record_ids) == (state, record_ids)
    assert len(provider.records[name]) == 1


async def test_what_was_not_written_since_is_written_now() -> None:
    provider = MemoryServer(unique={"unique": "email"})
    yard, (operation_id,) = await brought_back(provider, "unique")
    provider.records["unique"].clear()
    await yard.attend()
    found = await yard.operation(operation_id)
    assert (found.state, found.successful_record_ids) == ("success", ("2",))
