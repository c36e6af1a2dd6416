"""A revision as the embedded UI needs it: the manifest, filled in with what one customer's own account has.

It refuses to know how an account is asked: descriptions are arguments, and an object without one is an object that
could not be described.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from installations.capabilities import ProviderFacts
from installations.config import FieldSetting
from installations.installation import Revision
from installations.manifest import (
    Backfill,
    IntegrationSpec,
    ManifestField,
    Proxy,
    ReadObject,
    ValueDefaults,
    WriteObject,
)
from installations.paths import parse
from installations.schema import FieldMetadata, ObjectMetadata

Described = Mapping[str, ObjectMetadata | str]
"""By provider object name: the object, or a sentence about why it could not be described."""


class HydratedField(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A provider field (``field_name`` and ``display_name``), or a mapping that asks for one (``map_to_name``)."""

    field_name: str | UnsetType = UNSET
    display_name: str | UnsetType = UNSET
    map_to_name: str | UnsetType = UNSET
    map_to_display_name: str | UnsetType = UNSET
    prompt: str | UnsetType = UNSET
    default: str | UnsetType = UNSET


class HydratedReadObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What may be read of one object, and all the fields that the customer can choose from."""

    object_name: str
    display_name: str
    required_fields: tuple[HydratedField, ...]
    optional_fields: tuple[HydratedField, ...]
    all_fields: tuple[HydratedField, ...] | UnsetType = UNSET
    """Deprecated by the contract, and indispensable: the published UI fills its boxes from it. Left out with detail."""
    all_fields_metadata: dict[str, FieldMetadata] | UnsetType = UNSET
    error: str | UnsetType = UNSET
    """This object could not be described; the others are whole."""
    map_to_name: str | UnsetType = UNSET
    map_to_display_name: str | UnsetType = UNSET
    destination: str
    """Empty if the manifest names none; the published shape requires it, as it does the schedule."""
    schedule: str
    optional_fields_auto: Literal["all"] | UnsetType = UNSET
    backfill: Backfill | UnsetType = UNSET


class HydratedWriteObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An object that may be written. Published are the first three members; the rest is detail, *Isthmus*."""

    object_name: str
    display_name: str
    value_defaults: ValueDefaults | UnsetType = UNSET
    inherit_mapping: bool | UnsetType = UNSET
    map_to_name: str | UnsetType = UNSET
    map_to_display_name: str | UnsetType = UNSET
    field_mappings: tuple[HydratedField, ...] | UnsetType = UNSET
    field_settings: dict[str, FieldSetting] | UnsetType = UNSET
    """The manifest's, which count under the customer's."""
    upsert_keys: tuple[str, ...] | UnsetType = UNSET
    remove_unmapped_fields: bool | UnsetType = UNSET
    can_delete: bool | UnsetType = UNSET
    """Whether the connector can delete records; absent where no provider was given."""
    all_fields_metadata: dict[str, FieldMetadata] | UnsetType = UNSET
    """Only where no read object of this name carries it."""
    error: str | UnsetType = UNSET


