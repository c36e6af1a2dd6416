"""What an installation's config becomes when it is saved: what clients may leave out is filled in from the manifest.

Everything filled in is part of the config that is read back. The published UI sends only the customer's optional
choices and expects the rest in the answer; settings for writing are different: they stay in the manifest and count
under the customer's own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import (
    BackfillConfig,
    ConfigContent,
    FieldDefault,
    FieldSetting,
    LegacyDefault,
    PeriodConfig,
    ReadConfig,
    ReadObjectConfig,
    SubscribeConfig,
    WriteConfig,
    WriteObjectConfig,
)
from installations.errors import Issue
from installations.manifest import Backfill, IntegrationSpec, ManifestField, ReadObject, SubscribeObject
from installations.shape import decode
from installations.slips import slips_in

replace = msgspec.structs.replace

CONTENT_PATH = "config.content"
_SINGULAR = "inheritFieldsAndMapping"
"""The manifest's spelling of a member; some clients copy it into configs."""


def build_config(spec: IntegrationSpec, submitted: Any, *, path: str = CONTENT_PATH) -> ConfigContent:
    """Make the config of an installation from what a client sent, under one revision of the integration.

    Building is idempotent: a config built before comes out as it went in. Nothing is judged here but the shape;
    `config_checks` does the rest.

    Raises:
        InvalidInput: the data has another shape; every difference is listed.
    """
    content = decode(_completed(spec, submitted), ConfigContent, path=path)
    return replace(
        content,
        read=_read(spec, content),
        write=_write(content),
        subscribe=_subscribe(spec, content),
    )


def misspelt(submitted: Any, *, path: str = CONTENT_PATH) -> list[Issue]:
    """List the members of what a client sent that `build_config` ignores though they are nearly ours, as warnings."""
    issues = slips_in(submitted, ConfigContent, path=path, severity="warning")
    return [issue for issue in issues if not issue.path.endswith(f".{_SINGULAR}")]


def _completed(spec: IntegrationSpec, submitted: Any) -> Any:
    """Add members that the published schema requires but real clients leave out, as their place says them."""
    if not isinstance(submitted, Mapping):
        return submitted
    completed = {"provider": spec.provider, **_given(submitted)}
    for action in ("read", "write", "subscribe"):
        section = completed.get(action)
        objects = section.get("objects") if isinstance(section, Mapping) else None
        if isinstance(section, Mapping) and isinstance(objects, Mapping):
            named = {name: _named(spec, action, name, each) for name, each in objects.items()}
            completed[action] = {**section, "objects": named}
    return completed


def _given(members: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in members.items() if value is not None}


def _named(spec: IntegrationSpec, action: str, name: str, each: Any) -> Any:
    """Name an object by its key, accept the manifest's spelling of one member, and preselect."""
    if not isinstance(each, Mapping):
        return each
    completed = {"objectName": name, **_given(each)}
    declared = spec.read_object(name)
    if action == "read" and declared is not None:
        completed.setdefault("selectedFieldMappings", dict(_preselected(declared.optional_fields)))
    singular = completed.pop(_SINGULAR, None)
    if singular is not None:
        completed.setdefault("inheritFieldsAndMappings", singular)
    watched = _watched(spec).get(name) if action == "subscribe" else None
    if watched is not None:
        completed.setdefault("inheritFieldsAndMappings", watched.inherit_fields_and_mapping)
    return completed


def _preselected(fields: tuple[ManifestField, ...]) -> Iterator[tuple[str, str]]:
    """List the mappings that hold as long as a customer has made no choice at all."""
    return ((f.map_to_name, f.default) for f in fields if f.map_to_name and f.default and not f.field_name)


def _read(spec: IntegrationSpec, content: ConfigContent) -> ReadConfig | UnsetType:
    declared = {each.object_name: each for each in (spec.read.objects if spec.read else ())}
    chosen = dict(content.read.objects) if content.read else {}
    for name, each in declared.items():
        if each.enabled is not UNSET:
            chosen.setdefault(name, ReadObjectConfig(object_name=name))
    if not chosen and content.read is UNSET:
        return UNSET
    filled = {name: _read_object(each, declared.get(name)) for name, each in chosen.items()}
    return ReadConfig(objects=filled)


