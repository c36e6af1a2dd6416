"""The simulated organisation: its records, and what it says to a change, one record at a time."""

import copy
import math
from dataclasses import dataclass, field
from typing import Any

from tests.simulators.salesforce_schema import SOBJECTS, Field, Json, SObject, long_id
from tests.simulators.salesforce_soql import Condition, Query

NOW = "2026-11-22T10:00:00.000+0000"


class OrgError(Exception):
    """A refusal in Salesforce's words."""

    def __init__(self, code: str, message: str, *fields: str, status: int = 400) -> None:
        self.code = code
        self.fields = list(fields)
        self.status = status
        super().__init__(message)


class Ambiguity(Exception):
    """An external id matches several records; carries their ids."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        super().__init__("more than one record found for external id")


@dataclass
class Org:
    """What the organisation holds. Ids are the long ones."""

    rows: dict[str, Json] = field(default_factory=dict)
    locked: set[str] = field(default_factory=set)
    _count: int = 0

    def snapshot(self) -> "Org":
        """Copy it, to be put back when a collection is rolled back."""
        return copy.deepcopy(self)

    def restore(self, before: "Org") -> None:
        """Put back what was there."""
        self.rows, self.locked = before.rows, before.locked

    def sobject(self, name: str, *, code: str = "NOT_FOUND", status: int = 404) -> SObject:
        """Find a kind of record without regard to case."""
        found = next((kind for kind in SOBJECTS if kind.name.lower() == name.lower()), None)
        if found is None:
            said = "The requested resource does not exist"
            message = said if code == "NOT_FOUND" else f"sObject type '{name}' is not supported."
            raise OrgError(code, message, status=status)
        return found

    def records(self, name: str) -> list[Json]:
        """Tell the live records of one kind."""
        prefix = self.sobject(name).prefix
        return [row for row in self.rows.values() if row["Id"].startswith(prefix) and not row["IsDeleted"]]

    def row(self, kind: SObject, record_id: str) -> Json:
        """Find a live record by an id of 15 or 18 characters."""
        if len(record_id) not in {15, 18}:
            raise OrgError("MALFORMED_ID", f"{kind.name} ID: id value of incorrect type: {record_id}", "Id")
        row = self.rows.get(long_id(record_id[:15]))
        if row is None or not row["Id"].startswith(kind.prefix):
            raise OrgError("NOT_FOUND", "The requested resource does not exist", status=404)
        if row["IsDeleted"]:
            raise OrgError("ENTITY_IS_DELETED", "entity is deleted", status=404)
        return row

    def matching(self, kind: SObject, name: str, value: Any) -> list[Json]:
        """Find live records by an external id field, text without regard to case."""
        key = kind.field(name)
        if key is None or not key.external_id:
            message = f"Provided external ID field does not exist or is not accessible: {name}"
            raise OrgError("NOT_FOUND", message, status=404)
        return [row for row in self.records(kind.name) if _same(row[key.name], value)]

    def create(self, kind: SObject, body: Json, *, allow_duplicates: bool = False) -> Json:
        """Create a record and answer it."""
        values = self._values(kind, body, createable=True)
        row = {each.name: each.default for each in kind.fields} | values
        missing = [each.name for each in kind.fields if each.required and row[each.name] in {None, ""}]
        if missing:
            message = f"Required fields are missing: [{', '.join(missing)}]"
            raise OrgError("REQUIRED_FIELD_MISSING", message, *missing)
        self._check_unique(kind, values, own_id=None)
        if kind.name == "Lead" and not allow_duplicates:
            self._check_duplicate_rule(kind, row)
        self._count += 1
        row |= {"Id": long_id(f"{kind.prefix}5e00000{self._count:05}"), "CreatedDate": NOW}
        self.rows[row["Id"]] = row
        return row

    def update(self, kind: SObject, row: Json, body: Json) -> Json:
        """Change a record and answer it."""
        if row["Id"] in self.locked:
            raise OrgError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        values = self._values(kind, body, createable=False)
        emptied = [each.name for each in kind.fields if each.required and values.get(each.name, "x") in {None, ""}]
        if emptied:
            message = f"Required fields are missing: [{', '.join(emptied)}]"
            raise OrgError("REQUIRED_FIELD_MISSING", message, *emptied)
        self._check_unique(kind, values, own_id=row["Id"])
        row |= values
        return row

    def upsert(self, kind: SObject, name: str, value: Any, body: Json) -> tuple[Json, bool]:
        """Create or change the record with the external id; answers it, and whether it was created."""
        found = self.matching(kind, name, value)
        if len(found) > 1:
            raise Ambiguity([row["Id"] for row in found])
        if found:
            return self.update(kind, found[0], body), False
        key = kind.field(name)
        assert key is not None
        typed = float(value) if key.type == "double" else value
        return self.create(kind, body | {key.name: typed}), True

    def delete(self, row: Json) -> None:
        """Put a record into the recycle bin."""
        if row["Id"] in self.locked:
            raise OrgError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        row["IsDeleted"] = True

    def select(self, query: Query) -> list[Json]:
        """Run a query."""
        kind = self.sobject(query.object_name, code="INVALID_TYPE", status=400)
        self.check_columns(kind, query.fields)
        for condition in (each for conjunction in query.where for each in conjunction):
            _check_comparable(self.column(kind, condition.field), condition.values)
        rows = [
            row
            for row in self.records(kind.name)
            if any(all(self._holds(kind, row, each) for each in conjunction) for conjunction in query.where)
        ]
        return [self.shown(kind, row, query.fields) for row in rows[: query.limit]]

    def shown(self, kind: SObject, row: Json, names: tuple[str, ...]) -> Json:
        """Show the named fields of a record, with its attributes, related records nested."""
        shown: Json = {
            "attributes": {"type": kind.name, "url": f"/services/data/v60.0/sobjects/{kind.name}/{row['Id']}"}
        }
        for name in names:
            head, _, rest = name.partition(".")
            if not rest:
                known = self.column(kind, head)
                shown[known.name] = row[known.name]
                continue
            link = kind.relationship(head)
            assert link is not None
            target = self.rows.get(row[link.name] or "")
            other = self.sobject(link.reference_to[0])
            shown[link.relationship or head] = None if target is None else self.shown(other, target, (rest,))
        return shown

    def check_columns(self, kind: SObject, names: tuple[str, ...]) -> None:
        """Refuse a field, or a path over one relationship, that is not there."""
        for name in names:
            head, _, rest = name.partition(".")
            link = kind.relationship(head) if rest else None
            if rest and link is None:
                raise OrgError("INVALID_FIELD", f"Didn't understand relationship '{head}' in field path.")
            if link is None:
                self.column(kind, name)
            else:
                self.column(self.sobject(link.reference_to[0]), rest)

    def column(self, kind: SObject, name: str) -> Field:
        """Find a field of a query or body."""
        known = kind.field(name)
        if known is None:
            raise OrgError("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")
        return known

    def _holds(self, kind: SObject, row: Json, condition: Condition) -> bool:
        known = self.column(kind, condition.field)
        return any(_same(row[known.name], value) for value in condition.values) != condition.negated

    def _values(self, kind: SObject, body: Json, *, createable: bool) -> Json:
        values: Json = {}
        for name, value in body.items():
            if name == "attributes":
                continue
            if name.lower() == "id":
                raise OrgError("INVALID_FIELD", "The Id field should not be specified in the sobject data.")
            if isinstance(value, dict):
                link = kind.relationship(name)
                if link is None:
                    raise OrgError("INVALID_FIELD", f"No such column '{name}' on sobject of type {kind.name}")
                values[link.name] = self._parent(link, value)
                continue
            known = self.column(kind, name)
            if not (known.createable if createable else known.updateable):
                message = (
                    f"Unable to create/update fields: {known.name}. Please check the security settings of this field"
                )
                raise OrgError("INVALID_FIELD_FOR_INSERT_UPDATE", message, known.name)
            values[known.name] = self._checked(known, value)
        return values

    def _parent(self, link: Field, named: Json) -> str:
        kind = self.sobject(link.reference_to[0])
        ((name, value),) = ((key, held) for key, held in named.items() if key != "attributes")
        found = self.matching(kind, name, value)
        if not found:
            message = f"Foreign key external ID: {value} not found for field {name} in entity {kind.name}"
            raise OrgError("INVALID_FIELD", message)
        return str(found[0]["Id"])

    def _checked(self, known: Field, value: Any) -> Any:
        if value is None:
            return None
        _check_type(known, value)
        if known.restricted and value not in known.picklist:
            message = f"{known.name}: bad value for restricted picklist field: {value}"
            raise OrgError("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, known.name)
        if known.length and isinstance(value, str) and len(value) > known.length:
            message = f"{known.label or known.name}: data value too large: {value[:20]} (max length={known.length})"
            raise OrgError("STRING_TOO_LONG", message, known.name)
        if known.type == "reference" and long_id(value[:15]) not in self.rows:
            raise OrgError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", known.name)
        return long_id(value[:15]) if known.type == "reference" else value

    def _check_unique(self, kind: SObject, values: Json, *, own_id: str | None) -> None:
        for known in (each for each in kind.fields if each.unique and values.get(each.name) is not None):
            for other in self.records(kind.name):
                if other["Id"] != own_id and _same(other[known.name], values[known.name]):
                    message = (
                        f"duplicate value found: {known.name} duplicates value on record with id: {other['Id'][:15]}"
                    )
                    raise OrgError("DUPLICATE_VALUE", message)

    def _check_duplicate_rule(self, kind: SObject, row: Json) -> None:
        if any(row["Email"] and _same(other["Email"], row["Email"]) for other in self.records(kind.name)):
            raise OrgError("DUPLICATES_DETECTED", "Use one of these records?")


def _same(held: Any, value: Any) -> bool:
    """Compare as Salesforce does: text without regard to case, numbers as numbers wherever they come from."""
    if isinstance(held, float | int) and not isinstance(held, bool) and isinstance(value, str):
        try:
            return math.isclose(held, float(value))
        except ValueError:
            return False
    if isinstance(held, str) and isinstance(value, str):
        return held.lower() == value.lower()
    return bool(held == value)


def _check_type(known: Field, value: Any) -> None:
    wanted: Any = {"boolean": bool, "int": int, "double": int | float, "currency": int | float}.get(known.type, str)
    if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
        message = f"Cannot deserialize instance of {known.type} from VALUE {value!r}"
        raise OrgError("JSON_PARSER_ERROR", message)


def _check_comparable(known: Field, values: tuple[Any, ...]) -> None:
    bare = known.type in {"boolean", "int", "double", "currency", "date", "datetime"}
    for value in (each for each in values if each is not None):
        if isinstance(value, str) == bare:
            how = " and should not be enclosed in quotes" if bare else ""
            message = f"value of filter criterion for field '{known.name}' must be of type {known.type}{how}"
            raise OrgError("INVALID_FIELD", message)
