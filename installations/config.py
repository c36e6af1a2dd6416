"""What one customer chose: the content of an installation's config, decoded and encoded in this one place.

Published members keep their published meaning; those marked *Isthmus* are ours. A config is an object keyed by object
name where a manifest has a list, and ``selected_field_mappings`` is keyed by the product's name:
``{mapToName: providerField}``.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

WriteOnCreate = Literal["always", "never"]
WriteOnUpdate = Literal["always", "never", "ifEmpty"]


class FieldDefault(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A default value: exactly one member is given. The last three are *Isthmus*."""

    string_value: str | UnsetType = UNSET
    integer_value: int | UnsetType = UNSET
    boolean_value: bool | UnsetType = UNSET
    float_value: float | UnsetType = UNSET
    list_value: tuple[str | int | float | bool, ...] | UnsetType = UNSET
    date_value: str | UnsetType = UNSET
    """An RFC 3339 date or date-time, sent as text."""
    value: Any = UNSET
    """The form of early documentation; accepted, never written back."""


class FieldSetting(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Default value and overwrite rules of one field. The key is a mapped or a provider name."""

    default: FieldDefault | UnsetType = UNSET
    write_on_create: WriteOnCreate | UnsetType = UNSET
    write_on_update: WriteOnUpdate | UnsetType = UNSET


class LegacyDefault(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An entry of the deprecated ``selectedValueDefaults``: it gates the default only, never a value that was sent."""

    value: str | int | float | bool
    apply_on_update: Literal["always", "never"] = "always"


class DeletionSettings(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether records of this object may be deleted."""

    enabled: bool


class MappedValue(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One of the product's own values, offered for value mapping."""

    mapped_value: str
    mapped_display_value: str


class DynamicMapping(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A mapping the host application offered at run time."""

    map_to_name: str | UnsetType = UNSET
    map_to_display_name: str | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    field_name: str | UnsetType = UNSET
    mapped_values: tuple[MappedValue, ...] | UnsetType = UNSET


class FieldFilter(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A condition on the records to read."""

    field_name: str
    operator: Literal["eq"]
    value: Any = UNSET


class PeriodConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far back the first read goes."""

    days: int | UnsetType = UNSET
    full_history: bool | UnsetType = UNSET


class BackfillConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The first read of an object."""

    default_period: PeriodConfig
    field_filters: tuple[FieldFilter, ...] | UnsetType = UNSET


class ReadObjectConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object this customer lets us read."""

    object_name: str
    schedule: str | UnsetType = UNSET
    destination: str | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET
    selected_fields: dict[str, bool] = msgspec.field(default_factory=dict)
    selected_field_mappings: dict[str, str] = msgspec.field(default_factory=dict)
    selected_fields_auto: Literal["all"] | UnsetType = UNSET
    selected_value_mappings: dict[str, dict[str, str]] | UnsetType = UNSET
    dynamic_mappings_input: tuple[DynamicMapping, ...] | UnsetType = UNSET
    backfill: BackfillConfig | UnsetType = UNSET
    field_filters: tuple[FieldFilter, ...] | UnsetType = UNSET


class WriteObjectConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object this customer lets us write."""

    object_name: str
    selected_field_settings: dict[str, FieldSetting] | UnsetType = UNSET
    selected_value_defaults: dict[str, LegacyDefault | str | int | float | bool] | UnsetType = UNSET
    deletion_settings: DeletionSettings | UnsetType = UNSET
    inherit_mapping: bool | UnsetType = UNSET
    """In no schema, but in a documented example; honoured."""
    selected_field_mappings: dict[str, str] | UnsetType = UNSET
    """*Isthmus*: this customer's choices for the write-only mappings of the manifest, or free ones."""
    selected_value_mappings: dict[str, dict[str, str]] | UnsetType = UNSET
    """*Isthmus*: value mappings for writing alone; they stand before inherited ones."""
    remove_unmapped_fields: bool | UnsetType = UNSET
    """*Isthmus*: overrides the manifest's switch."""


class EventConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A switch for one kind of event."""

    enabled: Literal["always", "never"]


class UpdateEventConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Changes of fields."""

    enabled: Literal["always", "never"]
    watch_fields_auto: Literal["all"] | UnsetType = UNSET
    required_watch_fields: tuple[str, ...] | UnsetType = UNSET


class SubscribeObjectConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One object this customer lets us watch."""

    object_name: str
    destination: str | UnsetType = UNSET
    inherit_fields_and_mappings: bool = False
    create_event: EventConfig | UnsetType = UNSET
    update_event: UpdateEventConfig | UnsetType = UNSET
    delete_event: EventConfig | UnsetType = UNSET
    other_events: tuple[str, ...] | UnsetType = UNSET
    provider_options: dict[str, Any] | UnsetType = UNSET


class ReadConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The objects to read, by provider name."""

    objects: dict[str, ReadObjectConfig] = msgspec.field(default_factory=dict)


class WriteConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The objects to write, by provider name. An object that is not listed is off."""

    objects: dict[str, WriteObjectConfig] = msgspec.field(default_factory=dict)


class SubscribeConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The objects to watch, by provider name."""

    objects: dict[str, SubscribeObjectConfig] = msgspec.field(default_factory=dict)


class ProxyConfig(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether calls may be passed through."""

    enabled: bool = False


class ConfigContent(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything one customer chose. Without ``write``, every write object of the manifest is on."""

    provider: str
    read: ReadConfig | UnsetType = UNSET
    write: WriteConfig | UnsetType = UNSET
    subscribe: SubscribeConfig | UnsetType = UNSET
    proxy: ProxyConfig | UnsetType = UNSET
