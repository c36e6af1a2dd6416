"""How the sandbox's schema becomes ours: types by name, and a name in bracket form for every nested field."""

from collections.abc import Iterator, Mapping

import httpx
import msgspec
from msgspec import UNSET

from connectors.sandbox.answers import read_answer
from installations.schema import Choice, FieldMetadata, ObjectMetadata, ValueType

VALUE_TYPES: Mapping[str, ValueType] = {
    "string": "string",
    "email": "string",
    "integer": "int",
    "float": "float",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "select": "singleSelect",
    "multi_select": "multiSelect",
    "reference": "reference",
}


class _Option(msgspec.Struct, frozen=True, kw_only=True):
    value: str
    label: str


class _Field(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    label: str
    type: str
    required: bool = False
    read_only: bool = False
    custom: bool = False
    values: tuple[_Option, ...] = ()
    references: str = ""
    fields: "tuple[_Field, ...]" = ()


class _Schema(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    label: str
    fields: tuple[_Field, ...]


def read_schema(response: httpx.Response) -> ObjectMetadata:
    """Read the answer of ``GET /v1/objects/{object}/schema``."""
    schema = read_answer(response, _Schema)
    fields = {field.field_name: field for top in schema.fields for field in _walk(top, path=())}
    return ObjectMetadata(name=schema.name, display_name=schema.label, fields=fields)


def _walk(field: _Field, *, path: tuple[str, ...]) -> Iterator[FieldMetadata]:
    here = (*path, field.name)
    yield FieldMetadata(
        field_name=_bracketed(here),
        display_name=field.label,
        value_type=VALUE_TYPES.get(field.type, "other"),
        provider_type=field.type,
        read_only=field.read_only,
        is_custom=field.custom,
        is_required=field.required,
        reference_to=(field.references,) if field.references else UNSET,
        values=tuple(Choice(value=each.value, display_value=each.label) for each in field.values) or UNSET,
    )
    for inner in field.fields:
        yield from _walk(inner, path=here)


def _bracketed(path: tuple[str, ...]) -> str:
    return path[0] if len(path) == 1 else "$" + "".join(f"['{name}']" for name in path)
