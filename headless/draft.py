"""A config on somebody's desk: read it and change it by the published library's names, then send the edits.

The handlers are those of the library's ``useLocalConfig``, in snake case, and ours beside them; ``set_field_settings``
has the form of the documentation. What they do is recorded as edits, which `headless.client` sends.
"""

from collections.abc import Hashable, Mapping
from typing import Any, TypeVar

from msgspec import UNSET, UnsetType

from headless.applying import apply
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
from installations.config import (
    ConfigContent,
    FieldDefault,
    FieldSetting,
    LegacyDefault,
    ReadObjectConfig,
    WriteObjectConfig,
    WriteOnCreate,
    WriteOnUpdate,
)
from installations.install import write_spelled_out
from installations.manifest import IntegrationSpec
from installations.shape import decode

T = TypeVar("T")


class Draft:
    """One customer's config under an integration, and what was done to it."""

    def __init__(self, spec: IntegrationSpec, content: ConfigContent | None = None) -> None:
        """Start from a config that stands, or from none for an installation that is yet to be made."""
        self._spec = spec
        self._start = ConfigContent(provider=spec.provider) if content is None else content
        self._content = self._start
        self._edits: tuple[Edit, ...] = ()

    @property
    def content(self) -> ConfigContent:
        """The config as it is on the desk, before it is filled in from the manifest."""
        return self._content

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What was done since the start; nothing where all of it was undone."""
        return () if self._content == self._start else self._edits

    def apply(self, *edits: Edit) -> None:
        """Make edits: all of them, or none. Raises `InvalidInput` for an object that the integration does not have.

        Of edits about the same thing the last one is kept, unless an earlier one has also begun something.
        """
        apply(self._spec, self._content, edits)
        for edit in edits:
            self._content = apply(self._spec, self._content, (edit,))
            self._record(edit)

    def _record(self, edit: Edit) -> None:
        others = tuple(each for each in self._edits if _target(each) != _target(edit))
        folded, longer = (*others, edit), (*self._edits, edit)
        is_enough = len(folded) < len(longer) and apply(self._spec, self._start, folded) == self._content
        self._edits = folded if is_enough else longer

    def reset(self) -> None:
        """Go back to the start."""
        self._content, self._edits = self._start, ()

    def read_object(self, object_name: str) -> "ReadObjectDraft":
        """Handle what is read of an object."""
        return ReadObjectDraft(self, object_name)

    def write_object(self, object_name: str) -> "WriteObjectDraft":
        """Handle what is written of an object."""
        return WriteObjectDraft(self, object_name)

    def proxy(self) -> "ProxyDraft":
        """Handle calls that are passed through."""
        return ProxyDraft(self)

    def remove_object(self, object_name: str) -> None:
        """Neither read nor write an object any more."""
        self.apply(RemoveObject(object_name=object_name))

    def written(self) -> dict[str, WriteObjectConfig]:
        """List the objects that are written: where nothing is said, all of the manifest."""
        section = write_spelled_out(self._spec, self._content).write
        return section.objects if section else {}


class ProxyDraft:
    """Whether calls may be passed through."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    @property
    def enabled(self) -> bool:
        """Whether they may."""
        proxy = self._draft.content.proxy
        return bool(proxy and proxy.enabled)

    def set_enable_proxy(self) -> None:
        """Allow them."""
        self._draft.apply(EnableProxy())

    def set_disable_proxy(self) -> None:
        """Allow none."""
        self._draft.apply(DisableProxy())


