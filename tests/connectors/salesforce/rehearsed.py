"""A Salesforce to rehearse flows with: changes, canned answers, and what was asked."""

import json
from typing import Any

import httpx

from connectors.connector import Account
from connectors.salesforce.connector import Salesforce
from installations.record import Change, RecordChange

BASE = "https://acme.my.salesforce.com"
DATA = "/services/data/v60.0"
ACCOUNT = Account(base_url=BASE)
CONNECTOR = Salesforce()
SAVED = {"id": "001D000000IqhSLIAZ", "success": True, "errors": []}


def reply(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status) if body is None else httpx.Response(status, json=body)


def change(action: str, *records: RecordChange, **rest: Any) -> Change:
    return Change(action=action, object_name=rest.pop("object_name", "account"), records=records, **rest)  # type: ignore[arg-type]


def new(**fields: Any) -> RecordChange:
    return RecordChange(fields=fields)


def asked(request: httpx.Request) -> tuple[str, str, Any]:
    target = request.url.raw_path.decode().removeprefix(DATA)
    return request.method, target, json.loads(request.content) if request.content else None


def flow_of(asked_for: Change) -> Any:
    if asked_for.action == "delete":
        return CONNECTOR.delete(ACCOUNT, asked_for)
    if asked_for.action == "upsert":
        return CONNECTOR.upsert(ACCOUNT, asked_for)
    return (CONNECTOR.write_batch if asked_for.batch else CONNECTOR.write)(ACCOUNT, asked_for)
