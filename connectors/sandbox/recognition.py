"""How the sandbox tells a create that came before, object by object, and how a key goes along with a create.

The sandbox's page ``/`` says the same in a table.
"""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from connectors.connector import Recognition
from installations.record import Change, Header, Record, RecordChange

UNIQUE: Mapping[str, tuple[str, ...]] = {
    "contacts": ("email", "externalId"),
    "companies": ("domain", "externalId"),
    "deals": ("externalId",),
}
"""The fields that the sandbox keeps unique, as its objects come."""
KEYED = frozenset({"companies"})
"""Objects whose creates take an idempotency key."""
MARKED = frozenset({"deals", "tickets"})
"""Objects whose external id is free to make up, and that can be found by it from the moment they are there."""
MARKER_FIELD = "externalId"
KEY_WINDOW_SECONDS = 24 * 3600.0
KEY_HEADER = "Idempotency-Key"

_BY_KEY = Recognition(kind="key", window_seconds=KEY_WINDOW_SECONDS)
_BY_MARKER = Recognition(kind="marker", field=MARKER_FIELD, exact=True)


def recognised_by(object_name: str, fields: Record) -> Recognition | None:
    """Tell how a create of these fields is recognised, the surest way first; ``None`` if it is not."""
    if object_name in KEYED:
        return _BY_KEY
    for field in UNIQUE.get(object_name, ()):
        if fields.get(field) is not None:
            return Recognition(kind="unique", field=field)
    if object_name in MARKED and fields.get(MARKER_FIELD) is None:
        return _BY_MARKER
    return None


def with_markers(change: Change) -> Change:
    """Stamp the keys of a create into records that are recognised by a marker."""
    if change.action != "create" or not change.keys or change.object_name not in MARKED:
        return change
    pairs = zip(change.records, change.keys, strict=True)
    return replace(change, records=tuple(_marked(change.object_name, record, key) for record, key in pairs))


def keys_of(change: Change) -> tuple[str | None, ...]:
    """Tell the key that goes along with each record, ``None`` where none does."""
    if change.action != "create" or not change.keys or change.object_name not in KEYED:
        return (None,) * len(change.records)
    return change.keys


def with_key(headers: tuple[Header, ...], key: str | None) -> tuple[Header, ...]:
    """Add the header for the key of a single create; one that the caller sends wins."""
    if key is None or any(header.key.lower() == KEY_HEADER.lower() for header in headers):
        return headers
    return (*headers, Header(key=KEY_HEADER, value=key))


def with_item_key(item: dict[str, Any], key: str | None) -> dict[str, Any]:
    """Put the key of one record of a batch beside its fields."""
    return item if key is None else item | {"key": key}


def _marked(object_name: str, record: RecordChange, key: str) -> RecordChange:
    if recognised_by(object_name, record.fields) is not _BY_MARKER:
        return record
    return replace(record, fields=record.fields | {MARKER_FIELD: key})