class _Mappings:
    """What both blocks of a config have: the product's names and values for the provider's."""

    def __init__(self, draft: Draft, object_name: str, *, action: Action) -> None:
        self._draft = draft
        self._name = object_name
        self._action = action

    def _found(self) -> ReadObjectConfig | WriteObjectConfig | None:
        section = getattr(self._draft.content, self._action)
        found: ReadObjectConfig | WriteObjectConfig | None = section.objects.get(self._name) if section else None
        return found

    def get_field_mapping(self, map_to_name: str) -> str | None:
        """Tell the provider field that a name of the product's stands for."""
        found = self._found()
        return (found.selected_field_mappings or {}).get(map_to_name) if found else None

    def set_field_mapping(self, *, field_name: str, map_to_name: str) -> None:
        """Let a name of the product's stand for a provider field."""
        edit = MapField(object_name=self._name, map_to_name=map_to_name, field_name=field_name, action=self._action)
        self._draft.apply(edit)

    def delete_field_mapping(self, map_to_name: str) -> None:
        """Let a name of the product's stand for no field."""
        self._draft.apply(UnmapField(object_name=self._name, map_to_name=map_to_name, action=self._action))

    def get_value_mapping(self, field_name: str) -> dict[str, str] | None:
        """Tell how the product's values of a provider field are translated."""
        found = self._found()
        return (found.selected_value_mappings or {}).get(field_name) if found else None

    def set_value_mapping(self, *, field_name: str, values: Mapping[str, str]) -> None:
        """Translate all values of a provider field: from the product's to the provider's. ``{}`` translates none."""
        edit = MapValues(object_name=self._name, field_name=field_name, values=dict(values), action=self._action)
        self._draft.apply(edit)


class ReadObjectDraft(_Mappings):
    """What is read of one object."""

    def __init__(self, draft: Draft, object_name: str) -> None:
        super().__init__(draft, object_name, action="read")

    @property
    def object(self) -> ReadObjectConfig | None:
        """Everything chosen for it, if anything is."""
        read = self._draft.content.read
        return read.objects.get(self._name) if read else None

    def set_enable_read(self) -> None:
        """Read it."""
        self._draft.apply(EnableRead(object_name=self._name))

    def set_disable_read(self) -> None:
        """Stop reading it; what was chosen stays."""
        self._draft.apply(DisableRead(object_name=self._name))

    def get_selected_field(self, field_name: str) -> bool:
        """Tell whether a provider field is selected."""
        return self.object is not None and self.object.selected_fields.get(field_name) is True

    def set_selected_field(self, *, field_name: str, selected: bool) -> None:
        """Select a provider field, or select it no more."""
        self._draft.apply(SelectField(object_name=self._name, field_name=field_name, selected=selected))

    def set_selected_fields_auto(self, *, selected: bool) -> None:
        """Select every field that there is, now and later, or only those selected one by one."""
        self._draft.apply(SelectAllFields(object_name=self._name, selected=selected))


