"""Many records in one request: one result for each, in order, and all undone together where that was asked.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.simulators.salesforce_org import Ambiguity, Org, OrgError
from tests.simulators.salesforce_schema import SOBJECTS, Json, SObject

COLLECTION_LIMIT = 200

Job: TypeAlias = Callable[[Json], Json]
"""Does one record and answers its result; raises `OrgError`."""


def run_collection(org: Org, records: list[Json], one: Job, *, all_or_none: bool) -> list[Json]:
    """Do each record. A body that is not well formed fails the request as a whole, and nothing is done."""
    if len(records) > COLLECTION_LIMIT:
        message = f"record limit reached. cannot submit more than {COLLECTION_LIMIT} records into this call"
        raise OrgError("LIMIT_EXCEEDED", message)
    before = org.snapshot()
    try:
        results = [_judged(record, one) for record in records]
    except OrgError:
        org.restore(before)
        raise
    if all_or_none and not all(result["success"] for result in results):
        org.restore(before)
        results = [_rolled_back() if result["success"] else result for result in results]
    return results


def creating(org: Org, *, allow_duplicates: bool) -> Job:
    """Create records."""

    def one(record: Json) -> Json:
        return saved(org.create(_typed(org, record), record, allow_duplicates=allow_duplicates))

    return one


def updating(org: Org) -> Job:
    """Update records by their ``id``."""

    def one(record: Json) -> Json:
        kind = _typed(org, record)
        record_id, rest = _taken(record, "id")
        try:
            row = org.row(kind, record_id or "")
        except OrgError as error:
            if error.code != "NOT_FOUND":
                raise
            raise OrgError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id") from error
        return saved(org.update(kind, row, rest))

    return one


def upserting(org: Org, kind: SObject, field: str) -> Job:
    """Create or update records by an external id."""
    org.matching(kind, field, None)

    def one(record: Json) -> Json:
        _typed(org, record)
        value, rest = _taken(record, field)
        if value is None:
            raise OrgError("MISSING_ARGUMENT", f"{field} not specified", field)
        try:
            row, created = org.upsert(kind, field, value, rest)
        except Ambiguity as error:
            raise OrgError("DUPLICATE_EXTERNAL_ID", str(error), field) from error
        return saved(row) | {"created": created}

    return one


def deleting(org: Org) -> Job:
    """Delete records of any kind by their ``id``."""

    def one(record: Json) -> Json:
        kind = next((each for each in SOBJECTS if record["id"].startswith(each.prefix)), None)
        if kind is None:
            raise OrgError("MALFORMED_ID", f"malformed id {record['id']}")
        row = org.row(kind, record["id"])
        org.delete(row)
        return saved(row)

    return one


def saved(row: Json) -> Json:
    """Tell a success."""
    return {"id": row["Id"], "success": True, "errors": []}


def _judged(record: Json, one: Job) -> Json:
    try:
        return one(record)
    except OrgError as error:
        if error.code in {"JSON_PARSER_ERROR", "INVALID_INPUT"} or str(error).startswith("No such column"):
            raise
        return _failed(error.code, str(error), error.fields)


def _typed(org: Org, record: Json) -> SObject:
    named = record.get("attributes", {}).get("type")
    if not isinstance(named, str):
        raise OrgError("INVALID_INPUT", "Include an 'attributes' map with a 'type' in each record")
    return org.sobject(named, code="INVALID_TYPE", status=400)


def _taken(record: Json, name: str) -> tuple[Any, Json]:
    """Take one member out of a record, without regard to case."""
    held = next((value for key, value in record.items() if key.lower() == name.lower()), None)
    return held, {key: value for key, value in record.items() if key.lower() != name.lower()}


def _rolled_back() -> Json:
    message = "Record rolled back because not all records were valid and the request was using AllOrNone header"
    return _failed("ALL_OR_NONE_OPERATION_ROLLED_BACK", message, [])


def _failed(code: str, message: str, fields: list[str]) -> Json:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": fields}]}
