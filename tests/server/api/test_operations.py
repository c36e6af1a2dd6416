"""Operations over HTTP: how they read, plain and in detail, and what their logs say."""

from typing import Any

import pytest

from installations.operation import Attempt, Operation
from server.store.contract import Settlement
from tests.conftest import Published
from tests.server.api.shelved import FAILED, MINUTE, UNKNOWN, WRITTEN, Shelf, came, fault
from tests.server.api.test_strict_clients import oddities
from tests.server.house import ON_EVERY_STORE, START

ALWAYS = {"mode": "asynchronous", "action": "create", "groupRef": "g1", "onAmbiguous": "park", "crashes": 0}
OPEN = {"deadline": "2026-11-22T13:00:00Z"}
FINER: list[tuple[dict[str, Any], dict[str, Any]]] = [
    # an operation, what is told of it when it is asked for and not else
    ({}, {"state": "queued", "nextAttemptTime": "2026-11-22T12:01:00Z", **OPEN}),
    (
        {"state": "parked", "reason": "auth", "fault_kind": "auth", "crashes": 2, "on_ambiguous": "retry"},
        {"state": "parked", "reason": "auth", "fault": "auth", "crashes": 2, "onAmbiguous": "retry", **OPEN},
    ),
    (
        {**UNKNOWN, "look_at": START + MINUTE},
        {"state": "unknown", "reason": "ambiguous", "doubtful": True, "lookUpTime": "2026-11-22T12:01:00Z", **OPEN},
    ),
    (
        {**FAILED, "outcome": came(fault("invalid")), "replayed_by": "x"},
        {
            "state": "failure",
            "reason": "refused",
            "fault": "invalid",
            "replayedBy": "x",
            "results": [
                {
                    "success": False,
                    "index": 0,
                    "error": {"kind": "invalid", "message": "no"},
                    "message": "error writing contacts: bad request: no",
                }
            ],
        },
    ),
    (
        {"state": "success", "replay_of": "x", "outcome": came(WRITTEN)},
        {
            "state": "success",
            "replayOf": "x",
            "results": [{"success": True, "index": 0, "recordId": "7", "data": {"id": "7"}}],
        },
    ),
]


@pytest.mark.parametrize(("changes", "finer"), FINER, ids=[row["state"] for _, row in FINER])
async def test_what_is_ours_is_told_when_it_is_asked_for(
    shelf: Shelf, published: Published, changes: dict[str, Any], finer: dict[str, Any]
) -> None:
    name = await shelf.put(**changes)
    plain = await shelf.get(f"/operations/{name}")
    detailed = await shelf.get(f"/operations/{name}", detail=True)
    assert detailed == await shelf.get(f"/operations/{name}?state=true")
    assert detailed == {**plain, **ALWAYS, "connectionId": shelf.names["connection"], **finer}
    for told in (plain, detailed):
        assert published.errors("api.bundled", "Operation", told) == []
        assert list(oddities(told)) == []
    listed = await in_list(shelf, name, detail=True)
    assert {**listed, "metadata": {}} == {k: v for k, v in {**detailed, "metadata": {}}.items() if k != "results"}
    assert await in_list(shelf, name) == plain


async def in_list(shelf: Shelf, name: str, *, detail: bool = False) -> Any:
    """Find an operation in the list of all."""
    listed = (await shelf.get("/operations", detail=detail))["results"]
    return next(each for each in listed if each["id"] == name)


async def tried(shelf: Shelf, name: str, *attempts: Attempt) -> None:
    """Give a stored operation a history: claimed and settled by the store, as a worker would have it."""
    store, lane = shelf.house.services.store, shelf.names["connection"]
    for attempt in attempts:
        await store.take_lane(lane, owner="w", now=START + MINUTE, dead_after_seconds=60)
        (claimed,) = await store.claim(lane, owner="w", now=START + MINUTE, calls=1, batch=1)
        assert claimed.id == name
        await store.settle(
            settlement(claimed, from_state="claimed", to_state="queued", attempt=attempt, run_at=START + MINUTE)
        )


def settlement(operation: Operation, **changes: Any) -> Any:
    return Settlement(
        operation_id=operation.id,
        project_id=operation.project_id,
        owner=operation.owner,
        now=START + MINUTE,
        **changes,
    )


def attempt(name: str, number: int, **changes: Any) -> Attempt:
    at = START + number * MINUTE
    return Attempt(operation_id=name, number=number, started_at=at, finished_at=at, **{"effect": "rejected", **changes})


