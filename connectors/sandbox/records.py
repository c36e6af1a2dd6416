"""The API for objects, fields, single records and associations."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from connectors.sandbox.calls import Answer, Call, read_body, read_count, refuse_readers
from connectors.sandbox.creating import create_once
from connectors.sandbox.fields import Field, SandboxObject, schema_of
from connectors.sandbox.refusals import bad_request
from connectors.sandbox.table import Association, StoredRecord, Table, Target
from connectors.sandbox.values import parse_filter
from connectors.sandbox.workspace import RecordWrite

LONGEST_PAGE = 200


class UpsertBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An upsert of one record."""

    match_field: str
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    associations: tuple[Association, ...] = ()


class AssociationsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Links to add."""

    associations: tuple[Association, ...]


def show_me(call: Call) -> Answer:
    """Tell whose credential this is."""
    return Answer(body={"workspace": call.workspace.name, "access": call.access, "scheme": call.scheme})


def list_objects(call: Call) -> Answer:
    """List the objects of the workspace."""
    definitions = call.workspace.definitions()
    return Answer(body={"objects": [{"name": d.name, "label": d.label, "custom": d.custom} for d in definitions]})


def show_schema(call: Call) -> Answer:
    """Tell an object's fields."""
    return Answer(body=schema_of(call.workspace.table(call.path["object"]).definition))


def create_field(call: Call) -> Answer:
    """Add a custom field."""
    refuse_readers(call)
    field = call.workspace.add_field(call.path["object"], read_body(call.body, Field))
    return Answer(status=201, body=field)


def list_records(call: Call) -> Answer:
    """List records, oldest first: ``filter[field]=value``, ``limit``, ``cursor``, ``fields=a,b``."""
    table = call.workspace.table(call.path["object"])
    limit = read_count(call.query, "limit", default=50, most=LONGEST_PAGE)
    found = _matching(table, _filters(call.query, table.definition))
    page = list(islice(_behind(found, call.query.get("cursor", "")), limit + 1))
    cursor = _cursor(page[limit - 1]) if len(page) > limit else None
    shown = [_narrowed(record, call.query.get("fields", "")) for record in page[:limit]]
    return Answer(body={"records": shown, "nextCursor": cursor})


def create_record(call: Call) -> Answer:
    """Create a record."""
    refuse_readers(call)
    created = create_once(call, call.path["object"], read_body(call.body, RecordWrite), key=call.key)
    headers = {"Idempotent-Replayed": "true"} if created.replayed else {}
    return Answer(status=created.said.status, body=created.said.body, headers=headers)


def upsert_record(call: Call) -> Answer:
    """Create or update a record by a unique field."""
    refuse_readers(call)
    body = read_body(call.body, UpsertBody)
    write = RecordWrite(fields=body.fields, associations=body.associations)
    record, created = call.workspace.upsert(call.path["object"], body.match_field, write, unit=call.unit)
    return Answer(status=201 if created else 200, body=record)


def show_record(call: Call) -> Answer:
    """Answer one record; ``fields=a,b`` narrows it."""
    record = call.workspace.get(call.path["object"], call.path["id"])
    return Answer(body=_narrowed(record, call.query.get("fields", "")))


def update_record(call: Call) -> Answer:
    """Change fields of a record."""
    refuse_readers(call)
    write = read_body(call.body, RecordWrite)
    return Answer(body=call.workspace.update(call.path["object"], call.path["id"], write, unit=call.unit))


def delete_record(call: Call) -> Answer:
    """Delete a record."""
    refuse_readers(call)
    call.workspace.delete(call.path["object"], call.path["id"], unit=call.unit)
    return Answer(status=204)


def list_associations(call: Call) -> Answer:
    """List a record's links."""
    record = call.workspace.get(call.path["object"], call.path["id"])
    return Answer(body={"associations": record.associations})


def add_associations(call: Call) -> Answer:
    """Link a record to others."""
    refuse_readers(call)
    links = read_body(call.body, AssociationsBody).associations
    record = call.workspace.associate(call.path["object"], call.path["id"], links, unit=call.unit)
    return Answer(body={"associations": record.associations})


def delete_association(call: Call) -> Answer:
    """Remove the links between two records."""
    refuse_readers(call)
    target = Target(id=call.path["other_id"], object=call.path["other"])
    call.workspace.dissociate(call.path["object"], call.path["id"], target, unit=call.unit)
    return Answer(status=204)


def narrow(record: StoredRecord, names: Iterable[str]) -> StoredRecord:
    """Keep the named fields; no names keep all."""
    wanted = set(names)
    if not wanted:
        return record
    fields = {name: value for name, value in record.fields.items() if name in wanted}
    return msgspec.structs.replace(record, fields=fields)


def _narrowed(record: StoredRecord, names: str) -> StoredRecord:
    return narrow(record, [name for name in names.split(",") if name])


def _filters(query: Mapping[str, str], definition: SandboxObject) -> dict[tuple[str, ...], Any]:
    filters = {}
    for key, text in query.items():
        if key.startswith("filter[") and key.endswith("]"):
            path = tuple(key[7:-1].split("."))
            filters[path] = parse_filter(_field_at(path, definition), text)
    return filters


def _field_at(path: tuple[str, ...], definition: SandboxObject) -> Field:
    field = definition.fields.get(path[0])
    for name in path[1:]:
        field = next((inner for inner in field.fields if inner.name == name), None) if field else None
    if field is None or field.type == "object":
        raise bad_request(f"{definition.name} cannot be filtered by {'.'.join(path)[:100]!r}.")
    return field


def _matching(table: Table, filters: Mapping[tuple[str, ...], Any]) -> Iterator[StoredRecord]:
    for path, value in filters.items():
        if len(path) == 1 and table.definition.fields[path[0]].unique:
            owner = table.owner(path[0], value)
            candidates = [table.records[owner]] if owner else []
            return (record for record in candidates if _fits(record, filters, table=table))
    return (record for record in table.records.values() if _fits(record, filters, table=table))


def _fits(record: StoredRecord, filters: Mapping[tuple[str, ...], Any], *, table: Table) -> bool:
    return all(_holds(record, path, value, table=table) for path, value in filters.items())


def _holds(record: StoredRecord, path: tuple[str, ...], value: Any, *, table: Table) -> bool:
    found: Any = record.fields
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, list):
        return value in found
    if isinstance(found, str) and table.definition.fields[path[0]].unique:
        return found.casefold() == str(value).casefold()
    return bool(found == value)


def _cursor(record: StoredRecord) -> str:
    return base64.urlsafe_b64encode(record.id.encode()).decode()


def _behind(records: Iterator[StoredRecord], cursor: str) -> Iterator[StoredRecord]:
    if not cursor:
        return records
    last = _number(_cursor_id(cursor))
    return (record for record in records if _number(record.id) > last)


def _cursor_id(cursor: str) -> str:
    try:
        return base64.b64decode(cursor, altchars=b"-_", validate=True).decode("ascii")
    except ValueError as error:
        raise bad_request("cursor must be one the API has answered.") from error


def _number(record_id: str) -> int:
    digits = record_id.rpartition("_")[2]
    if not (digits.isdigit() and len(digits) < 19):  # noqa: PLR2004 -- the digits of a 64-bit number
        raise bad_request("cursor must be one the API has answered.")
    return int(digits)