def _read_object(chosen: ReadObjectConfig, declared: ReadObject | None) -> ReadObjectConfig:
    if declared is None:
        return chosen
    fields = {**chosen.selected_fields, **_required_fields(declared)}
    chosen = replace(chosen, selected_fields=fields)
    return replace(
        chosen,
        schedule=chosen.schedule or declared.schedule,
        destination=chosen.destination or declared.destination,
        backfill=_backfill(declared.backfill) if chosen.backfill is UNSET else chosen.backfill,
        selected_field_mappings={**dict(_preselected(declared.required_fields)), **dict(_choices(chosen, declared))},
    )


def _required_fields(declared: ReadObject) -> dict[str, bool]:
    """List the fields that no customer can deselect."""
    return {f.field_name: True for f in declared.required_fields if f.field_name}


def _choices(chosen: ReadObjectConfig, declared: ReadObject) -> Iterator[tuple[str, str]]:
    """List the mappings that a customer chose. What the manifest maps by itself is none of them.

    Where a config repeats such a mapping, the published UI takes it for a choice that is offered no more: it removes it
    from the form, which is then "pending" from the start (library 2.16.1, ``useClearOldFieldMappings``).
    """
    predefined = dict(_predefined(chosen, declared))
    named = chosen.selected_field_mappings.items()
    yield from ((name, field) for name, field in named if predefined.get(name) != field)


def _predefined(chosen: ReadObjectConfig, declared: ReadObject) -> Iterator[tuple[str, str]]:
    """List the manifest's own mappings of the fields that are read."""
    everything = chosen.selected_fields_auto == "all"
    for field in (*declared.required_fields, *declared.optional_fields):
        if field.field_name and field.map_to_name and (everything or chosen.selected_fields.get(field.field_name)):
            yield field.map_to_name, field.field_name


def _backfill(declared: Backfill | UnsetType) -> BackfillConfig | UnsetType:
    if declared is UNSET:
        return UNSET
    period = declared.default_period
    return BackfillConfig(default_period=PeriodConfig(days=period.days, full_history=period.full_history))


def _write(content: ConfigContent) -> WriteConfig | UnsetType:
    if content.write is UNSET:
        return UNSET
    return WriteConfig(objects={name: _write_object(each) for name, each in content.write.objects.items()})


def _write_object(chosen: WriteObjectConfig) -> WriteObjectConfig:
    settings, legacy = chosen.selected_field_settings, chosen.selected_value_defaults
    return replace(
        chosen,
        selected_field_settings={n: _setting(s) for n, s in settings.items()} if settings else settings,
        selected_value_defaults={n: _legacy(d) for n, d in legacy.items()} if legacy else legacy,
    )


def write_spelled_out(spec: IntegrationSpec, content: ConfigContent) -> ConfigContent:
    """List the write objects that are on because nothing is said; else to change one would switch the others off."""
    if content.write is not UNSET or not spec.write:
        return content
    names = [each.object_name for each in spec.write.objects]
    return replace(content, write=WriteConfig(objects={name: WriteObjectConfig(object_name=name) for name in names}))


def _legacy(default: LegacyDefault | str | float) -> LegacyDefault:
    return default if isinstance(default, LegacyDefault) else LegacyDefault(value=default)


def _setting(setting: FieldSetting) -> FieldSetting:
    default = setting.default
    if default is UNSET or default.value is UNSET:
        return setting
    return replace(setting, default=_typed(default))


def _typed(default: FieldDefault) -> FieldDefault:
    """Rewrite the form of early documentation, ``{value}``, as the member for its type; an odd value stays."""
    value = default.value
    if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
        return replace(default, value=UNSET, list_value=tuple(value))
    members = {bool: "boolean_value", int: "integer_value", float: "float_value", str: "string_value"}
    member = members.get(type(value))
    return replace(default, **{"value": UNSET, member: value}) if member else default


def _watched(spec: IntegrationSpec) -> dict[str, SubscribeObject]:
    return {each.object_name: each for each in (spec.subscribe.objects if spec.subscribe else ())}


def _subscribe(spec: IntegrationSpec, content: ConfigContent) -> SubscribeConfig | UnsetType:
    if content.subscribe is UNSET:
        return UNSET
    declared = _watched(spec)
    return SubscribeConfig(
        objects={
            name: replace(each, destination=each.destination or declared[name].destination)
            if name in declared
            else each
            for name, each in content.subscribe.objects.items()
        }
    )
