"""How requests to HubSpot's CRM look; never what comes back.

https://developers.hubspot.com/docs/api/crm/contacts
"""

from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
from msgspec import UNSET

from connectors.connector import READS_ONLY, Account
from connectors.errors import Refused
from connectors.hubspot.answers import Input
from connectors.hubspot.values import build_properties, build_value
from connectors.urls import path_segment
from installations.record import Change, Fault, RecordChange

FIND_LIMIT = 10
"""How many records a look-up answers at most."""

BATCH_VERBS = {"create": "create", "update": "update", "upsert": "upsert", "delete": "archive"}

_JSON = ("content-type", "application/json")


def build_get(account: Account, path: str) -> httpx.Request:
    """Build a request for metadata."""
    return httpx.Request("GET", f"{account.base_url}{path}")


def build_write(account: Account, method: str, path: str, *, change: Change, body: Any = None) -> httpx.Request:
    """Build a request that changes something, with the caller's own headers."""
    headers = [(header.key, header.value) for header in change.headers]
    if body is None:
        return httpx.Request(method, f"{account.base_url}{path}", headers=headers)
    content = msgspec.json.encode(body)
    return httpx.Request(method, f"{account.base_url}{path}", headers=[*headers, _JSON], content=content)


def _build_read(account: Account, path: str, *, body: Any) -> httpx.Request:
    """Build a request that is a ``POST`` but only reads."""
    return httpx.Request(
        "POST",
        f"{account.base_url}{path}",
        headers=[_JSON],
        content=msgspec.json.encode(body),
        extensions={READS_ONLY: True},
    )


def objects_path(object_name: str, *parts: str) -> str:
    """Build a path below one object type; raises `NotSent` where the name cannot stand in a path."""
    return f"/crm/v3/objects/{path_segment(object_name)}" + "".join(f"/{part}" for part in parts)


def metadata_path(part: str, object_name: str) -> str:
    """Build the path of an object type's properties or schema; raises `NotSent` as `objects_path` does."""
    return f"/crm/v3/{part}/{path_segment(object_name)}"


def record_path(object_name: str, record_id: str | None) -> str:
    """Build the path of one record; raises `Refused` without an id, `NotSent` as `objects_path` does."""
    return objects_path(object_name, path_segment(_required(record_id, field="id")))


def single_body(record: RecordChange, *, change: Change) -> dict[str, Any]:
    """Build the body of a create or update of one record; raises `Refused` for what HubSpot cannot take."""
    body: dict[str, Any] = {"properties": build_properties(record)}
    return body | _associations(record, change=change)


def batch_input(record: RecordChange, *, index: int, change: Change) -> tuple[Input, dict[str, Any]]:
    """Build one input of a batch and what will identify it; raises `Refused` for what HubSpot cannot take.

    A trace id asks for an answer record by record, and so for a partial batch: all-or-nothing goes without. Updates
    stay partial at HubSpot either way, so they always carry one.
    https://developers.hubspot.com/docs/api-reference/error-handling#multi-status-errors
    """
    properties = build_properties(record)
    body: dict[str, Any] = {"properties": properties}
    sent_id = _input_id(record, change=change)
    if sent_id is not None:
        body["id"] = sent_id
    if change.action == "upsert":
        body["idProperty"] = change.match_field
    trace_id = None if change.all_or_none and change.action != "update" else str(index)
    if trace_id is not None:
        body["objectWriteTraceId"] = trace_id
    known_id = sent_id if change.action == "update" else None
    return Input(trace_id=trace_id, id=known_id, key=sent_id, properties=properties), body | _associations(
        record, change=change
    )


def _input_id(record: RecordChange, *, change: Change) -> str | None:
    if change.action == "create":
        return None
    if change.action == "update":
        return _required(record.id, field="id")
    field = change.match_field or ""
    value = build_value(record.fields.get(field), field=field)
    return _required(value, field=field)


def _required(value: str | None, *, field: str) -> str:
    if not value:
        raise Refused(Fault(kind="invalid", message=f"{field}: no value to find the record by", fields=(field,)))
    return value


def _associations(record: RecordChange, *, change: Change) -> dict[str, Any]:
    """Pass associations on as they are. Only a create takes them; leaving any out unsaid would lose them."""
    if record.associations is UNSET or (not record.associations and change.action != "create"):
        return {}
    if change.action != "create":
        raise Refused(Fault(kind="invalid", message="HubSpot takes associations with a create only"))
    return {"associations": record.associations}


def read_request(
    account: Account, object_name: str, *, values: Sequence[str], fields: Sequence[str], id_property: str | None = None
) -> httpx.Request:
    """Build a batch read by record id, or by the value of a unique property."""
    body: dict[str, Any] = {
        "inputs": [{"id": value} for value in values],
        "properties": list(fields),
        "propertiesWithHistory": [],
    }
    if id_property is not None:
        body["idProperty"] = id_property
    return _build_read(account, objects_path(object_name, "batch", "read"), body=body)


def search_request(
    account: Account, object_name: str, *, field: str, value: str, fields: Sequence[str]
) -> httpx.Request:
    """Build a search for one value of one property.

    https://developers.hubspot.com/docs/guides/api/crm/search
    """
    body = {
        "filterGroups": [{"filters": [{"propertyName": field, "operator": "EQ", "value": value}]}],
        "properties": list(fields),
        "limit": FIND_LIMIT,
    }
    return _build_read(account, objects_path(object_name, "search"), body=body)
