"""A draft by the published names: what each handler reads, does and records."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headless.applying import apply
from headless.draft import Draft
from headless.edits import Edit
from installations.config import ConfigContent, FieldDefault, FieldSetting
from installations.errors import InvalidInput
from installations.manifest import IntegrationSpec
from installations.shape import decode
from tests.headless.contents import SPEC, chosen, edits

CRM = decode(
    {
        "name": "crm",
        "provider": "hubspot",
        "read": {
            "objects": [{"objectName": "contacts", "optionalFields": [{"mapToName": "source", "default": "src"}]}]
        },
        "write": {"objects": [{"objectName": "contacts"}, {"objectName": "deals"}]},
        "proxy": {"enabled": True},
    },
    IntegrationSpec,
)
SETTINGS = {"default": {"stringValue": "myApp"}, "writeOnCreate": "always", "writeOnUpdate": "never"}
SETTING = FieldSetting(default=FieldDefault(string_value="myApp"), write_on_create="always", write_on_update="never")

DONE: list[tuple[str, Callable[[Draft], Any], list[dict[str, Any]]]] = [
    ("read", lambda d: d.read_object("contacts").set_enable_read(), [{"edit": "enableRead"}]),
    ("stop reading", lambda d: d.read_object("contacts").set_disable_read(), [{"edit": "disableRead"}]),
    (
        "select",
        lambda d: d.read_object("contacts").set_selected_field(field_name="phone", selected=True),
        [{"edit": "selectField", "fieldName": "phone", "selected": True}],
    ),
    (
        "select all",
        lambda d: d.read_object("contacts").set_selected_fields_auto(selected=True),
        [{"edit": "selectAllFields", "selected": True}],
    ),
    (
        "map",
        lambda d: d.read_object("contacts").set_field_mapping(field_name="hs_source", map_to_name="source"),
        [{"edit": "mapField", "mapToName": "source", "fieldName": "hs_source", "action": "read"}],
    ),
    (
        "map values",
        lambda d: d.read_object("contacts").set_value_mapping(field_name="stage", values={"new": "lead"}),
        [{"edit": "mapValues", "fieldName": "stage", "values": {"new": "lead"}, "action": "read"}],
    ),
    (
        "map for writing",
        lambda d: d.write_object("contacts").set_field_mapping(field_name="hs_source", map_to_name="source"),
        [{"edit": "mapField", "mapToName": "source", "fieldName": "hs_source", "action": "write"}],
    ),
    (
        "map values for writing",
        lambda d: d.write_object("contacts").set_value_mapping(field_name="stage", values={"new": "lead"}),
        [{"edit": "mapValues", "fieldName": "stage", "values": {"new": "lead"}, "action": "write"}],
    ),
    ("write", lambda d: d.write_object("contacts").set_enable_write(), [{"edit": "enableWrite"}]),
    ("stop writing", lambda d: d.write_object("contacts").set_disable_write(), [{"edit": "disableWrite"}]),
    (
        "settings, as on the wire",
        lambda d: d.write_object("contacts").set_field_settings(field_name="source", settings=SETTINGS),
        [{"edit": "setFieldSettings", "fieldName": "source", "settings": SETTINGS}],
    ),
    (
        "settings, by the library's name",
        lambda d: d.write_object("contacts").set_selected_field_settings(field_name="source", settings=SETTING),
        [{"edit": "setFieldSettings", "fieldName": "source", "settings": SETTINGS}],
    ),
    (
        "a default",
        lambda d: d.write_object("contacts").set_default_values(field_name="source", value={"booleanValue": False}),
        [{"edit": "setDefault", "fieldName": "source", "value": {"booleanValue": False}}],
    ),
    (
        "on create",
        lambda d: d.write_object("contacts").set_write_on_create_setting(field_name="source", value="never"),
        [{"edit": "setWriteOnCreate", "fieldName": "source", "value": "never"}],
    ),
    (
        "on update",
        lambda d: d.write_object("contacts").set_write_on_update_setting(field_name="source", value="ifEmpty"),
        [{"edit": "setWriteOnUpdate", "fieldName": "source", "value": "ifEmpty"}],
    ),
    ("deletion", lambda d: d.write_object("contacts").set_enable_deletion(), [{"edit": "enableDeletion"}]),
    ("no deletion", lambda d: d.write_object("contacts").set_disable_deletion(), [{"edit": "disableDeletion"}]),
    (
        "inherit",
        lambda d: d.write_object("contacts").set_inherit_mapping(inherit=True),
        [{"edit": "setInheritMapping", "inherit": True}],
    ),
    (
        "drop what is unmapped",
        lambda d: d.write_object("contacts").set_remove_unmapped_fields(remove=True),
        [{"edit": "setRemoveUnmappedFields", "remove": True}],
    ),
    ("remove", lambda d: d.remove_object("contacts"), [{"edit": "removeObject"}]),
]


@pytest.mark.parametrize(("case", "act", "expected"), DONE, ids=[case for case, *_ in DONE])
def test_each_handler_records_its_edit(case: str, act: Callable[[Draft], Any], expected: list[dict[str, Any]]) -> None:
    draft = Draft(CRM)
    act(draft)
    recorded: list[dict[str, Any]] = list(msgspec.to_builtins(draft.edits))
    assert recorded == [{"objectName": "contacts", **each} for each in expected], case
    assert apply(CRM, ConfigContent(provider="hubspot"), draft.edits) == draft.content


def test_what_was_set_is_read_back() -> None:
    draft = Draft(CRM)
    read, write = draft.read_object("contacts"), draft.write_object("contacts")
    read.set_selected_field(field_name="phone", selected=True)
    read.set_field_mapping(field_name="hs_source", map_to_name="source")
    read.set_value_mapping(field_name="stage", values={"new": "lead"})
    write.set_field_settings(field_name="source", settings=SETTINGS)
    write.set_enable_deletion()
    write.set_field_mapping(field_name="hs_plan", map_to_name="plan")
    draft.proxy().set_enable_proxy()

    assert (read.get_selected_field("phone"), read.get_selected_field("fax")) == (True, False)
    assert (read.get_field_mapping("source"), read.get_field_mapping("plan")) == ("hs_source", None)
    assert (read.get_value_mapping("stage"), read.get_value_mapping("plan")) == ({"new": "lead"}, None)
    assert write.get_field_settings("source") == write.get_selected_field_settings("source") == SETTING
    assert write.get_default_values("source") == FieldDefault(string_value="myApp")
    assert write.get_write_on_create_setting("source") == "always"
    assert write.get_write_on_update_setting("source") == "never"
    assert write.get_write_on_update_setting("fax") is None
    assert write.deletion_enabled
    assert (write.get_field_mapping("plan"), write.get_value_mapping("plan")) == ("hs_plan", None)
    assert write.get_write_object() is write.object is not None
    assert read.object is not None
    assert draft.proxy().enabled


def test_a_fresh_draft_reads_nothing_and_writes_everything() -> None:
    draft = Draft(CRM)
    assert draft.read_object("contacts").object is None
    assert draft.read_object("contacts").get_field_mapping("source") is None
    assert draft.write_object("deals").object is None
    assert draft.write_object("deals").enabled
    assert not draft.write_object("deals").deletion_enabled
    assert draft.write_object("deals").get_field_settings("a") is None
    assert not draft.proxy().enabled
    assert draft.edits == ()


def test_one_object_off_leaves_the_other_on() -> None:
    draft = Draft(CRM)
    draft.write_object("contacts").set_disable_write()
    assert (draft.write_object("contacts").enabled, draft.write_object("deals").enabled) == (False, True)


def test_what_is_undone_was_never_done() -> None:
    draft = Draft(CRM, decode({"provider": "hubspot", "write": {"objects": {}}}, ConfigContent))
    draft.write_object("deals").set_enable_write()
    draft.write_object("deals").set_disable_write()
    assert draft.edits == ()
    draft.write_object("deals").set_enable_write()
    draft.read_object("contacts").set_enable_read()
    draft.reset()
    assert (draft.edits, draft.read_object("contacts").object) == ((), None)


def test_an_edit_that_cannot_be_leaves_the_draft_as_it_was() -> None:
    draft = Draft(CRM)
    draft.write_object("deals").set_enable_deletion()
    before, made = draft.content, draft.edits
    with pytest.raises(InvalidInput, match="no object that this integration can read"):
        draft.read_object("deals").set_enable_read()
    with pytest.raises(InvalidInput, match=r"settings\.writeOnUpdates: is not known here"):
        draft.write_object("deals").set_field_settings(field_name="a", settings={"writeOnUpdates": "never"})
    with pytest.raises(InvalidInput, match=r"value\.stringValue"):
        draft.write_object("deals").set_default_values(field_name="a", value={"stringValue": 1})
    assert (draft.content, draft.edits) == (before, made)


@given(chosen, st.lists(edits, max_size=5))
def test_the_recorded_edits_make_the_draft(start: ConfigContent, made: list[Edit]) -> None:
    draft = Draft(SPEC, start)
    draft.apply(*made)
    assert apply(SPEC, start, draft.edits) == draft.content


@given(chosen, st.lists(edits, min_size=1, max_size=3))
def test_whoever_changes_their_mind_asks_for_little(start: ConfigContent, made: list[Edit]) -> None:
    draft = Draft(SPEC, start)
    draft.apply(*made)
    few = len(draft.edits)
    for _ in range(3):
        draft.apply(made[-1])
    assert len(draft.edits) <= max(few, 1)
    assert apply(SPEC, start, draft.edits) == draft.content


def test_a_field_that_is_switched_on_and_off_is_one_edit() -> None:
    draft = Draft(CRM)
    for turn in range(2_001):
        draft.read_object("contacts").set_selected_field(field_name=f"field{turn % 3}", selected=turn % 2 == 0)
    assert len(draft.edits) == 3
    assert apply(CRM, ConfigContent(provider="hubspot"), draft.edits) == draft.content


DEFAULTS = json.loads((Path(__file__).parent / "defaults.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", DEFAULTS, ids=[case["name"] for case in DEFAULTS])
def test_a_default_is_shown_in_whichever_form_it_stands(case: dict[str, Any]) -> None:
    contacts = {"objectName": "contacts", **case["object"]}
    content = decode({"provider": "hubspot", "write": {"objects": {"contacts": contacts}}}, ConfigContent)
    shown = Draft(CRM, content).write_object("contacts").get_default_values(case["fieldName"])
    assert shown == (decode(case["default"], FieldDefault) if "default" in case else None)
