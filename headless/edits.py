"""The vocabulary of config changes: what can be done to one customer's choices, as data.

The Python client, the HTTP API (``POST …/installations/{id}:edit``) and the browser speak it; `applying` says what
each edit does. An object is named as the provider names it. An edit that adds to an object begins the object where it
is off; one that takes away leaves it off.
"""

from typing import Any, Literal

import msgspec

from installations.config import DynamicMapping, FieldDefault, FieldSetting, WriteOnCreate, WriteOnUpdate
from installations.shape import decode

Action = Literal["read", "write"]
"""Which block of the config a mapping belongs to: writes inherit those for reading, if the manifest says so."""


class EnableRead(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="enableRead"):
    """Read the object."""

    object_name: str


class DisableRead(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="disableRead"):
    """Stop reading the object; what was chosen for it stays, for writes may inherit it."""

    object_name: str


class SelectField(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="selectField"):
    """Select a provider field for reading, or select it no more. Required fields stay selected all the same."""

    object_name: str
    field_name: str
    selected: bool


class SelectAllFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="selectAllFields"
):
    """Select every field that the account has, now and later; or only those that are selected one by one."""

    object_name: str
    selected: bool


class MapField(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="mapField"):
    """Let a name of the product's stand for a provider field."""

    object_name: str
    map_to_name: str
    field_name: str
    action: Action = "read"


class UnmapField(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="unmapField"):
    """Let a name of the product's stand for no field."""

    object_name: str
    map_to_name: str
    action: Action = "read"


class MapValues(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="mapValues"):
    """Translate all values of a provider field, from the product's to the provider's; ``{}`` translates none."""

    object_name: str
    field_name: str
    values: dict[str, str]
    action: Action = "read"


class OfferMappings(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="offerMappings"):
    """Keep all the mappings that the host application offers at run time; an empty list keeps none."""

    object_name: str
    mappings: tuple[DynamicMapping, ...]


class EnableWrite(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="enableWrite"):
    """Allow writes of the object."""

    object_name: str


class DisableWrite(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="disableWrite"):
    """Allow no writes of the object; its settings for writing are gone."""

    object_name: str


class SetFieldSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="setFieldSettings"
):
    """Set a field's default and overwrite rules in place of all earlier ones; ``null`` removes them."""

    object_name: str
    field_name: str
    """A mapped or a provider name."""
    settings: FieldSetting | None


class SetDefault(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="setDefault"):
    """Set the value for requests that leave the field out; ``null`` removes it. Overwrite rules stay."""

    object_name: str
    field_name: str
    value: FieldDefault | None


class SetWriteOnCreate(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="setWriteOnCreate"
):
    """Set whether a create writes the field; ``null`` says nothing, which means always."""

    object_name: str
    field_name: str
    value: WriteOnCreate | None


class SetWriteOnUpdate(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="setWriteOnUpdate"
):
    """Set whether an update writes the field; ``null`` says nothing, which means always."""

    object_name: str
    field_name: str
    value: WriteOnUpdate | None


class EnableDeletion(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="enableDeletion"):
    """Allow records of the object to be deleted."""

    object_name: str


class DisableDeletion(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="disableDeletion"
):
    """Allow no record of the object to be deleted."""

    object_name: str


class SetInheritMapping(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="setInheritMapping"
):
    """Set whether writes use the mappings for reading; ``null`` leaves it to the manifest."""

    object_name: str
    inherit: bool | None


class SetRemoveUnmappedFields(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="setRemoveUnmappedFields"
):
    """Set whether fields that nothing names are dropped from writes; ``null`` leaves it to the manifest."""

    object_name: str
    remove: bool | None


class RemoveObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="removeObject"):
    """Forget everything chosen for the object: it is neither read nor written."""

    object_name: str


class EnableProxy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="enableProxy"):
    """Allow calls to be passed through."""


class DisableProxy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="edit", tag="disableProxy"):
    """Allow no calls to be passed through."""


ReadEdit = EnableRead | DisableRead | SelectField | SelectAllFields | OfferMappings
"""What concerns an object's reading alone."""
EitherEdit = MapField | UnmapField | MapValues
"""What concerns reading or writing, as its ``action`` says."""
SettingEdit = SetFieldSettings | SetDefault | SetWriteOnCreate | SetWriteOnUpdate
"""What concerns the writing of one field."""
WriteEdit = (
    EnableWrite
    | DisableWrite
    | SettingEdit
    | EnableDeletion
    | DisableDeletion
    | SetInheritMapping
    | SetRemoveUnmappedFields
)
"""What concerns an object's writing alone."""
ObjectEdit = ReadEdit | EitherEdit | WriteEdit
"""What concerns the reading or the writing of one object."""
Edit = ObjectEdit | RemoveObject | EnableProxy | DisableProxy


def parse_edits(data: Any, *, path: str = "edits") -> tuple[Edit, ...]:
    """Read a list of edits from decoded JSON.

    Raises:
        InvalidInput: an edit that is not known, or of another shape; every issue is listed, unknown members too.
    """
    edits: tuple[Edit, ...] = decode(data, tuple[Edit, ...], path=path, unknown="refuse")
    return edits
