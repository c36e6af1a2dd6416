"""What the objects of the sandbox look like: fields, their types and their limits, as its API serves them."""

from typing import Literal

import msgspec

FieldType = Literal[
    "string",
    "email",
    "integer",
    "float",
    "boolean",
    "date",
    "datetime",
    "select",
    "multi_select",
    "reference",
    "object",
]

CUSTOM_PREFIX = "x_"
"""Names of custom fields and custom objects begin with it."""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One value of a picklist."""

    value: str
    label: str


class Field(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One field. A nested object carries its own ``fields``; ``computed`` joins other fields with a space."""

    name: str
    label: str
    type: FieldType
    required: bool = False
    read_only: bool = False
    unique: bool = False
    custom: bool = False
    max_length: int = 255
    values: tuple[Option, ...] = ()
    references: str = ""
    fields: "tuple[Field, ...]" = ()
    computed: tuple[str, ...] = ()


class SandboxObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object: its name in paths, its fields by name, and what its ids begin with."""

    name: str
    label: str
    id_prefix: str
    fields: dict[str, Field]
    custom: bool = False
    takes_keys: bool = False
    """Whether a create with an idempotency key that came before is answered as it was then."""

    @property
    def unique_fields(self) -> tuple[str, ...]:
        """The fields that no two records share."""
        return tuple(field.name for field in self.fields.values() if field.unique)


class SandboxObjectSchema(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An object with its fields, as ``GET /v1/objects/{object}/schema`` answers it."""

    name: str
    label: str
    custom: bool
    fields: tuple[Field, ...]


def schema_of(definition: SandboxObject) -> SandboxObjectSchema:
    """Tell an object's schema in the shape the API serves."""
    return SandboxObjectSchema(
        name=definition.name,
        label=definition.label,
        custom=definition.custom,
        fields=tuple(definition.fields.values()),
    )
