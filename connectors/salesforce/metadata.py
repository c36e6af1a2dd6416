"""How a describe answer becomes the published schema of an object."""

import msgspec
from msgspec import UNSET, UnsetType

from installations.schema import Choice, FieldMetadata, ObjectMetadata, ValueType

# https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm
_VALUE_TYPES: dict[str, ValueType] = {
    "string": "string",
    "textarea": "string",
    "phone": "string",
    "url": "string",
    "email": "string",
    "encryptedstring": "string",
    "combobox": "string",
    "id": "string",
    "boolean": "boolean",
    "int": "int",
    "long": "int",
    "double": "float",
    "currency": "float",
    "percent": "float",
    "date": "date",
    "datetime": "datetime",
    "picklist": "singleSelect",
    "multipicklist": "multiSelect",
    "reference": "reference",
}


_PICKLISTS = frozenset({"picklist", "multipicklist", "combobox"})


class _PicklistValue(msgspec.Struct, frozen=True, kw_only=True):
    value: str
    label: str | None = None
    active: bool = True


class _Field(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The members used. https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_describesobjects_describesobjectresult.htm#field."""

    name: str
    type: str
    label: str | None = None
    custom: bool = False
    createable: bool = False
    updateable: bool = False
    nillable: bool = True
    defaulted_on_create: bool = False
    picklist_values: tuple[_PicklistValue, ...] | None = None
    reference_to: tuple[str, ...] | None = None
    restricted_picklist: bool = True


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``/sobjects/<S>/describe``, as far as it is read.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_describe.htm
    """

    name: str
    fields: tuple[_Field, ...]
    label: str | None = None


def from_description(described: Description) -> ObjectMetadata:
    """Build the schema of an object from its description."""
    return ObjectMetadata(
        name=described.name,
        display_name=described.label or described.name,
        fields={field.name: _field(field) for field in described.fields},
    )


def _field(field: _Field) -> FieldMetadata:
    return FieldMetadata(
        field_name=field.name,
        display_name=field.label or field.name,
        value_type=_VALUE_TYPES.get(field.type, "other"),
        provider_type=field.type,
        read_only=not (field.createable or field.updateable),
        is_custom=field.custom,
        is_required=field.createable and not field.nillable and not field.defaulted_on_create,
        reference_to=field.reference_to or UNSET,
        values=_choices(field),
        any_value=True if field.type in _PICKLISTS and not field.restricted_picklist else UNSET,
    )


def _choices(field: _Field) -> tuple[Choice, ...] | UnsetType:
    """Answer the active values of a picklist, in the order Salesforce shows them."""
    if field.type not in _PICKLISTS:
        return UNSET
    active = (choice for choice in field.picklist_values or () if choice.active)
    return tuple(Choice(value=choice.value, display_value=choice.label or choice.value) for choice in active)