@ON_EVERY_STORE
async def test_what_was_claimed_and_given_back_is_no_attempt(shelf: Shelf) -> None:
    name = await shelf.put()
    store, lane = shelf.house.services.store, shelf.names["connection"]
    for _ in range(3):
        await store.take_lane(lane, owner="w", now=START + MINUTE, dead_after_seconds=60)
        (claimed,) = await store.claim(lane, owner="w", now=START + MINUTE, calls=1, batch=1)
        await store.settle(settlement(claimed, from_state="claimed", to_state="queued", run_at=START + MINUTE))
    assert (await shelf.get(f"/operations/{name}"))["metadata"]["retry"] == {"attempts": 0}
    await tried(shelf, name, attempt(name, 4, message="gone", effect="ambiguous"))
    for told in (await shelf.get(f"/operations/{name}"), await in_list(shelf, name)):
        assert (told["id"], told["metadata"]["retry"]["attempts"]) == (name, 1)
    log = await shelf.get(f"/operations/{name}/logs")
    assert log[1]["message"]["msg"] == "Attempt 1: nobody can tell whether it was written"


@ON_EVERY_STORE
async def test_attempts_are_counted_dated_and_logged(shelf: Shelf, published: Published) -> None:
    name = await shelf.put()
    refused = attempt(name, 1, status=429, fault_kind="rate_limited", message="slow down")
    await tried(shelf, name, refused, attempt(name, 2, effect="ambiguous", message="gone"))
    told = await shelf.get(f"/operations/{name}")
    assert told["metadata"]["retry"] == {"attempts": 2, "lastAttempt": "2026-11-22T12:02:00Z"}
    assert (await in_list(shelf, name))["metadata"]["retry"] == told["metadata"]["retry"]
    assert told["status"] == "in_progress"
    log = await shelf.get(f"/operations/{name}/logs")
    assert [published.errors("api.bundled", "Log", line) for line in log] == [[]] * 4
    assert [(line["severity"], line["message"]["msg"]) for line in log] == [
        ("INFO", "Accepted: create contacts, asynchronous"),
        ("ERROR", "Attempt 1: the provider refused, nothing was written"),
        ("ERROR", "Attempt 2: nobody can tell whether it was written"),
        ("INFO", "To be tried again at 2026-11-22T12:01:00+00:00"),
    ]
    assert log[1]["message"]["details"] == {
        "effect": "rejected",
        "durationSeconds": "0.000",
        "providerStatus": "429",
        "fault": "rate_limited",
    }
    assert log[1]["message"]["error"] == "slow down"


LAST_LINES = [
    ({"state": "parked", "reason": "auth"}, "WARNING", "Parked: "),
    ({"state": "failure", "reason": "deadline"}, "ERROR", "Given up: the deadline"),
    ({"state": "failure", "reason": "cancelled"}, "INFO", "Cancelled by a person"),
    ({"state": "failure", "reason": "discarded"}, "INFO", "Discarded by a person"),
    ({"state": "success", "reason": "resolved"}, "INFO", "Resolved by a person"),
    ({"state": "success", "reason": "found"}, "INFO", "Found at the provider"),
    ({"state": "unknown"}, "WARNING", "Unknown: only a person can tell"),
    ({"state": "unknown", "look_at": START}, "WARNING", "Unknown: to be looked up at 2026-11-22T12:00:00+00:00"),
]


@pytest.mark.parametrize(("changes", "severity", "words"), LAST_LINES, ids=[words for *_, words in LAST_LINES])
async def test_the_log_ends_with_what_no_attempt_tells(
    shelf: Shelf, changes: dict[str, Any], severity: str, words: str
) -> None:
    last = (await shelf.get(f"/operations/{await shelf.put(**changes)}/logs"))[-1]
    assert (last["severity"], last["message"]["msg"].startswith(words)) == (severity, True), last


async def test_what_is_no_longer_kept_is_not_explained(shelf: Shelf) -> None:
    name = await shelf.put(**{**FAILED, "payload": b""})
    problem = await shelf.get(f"/operations/{name}:explain", status=404)
    assert problem["code"] == "forgotten"
    assert (await shelf.post(f"/operations/{name}:retry", status=404))["code"] == "forgotten"
    assert (await shelf.get(f"/operations/{name}"))["status"] == "failure"


@ON_EVERY_STORE
async def test_an_auto_batch_is_explained_with_the_records_it_gathered(shelf: Shelf) -> None:
    body = {
        "type": "create",
        "mode": "asynchronous",
        "autoBatchPolicy": {"maxDelayMinutes": 5},
        "record": {"email": "a@b.co"},
    }
    first = (await shelf.house.write("contacts", body)).json()
    assert (await shelf.house.write("contacts", {**body, "record": {"email": "c@d.co"}})).json() == first
    told = await shelf.get(f"/operations/{first['operationId']}", detail=True)
    assert (told["status"], told["gathered"]) == ("in_progress", 2)
    explained = await shelf.get(f"/operations/{first['operationId']}:explain")
    assert [one["fields"] for one in explained["change"]["records"]] == [{"email": "a@b.co"}, {"email": "c@d.co"}]
