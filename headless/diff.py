"""Which edits make one config into another: the fewest, of which each one names a difference.

What is not named stays as it is, so that the edits may also be made on a config that somebody else changed meanwhile.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from headless.applying import begun, takes_away
from headless.edits import (
    Action,
    DisableDeletion,
    DisableProxy,
    DisableRead,
    DisableWrite,
    Edit,
    EnableDeletion,
    EnableProxy,
    EnableRead,
    EnableWrite,
    MapField,
    MapValues,
    ObjectEdit,
    OfferMappings,
    RemoveObject,
    SelectAllFields,
    SelectField,
    SetDefault,
    SetFieldSettings,
    SetInheritMapping,
    SetRemoveUnmappedFields,
    SetWriteOnCreate,
    SetWriteOnUpdate,
    UnmapField,
)
from headless.meaning import plainest
from installations.config import ConfigContent, FieldSetting, ReadConfig, ReadObjectConfig, WriteObjectConfig
from installations.errors import InvalidInput, Issue, at
from installations.install import CONTENT_PATH, build_config, write_spelled_out
from installations.manifest import IntegrationSpec

V = TypeVar("V")
replace = msgspec.structs.replace


def diff(spec: IntegrationSpec, before: ConfigContent, after: ConfigContent) -> tuple[Edit, ...]:
    """Find the edits that make ``before``, a config that stands, into ``after``, once it is filled in and saved.

    Configs that mean the same need no edit.

    Raises:
        InvalidInput: they differ in what no edit changes, such as a schedule, or ``after`` has objects that the
            manifest does not; every such path is listed. A mask may do it: `headless.masks.mask`.
    """
    finder = _Finder(spec)
    edits = tuple(finder.edits(plainest(before), plainest(build_config(spec, msgspec.to_builtins(after)))))
    if finder.issues:
        raise InvalidInput(finder.issues)
    return edits


class _Finder:
    """One comparison; it collects what no edit does as it goes."""

    def __init__(self, spec: IntegrationSpec) -> None:
        self.issues: list[Issue] = []
        self._spec = spec

    def edits(self, before: ConfigContent, after: ConfigContent) -> Iterator[Edit]:
        old, new = _read_objects(before), _read_objects(after)
        removed = [name for name in old if name not in new]
        yield from (RemoveObject(object_name=name) for name in removed)
        for name, each in new.items():
            yield from self._read(name, old.get(name), each)
        yield from self._writes(before, after, removed)
        if before.proxy != after.proxy:
            yield EnableProxy() if after.proxy else DisableProxy()
        if before.provider != after.provider:
            self._refuse(f"{CONTENT_PATH}.provider")
        if before.subscribe != after.subscribe:
            self._refuse(f"{CONTENT_PATH}.subscribe")

    def _writes(self, before: ConfigContent, after: ConfigContent, removed: list[str]) -> Iterator[Edit]:
        if before.write is UNSET and after.write is UNSET and not removed:
            return
        old, new = self._write_objects(before), self._write_objects(after)
        yield from (DisableWrite(object_name=name) for name in old if name not in new and name not in removed)
        for name, each in new.items():
            yield from self._write(name, None if name in removed else old.get(name), each)

    def _write_objects(self, content: ConfigContent) -> dict[str, WriteObjectConfig]:
        spelled = write_spelled_out(self._spec, content).write
        return spelled.objects if spelled else {}

    def _refuse(self, path: str) -> None:
        self.issues.append(Issue(path=path, code="no-edit", message="differs, and no edit changes it"))

    def _check_rest(self, old: V, new: V, members: tuple[str, ...], path: str) -> None:
        for field in msgspec.structs.fields(type(old)):  # type: ignore[arg-type]  # both are structs
            if field.name not in members and getattr(old, field.name) != getattr(new, field.name):
                self._refuse(at(path, field.encode_name))

    def _check_known(self, name: str, path: str, *, known: bool) -> None:
        if not known:
            message = f"{name!r} is no object of the integration"
            self.issues.append(Issue(path=path, code="not-in-manifest", message=message))

    def _read(self, name: str, old: ReadObjectConfig | None, new: ReadObjectConfig) -> Iterator[ObjectEdit]:
        path = at(f"{CONTENT_PATH}.read.objects", name)
        if old is None:
            self._check_known(name, path, known=self._spec.read_object(name) is not None)
        first = self._begun(name) if old is None else old
        self._check_rest(first, new, _READ, path)
        yield from _begin_with(
            list(_read_edits(name, first, new)), EnableRead(object_name=name) if old is None else None
        )

    def _begun(self, name: str) -> ReadObjectConfig:
        fresh = ConfigContent(provider=self._spec.provider, read=ReadConfig(objects={name: begun(self._spec, name)}))
        return _read_objects(plainest(build_config(self._spec, msgspec.to_builtins(fresh))))[name]

    def _write(self, name: str, old: WriteObjectConfig | None, new: WriteObjectConfig) -> Iterator[ObjectEdit]:
        path = at(f"{CONTENT_PATH}.write.objects", name)
        if old is None:
            self._check_known(name, path, known=self._spec.write_object(name) is not None)
        first = WriteObjectConfig(object_name=name) if old is None else old
        self._check_rest(first, new, _WRITE, path)
        edits = [*self._settings(name, first, new, path), *_write_edits(name, first, new)]
        yield from _begin_with(edits, EnableWrite(object_name=name) if old is None else None)

    def _settings(self, name: str, old: WriteObjectConfig, new: WriteObjectConfig, path: str) -> Iterator[ObjectEdit]:
        before, after = old.selected_field_settings or {}, new.selected_field_settings or {}
        earlier, later = old.selected_value_defaults or {}, new.selected_value_defaults or {}
        for field in dict.fromkeys([*before, *after, *earlier, *later]):
            one, other = before.get(field), after.get(field)
            if field not in later and (field in earlier or one != other):
                yield _setting_edit(name, field, one, other, legacy=field in earlier)
            elif earlier.get(field) != later.get(field):
                self._refuse(at(at(path, "selectedValueDefaults"), field))
            elif one != other:
                yield from self._rules(name, field, one, other, path)

    def _rules(
        self, name: str, field: str, old: FieldSetting | None, new: FieldSetting | None, path: str
    ) -> Iterator[ObjectEdit]:
        """Change the rules beside a default of the old form, which edits of the new form would end."""
        bare = FieldSetting()
        one, other = old or bare, new or bare
        if one.default != other.default or (other == bare and (new is not None or one == bare)):
            self._refuse(at(at(path, "selectedFieldSettings"), field))
        yield from _rule_edits(name, field, one, other)


_READ = (
    *("disabled", "selected_fields", "selected_fields_auto", "selected_field_mappings"),
    *("selected_value_mappings", "dynamic_mappings_input"),
)
_WRITE = (
    *("selected_field_settings", "selected_value_defaults", "deletion_settings", "inherit_mapping"),
    *("selected_field_mappings", "selected_value_mappings", "remove_unmapped_fields"),
)
"""The members that edits change."""


def _read_objects(content: ConfigContent) -> dict[str, ReadObjectConfig]:
    return content.read.objects if content.read else {}


def _begin_with(edits: list[ObjectEdit], beginning: ObjectEdit | None) -> Iterator[ObjectEdit]:
    """Begin an object that is off: the first edit has to switch something on."""
    additions = [edit for edit in edits if not takes_away(edit)]
    if beginning is not None and not additions:
        yield beginning
    yield from additions
    yield from (edit for edit in edits if takes_away(edit))


def _read_edits(name: str, old: ReadObjectConfig, new: ReadObjectConfig) -> Iterator[ObjectEdit]:
    if old.disabled != new.disabled:
        yield DisableRead(object_name=name) if new.disabled else EnableRead(object_name=name)
    for field, selected in _changes(old.selected_fields, new.selected_fields):
        yield SelectField(object_name=name, field_name=field, selected=bool(selected))
    if old.selected_fields_auto != new.selected_fields_auto:
        yield SelectAllFields(object_name=name, selected=new.selected_fields_auto == "all")
    yield from _mapping_edits(name, old, new, "read")
    if old.dynamic_mappings_input != new.dynamic_mappings_input:
        yield OfferMappings(object_name=name, mappings=new.dynamic_mappings_input or ())


def _mapping_edits(
    name: str, old: ReadObjectConfig | WriteObjectConfig, new: ReadObjectConfig | WriteObjectConfig, action: Action
) -> Iterator[ObjectEdit]:
    for own, field in _changes(old.selected_field_mappings, new.selected_field_mappings):
        if field is None:
            yield UnmapField(object_name=name, map_to_name=own, action=action)
        else:
            yield MapField(object_name=name, map_to_name=own, field_name=field, action=action)
    for field, values in _changes(old.selected_value_mappings, new.selected_value_mappings):
        yield MapValues(object_name=name, field_name=field, values=values or {}, action=action)


def _write_edits(name: str, old: WriteObjectConfig, new: WriteObjectConfig) -> Iterator[ObjectEdit]:
    if old.deletion_settings != new.deletion_settings:
        yield EnableDeletion(object_name=name) if new.deletion_settings else DisableDeletion(object_name=name)
    if old.inherit_mapping != new.inherit_mapping:
        yield SetInheritMapping(object_name=name, inherit=_said(new.inherit_mapping))
    if old.remove_unmapped_fields != new.remove_unmapped_fields:
        yield SetRemoveUnmappedFields(object_name=name, remove=_said(new.remove_unmapped_fields))
    yield from _mapping_edits(name, old, new, "write")


def _setting_edit(
    name: str, field: str, old: FieldSetting | None, new: FieldSetting | None, *, legacy: bool
) -> ObjectEdit:
    """Change what counts for a field by one edit: a narrow one where it will do."""
    bare = FieldSetting()
    narrow = list(_rule_edits(name, field, old or bare, new or bare))
    if (old or bare).default != (new or bare).default or legacy:
        value = _said(new.default) if new else None
        narrow.append(SetDefault(object_name=name, field_name=field, value=value))
    if len(narrow) == 1 and new != bare:
        return narrow[0]
    return SetFieldSettings(object_name=name, field_name=field, settings=new)


def _rule_edits(name: str, field: str, old: FieldSetting, new: FieldSetting) -> Iterator[ObjectEdit]:
    if old.write_on_create != new.write_on_create:
        yield SetWriteOnCreate(object_name=name, field_name=field, value=_said(new.write_on_create))
    if old.write_on_update != new.write_on_update:
        yield SetWriteOnUpdate(object_name=name, field_name=field, value=_said(new.write_on_update))


def _changes(old: Mapping[str, V] | UnsetType, new: Mapping[str, V] | UnsetType) -> Iterator[tuple[str, V | None]]:
    before, after = old or {}, new or {}
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield name, after.get(name)


def _said(value: V | UnsetType) -> V | None:
    return None if value is UNSET else value
