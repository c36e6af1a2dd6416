"""What each edit does to a config: all of the edits, or none.

The rules follow the published library's local config, so that a form drawn with it and one drawn with ours make the
same config. Where nothing is said about writing, every write object of the manifest is on: an edit about writing
spells them out first. The browser does the same in its own language, held to it by ``tests/headless/edits.json``.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from headless.edits import (
    Action,
    DisableDeletion,
    DisableProxy,
    DisableRead,
    DisableWrite,
    Edit,
    EitherEdit,
    EnableDeletion,
    EnableProxy,
    EnableRead,
    MapField,
    MapValues,
    ObjectEdit,
    OfferMappings,
    ReadEdit,
    RemoveObject,
    SelectAllFields,
    SelectField,
    SetDefault,
    SetFieldSettings,
    SetInheritMapping,
    SetRemoveUnmappedFields,
    SettingEdit,
    SetWriteOnCreate,
    SetWriteOnUpdate,
    UnmapField,
    WriteEdit,
)
from installations.config import (
    ConfigContent,
    DeletionSettings,
    FieldSetting,
    ProxyConfig,
    ReadConfig,
    ReadObjectConfig,
    WriteConfig,
    WriteObjectConfig,
)
from installations.errors import InvalidInput, Issue
from installations.install import write_spelled_out
from installations.manifest import IntegrationSpec

V = TypeVar("V")
C = TypeVar("C", ReadObjectConfig, WriteObjectConfig)
replace = msgspec.structs.replace

_MOST_REMEDIES = 10
"""To look for a likely name takes a while, and nobody reads a thousand."""


def apply(
    spec: IntegrationSpec, content: ConfigContent, edits: Sequence[Edit], *, path: str = "edits"
) -> ConfigContent:
    """Make the edits, one after the other, on a config under one revision of the integration.

    Whether the result may be saved is another matter: `installations.config_checks` judges it, once
    `installations.install` has filled it in.

    Raises:
        InvalidInput: edits name what neither the manifest nor the config has; every one is listed
            (``edits[3].objectName``).
    """
    issues: list[Issue] = []
    for index, edit in enumerate(edits):
        found = list(_issues(spec, content, edit, f"{path}[{index}]", helpful=len(issues) < _MOST_REMEDIES))
        issues += found
        content = content if found else _applied(spec, content, edit)
    if issues:
        raise InvalidInput(issues)
    return content


def _issues(spec: IntegrationSpec, content: ConfigContent, edit: Edit, path: str, *, helpful: bool) -> Iterator[Issue]:
    if isinstance(edit, DisableProxy):
        return
    if isinstance(edit, EnableProxy):
        if not (spec.proxy and spec.proxy.enabled):
            yield Issue(path=path, code="not-in-manifest", message="the integration does not offer proxy calls")
        return
    known = _known(spec, content, _actions(edit))
    if edit.object_name not in known:
        verb = " or ".join(_actions(edit))
        yield Issue(
            path=f"{path}.objectName",
            code="not-in-manifest",
            message=f"{edit.object_name!r} is no object that this integration can {verb}",
            remedy=_remedy(edit.object_name, known) if helpful else UNSET,
        )


def _remedy(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(known) or 'none'}"


def _actions(edit: ObjectEdit | RemoveObject) -> tuple[Action, ...]:
    if isinstance(edit, RemoveObject):
        return ("read", "write")
    if isinstance(edit, EitherEdit):
        return (edit.action,)
    return ("read",) if isinstance(edit, ReadEdit) else ("write",)


def _known(spec: IntegrationSpec, content: ConfigContent, actions: tuple[Action, ...]) -> list[str]:
    """List the objects of the manifest, and those that a customer still has from an earlier one."""
    declared = [each.object_name for action in actions for each in getattr(getattr(spec, action), "objects", ())]
    chosen = [name for action in actions for name in getattr(getattr(content, action), "objects", ())]
    return list(dict.fromkeys([*declared, *chosen]))


def _applied(spec: IntegrationSpec, content: ConfigContent, edit: Edit) -> ConfigContent:
    match edit:
        case EnableProxy() | DisableProxy():
            return replace(content, proxy=ProxyConfig(enabled=isinstance(edit, EnableProxy)))
        case RemoveObject():
            return _removed(write_spelled_out(spec, content), edit.object_name, ("read", "write"))
        case DisableWrite():
            return _removed(write_spelled_out(spec, content), edit.object_name, ("write",))
    if _actions(edit) == ("read",):
        return _read(spec, content, edit)  # type: ignore[arg-type]  # told by the action
    return _written(write_spelled_out(spec, content), edit)  # type: ignore[arg-type]  # the same


def _removed(content: ConfigContent, name: str, actions: tuple[Action, ...]) -> ConfigContent:
    for action in actions:
        section = getattr(content, action)
        if section and name in section.objects:
            left = {key: each for key, each in section.objects.items() if key != name}
            content = replace(content, **{action: replace(section, objects=left)})
    return content


def _read(spec: IntegrationSpec, content: ConfigContent, edit: ReadEdit | EitherEdit) -> ConfigContent:
    objects = content.read.objects if content.read else {}
    found = objects.get(edit.object_name)
    if found is None:
        if takes_away(edit):
            return content
        found = begun(spec, edit.object_name)
    return replace(content, read=ReadConfig(objects={**objects, edit.object_name: _read_object(found, edit)}))


def begun(spec: IntegrationSpec, name: str) -> ReadObjectConfig:
    """Begin to read an object with the mappings that the manifest preselects, which the customer then may change."""
    declared = spec.read_object(name)
    fields = (*declared.required_fields, *declared.optional_fields) if declared else ()
    preselected = {f.map_to_name: f.default for f in fields if f.map_to_name and f.default and not f.field_name}
    return ReadObjectConfig(object_name=name, selected_field_mappings=preselected)


def _written(content: ConfigContent, edit: WriteEdit | EitherEdit) -> ConfigContent:
    objects = content.write.objects if content.write else {}
    found = objects.get(edit.object_name)
    if found is None:
        if takes_away(edit):
            return content
        found = WriteObjectConfig(object_name=edit.object_name)
    return replace(content, write=WriteConfig(objects={**objects, edit.object_name: _write_object(found, edit)}))


def takes_away(edit: ObjectEdit) -> bool:
    """Tell an edit that switches nothing on: it means nothing to an object that is off."""
    match edit:
        case UnmapField() | DisableDeletion() | SelectField(selected=False) | SelectAllFields(selected=False):
            return True
        case SetFieldSettings(settings=None) | SetInheritMapping(inherit=None) | SetRemoveUnmappedFields(remove=None):
            return True
        case SetDefault(value=None) | SetWriteOnCreate(value=None) | SetWriteOnUpdate(value=None):
            return True
        case MapValues(values=listed) | OfferMappings(mappings=listed):
            return not listed
    return False


def _read_object(found: ReadObjectConfig, edit: ReadEdit | EitherEdit) -> ReadObjectConfig:
    match edit:
        case EnableRead() | DisableRead():
            return replace(found, disabled=isinstance(edit, DisableRead))
        case SelectField():
            fields = _with(found.selected_fields, edit.field_name, True if edit.selected else None)
            return replace(found, selected_fields=fields)
        case SelectAllFields():
            return replace(found, selected_fields_auto="all" if edit.selected else UNSET)
        case OfferMappings():
            return replace(found, dynamic_mappings_input=edit.mappings or UNSET)
        case MapField() | UnmapField() | MapValues():
            return _mapped(found, edit)


def _write_object(found: WriteObjectConfig, edit: WriteEdit | EitherEdit) -> WriteObjectConfig:
    match edit:
        case SetFieldSettings() | SetDefault() | SetWriteOnCreate() | SetWriteOnUpdate():
            return _field_set(found, edit)
        case EnableDeletion() | DisableDeletion():
            enabled = isinstance(edit, EnableDeletion)
            return replace(found, deletion_settings=DeletionSettings(enabled=enabled))
        case SetInheritMapping():
            return replace(found, inherit_mapping=_given(edit.inherit))
        case SetRemoveUnmappedFields():
            return replace(found, remove_unmapped_fields=_given(edit.remove))
        case MapField() | UnmapField() | MapValues():
            return _mapped(found, edit)
    return found


def _mapped(found: C, edit: EitherEdit) -> C:
    """Map a field or its values; in a write object, what is empty is not said at all."""
    if isinstance(edit, MapValues):
        values = _with(found.selected_value_mappings or {}, edit.field_name, edit.values or None)
        return replace(found, selected_value_mappings=values or UNSET)
    field = edit.field_name if isinstance(edit, MapField) else None
    mappings = _with(found.selected_field_mappings or {}, edit.map_to_name, field)
    silent = not mappings and isinstance(found, WriteObjectConfig)
    return replace(found, selected_field_mappings=UNSET if silent else mappings)


def _field_set(found: WriteObjectConfig, edit: SettingEdit) -> WriteObjectConfig:
    """Set what counts for one field; settings that say nothing any more are dropped."""
    name, settings = edit.field_name, found.selected_field_settings or {}
    own = settings.get(name, FieldSetting())
    new: FieldSetting | None
    match edit:
        case SetFieldSettings():
            new = edit.settings
        case SetDefault():
            new = replace(own, default=_given(edit.value))
        case SetWriteOnCreate():
            new = replace(own, write_on_create=_given(edit.value))
        case SetWriteOnUpdate():
            new = replace(own, write_on_update=_given(edit.value))
    kept = new if isinstance(edit, SetFieldSettings) or new != FieldSetting() else None
    found = replace(found, selected_field_settings=_with(settings, name, kept) or UNSET)
    return _without_legacy(found, name) if isinstance(edit, SetFieldSettings | SetDefault) else found


def _without_legacy(found: WriteObjectConfig, name: str) -> WriteObjectConfig:
    """Drop a default of the old form, which would come to life again when the new one is removed."""
    legacy = found.selected_value_defaults
    if not legacy or name not in legacy:
        return found
    return replace(found, selected_value_defaults=_with(legacy, name, None) or UNSET)


def _with(members: Mapping[str, V], name: str, value: V | None) -> dict[str, V]:
    """Set one member, or take it away."""
    copy = dict(members)
    if value is None:
        copy.pop(name, None)
    else:
        copy[name] = value
    return copy


def _given(value: V | None) -> V | UnsetType:
    return UNSET if value is None else value
