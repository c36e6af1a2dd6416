"""One spelling for all configs that mean the same, so that they can be compared."""

import msgspec
from msgspec import UNSET, UnsetType

from installations.config import (
    ConfigContent,
    LegacyDefault,
    ReadConfig,
    ReadObjectConfig,
    WriteConfig,
    WriteObjectConfig,
)

replace = msgspec.structs.replace


def plainest(content: ConfigContent) -> ConfigContent:
    """Leave unsaid what would be so anyway: ``disabled: false``, an empty schedule, a list of nothing.

    Nothing said about writing stays: it means that every write object of the manifest is on.
    """
    read = {name: _read(each) for name, each in content.read.objects.items()} if content.read else {}
    write = content.write and WriteConfig(objects={name: _write(e) for name, e in content.write.objects.items()})
    return replace(
        content,
        read=ReadConfig(objects=read) if read else UNSET,
        write=write,
        subscribe=content.subscribe if content.subscribe and content.subscribe.objects else UNSET,
        proxy=content.proxy if content.proxy and content.proxy.enabled else UNSET,
    )


def _read(each: ReadObjectConfig) -> ReadObjectConfig:
    return replace(
        each,
        schedule=each.schedule or UNSET,
        destination=each.destination or UNSET,
        disabled=each.disabled or UNSET,
        selected_fields={name: True for name, selected in each.selected_fields.items() if selected},
        selected_value_mappings=_filled(each.selected_value_mappings),
        dynamic_mappings_input=each.dynamic_mappings_input or UNSET,
    )


def _write(each: WriteObjectConfig) -> WriteObjectConfig:
    legacy = each.selected_value_defaults or {}
    spelled = {name: d if isinstance(d, LegacyDefault) else LegacyDefault(value=d) for name, d in legacy.items()}
    return replace(
        each,
        selected_field_settings=each.selected_field_settings or UNSET,
        selected_value_defaults=spelled or UNSET,
        deletion_settings=each.deletion_settings
        if each.deletion_settings and each.deletion_settings.enabled
        else UNSET,
        selected_field_mappings=each.selected_field_mappings or UNSET,
        selected_value_mappings=_filled(each.selected_value_mappings),
    )


def _filled(lists: dict[str, dict[str, str]] | UnsetType) -> dict[str, dict[str, str]] | UnsetType:
    return {name: values for name, values in (lists or {}).items() if values} or UNSET