class HydratedRead(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The read block."""

    objects: tuple[HydratedReadObject, ...]


class HydratedWrite(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The write block."""

    objects: tuple[HydratedWriteObject, ...]


class HydratedIntegration(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An integration without its subscriptions: those are no choice of the customer's."""

    name: str
    provider: str
    display_name: str | UnsetType = UNSET
    module: str | UnsetType = UNSET
    read: HydratedRead | UnsetType = UNSET
    write: HydratedWrite | UnsetType = UNSET
    proxy: Proxy | UnsetType = UNSET


class HydratedRevision(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A revision for one connection."""

    id: str
    spec_version: str
    create_time: datetime
    content: HydratedIntegration


def objects_of(spec: IntegrationSpec) -> tuple[str, ...]:
    """Name each object that `hydrate` wants described, once, in the manifest's order."""
    read = [one.object_name for one in spec.read.objects] if spec.read else []
    write = [one.object_name for one in spec.write.objects] if spec.write else []
    return tuple(dict.fromkeys([*read, *write]))


def hydrate(
    revision: Revision, described: Described, *, detail: bool = False, provider: ProviderFacts | None = None
) -> HydratedRevision:
    """Fill a revision in. ``described`` has an entry for each of `objects_of` the revision's content.

    With ``detail``, write objects say all that a page needs to offer them, and ``all_fields``, which repeats the
    metadata, is left out. ``provider`` tells what can be deleted.
    """
    spec = revision.content
    written = tuple(
        _detailed(spec, one, described[one.object_name], provider=provider)
        if detail
        else _write_object(one, described[one.object_name])
        for one in (spec.write.objects if spec.write else ())
    )
    content = HydratedIntegration(
        name=spec.name,
        provider=spec.provider,
        display_name=spec.display_name,
        module=spec.module,
        read=_read(spec.read.objects, described, detail=detail) if spec.read else UNSET,
        write=HydratedWrite(objects=written) if spec.write else UNSET,
        proxy=spec.proxy,
    )
    return HydratedRevision(
        id=revision.id, spec_version=revision.spec_version, create_time=revision.create_time, content=content
    )


def _read(declared: Iterable[ReadObject], described: Described, *, detail: bool) -> HydratedRead:
    objects = tuple(_read_object(one, described[one.object_name]) for one in declared)
    return HydratedRead(objects=tuple(replace(one, all_fields=UNSET) for one in objects) if detail else objects)


def _write_object(declared: WriteObject, found: ObjectMetadata | str) -> HydratedWriteObject:
    return HydratedWriteObject(
        object_name=declared.object_name,
        display_name=_object_title(declared.object_name, found),
        value_defaults=declared.value_defaults,
    )


def _detailed(
    spec: IntegrationSpec, declared: WriteObject, found: ObjectMetadata | str, *, provider: ProviderFacts | None
) -> HydratedWriteObject:
    read = spec.read_object(declared.object_name)
    fields = {} if isinstance(found, str) else found.fields
    named = read if read is not None and declared.inherit_mapping else ReadObject(object_name=declared.object_name)
    return replace(
        _write_object(declared, found),
        inherit_mapping=declared.inherit_mapping,
        map_to_name=declared.map_to_name or named.map_to_name,
        map_to_display_name=UNSET if declared.map_to_name else named.map_to_display_name,
        field_mappings=tuple(_field(one, fields) for one in declared.field_mappings),
        field_settings=declared.field_settings,
        upsert_keys=declared.upsert_keys,
        remove_unmapped_fields=declared.remove_unmapped_fields,
        can_delete=UNSET if provider is None else provider.within(spec.module or "").delete,
        all_fields_metadata=UNSET if read is not None or isinstance(found, str) else found.fields,
        error=str(found) if isinstance(found, str) else UNSET,
    )


def _read_object(declared: ReadObject, found: ObjectMetadata | str) -> HydratedReadObject:
    fields = {} if isinstance(found, str) else found.fields
    required = tuple(_field(one, fields) for one in declared.required_fields)
    optional = tuple(_field(one, fields) for one in declared.optional_fields)
    if declared.optional_fields_auto is not UNSET:
        optional += _remaining(fields, (*required, *optional))
    return HydratedReadObject(
        object_name=declared.object_name,
        display_name=_object_title(declared.object_name, found),
        required_fields=required,
        optional_fields=optional,
        all_fields=_remaining(fields, ()),
        all_fields_metadata=UNSET if isinstance(found, str) else found.fields,
        error=str(found) if isinstance(found, str) else UNSET,
        map_to_name=declared.map_to_name,
        map_to_display_name=declared.map_to_display_name,
        destination=declared.destination or "",
        schedule=declared.schedule or "",
        optional_fields_auto=declared.optional_fields_auto,
        backfill=declared.backfill,
    )


def _field(declared: ManifestField, fields: Mapping[str, FieldMetadata]) -> HydratedField:
    name = declared.field_name
    return HydratedField(
        field_name=name,
        display_name=_field_title(name, fields) if name is not UNSET else UNSET,
        map_to_name=declared.map_to_name,
        map_to_display_name=declared.map_to_display_name,
        prompt=declared.prompt,
        default=declared.default,
    )


def _remaining(fields: Mapping[str, FieldMetadata], named: Iterable[HydratedField]) -> tuple[HydratedField, ...]:
    """List the fields of the account that are not named yet, in the account's order."""
    known = {one.field_name.casefold() for one in named if one.field_name is not UNSET}
    return tuple(
        HydratedField(field_name=name, display_name=_field_title(name, fields))
        for name in fields
        if name.casefold() not in known
    )


def _object_title(name: str, found: ObjectMetadata | str) -> str:
    return name if isinstance(found, str) else found.display_name or name


def _field_title(name: str, fields: Mapping[str, FieldMetadata]) -> str:
    """The account's own words; else the name, or the words of a nested one: ``$['address']['city']``, Address City."""
    if name in fields:
        return fields[name].display_name or name
    folded = name.casefold()
    found = next((field for other, field in fields.items() if other.casefold() == folded), None)
    if found is not None:
        return found.display_name or name
    segments = parse(name)
    if segments is None:
        return name
    return " ".join(segment for segment in segments if segment is not None).replace("_", " ").title()
