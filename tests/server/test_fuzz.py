"""A hundred thousand mutated bodies at the doors that take the most: no 5xx, nothing slow, no effect but the answered.

``ISTHMUS_FUZZ=1000000`` tries harder. Run with ``-s`` to see the counts.
"""

import json
import os
import resource
import time
from collections import Counter

import httpx
import msgspec
import pytest

from tests.server.fuzz import Reply, mutations, post
from tests.server.house import MANIFEST, READ_AND_WRITE, House, open_house

pytestmark = pytest.mark.usefixtures("spared")

COUNT = int(os.environ.get("ISTHMUS_FUZZ", "100000"))
SLOW_SECONDS = 1.0
GROWTH_BYTES = 100_000_000

WRITES = [
    {"groupRef": "g1", "type": "create", "record": {"email": "a@b.co", "firstName": "A", "score": 1}},
    {"groupRef": "g1", "type": "update", "record": {"id": "1", "nickname": "B"}, "headers": []},
    {"groupRef": "g1", "type": "upsert", "matchKey": "email", "record": {"email": "u@b.co"}},
    {"groupRef": "g1", "type": "delete", "record": {"id": "1"}},
    {
        "groupRef": "g1",
        "type": "create",
        "mode": "synchronous",
        "batch": [{"record": {"email": "c@b.co"}}, {"record": {"email": "d@b.co"}, "associations": []}],
        "batchPolicy": {"allOrNone": True},
    },
    {
        "groupRef": "g1",
        "type": "create",
        "mode": "asynchronous",
        "retryPolicy": {"deadlineHours": 24},
        "autoBatchPolicy": {"maxDelayMinutes": 5, "retryDeadlineHours": 2},
        "onAmbiguous": "retry",
        "record": {"email": "e@b.co"},
    },
]
DRAFT = {
    "provider": "sandbox",
    "read": {
        "objects": {
            "contacts": {
                "selectedFields": {"email": True},
                "selectedFieldMappings": {"nickname": "$['address']['city']"},
                "selectedValueMappings": {"x_tshirtSize": {"s": "small"}},
            }
        }
    },
    "write": {
        "objects": {
            "contacts": {
                "selectedFieldSettings": {
                    "phone": {"default": {"stringValue": "1"}, "writeOnUpdate": "ifEmpty"},
                    "x_tshirtSize": {"default": {"listValue": ["small", 1]}, "writeOnCreate": "never"},
                    "birthday": {"default": {"dateValue": "2026-01-31"}},
                },
                "selectedValueDefaults": {"score": {"value": 1, "applyOnUpdate": "never"}},
                "removeUnmappedFields": True,
            }
        }
    },
}
OTHERS = {
    "/connections:generate": {"provider": "sandbox", "groupRef": "g1", "consumerRef": "c", "apiKey": "wrong"},
    "/integrations/crm/installations": {"groupRef": "g2", "config": {"content": READ_AND_WRITE}},
    "/integrations/crm/objects/contacts:explain": WRITES[0],
    "/integrations/crm/revisions": {"sourceYaml": MANIFEST},
    "/integrations/crm:review": {"groupRef": "g1", "content": DRAFT, "refresh": False},
    "/integrations/crm:preview": {
        "groupRef": "g1",
        "content": DRAFT,
        "objectName": "contacts",
        "type": "upsert",
        "matchKey": "email",
        "record": {"email": "a@b.co", "nickname": "B", "address": {"city": "C"}},
        "current": {"id": "1", "phone": "2"},
    },
    "/integrations/crm/installations/{installation}:edit": {
        "edits": [
            {
                "edit": "setFieldSettings",
                "objectName": "contacts",
                "fieldName": "nickname",
                "settings": {"default": {"stringValue": "x"}, "writeOnUpdate": "ifEmpty"},
            },
            {"edit": "mapValues", "objectName": "contacts", "fieldName": "$['a']['b']", "values": {"x": "y"}},
            {"edit": "removeObject", "objectName": "companies"},
        ],
        "dryRun": False,
        "createdBy": "builder:1",
    },
}


class Tally:
    """What came back, and how long the slowest took."""

    def __init__(self) -> None:
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0
        self.before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def ask(self, house: House, path: str, body: bytes) -> Reply:
        started = time.process_time()
        reply = await post(house.app, f"/v1/projects/{house.project_id}{path}", body, headers=house.headers)
        self.slowest = max(self.slowest, time.process_time() - started)
        self.statuses[reply.status] += 1
        assert reply.status < 500, (path, body, reply)
        assert reply.status < 400 or reply.body, (path, body)
        return reply

    def judge(self, name: str) -> None:
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - self.before) * 1024
        print(  # noqa: T201 -- a figure that is asked for
            f"\n{name}: {self.statuses.total():,} bodies, {dict(sorted(self.statuses.items()))}, "
            f"slowest {self.slowest * 1000:.0f} ms, memory +{grown / 1e6:.0f} MB"
        )
        assert self.slowest < SLOW_SECONDS
        assert grown < GROWTH_BYTES


async def test_mutated_writes_never_break_the_server_and_do_nothing_unanswered() -> None:
    async with open_house() as house:
        await house.deploy()
        await house.connect()
        await house.install()
        tally, written = Tally(), 0
        seeds = [json.dumps(body).encode() for body in WRITES]
        for body in mutations(seeds, count=COUNT * 4 // 5, seed=20261122):
            reply = await tally.ask(house, "/integrations/crm/objects/contacts", body)
            assert reply.status != 400 or reply.content_type.startswith("text/plain"), reply
            written += _written(reply)
        tally.judge("writes")
        ledger = f"{house.services.settings.provider_urls['sandbox']}/_sandbox/ledger"
        async with httpx.AsyncClient(timeout=60) as client:
            # An upsert that changes nothing is answered as a success and leaves no trace.
            assert 0 < (await client.get(ledger)).json()["total"] <= written


def _written(reply: Reply) -> int:
    """Count the records that an answer says were written."""
    if reply.status != 200:
        return 0
    answer = msgspec.json.decode(reply.body)
    if answer.keys() == {"operationId"}:
        return 0  # accepted, and nobody is at work here
    return int(answer["successCount"]) if "successCount" in answer else int(answer["result"]["success"])


async def test_mutated_bodies_never_break_the_other_doors() -> None:
    async with open_house() as house:
        await house.deploy()
        await house.connect()
        installed = await house.install()
        tally = Tally()
        for path, body in OTHERS.items():
            for mutated in mutations([json.dumps(body).encode()], count=COUNT // 5 // len(OTHERS), seed=20261122):
                await tally.ask(house, path.format(installation=installed["id"]), mutated)
        tally.judge("other doors")
