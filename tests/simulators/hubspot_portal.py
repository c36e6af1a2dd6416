"""What a HubSpot account holds and which values it takes; never how it is spoken to.

Written from HubSpot's documentation and from answers that others published; the official client is the referee.
"""

import itertools
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.simulators.hubspot_schema import CAR, COMPANY, CONTACT, DEAL, LEAD, OWN, Json, Property

PORTAL_ID = 12345


class PortalError(Exception):
    """An error answer: status, and HubSpot's error body."""

    def __init__(self, status: int, message: str, *, category: str | None = "VALIDATION_ERROR", **members: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"status": "error", "message": message, "correlationId": str(uuid.uuid4()), **members}
        if category is not None:
            self.body["category"] = category

    def entry(self, trace_id: str | None) -> Json:
        """This error as one of a 207's ``errors``."""
        context = dict(self.body.get("context", {}))
        if trace_id is not None:
            context["objectWriteTraceId"] = [trace_id]
        return {
            "status": "error",
            "category": self.body.get("category", "VALIDATION_ERROR"),
            "message": self.body["message"],
            "errors": self.body.get("errors", []),
            "context": context,
            "links": {},
        }


@dataclass(kw_only=True)
class Entry:
    """One record."""

    id: str
    properties: dict[str, str]
    created: str
    updated: str
    archived: bool = False
    associations: list[Json] = field(default_factory=list)

    def as_json(self, names: tuple[str, ...], *, trace_id: str | None = None) -> Json:
        """The record with the named properties and those that HubSpot always adds."""
        own = {"createdate": self.created, "hs_lastmodifieddate": self.updated, "hs_object_id": self.id}
        known = self.properties | own
        body: Json = {
            "id": self.id,
            "properties": {name: known.get(name) or None for name in sorted({*names, *own})},
            "createdAt": self.created,
            "updatedAt": self.updated,
            "archived": self.archived,
        }
        return body | ({"objectWriteTraceId": trace_id} if trace_id is not None else {})


@dataclass(kw_only=True)
class ObjectType:
    """One type of object with its records."""

    type_id: str
    singular: str
    names: frozenset[str]
    properties: dict[str, Property]
    required: tuple[str, ...] = ()
    records: dict[str, Entry] = field(default_factory=dict)
    holders: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """By unique property and value: the ids of records that have it, or had it once."""

    @property
    def custom(self) -> bool:
        """Whether the customer made it."""
        return self.type_id.startswith("2-")

    def living(self) -> Iterator[Entry]:
        """The records that are not archived."""
        return (entry for entry in self.records.values() if not entry.archived)

    def get(self, key: str, *, id_property: str | None = None) -> Entry | None:
        """Find a record by id or by the value of a unique property."""
        if id_property in {None, "hs_object_id"}:
            entry = self.records.get(key)
            return entry if entry is not None and not entry.archived else None
        known = self.properties.get(id_property or "")
        if known is None or not known.unique:
            raise PortalError(400, f"{id_property} is not a unique property of {self.singular}")
        ids = self.holders.get((known.name, key.lower()), ())
        found = (self.records[each] for each in ids)
        alive = (entry for entry in found if not entry.archived)
        return next((e for e in alive if e.properties.get(known.name, "").lower() == key.lower()), None)

    def note(self, entry: Entry) -> None:
        """Note a record's unique values, so that ten thousand records can be told apart quickly."""
        for name, value in entry.properties.items():
            if self.properties[name].unique and value:
                self.holders.setdefault((name, value.lower()), []).append(entry.id)


