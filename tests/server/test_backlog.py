"""What an operator is told of the backlog, on both databases, beside whoever holds them."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from installations.operation import Operation
from server.backlog import take_stock, told
from server.clock import utc_now
from server.settings import Settings
from server.store.backlog import Heap
from server.store.contract import Store, Unavailable
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
        "create_time": NOW - HOUR,
        "update_time": NOW,
        "run_at": NOW,
        "deadline_at": NOW + HOUR,
    }
    return operation(name, **(members | changes))


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest) -> Settings:
    name = {"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param]
    return Settings(database_url=str(request.getfixturevalue(name)), master_keys=(MASTER_KEY,))


async def hold(store: Store, lane_id: str, **learnt: Any) -> None:
    lane = await store.take_lane(lane_id, owner="w", now=NOW, dead_after_seconds=15)
    assert lane is not None
    await store.leave_lane(msgspec.structs.replace(lane, **learnt), owner="w", now=NOW, stay=False)


async def test_the_operator_sees_what_waits_since_when_and_why(settings: Settings) -> None:
    store = open_store(settings)
    await store.start()
    await populated(store)
    for one in (
        waiting("old", create_time=NOW - 3 * HOUR),
        waiting("young"),
        waiting("open", state="unknown", reason="ambiguous", doubtful=True),
        waiting("parked", state="parked", reason="auth", connection_id="c2"),
        waiting("over", state="success"),
    ):
        await store.begin(one)
    await store.wake_lane("c2", project_id="p1", at=NOW)
    await hold(store, "c1", failures=5, hold_until=NOW + 2 * HOUR)
    await hold(store, "c2")
    await store.wake_lane("idle", project_id="p1", at=NOW)
    await hold(store, "idle", failures=9)  # holds nothing up
    await store.beat("w", kind="worker")
    # The store stays open: on SQLite this process holds the file, and is no hindrance.
    backlog = await take_stock(msgspec.structs.replace(settings, master_keys=()))
    await store.close()

    mine = [heap for heap in backlog.operations if heap.state != "sent"]
    assert mine == [
        Heap(state="parked", reason="auth", count=1, oldest=NOW - HOUR),
        Heap(state="queued", reason="", count=2, oldest=NOW - 3 * HOUR),
        Heap(state="unknown", reason="ambiguous", count=1, oldest=NOW - HOUR),
    ]
    assert [(lane.connection_id, lane.waiting, lane.failures, lane.parked) for lane in backlog.stopped] == [
        ("c1", 2, 5, False),
        ("c2", 1, 0, True),
    ]
    named = {lane.connection_id: (lane.provider, lane.group_ref, lane.project_name) for lane in backlog.stopped}
    assert named["c2"] == ("hubspot", "acme", "Project 1")
    assert [(one.id, one.kind) for one in backlog.processes] == [("w", "worker")]
    words = told(backlog)
    for said in (
        "unknown (ambiguous)",
        "queued                        2   oldest 3 h ",
        "failures in a row: 5, on hold for 1 h ",
        "parked, its",
        "  acme at hubspot ",
        "    project Project 1, connection c2",
    ):
        assert said in words


async def test_nothing_is_said_plainly(settings: Settings) -> None:
    store = open_store(settings)
    await store.start()
    await store.close()
    assert told(await take_stock(settings)) == (
        "operations\n  none is waiting or under way\nprocesses\n  none is alive: nothing is being sent"
    )


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Any) -> None:
    with pytest.raises(Unavailable, match="isthmus init"):
        await take_stock(Settings(database_url=f"sqlite:///{tmp_path}/none.db"))
    assert not list(tmp_path.iterdir())
