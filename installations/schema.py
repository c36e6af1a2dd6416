"""What the customer's own account has: objects, fields, types and choices, in the published metadata shape."""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

ValueType = Literal[
    "string", "boolean", "singleSelect", "multiSelect", "date", "datetime", "int", "float", "reference", "other"
]


class Choice(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One value of a picklist."""

    value: str
    display_value: str


class FieldMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One field of an object, as the provider describes it for this account."""

    field_name: str
    display_name: str
    value_type: ValueType | UnsetType = UNSET
    provider_type: str | UnsetType = UNSET
    read_only: bool | UnsetType = UNSET
    is_custom: bool | UnsetType = UNSET
    is_required: bool | UnsetType = UNSET
    """Required on create and without a default of the provider's own. Rules and layouts may require more."""
    reference_to: tuple[str, ...] | UnsetType = UNSET
    values: tuple[Choice, ...] | UnsetType = UNSET
    any_value: bool | UnsetType = UNSET
    """*Isthmus*: true where ``values`` only suggests, and the provider takes others too."""


class Absent(str):
    """A sentence about why an object could not be described: the account has no such object."""

    __slots__ = ()


class ObjectMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object with all of its fields, by provider field name."""

    name: str
    fields: dict[str, FieldMetadata]
    display_name: str | UnsetType = UNSET
    mapped_object_name: str | UnsetType = UNSET
