"""A restored backup: what may have been sent since it was made is not sent again."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from installations.operation import Operation
from server.clock import utc_now
from server.restoring import HeldBack, hold_back
from server.settings import Settings
from server.store.contract import Unavailable
from server.store.opening import open_store
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


FOUND = {
    "queued": (waiting("queued"), "unknown"),
    "tried": (waiting("tried", attempts=3, repeat="keyed"), "unknown"),
    "gathering": (waiting("gathering", gather_key="g", gathered=1, run_at=NOW + HOUR), "unknown"),
    "upsert": (waiting("upsert", action="upsert"), "unknown"),
    "update": (waiting("update", action="update", record_key="contact/7"), "queued"),
    "native": (waiting("native", action="upsert", attempts=1, repeat="safe"), "queued"),
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
    assert await hold_back(settings) == HeldBack(unknown=4, going_on=4)
    assert await hold_back(settings) == HeldBack(unknown=0, going_on=4)
    store = open_store(settings)
    await store.start()
    try:
        for name, (before, state) in FOUND.items():
            now = await store.operation("p1", name)
            assert now.state == state, name
            if state != before.state:
                assert (now.reason, now.doubtful, now.gather_key) == ("ambiguous", True, "")
                assert now.look_at is not None
        told = [event.data for event in await store.events("p1") if event.type == "write.async.unknown"]
        assert {msgspec.json.decode(data)["operationId"] for data in told} == {"queued", "tried", "gathering", "upsert"}
        assert len(told) == 4
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
