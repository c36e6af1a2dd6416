"""Mutated filters and verdicts at the doors of operations: no 5xx, every refusal in words, nothing done unasked.

``ISTHMUS_FUZZ=1000000`` tries harder.
"""

import json
import os
from collections import Counter

import pytest

from tests.server.api.conftest import house
from tests.server.api.shelved import FAILED, UNKNOWN, Shelf
from tests.server.api.town import furnished
from tests.server.fuzz import ask, mutations
from tests.server.house import ON_EVERY_STORE, House

__all__ = ["house"]

COUNT = int(os.environ.get("ISTHMUS_FUZZ", "100000")) // 200
FILTER = {
    "state": "failure",
    "object": "contacts",
    "groupRef": "g1",
    "errorClass": "invalid",
    "reason": "refused",
    "integration": "crm",
    "installation": "i",
    "createdFrom": "2026-11-22T12:00:00Z",
    "createdBefore": "2026-11-22T12:00:00.5+01:00",
    "replayed": False,
}
BODIES = {
    "/operations:replay": {"filter": FILTER, "dryRun": True},
    "/operations:resolve": {"outcome": "discard", "filter": {**FILTER, "state": "unknown"}, "dryRun": True},
    "/operations/{unknown}:resolve": {"outcome": "retry", "recordId": "7"},
}
QUERIES = [
    b"state=failure&object=contacts&groupRef=g1&errorClass=invalid&reason=refused&pageSize=5",
    b"integration=crm&installation=i&createdFrom=2026-11-22T12:00:00Z&replayed=false&pageToken=x",
    b"createdBefore=2026-11-22T12%3A00%3A00.5%2B01%3A00&object=%C3%A4&groupRef=%F0%9F%92%A9",
]


@ON_EVERY_STORE
async def test_mutated_bodies_are_refused_in_words_or_understood(house: House) -> None:
    shelf = Shelf(house=house, names=await furnished(house))
    statuses: Counter[int] = Counter()
    for path, body in BODIES.items():
        for mutated in mutations([json.dumps(body).encode()], count=COUNT // 4, seed=20261122):
            for members in (UNKNOWN, FAILED):
                where = path.format(unknown=await shelf.put(**members)) if "unknown" in path else path
                reply = await ask(house.app, "POST", f"/v1/projects/acme{where}", body=mutated, headers=house.headers)
                statuses[reply.status] += 1
                assert reply.status < 500, (path, mutated, reply)
                assert reply.status == 200 or reply.content_type == "application/problem+json", (path, mutated, reply)
    assert statuses[200] > 0
    assert statuses[400] > 0


@ON_EVERY_STORE
async def test_mutated_queries_are_refused_in_words_or_understood(house: House) -> None:
    shelf = Shelf(house=house, names=await furnished(house))
    await shelf.put(**FAILED)
    statuses: Counter[int] = Counter()
    for query in mutations(QUERIES, count=COUNT, seed=20261122):
        reply = await ask(house.app, "GET", "/v1/projects/acme/operations", query=query, headers=house.headers)
        statuses[reply.status] += 1
        assert reply.status < 500, (query, reply)
        assert reply.status == 200 or reply.content_type == "application/problem+json", (query, reply)
    assert statuses[200] > 0
    assert statuses[400] > 0


HOSTILE = ["a" * 300, "x%00y", "..%2F..", "%F0%9F%92%A9", "' OR 1=1 --", "%25", "{}", ":resolve", "null"]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_strange_name_is_no_operation(house: House, name: str) -> None:
    await furnished(house)
    for verb in ("", ":resolve", ":cancel", ":retry", "/logs", ":explain"):
        method = "GET" if verb in {"", "/logs", ":explain"} else "POST"
        body = b'{"outcome":"happened"}' if verb == ":resolve" else b""
        path = f"/v1/projects/acme/operations/{name}{verb}"
        reply = await ask(house.app, method, path, body=body, headers=house.headers)
        assert reply.status in {400, 404, 405}, (path, reply)