class Portal:
    """The account: types, records and rules."""

    def __init__(self) -> None:
        self.types = standard_types()
        self._ids = itertools.count(101)
        self.unindexed: set[str] = set()
        self.search_lags = False
        """While set, search does not find what is created."""

    def type_named(self, name: str) -> ObjectType:
        """Resolve what stands in a path."""
        for known in self.types:
            if name in known.names:
                return known
        raise PortalError(400, f"Unable to infer object type from: {name}", category=None)

    def create(self, kind: ObjectType, properties: Mapping[str, Any], associations: list[Json]) -> Entry:
        """Create one record, or raise what is wrong with it."""
        values = self._checked(kind, properties, self_id=None)
        missing = [name for name in kind.required if not values.get(name)]
        if missing:
            message = f"Error creating {kind.singular}. Some required properties were not set."
            raise PortalError(400, message, context={"properties": missing})
        self._check_associations(associations)
        now = timestamp()
        entry = Entry(id=str(next(self._ids)), properties=values, created=now, updated=now, associations=associations)
        kind.records[entry.id] = entry
        kind.note(entry)
        if self.search_lags:
            self.unindexed.add(entry.id)
        return entry

    def update(self, kind: ObjectType, entry: Entry, properties: Mapping[str, Any]) -> Entry:
        """Change the given properties and leave the others."""
        entry.properties |= self._checked(kind, properties, self_id=entry.id)
        kind.note(entry)
        entry.updated = timestamp()
        return entry

    def _checked(self, kind: ObjectType, properties: Mapping[str, Any], *, self_id: str | None) -> dict[str, str]:
        problems = []
        for name, value in properties.items():
            if not isinstance(value, str):
                raise PortalError(400, f"Invalid input JSON: cannot read the value of {name} as a string")
            known = kind.properties.get(name)
            problem = known.problem(value) if known else (f'Property "{name}" does not exist', "PROPERTY_DOESNT_EXIST")
            if problem:
                problems.append({"isValid": False, "message": problem[0], "error": problem[1], "name": name})
        if problems:
            raise PortalError(400, f"Property values were not valid: {json.dumps(problems, separators=(',', ':'))}")
        self._check_unique(kind, properties, self_id=self_id)
        lowered = {"email": properties["email"].lower()} if "email" in properties else {}
        return dict(properties) | lowered

    def _check_unique(self, kind: ObjectType, properties: Mapping[str, str], *, self_id: str | None) -> None:
        for name, value in properties.items():
            if not kind.properties[name].unique or not value:
                continue
            other = kind.get(value, id_property=name)
            if other is None or other.id == self_id:
                continue
            if name == "email":
                raise PortalError(409, f"Contact already exists. Existing ID: {other.id}", category="CONFLICT")
            problem = {
                "isValid": False,
                "message": f"Cannot set {name}={value}. {other.id} already has that value.",
                "error": "CONFLICTING_UNIQUE_VALUE",
                "name": name,
            }
            raise PortalError(400, f"Property values were not valid: {json.dumps([problem])}")

    def _check_associations(self, associations: list[Json]) -> None:
        for association in associations:
            target = association["to"]["id"]
            if not any(target in kind.records for kind in self.types):
                raise PortalError(404, f"No object with ID {target} exists", category="OBJECT_NOT_FOUND")


def timestamp() -> str:
    """The time now as HubSpot writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def standard_types() -> tuple[ObjectType, ...]:
    """Contacts, companies, deals, leads, and cars as a custom object."""
    return (
        _type("0-1", "CONTACT", {"contacts", "contact", "0-1"}, (*OWN, *CONTACT)),
        _type("0-2", "COMPANY", {"companies", "company", "0-2"}, (*OWN, *COMPANY)),
        _type("0-3", "DEAL", {"deals", "deal", "0-3"}, (*OWN, *DEAL)),
        _type("0-136", "LEAD", {"leads", "lead", "0-136"}, (*OWN, *LEAD)),
        _type("2-123", "CAR", {"cars", "2-123", "p_cars", f"p{PORTAL_ID}_cars"}, (*OWN, *CAR), required=("model",)),
    )


def _type(
    type_id: str, singular: str, names: set[str], properties: tuple[Property, ...], *, required: tuple[str, ...] = ()
) -> ObjectType:
    return ObjectType(
        type_id=type_id,
        singular=singular,
        names=frozenset(names),
        properties={item.name: item for item in properties},
        required=required,
    )
