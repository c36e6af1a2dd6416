"""What was set for each provider field: a default, and when it may be written.

Three layers, each member decided for itself: the customer's field settings, then their legacy defaults, then the
manifest's. The trace names the winner and the setting it overrides.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET

from installations.config import FieldDefault, FieldSetting, LegacyDefault
from installations.rules import sources as origins
from installations.rules.names import Names
from installations.rules.sources import Sources
from installations.rules.trace import Ruling


class Default(msgspec.Struct, frozen=True, kw_only=True):
    """A value for a field that a request leaves out."""

    value: Any
    setting: str
    instead_of: str = ""
    on_update: Ruling = Ruling()
    """The legacy form may keep it from updates."""


class FieldRules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything set for one provider field."""

    field: str
    default: Default | None = None
    on_create: Ruling = Ruling()
    on_update: Ruling = Ruling()


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One setting of one layer, under the name it was made."""

    path: str
    setting: FieldSetting
    legacy: LegacyDefault | None = None


def gather(sources: Sources, names: Names) -> tuple[FieldRules, ...]:
    """Collect the settings of one object, one entry for each provider field, in the order they were made."""
    entries: dict[str, list[_Entry]] = {}
    for name, entry in _entries(sources):
        field = names.field(name)
        if field is not None:
            entries.setdefault(field, []).append(entry)
    return tuple(_field_rules(field, found) for field, found in entries.items())


def _entries(sources: Sources) -> Iterator[tuple[str, _Entry]]:
    path = origins.join(sources.write_config_path, "selectedFieldSettings")
    for name, setting in (sources.write_config.selected_field_settings or {}).items():
        yield name, _Entry(path=origins.join(path, name), setting=setting)
    path = origins.join(sources.write_config_path, "selectedValueDefaults")
    for name, given in (sources.write_config.selected_value_defaults or {}).items():
        legacy = given if isinstance(given, LegacyDefault) else LegacyDefault(value=given)
        yield name, _Entry(path=origins.join(path, name), setting=FieldSetting(), legacy=legacy)
    path = origins.join(sources.write_path, "fieldSettings")
    for name, setting in sources.write.field_settings.items():
        yield name, _Entry(path=origins.join(path, name), setting=setting)


def _field_rules(field: str, entries: list[_Entry]) -> FieldRules:
    return FieldRules(
        field=field,
        default=_default(entries),
        on_create=_ruling([(e.path, "writeOnCreate", e.setting.write_on_create) for e in entries]),
        on_update=_ruling([(e.path, "writeOnUpdate", e.setting.write_on_update) for e in entries]),
    )


def _ruling(found: list[tuple[str, str, Any]]) -> Ruling:
    made = [(origins.join(path, member), value) for path, member, value in found if value is not UNSET]
    if not made:
        return Ruling()
    return Ruling(value=made[0][1], setting=made[0][0], instead_of=made[1][0] if len(made) > 1 else "")


def _default(entries: list[_Entry]) -> Default | None:
    found = [default for entry in entries if (default := _default_of(entry)) is not None]
    if not found:
        return None
    return msgspec.structs.replace(found[0], instead_of=found[1].setting if len(found) > 1 else "")


def _default_of(entry: _Entry) -> Default | None:
    if entry.legacy is not None:
        gate = Ruling(value=entry.legacy.apply_on_update, setting=origins.join(entry.path, "applyOnUpdate"))
        return Default(value=entry.legacy.value, setting=entry.path, on_update=gate)
    value = default_value(entry.setting.default) if entry.setting.default else UNSET
    return None if value is UNSET else Default(value=value, setting=origins.join(entry.path, "default"))


def default_value(default: FieldDefault) -> Any:
    """Tell the value that a default sends; `UNSET` if it gives none."""
    for value in msgspec.structs.astuple(default):
        if value is not UNSET:
            return list(value) if isinstance(value, tuple) else value
    return UNSET
