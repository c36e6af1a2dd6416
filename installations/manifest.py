"""What an integration may do: the shape of ``amp.yaml``.

The members are those of the published manifest schema (specVersion 1.0.0); those marked *Isthmus* are ours, and the
published tools ignore them. Reading the YAML is ``amp_yaml``'s matter, judging it ``manifest_checks``'s.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import FieldSetting

Always = Literal["always"]


class ManifestField(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Either kind of field as written; told apart by ``field_name``. At least one of the two names is present."""

    field_name: str | UnsetType = UNSET
    map_to_name: str | UnsetType = UNSET
    map_to_display_name: str | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    default: str | UnsetType = UNSET


class DefaultPeriod(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How far back the first read goes: ``days`` or ``full_history``."""

    days: int | UnsetType = UNSET
    full_history: bool | UnsetType = UNSET


class Backfill(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The first read of an object."""

    default_period: DefaultPeriod


class Delivery(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Deprecated upstream, kept as written."""

    mode: Literal["onRequest", "auto"] = "auto"
    page_size: int | UnsetType = UNSET


class ReadObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An object the integration reads, and the home of the mappings that writes inherit."""

    object_name: str
    destination: str | UnsetType = UNSET
    schedule: str | UnsetType = UNSET
    map_to_name: str | UnsetType = UNSET
    map_to_display_name: str | UnsetType = UNSET
    required_fields: tuple[ManifestField, ...] = ()
    optional_fields: tuple[ManifestField, ...] = ()
    optional_fields_auto: Literal["all"] | UnsetType = UNSET
    backfill: Backfill | UnsetType = UNSET
    delivery: Delivery | UnsetType = UNSET
    enabled: Always | UnsetType = UNSET


class ValueDefaults(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A hint for the UI that the customer may set defaults on any field."""

    allow_any_fields: bool = False


class WriteObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An object the integration writes."""

    object_name: str
    inherit_mapping: bool = False
    value_defaults: ValueDefaults | UnsetType = UNSET
    map_to_name: str | UnsetType = UNSET
    """*Isthmus*: the product's own name for the object, where no read object gives one."""
    field_mappings: tuple[ManifestField, ...] = ()
    """*Isthmus*: mappings for writing alone, in the form of a read object's fields."""
    field_settings: dict[str, FieldSetting] = msgspec.field(default_factory=dict)
    """*Isthmus*: default values and overwrite rules under those of each installation."""
    remove_unmapped_fields: bool = False
    """*Isthmus*: drop the fields of a request that no mapping and no setting names."""
    upsert_keys: tuple[str, ...] = ()
    """*Isthmus*: mapped or provider names by which ``type: upsert`` may match; the first is the default."""


class Event(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A switch for one kind of event."""

    enabled: Always


class UpdateEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Changes of fields: all of the selected ones, or those listed."""

    enabled: Always
    watch_fields_auto: Literal["all", "selected"] | UnsetType = UNSET
    required_watch_fields: tuple[str, ...] | UnsetType = UNSET


class AssociationChangeEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Changes of associations (HubSpot)."""

    enabled: Always
    include_full_records: bool = False


class SubscribeObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An object whose changes the provider announces."""

    object_name: str
    destination: str
    inherit_fields_and_mapping: bool = False
    create_event: Event | UnsetType = UNSET
    update_event: UpdateEvent | UnsetType = UNSET
    delete_event: Event | UnsetType = UNSET
    association_change_event: AssociationChangeEvent | UnsetType = UNSET
    other_events: tuple[str, ...] = ()


class Read(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The objects to read."""

    objects: tuple[ReadObject, ...] = ()


class Write(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The objects to write."""

    objects: tuple[WriteObject, ...] = ()


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The objects to watch."""

    objects: tuple[SubscribeObject, ...] = ()


class Proxy(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Whether calls may be passed through with the customer's credentials."""

    enabled: bool
    use_module: bool = False


class SchemaEvent(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A switch for one kind of schema change."""

    enabled: Always


class WatchAllObjects(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The schema changes to announce."""

    field_created: SchemaEvent | UnsetType = UNSET
    field_deleted: SchemaEvent | UnsetType = UNSET
    field_changed: SchemaEvent | UnsetType = UNSET


class WatchSchema(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Watching the customer's schema itself."""

    destination: str
    schedule: str = "0 */24 * * *"
    all_objects: WatchAllObjects | UnsetType = UNSET


class IntegrationSpec(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One integration of a manifest; the content of a revision."""

    name: str
    provider: str
    display_name: str | UnsetType = UNSET
    module: str | UnsetType = UNSET
    read: Read | UnsetType = UNSET
    write: Write | UnsetType = UNSET
    subscribe: Subscribe | UnsetType = UNSET
    proxy: Proxy | UnsetType = UNSET
    watch_schema: WatchSchema | UnsetType = UNSET

    def read_object(self, name: str) -> ReadObject | None:
        """Find the read object of this provider name."""
        return next((o for o in self.read.objects if o.object_name == name), None) if self.read else None

    def write_object(self, name: str) -> WriteObject | None:
        """Find the write object of this provider name."""
        return next((o for o in self.write.objects if o.object_name == name), None) if self.write else None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The whole ``amp.yaml``."""

    spec_version: Literal["1.0.0"]
    integrations: tuple[IntegrationSpec, ...]
