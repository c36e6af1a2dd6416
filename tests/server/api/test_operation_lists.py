"""Which operations a list's filters mean, over HTTP and on every store."""

import pytest

from tests.conftest import Published
from tests.server.api.shelved import FAILED, MINUTE, UNKNOWN, Shelf
from tests.server.api.town import neighbour
from tests.server.house import ON_EVERY_STORE, START


async def several(shelf: Shelf) -> dict[str, str]:
    """Put operations that differ in everything a filter asks for; their ids by a name for each."""
    return {
        "queued": await shelf.put(),
        "lead": await shelf.put(object_name="leads", create_time=START + MINUTE),
        "other": await shelf.put(group_ref="g 2", create_time=START + 2 * MINUTE),
        "parked": await shelf.put(state="parked", reason="auth", fault_kind="auth", create_time=START + 3 * MINUTE),
        "unknown": await shelf.put(**UNKNOWN, create_time=START + 4 * MINUTE),
        "failed": await shelf.put(**FAILED, create_time=START + 5 * MINUTE),
        "replayed": await shelf.put(**FAILED, replayed_by="x", create_time=START + 6 * MINUTE),
        "elsewhere": await shelf.put(integration_id="gone", installation_id="gone", create_time=START + 7 * MINUTE),
    }


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({"state": "queued"}, ["elsewhere", "other", "lead", "queued"]),
    ({"state": "in_progress"}, ["elsewhere", "unknown", "parked", "other", "lead", "queued"]),
    ({"state": "unknown"}, ["unknown"]),
    ({"state": "failure"}, ["replayed", "failed"]),
    ({"state": "failure", "replayed": "false"}, ["failed"]),
    ({"replayed": "true"}, ["replayed"]),
    ({"object": "leads"}, ["lead"]),
    ({"groupRef": "g 2"}, ["other"]),
    ({"errorClass": "invalid"}, ["replayed", "failed"]),
    ({"reason": "auth"}, ["parked"]),
    ({"installation": "gone"}, ["elsewhere"]),
    ({"installation": "nowhere"}, []),
    ({"createdFrom": "2026-11-22T12:06:00Z"}, ["elsewhere", "replayed"]),
    ({"createdFrom": "2026-11-22T13:06:00+01:00", "createdBefore": "2026-11-22T12:07:00.000Z"}, ["replayed"]),
    ({"createdBefore": "2026-11-22T12:01:00Z", "state": "success"}, []),
]


@ON_EVERY_STORE
async def test_every_filter_narrows(shelf: Shelf) -> None:
    ids = await several(shelf)
    names = {value: name for name, value in ids.items()}
    for query, expected in FILTERS:
        answer = await shelf.house.call("GET", "/operations", params=query)
        assert answer.status_code == 200, answer.text
        # What the house's own synchronous write left is newer or older than all of them, by the clock of the day.
        found = [names[one["id"]] for one in answer.json()["results"] if one["id"] in names]
        assert found == expected, query
    by_integration = await shelf.get("/operations?integration=crm&state=in_progress")
    assert by_integration == await shelf.get(f"/operations?integration={shelf.names['integration']}&state=in_progress")
    assert [names[one["id"]] for one in by_integration["results"]] == ["unknown", "parked", "other", "lead", "queued"]
    mine = f"/integrations/crm/installations/{shelf.names['installation']}/operations"
    assert [names[one["id"]] for one in (await shelf.get(f"{mine}?state=failure"))["results"]] == ["replayed", "failed"]
    assert (await shelf.get(f"{mine}?installation=gone&state=failure"))["results"] != []


@ON_EVERY_STORE
async def test_a_filtered_list_comes_in_pages(shelf: Shelf) -> None:
    ids = [await shelf.put(create_time=START + n * MINUTE, **(FAILED if n % 2 else {})) for n in range(7)]
    found, path = [], "/operations?state=queued&pageSize=2"
    while path:
        page = await shelf.get(path)
        found += [one["id"] for one in page["results"]]
        token = page["pagination"].get("nextPageToken")
        assert page["pagination"]["done"] == (token is None)
        path = f"/operations?state=queued&pageSize=2&pageToken={token}" if token else ""
    assert found == [ids[6], ids[4], ids[2], ids[0]]


async def test_a_list_holds_nothing_of_the_neighbours(shelf: Shelf) -> None:
    await several(shelf)
    rival = await neighbour(shelf.house)
    assert (await rival.call("GET", "/operations")).json() == {"results": [], "pagination": {"done": True}}
    path = f"/operations?installation={shelf.names['installation']}"
    assert (await rival.call("GET", path)).json()["results"] == []
    dry = {"filter": {"installation": shelf.names["installation"]}, "dryRun": True}
    assert (await rival.call("POST", "/operations:replay", json=dry)).json() == {"count": 0, "more": False}


BAD_QUERIES = [
    ("state=true", "state"),
    ("state=", "state"),
    ("state=done", "state"),
    ("errorClass=boom", "errorClass"),
    ("reason=because", "reason"),
    ("object=", "object"),
    ("groupRef=" + "a" * 256, "groupRef"),
    ("createdFrom=yesterday", "createdFrom"),
    ("sate=queued", "sate"),
    ("errorclass=provider", "errorclass"),
    ("pagesize=1", "pagesize"),
    ("createdFrom=2026-11-22T12:00:00", "createdFrom"),
    ("createdFrom=1", "createdFrom"),
    ("createdBefore=0001-01-01T00:00:00%2B14:00", "createdBefore"),
    ("createdBefore=9999-12-31T23:59:59-14:00", "createdBefore"),
    ("replayed=maybe", "replayed"),
    ("pageSize=0", "pageSize"),
    ("pageSize=1001", "pageSize"),
    ("pageSize=x", "pageSize"),
]


@pytest.mark.parametrize(("query", "name"), BAD_QUERIES, ids=[query[:40] for query, _ in BAD_QUERIES])
async def test_a_bad_parameter_is_named(shelf: Shelf, published: Published, query: str, name: str) -> None:
    for path in ("/operations", f"/integrations/crm/installations/{shelf.names['installation']}/operations"):
        problem = await shelf.get(f"{path}?{query}", status=400)
        assert [(issue["in"], issue["name"]) for issue in problem["issues"]] == [("query", name)]
        assert published.errors("api.bundled", "InputValidationProblem", problem) == []


async def test_every_bad_time_is_named_and_nothing_may_be_given_twice(shelf: Shelf) -> None:
    problem = await shelf.get("/operations?createdFrom=a&createdBefore=b", status=400)
    assert [issue["name"] for issue in problem["issues"]] == ["createdFrom", "createdBefore"]
    assert "state" in (await shelf.get("/operations?state=queued&state=sent", status=400))["detail"]
    await shelf.get("/operations?integration=nowhere", status=404)
    await shelf.get("/operations?pageToken=nowhere", status=400)