class WriteObjectDraft(_Mappings):
    """What is written of one object. To set something for one that is off switches it on."""

    def __init__(self, draft: Draft, object_name: str) -> None:
        super().__init__(draft, object_name, action="write")

    @property
    def object(self) -> WriteObjectConfig | None:
        """Everything chosen for it, if anything is."""
        write = self._draft.content.write
        return write.objects.get(self._name) if write else None

    @property
    def enabled(self) -> bool:
        """Whether it may be written. Where nothing is said about writing, every object of the manifest may."""
        return self._name in self._draft.written()

    @property
    def deletion_enabled(self) -> bool:
        """Whether its records may be deleted."""
        settings = self.object.deletion_settings if self.object else UNSET
        return bool(settings and settings.enabled)

    def get_write_object(self) -> WriteObjectConfig | None:
        """Answer `object`."""
        return self.object

    def set_enable_write(self) -> None:
        """Allow writes."""
        self._draft.apply(EnableWrite(object_name=self._name))

    def set_disable_write(self) -> None:
        """Allow no writes; all settings for them are gone."""
        self._draft.apply(DisableWrite(object_name=self._name))

    def get_field_settings(self, field_name: str) -> FieldSetting | None:
        """Tell what is set for a field, by its mapped or provider name."""
        return (self.object.selected_field_settings or {}).get(field_name) if self.object else None

    def set_field_settings(self, *, field_name: str, settings: FieldSetting | Mapping[str, Any] | None) -> None:
        """Set a field's default and overwrite rules in place of all earlier ones; ``None`` removes them.

        ``settings`` may be in the form of the wire: ``{"default": {"stringValue": "x"}, "writeOnUpdate": "never"}``.
        Raises `InvalidInput` for another form.
        """
        given = _given(settings, FieldSetting, "settings")
        self._draft.apply(SetFieldSettings(object_name=self._name, field_name=field_name, settings=given))

    def get_default_values(self, field_name: str) -> FieldDefault | None:
        """Tell the value for requests that leave a field out, where a default of the old form says it as well."""
        default = (self.get_field_settings(field_name) or FieldSetting()).default
        old = (self.object.selected_value_defaults or {}) if self.object else {}
        return _renewed(old[field_name]) if default is UNSET and field_name in old else _said(default)

    def set_default_values(self, *, field_name: str, value: FieldDefault | Mapping[str, Any] | None) -> None:
        """Set the value for requests that leave a field out, such as ``{"stringValue": "x"}``; ``None`` removes it."""
        given = _given(value, FieldDefault, "value")
        self._draft.apply(SetDefault(object_name=self._name, field_name=field_name, value=given))

    def get_write_on_create_setting(self, field_name: str) -> WriteOnCreate | None:
        """Tell whether a create writes a field, where that is said."""
        return _said((self.get_field_settings(field_name) or FieldSetting()).write_on_create)

    def set_write_on_create_setting(self, *, field_name: str, value: WriteOnCreate | None) -> None:
        """Set whether a create writes a field; ``None`` says nothing, which means always."""
        self._draft.apply(SetWriteOnCreate(object_name=self._name, field_name=field_name, value=value))

    def get_write_on_update_setting(self, field_name: str) -> WriteOnUpdate | None:
        """Tell whether an update writes a field, where that is said."""
        return _said((self.get_field_settings(field_name) or FieldSetting()).write_on_update)

    def set_write_on_update_setting(self, *, field_name: str, value: WriteOnUpdate | None) -> None:
        """Set whether an update writes a field; ``None`` says nothing, which means always."""
        self._draft.apply(SetWriteOnUpdate(object_name=self._name, field_name=field_name, value=value))

    def set_enable_deletion(self) -> None:
        """Allow its records to be deleted."""
        self._draft.apply(EnableDeletion(object_name=self._name))

    def set_disable_deletion(self) -> None:
        """Allow none of its records to be deleted."""
        self._draft.apply(DisableDeletion(object_name=self._name))

    def set_inherit_mapping(self, *, inherit: bool | None) -> None:
        """Set whether writes use the mappings for reading; ``None`` leaves it to the manifest."""
        self._draft.apply(SetInheritMapping(object_name=self._name, inherit=inherit))

    def set_remove_unmapped_fields(self, *, remove: bool | None) -> None:
        """Set whether fields that nothing names are dropped; ``None`` leaves it to the manifest."""
        self._draft.apply(SetRemoveUnmappedFields(object_name=self._name, remove=remove))

    # The published library's names for what its documentation calls as above.
    get_selected_field_settings = get_field_settings
    set_selected_field_settings = set_field_settings


def _target(edit: Edit) -> tuple[Hashable, ...]:
    """Tell what an edit changes: two of the same are about the same thing."""
    name = getattr(edit, "map_to_name", None) or getattr(edit, "field_name", None)
    return (type(edit), getattr(edit, "object_name", None), name, getattr(edit, "action", None))


def _given(value: T | Mapping[str, Any] | None, kind: type[T], path: str) -> T | None:
    if value is None or isinstance(value, kind):
        return value
    return decode(value, kind, path=path, unknown="refuse")


def _renewed(given: LegacyDefault | str | float) -> FieldDefault:
    """Answer a default of the old form in the new one. For JavaScript a whole number is an integer, so here too."""
    match given.value if isinstance(given, LegacyDefault) else given:
        case bool() as switch:
            return FieldDefault(boolean_value=switch)
        case str() as text:
            return FieldDefault(string_value=text)
        case number:
            whole = number == int(number)
            return FieldDefault(integer_value=int(number)) if whole else FieldDefault(float_value=number)


def _said(value: T | UnsetType) -> T | None:
    return None if isinstance(value, UnsetType) else value
