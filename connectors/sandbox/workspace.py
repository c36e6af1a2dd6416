"""One workspace of the sandbox: its objects, its records, and every rule a write must pass.

Knows nothing of HTTP but the status codes in its refusals. Every method either does all it says or raises `Refusal`
and does nothing.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.sandbox.fields import CUSTOM_PREFIX, Field, SandboxObject
from connectors.sandbox.objects import STANDARD_OBJECTS
from connectors.sandbox.refusals import FieldError, Refusal, bad_request, record_not_found, refused_fields
from connectors.sandbox.table import Association, Effect, StoredRecord, Table, Target, Unit
from connectors.sandbox.values import check_record

_CUSTOM_FIELD_NAME = re.compile(CUSTOM_PREFIX + r"[A-Za-z][A-Za-z0-9_]{0,60}")


class RecordWrite(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller sends for one record."""

    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    associations: tuple[Association, ...] = ()


class Workspace:
    """One tenant's data, in memory. ``now`` answers the time in UTC."""

    def __init__(self, name: str, *, now: Callable[[], datetime]) -> None:
        self.name = name
        self._now = now
        self._tables = {definition.name: Table(definition) for definition in STANDARD_OBJECTS}
        self._numbers = dict.fromkeys(self._tables, 1000)

    def definitions(self) -> tuple[SandboxObject, ...]:
        """List the objects."""
        return tuple(table.definition for table in self._tables.values())

    def table(self, object_name: str) -> Table:
        """Answer an object's records; 404 ``unknown_object`` if there is no such object."""
        table = self._tables.get(object_name)
        if table is None:
            raise Refusal(404, "unknown_object", f"There is no object {object_name[:100]!r}.")
        return table

    def add_field(self, object_name: str, field: Field) -> Field:
        """Add a custom field to an object; its name must begin with ``x_``."""
        table = self.table(object_name)
        errors = _field_definition_errors(field, known=table.definition.fields)
        if errors:
            raise refused_fields(errors)
        field = msgspec.structs.replace(field, custom=True, read_only=False, required=False, computed=())
        fields = {**table.definition.fields, field.name: field}
        table.definition = msgspec.structs.replace(table.definition, fields=fields)
        return field

    def get(self, object_name: str, record_id: str) -> StoredRecord:
        """Answer one record; 404 if there is none."""
        record = self.table(object_name).records.get(record_id)
        if record is None:
            raise record_not_found(object_name, record_id)
        return record

    def create(self, object_name: str, write: RecordWrite, *, unit: Unit, key: str | None = None) -> StoredRecord:
        """Create a record. Its idempotency key is noted along with the effect."""
        table = self.table(object_name)
        links = self._checked(table, write, record_id=None)
        self._numbers[object_name] += 1
        record_id = f"{table.definition.id_prefix}_{self._numbers[object_name]}"
        now = self._timestamp()
        fields = {"id": record_id, "createdAt": now, "updatedAt": now, **_merged({}, write.fields)}
        record = StoredRecord(id=record_id, object=object_name, fields=_computed(table.definition, fields))
        table.put(record, unit=unit)
        effect = Effect(action="create", object=object_name, record_id=record_id, fields=write.fields, key=key)
        unit.effects.append(effect)
        return self._linked(record, links, unit=unit)

    def update(self, object_name: str, record_id: str, write: RecordWrite, *, unit: Unit) -> StoredRecord:
        """Change the given fields of a record; nested objects are merged, ``null`` clears a field."""
        table = self.table(object_name)
        before = self.get(object_name, record_id)
        links = self._checked(table, write, record_id=record_id)
        fields = {**_merged(before.fields, write.fields), "updatedAt": self._timestamp()}
        record = msgspec.structs.replace(before, fields=_computed(table.definition, fields))
        table.put(record, unit=unit)
        unit.effects.append(Effect(action="update", object=object_name, record_id=record_id, fields=write.fields))
        return self._linked(record, links, unit=unit)

    def upsert(
        self, object_name: str, match_field: str, write: RecordWrite, *, unit: Unit
    ) -> tuple[StoredRecord, bool]:
        """Update the record whose unique field has the given value, or create it; answers whether it was created."""
        table = self.table(object_name)
        if match_field not in table.definition.unique_fields:
            raise bad_request(f"matchField must be a unique field of {object_name}, not {match_field[:100]!r}.")
        value = write.fields.get(match_field)
        if value is None:
            missing = FieldError(field=match_field, code="required", message="The field to match by needs a value.")
            raise refused_fields((missing,))
        owner = table.owner(match_field, value)
        if owner is None:
            return self.create(object_name, write, unit=unit), True
        return self.update(object_name, owner, write, unit=unit), False

    def delete(self, object_name: str, record_id: str, *, unit: Unit) -> None:
        """Delete a record and the links to it."""
        record = self.get(object_name, record_id)
        for link in record.associations:
            self._unlink_one_way(link.to, record_id, unit=unit)
        self.table(object_name).drop(record, unit=unit)
        unit.effects.append(Effect(action="delete", object=object_name, record_id=record_id, fields={}))

    def associate(self, object_name: str, record_id: str, links: Sequence[Association], *, unit: Unit) -> StoredRecord:
        """Link a record to others."""
        record = self.get(object_name, record_id)
        located = self._located(links)
        if any(isinstance(link, FieldError) for link in located):
            raise refused_fields(tuple(link for link in located if isinstance(link, FieldError)))
        return self._linked(record, [link for link in located if isinstance(link, Association)], unit=unit)

    def dissociate(self, object_name: str, record_id: str, target: Target, *, unit: Unit) -> None:
        """Remove every link between two records; 404 if there is none."""
        record = self.get(object_name, record_id)
        if all(link.to != target for link in record.associations):
            raise record_not_found(f"the associations of {record_id}", target.id)
        self._unlink_one_way(Target(id=record_id, object=object_name), target.id, unit=unit)
        self._unlink_one_way(target, record_id, unit=unit)
        effect = Effect(action="dissociate", object=object_name, record_id=record_id, fields={"to": target.id})
        unit.effects.append(effect)

    def _checked(self, table: Table, write: RecordWrite, *, record_id: str | None) -> list[Association]:
        fields = table.definition.fields
        errors = list(check_record(fields, write.fields, new=record_id is None))
        refused = {error.field for error in errors}
        fine = {
            name: value
            for name, value in write.fields.items()
            if name in fields and name not in refused and value is not None
        }
        errors += self._relation_errors(table, fine, record_id=record_id)
        located = self._located(write.associations)
        errors += [link for link in located if isinstance(link, FieldError)]
        if errors:
            raise refused_fields(tuple(errors))
        return [link for link in located if isinstance(link, Association)]

    def _relation_errors(
        self, table: Table, values: Mapping[str, Any], *, record_id: str | None
    ) -> Iterator[FieldError]:
        for name, value in values.items():
            field = table.definition.fields[name]
            owner = table.owner(name, value) if field.unique else None
            if owner not in {None, record_id}:
                message = f"Another record has this {field.label.lower()}."
                yield FieldError(field=name, code="duplicate", message=message, existing_id=owner)
            if field.references and value not in self._tables[field.references].records:
                message = f"There is no such record in {field.references}."
                yield FieldError(field=name, code="not_found", message=message)

    def _located(self, links: Sequence[Association]) -> list[Association | FieldError]:
        return [self._locate(link, path=f"associations[{index}]") for index, link in enumerate(links)]

    def _locate(self, link: Association, *, path: str) -> Association | FieldError:
        for name, table in self._tables.items():
            if link.to.id in table.records and link.to.object in {"", name}:
                return msgspec.structs.replace(link, to=Target(id=link.to.id, object=name))
        return FieldError(field=path, code="not_found", message="There is no such record to associate with.")

    def _linked(self, record: StoredRecord, links: Sequence[Association], *, unit: Unit) -> StoredRecord:
        here = Target(id=record.id, object=record.object)
        for link in links:
            if link in self.get(record.object, record.id).associations:
                continue
            self._link_one_way(here, link, unit=unit)
            self._link_one_way(link.to, Association(to=here, type=link.type), unit=unit)
            sent = {"to": link.to.id, "type": link.type}
            unit.effects.append(Effect(action="associate", object=record.object, record_id=record.id, fields=sent))
        return self.get(record.object, record.id) if links else record

    def _link_one_way(self, start: Target, link: Association, *, unit: Unit) -> None:
        record = self.get(start.object, start.id)
        self._tables[start.object].put(
            msgspec.structs.replace(record, associations=(*record.associations, link)), unit=unit
        )

    def _unlink_one_way(self, start: Target, target_id: str, *, unit: Unit) -> None:
        record = self.get(start.object, start.id)
        kept = tuple(link for link in record.associations if link.to.id != target_id)
        self._tables[start.object].put(msgspec.structs.replace(record, associations=kept), unit=unit)

    def _timestamp(self) -> str:
        return self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _merged(before: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(before)
    for name, value in values.items():
        if isinstance(value, dict):
            inner = merged.get(name)
            merged[name] = _merged(inner if isinstance(inner, dict) else {}, value)
        elif value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    return merged


def _computed(definition: SandboxObject, fields: dict[str, Any]) -> dict[str, Any]:
    for field in definition.fields.values():
        if field.computed:
            fields[field.name] = " ".join(fields[part] for part in field.computed if fields.get(part))
    return fields


def _field_definition_errors(field: Field, *, known: Mapping[str, Field]) -> tuple[FieldError, ...]:
    errors = []
    if not _CUSTOM_FIELD_NAME.fullmatch(field.name):
        message = f"A custom field's name begins with {CUSTOM_PREFIX}, then letters, digits and underscores."
        errors.append(FieldError(field="name", code="invalid_format", message=message))
    if field.name in known:
        errors.append(FieldError(field="name", code="duplicate", message="There is a field with this name."))
    if field.type in {"object", "reference"}:
        message = "A custom field cannot be a nested object or a reference."
        errors.append(FieldError(field="type", code="not_in_picklist", message=message))
    if field.type in {"select", "multi_select"} and not field.values:
        errors.append(FieldError(field="values", code="required", message="A picklist needs values."))
    return tuple(errors)
