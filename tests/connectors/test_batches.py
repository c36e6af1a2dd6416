"""What a batch comes to where its answer is not as it should be: reordered, too short, too long, contradicting itself.

Every record is judged by itself; of one that cannot be told, nobody knows.
"""

from typing import Any, TypeAlias

import httpx
import pytest

from connectors.connector import Account, BatchWriter
from connectors.dispatch import send
from connectors.hubspot.crm import HubSpot
from connectors.memory.connector import Memory
from connectors.salesforce.connector import Salesforce
from connectors.sandbox.connector import SandboxConnector
from connectors.transport import rehearse
from installations.record import Action, Change, Outcome, RecordChange

ACCOUNT = Account(base_url="https://p.test", metadata={"workspace": "acme"})
IDS = ("003000000000001AAA", "003000000000002AAA", "003000000000003AAA")

Seen: TypeAlias = list[str]


def hubspot(results: list[dict[str, Any]], *errors: dict[str, Any]) -> httpx.Response:
    body = {"status": "COMPLETE", "results": results, "errors": errors, "numErrors": len(errors)}
    return httpx.Response(207, json=body)


def traced(trace: int | str | None, record_id: str) -> dict[str, Any]:
    made: dict[str, Any] = {"id": record_id, "properties": {}}
    return made if trace is None else made | {"objectWriteTraceId": str(trace)}


def bad(trace: int | None) -> dict[str, Any]:
    context = {} if trace is None else {"objectWriteTraceId": [str(trace)]}
    return {"status": "error", "category": "VALIDATION_ERROR", "message": "no", "context": context}


def sandbox(*results: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"results": results})


def at(index: int, record_id: str = "", *, status: int = 201) -> dict[str, Any]:
    if status >= 400:
        return {"index": index, "success": False, "status": status, "code": "no", "message": "no"}
    return {"index": index, "success": True, "status": status, "id": record_id, "record": {"id": record_id}}


def collection(*results: str | None) -> httpx.Response:
    errors = [{"statusCode": "REQUIRED_FIELD_MISSING", "message": "no", "fields": []}]
    return httpx.Response(
        200,
        json=[{"id": each, "success": each is not None, "errors": [] if each else errors} for each in results],
    )


def memory(*ids: str | None) -> httpx.Response:
    results = [{"status": 201, "body": {"id": each}} if each else {"status": 422, "body": {}} for each in ids]
    return httpx.Response(200, json={"results": results})


A, B, C = IDS
UNKNOWN = "ambiguous"

ROWS: dict[str, tuple[BatchWriter, Action, httpx.Response, Seen]] = {
    "hubspot, in any order": (
        *(HubSpot(), "create"),
        hubspot([traced(2, C), traced(0, A)], bad(1)),
        [A, "invalid", C],
    ),
    "hubspot, too few": (HubSpot(), "create", hubspot([traced(1, B)]), [UNKNOWN, B, UNKNOWN]),
    "hubspot, none": (HubSpot(), "create", hubspot([]), [UNKNOWN] * 3),
    "hubspot, one too many": (
        *(HubSpot(), "create"),
        hubspot([traced(0, A), traced(1, B), traced(2, C), traced("9", "99")]),
        [A, B, C],
    ),
    "hubspot, one twice": (HubSpot(), "create", hubspot([traced(0, A), traced(0, B)]), [A, UNKNOWN, UNKNOWN]),
    "hubspot, nameless ones": (HubSpot(), "create", hubspot([traced(None, A), traced(1, B)]), [UNKNOWN, B, UNKNOWN]),
    "hubspot, nameless errors": (HubSpot(), "create", hubspot([traced(1, B)], bad(None)), [UNKNOWN, B, UNKNOWN]),
    "hubspot, an update in any order": (
        *(HubSpot(), "update"),
        hubspot([traced(2, C), traced(1, B), traced(0, A)]),
        [A, B, C],
    ),
    "sandbox, in any order": (
        SandboxConnector(),
        "create",
        sandbox(at(2, C), at(1, status=422), at(0, A)),
        [A, "invalid", C],
    ),
    "sandbox, too few": (SandboxConnector(), "create", sandbox(at(1, B)), [UNKNOWN, B, UNKNOWN]),
    "sandbox, one too many": (
        SandboxConnector(),
        "create",
        sandbox(at(0, A), at(1, B), at(2, C), at(3, "d")),
        [A, B, C],
    ),
    "sandbox, one twice": (
        SandboxConnector(),
        "create",
        sandbox(at(0, A), at(1, B), at(1, status=422), at(2, C)),
        [A, UNKNOWN, C],
    ),
    "sandbox, one failed inside": (
        SandboxConnector(),
        "create",
        sandbox(at(0, A), at(1, status=500), at(2, C)),
        [A, UNKNOWN, C],
    ),
    "salesforce, in part": (Salesforce(), "create", collection(A, None, C), [A, "invalid", C]),
    "salesforce, too few": (Salesforce(), "create", collection(A), [A, UNKNOWN, UNKNOWN]),
    "salesforce, one too many": (Salesforce(), "create", collection(A, B, C, A), [UNKNOWN] * 3),
    "salesforce, an update": (Salesforce(), "update", collection(A, B, C), [A, B, C]),
    "salesforce, an update with short ids": (
        Salesforce(),
        "update",
        collection(A[:15], B, None),
        [A[:15], B, "invalid"],
    ),
    "salesforce, an update in another order": (Salesforce(), "update", collection(B, A, C), [UNKNOWN, UNKNOWN, C]),
    "salesforce, deletes in another order": (Salesforce(), "delete", collection(B, A, C), [UNKNOWN, UNKNOWN, C]),
    "memory, in part": (Memory(), "create", memory(A, None, C), [A, "invalid", C]),
    "memory, too few": (Memory(), "create", memory(A), [A, UNKNOWN, UNKNOWN]),
    "memory, one too many": (Memory(), "create", memory(A, B, C, "d"), [UNKNOWN] * 3),
}


@pytest.mark.parametrize(("connector", "action", "answer", "seen"), ROWS.values(), ids=ROWS)
def test_each_record_of_a_batch_is_judged_by_what_is_said_of_it(
    connector: BatchWriter, action: Action, answer: httpx.Response, seen: Seen
) -> None:
    records = tuple(
        RecordChange(fields={} if action == "delete" else {"name": each}, id=None if action == "create" else each)
        for each in IDS
    )
    change = Change(action=action, object_name="Contact", records=records, batch=True)
    _, outcome = rehearse(send(connector, ACCOUNT, change), answer)  # type: ignore[arg-type]
    assert isinstance(outcome, Outcome)
    told = [record.record_id if record.success else record.fault and record.fault.kind for record in outcome.records]
    assert told == seen
