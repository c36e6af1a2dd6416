"""A HubSpot to rehearse flows with: changes, canned answers, and what was asked."""

import json
from typing import Any

import httpx

from connectors.connector import Account
from connectors.hubspot.crm import HubSpot
from installations.record import Change, RecordChange
from tests.connectors.hubspot.hubspot_models import request_problems

ACCOUNT = Account(base_url="https://api.hubapi.com")
HUBSPOT = HubSpot()
LINK = {"to": {"id": "1"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}


def change(*records: RecordChange, **members: Any) -> Change:
    return Change(**({"action": "create", "object_name": "contacts", "records": records} | members))


def fields(**properties: Any) -> RecordChange:
    return RecordChange(fields=properties)


def answer(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status, json=body) if body is not None else httpx.Response(status)


def record(record_id: str, trace_id: str | None = None, **properties: Any) -> dict[str, Any]:
    body = {"id": record_id, "properties": properties, "createdAt": "t", "updatedAt": "t", "archived": False}
    return body | ({"objectWriteTraceId": trace_id} if trace_id is not None else {})


def failure(message: str, category: str, **context: list[str]) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "errors": [], "context": context, "links": {}}


def batch(*results: dict[str, Any], errors: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    body: dict[str, Any] = {"status": "COMPLETE", "results": list(results), "startedAt": "t", "completedAt": "t"}
    return body | ({"errors": list(errors), "numErrors": len(errors)} if errors else {})


def seen(request: httpx.Request) -> tuple[str, str, Any]:
    path = request.url.raw_path.decode()
    body = json.loads(request.content) if request.content else None
    assert request_problems(request.method, path, body) == []
    return request.method, path, body


THREE = tuple(fields(email=f"{name}@b.example") for name in "abc")
