"""The records of one object in one workspace, by id and by unique value; and units of work that can be undone."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import msgspec

from connectors.sandbox.fields import SandboxObject

EffectAction = Literal["create", "update", "delete", "associate", "dissociate"]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """The other end of an association. Ids are unique in a workspace, so the object may be left out."""

    id: str
    object: str = ""


class Association(msgspec.Struct, frozen=True, kw_only=True):
    """A link to another record, seen from both ends."""

    to: Target
    type: str = "related"


class StoredRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record, in the shape the API serves."""

    id: str
    object: str
    fields: Mapping[str, Any]
    associations: tuple[Association, ...] = ()


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Something that really happened to a record."""

    action: EffectAction
    object: str
    record_id: str
    fields: Mapping[str, Any]
    """The values as they were sent."""
    key: str | None = None
    """The idempotency key of a create."""


class Unit:
    """The effects of one request, and how to take them back."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []
        self._undo: list[Callable[[], None]] = []

    def on_roll_back(self, undo: Callable[[], None]) -> None:
        """Remember how to take one step back."""
        self._undo.append(undo)

    def roll_back(self) -> None:
        """Take everything back, the last step first."""
        while self._undo:
            self._undo.pop()()
        self.effects.clear()


class Table:
    """The records of one object. `put` and `drop` are the only ways to change it."""

    def __init__(self, definition: SandboxObject) -> None:
        self.definition = definition
        self.records: dict[str, StoredRecord] = {}
        self._owners: dict[tuple[str, str], str] = {}

    def put(self, record: StoredRecord, *, unit: Unit) -> None:
        """Store a record, new or changed. Its unique values must be free."""
        before = self.records.get(record.id)
        self._replace(before, record)
        unit.on_roll_back(lambda: self._replace(record, before))

    def drop(self, record: StoredRecord, *, unit: Unit) -> None:
        """Remove a record."""
        self._replace(record, None)
        unit.on_roll_back(lambda: self._replace(None, record))

    def owner(self, field: str, value: Any) -> str | None:
        """Tell the id of the record with this value in a unique field."""
        return self._owners.get((field, _folded(value)))

    def unique_values(self, record: StoredRecord) -> Iterator[tuple[str, str]]:
        """List a record's values in unique fields."""
        for field in self.definition.unique_fields:
            value = record.fields.get(field)
            if value is not None:
                yield field, _folded(value)

    def _replace(self, before: StoredRecord | None, after: StoredRecord | None) -> None:
        if before is not None:
            for key in self.unique_values(before):
                self._owners.pop(key, None)
            if after is None:
                del self.records[before.id]
        if after is not None:
            self.records[after.id] = after
            self._owners.update((key, after.id) for key in self.unique_values(after))


def _folded(value: Any) -> str:
    return str(value).casefold()
