"""HubSpot's properties and schemas as the published metadata.

https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
https://developers.hubspot.com/docs/api/crm/crm-custom-objects
"""

import re
from collections.abc import Mapping

import msgspec
from msgspec import UNSET, UnsetType

from installations.schema import Choice, FieldMetadata, ObjectMetadata, ValueType

_TYPES: Mapping[str, ValueType] = {
    "string": "string",
    "phone_number": "string",
    "number": "float",
    "bool": "boolean",
    "date": "date",
    "datetime": "datetime",
    "enumeration": "singleSelect",
}
"""``type`` of a property. HubSpot has one number type, with or without a fraction."""

_CUSTOM = re.compile(r"2-\d+|p\d*_.+")
"""Names of custom objects: type id (``2-123``), fully qualified (``p123_car``) and short (``p_car``)."""


class _Option(msgspec.Struct, frozen=True, kw_only=True):
    value: str
    label: str = ""


class _Modification(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    read_only_value: bool = False


class _Property(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: str
    label: str = ""
    type: str = ""
    field_type: str = ""
    options: tuple[_Option, ...] = ()
    calculated: bool = False
    hubspot_defined: bool = False
    external_options: bool = False
    referenced_object_type: str | None = None
    modification_metadata: _Modification = _Modification()


class _Properties(msgspec.Struct, frozen=True, kw_only=True):
    results: tuple[_Property, ...]


class _Labels(msgspec.Struct, frozen=True, kw_only=True):
    plural: str | None = None
    singular: str | None = None


class Schema(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What HubSpot says of a custom object beyond its properties."""

    required_properties: frozenset[str] = frozenset()
    labels: _Labels = _Labels()


def is_custom_object(object_name: str) -> bool:
    """Whether the name is one of a custom object; only these have required properties in HubSpot's metadata."""
    return _CUSTOM.fullmatch(object_name) is not None


def parse_schema(content: bytes) -> Schema:
    """Read the answer of ``/crm/v3/schemas/{type}``; raises `msgspec.DecodeError`."""
    return msgspec.json.decode(content, type=Schema)


def parse_object(content: bytes, *, object_name: str, schema: Schema | None) -> ObjectMetadata:
    """Read the answer of ``/crm/v3/properties/{type}``; raises `msgspec.DecodeError`."""
    properties = msgspec.json.decode(content, type=_Properties).results
    return ObjectMetadata(
        name=object_name,
        display_name=(schema.labels.plural if schema else None) or UNSET,
        fields={item.name: _field(item, schema=schema) for item in properties},
    )


def _field(item: _Property, *, schema: Schema | None) -> FieldMetadata:
    value_type = _value_type(item)
    return FieldMetadata(
        field_name=item.name,
        display_name=item.label or item.name,
        value_type=value_type,
        provider_type=item.type or UNSET,
        read_only=item.calculated or item.modification_metadata.read_only_value,
        is_custom=not item.hubspot_defined,
        is_required=item.name in schema.required_properties if schema else UNSET,
        reference_to=(item.referenced_object_type,) if item.referenced_object_type else UNSET,
        values=_choices(item, value_type=value_type),
    )


def _value_type(item: _Property) -> ValueType:
    if item.referenced_object_type:
        return "reference"
    if item.type == "enumeration" and item.field_type == "checkbox":
        return "multiSelect"
    if item.type == "enumeration" and item.field_type == "booleancheckbox":
        return "boolean"
    return _TYPES.get(item.type, "other")


def _choices(item: _Property, *, value_type: ValueType) -> tuple[Choice, ...] | UnsetType:
    """List the choices, hidden ones too: HubSpot takes these from the API. External ones (pipelines) stay unknown."""
    if value_type not in {"singleSelect", "multiSelect"} or (item.external_options and not item.options):
        return UNSET
    return tuple(Choice(value=option.value, display_value=option.label or option.value) for option in item.options)
