"""What is sent: bodies and requests for one record and for collections."""

from collections.abc import Collection
from typing import Any

import httpx

from connectors.errors import Refused
from connectors.salesforce.addresses import object_name
from installations.record import Change, Fault, Record, RecordChange


def write_request(method: str, url: str, change: Change, body: Any = None) -> httpx.Request:
    """Build a write with the headers that the caller asked for, such as ``Sforce-Duplicate-Rule-Header``.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers.htm
    """
    # As bytes: what may stand in a header is judged in one place, on the way out, and not by httpx's ASCII encoder.
    headers = [
        (header.key.encode(errors="replace"), header.value.encode(errors="replace")) for header in change.headers
    ]
    return httpx.Request(method, url, headers=headers, json=body)


def collection_body(change: Change) -> dict[str, Any]:
    """Build the body of a collection: each record with its type, and its id where it has one.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm

    Raises:
        Refused: if the object's name cannot be one.
    """
    attributes = {"attributes": {"type": object_name(change.object_name)}}
    records = [attributes | _collection_fields(change, record) for record in change.records]
    return {"allOrNone": change.all_or_none, "records": records}


def without(fields: Record, names: Collection[str]) -> Record:
    """Answer the fields but those named, without regard to case."""
    dropped = {name.lower() for name in names}
    return {name: value for name, value in fields.items() if name.lower() not in dropped}


def match_value(record: RecordChange, match_field: str) -> Any:
    """Answer the value to match a record by.

    Raises:
        Refused: with kind ``invalid`` if the record has none, or if it is no text, number or boolean.
    """
    value = next((held for name, held in record.fields.items() if name.lower() == match_field.lower()), None)
    if isinstance(value, str | int | float) and value != "":
        return value
    message = f"an upsert by {match_field!r} needs a text, number or boolean in that field of every record"
    raise Refused(Fault(kind="invalid", message=message, fields=(match_field,)))


def refuse_associations(change: Change) -> None:
    """Refuse what Salesforce cannot express.

    Raises:
        Refused: with kind ``invalid`` if a record has associations.
    """
    if any(record.associations for record in change.records):
        message = "Salesforce has no associations: set the lookup field, or a nested object with an external id"
        raise Refused(Fault(kind="invalid", message=message))


def _collection_fields(change: Change, record: RecordChange) -> Record:
    """Lay out one record: an update is addressed by ``id``, an upsert by the external id in its fields."""
    own = without(record.fields, {"attributes"} if change.action == "create" else {"attributes", "id"})
    return own if record.id is None or change.action != "update" else {"id": record.id, **own}
