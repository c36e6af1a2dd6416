"""What a person may do to operations, over HTTP and on every store."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from tests.server.api.shelved import FAILED, HOUR, UNKNOWN, WRITTEN, Shelf, came, fault, planned
from tests.server.house import ON_EVERY_STORE

BAD_BODIES: list[tuple[str, Any, int, list[str]]] = [
    ("/operations:replay", {}, 400, ["filter"]),
    ("/operations:replay", {"filter": {"state": "queued"}}, 422, ["filter.state"]),
    ("/operations:replay", {"filter": {"state": "done", "reason": 1}}, 400, ["filter.state", "filter.reason"]),
    (
        "/operations:replay",
        {"filter": {"createdFrom": "x", "createdBefore": "y"}},
        400,
        ["filter.createdFrom", "filter.createdBefore"],
    ),
    ("/operations:replay", {"filter": {"replayed": "no"}, "dryRun": "no"}, 400, ["filter.replayed", "dryRun"]),
    (
        "/operations:replay",
        {"filter": {"errorclass": "provider"}, "dryrun": True},
        400,
        ["filter.errorclass", "dryrun"],
    ),
    ("/operations:resolve", {"outcome": "discard", "filter": {"group": "g"}}, 400, ["filter.group"]),
    ("/operations:resolve", {"filter": {}}, 400, ["outcome"]),
    ("/operations/{unknown}:resolve", {"outcome": "happened", "recordID": "7"}, 400, ["recordID"]),
    ("/operations:resolve", {"outcome": "happened", "filter": {"state": "failure"}}, 422, ["filter.state"]),
    ("/operations/{unknown}:resolve", {"outcome": "maybe"}, 400, ["outcome"]),
    ("/operations/{unknown}:resolve", {"outcome": "retry", "recordId": "7"}, 422, ["recordId"]),
    ("/operations/{unknown}:resolve", {"outcome": "happened", "recordId": ""}, 400, ["recordId"]),
]


@pytest.mark.parametrize(("path", "body", "status", "named"), BAD_BODIES)
async def test_a_bad_body_is_named_and_does_nothing(
    shelf: Shelf, path: str, body: Any, status: int, named: Sequence[str]
) -> None:
    name = await shelf.put(**UNKNOWN)
    problem = await shelf.post(path.format(unknown=name), body, status=status)
    assert sorted(issue["name"] for issue in problem["issues"]) == sorted(named)
    assert (await shelf.get(f"/operations/{name}", detail=True))["state"] == "unknown"


@ON_EVERY_STORE
async def test_a_person_resolves_what_nobody_else_can_tell(shelf: Shelf) -> None:
    happened, retried, discarded = [await shelf.put(**UNKNOWN) for _ in range(3)]
    told = await shelf.post(f"/operations/{happened}:resolve", {"outcome": "happened", "recordId": "501"})
    assert (told["status"], told["reason"], told["metadata"]["successfulRecordIds"]) == ("success", "resolved", ["501"])
    assert told["result"] == "[contacts] Write succeeded"
    told = await shelf.post(f"/operations/{retried}:resolve", {"outcome": "retry"})
    assert (told["status"], told["state"], "doubtful" in told) == ("in_progress", "queued", False)
    assert datetime.fromisoformat(told["deadline"]) - datetime.fromisoformat(told["nextAttemptTime"]) == HOUR
    told = await shelf.post(f"/operations/{discarded}:resolve", {"outcome": "discard"})
    assert (told["status"], told["reason"]) == ("failure", "discarded")
    for name in (happened, discarded):
        problem = await shelf.post(f"/operations/{name}:resolve", {"outcome": "happened"}, status=409)
        assert (problem["code"], problem["retryable"]) == ("operation-state", False)
    assert "may have happened" in (await shelf.post(f"/operations/{discarded}:retry", status=409))["detail"]


@ON_EVERY_STORE
async def test_what_waits_is_cancelled_or_hurried_and_what_failed_is_done_again(shelf: Shelf) -> None:
    waiting, parked, failed = [await shelf.put(**c) for c in ({}, {"state": "parked", "reason": "auth"}, FAILED)]
    assert (await shelf.post(f"/operations/{parked}:retry"))["state"] == "queued"
    assert (await shelf.post(f"/operations/{parked}:cancel"))["reason"] == "cancelled"
    assert (await shelf.post(f"/operations/{waiting}:retry"))["nextAttemptTime"] != "2026-11-22T12:01:00Z"
    assert (await shelf.post(f"/operations/{waiting}:cancel"))["status"] == "failure"
    for name in (waiting, parked):
        assert "has failed" in (await shelf.post(f"/operations/{name}:cancel", status=409))["detail"]
    made = await shelf.post(f"/operations/{failed}:retry")
    assert (made["status"], made["replayOf"], made["metadata"]["retry"]) == ("in_progress", failed, {"attempts": 0})
    assert (await shelf.get(f"/operations/{failed}", detail=True))["replayedBy"] == made["id"]
    assert made["id"] in (await shelf.post(f"/operations/{failed}:retry", status=409))["detail"]
    explained = await shelf.get(f"/operations/{made['id']}:explain")
    assert explained == await shelf.get(f"/operations/{failed}:explain")
    unknown = await shelf.put(**UNKNOWN)
    assert ":resolve" in (await shelf.post(f"/operations/{unknown}:retry", status=409))["detail"]
    assert "has succeeded" in (await shelf.post(f"/operations/{shelf.names['operation']}:retry", status=409))["detail"]


@ON_EVERY_STORE
async def test_failures_are_counted_and_done_again_once(shelf: Shelf) -> None:
    failed = [await shelf.put(**FAILED, object_name="leads" if n < 2 else "contacts") for n in range(5)]
    for left in ({"replayed_by": "x"}, {"doubtful": True}, {"payload": b""}):
        await shelf.put(**{**FAILED, **left})
    assert await shelf.post("/operations:replay", {"filter": {}, "dryRun": True}) == {"count": 5, "more": False}
    leads = {"filter": {"object": "leads", "errorClass": "invalid", "state": "failure"}}
    assert await shelf.post("/operations:replay", {**leads, "dryRun": True}) == {"count": 2, "more": False}
    made = await shelf.post("/operations:replay", leads)
    assert (made["count"], made["more"], len(made["operationIds"])) == (2, False, 2)
    told = [await shelf.get(f"/operations/{name}", detail=True) for name in made["operationIds"]]
    assert [one["replayOf"] for one in told] == failed[:2]
    assert (await shelf.post("/operations:replay", {"filter": {}}))["count"] == 3
    assert await shelf.post("/operations:replay", {"filter": {}}) == {"count": 0, "more": False, "operationIds": []}


@ON_EVERY_STORE
async def test_of_a_partly_written_batch_the_refused_records_are_done_again(shelf: Shelf) -> None:
    batch = {"payload": planned(3), "outcome": came(fault("invalid"), WRITTEN, fault("invalid"))}
    first, second = [
        await shelf.put(**{**FAILED, "state": "success", "reason": "", "successful_record_ids": ("7",), **batch})
        for _ in range(2)
    ]
    made = await shelf.post(f"/operations/{first}:retry")
    assert (made["status"], made["replayOf"], made["replayOfRecords"]) == ("in_progress", first, [0, 2])
    told = await shelf.get(f"/operations/{first}", detail=True)
    assert (told["status"], told["replayedBy"]) == ("success", made["id"])
    assert [one["success"] for one in told["results"]] == [False, True, False]
    assert made["id"] in (await shelf.post(f"/operations/{first}:retry", status=409))["detail"]
    for asked in ({}, {"state": "success"}, {"state": "success", "errorClass": "invalid"}):
        counted = await shelf.post("/operations:replay", {"filter": asked, "dryRun": True})
        assert counted == {"count": 1, "more": False}
    assert (await shelf.post("/operations:replay", {"filter": {"state": "failure"}}))["count"] == 0
    (name,) = (await shelf.post("/operations:replay", {"filter": {}}))["operationIds"]
    assert (await shelf.get(f"/operations/{name}", detail=True))["replayOf"] == second


@ON_EVERY_STORE
async def test_unknowns_are_resolved_alike(shelf: Shelf) -> None:
    names = [await shelf.put(**UNKNOWN, group_ref="g2" if n else "g1") for n in range(4)]
    body = {"outcome": "retry", "filter": {"groupRef": "g2"}}
    assert await shelf.post("/operations:resolve", {**body, "dryRun": True}) == {"count": 3, "more": False}
    told = await shelf.post("/operations:resolve", body)
    assert told == {"count": 3, "more": False, "operationIds": names[1:]}
    listed = await shelf.get("/operations?state=unknown")
    assert [one["id"] for one in listed["results"]] == names[:1]
