"""That edits are found which make one config into another, and what is said where there are none."""

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from headless.applying import apply
from headless.diff import diff
from headless.edits import Edit, parse_edits
from headless.meaning import plainest
from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.install import build_config, write_spelled_out
from installations.shape import decode
from tests.headless.contents import SPEC, chosen, contents, edits

Json = dict[str, Any]


def built(content: ConfigContent) -> ConfigContent:
    return build_config(SPEC, msgspec.to_builtins(content))


def meant(content: ConfigContent) -> ConfigContent:
    return plainest(write_spelled_out(SPEC, built(content)))


def content(**sections: dict[str, Json]) -> ConfigContent:
    named = {
        action: {"objects": {name: {"objectName": name, **each} for name, each in objects.items()}}
        for action, objects in sections.items()
    }
    return built(decode({"provider": "hubspot", **named}, ConfigContent))


def found(before: ConfigContent, after: ConfigContent) -> list[Json]:
    return [msgspec.to_builtins(edit) for edit in diff(SPEC, before, after)]


SET = {"default": {"stringValue": "x"}, "writeOnUpdate": "never"}
OFF: dict[str, Json] = {}
CASES: list[tuple[str, ConfigContent, ConfigContent, list[Json]]] = [
    ("nothing", content(write={"deals": {}}), content(write={"deals": {}}), []),
    (
        "what means the same",
        content(read={"contacts": {"disabled": False}}, write={"deals": {"deletionSettings": {"enabled": False}}}),
        content(read={"contacts": {"selectedFields": {"a": False}}}, write={"deals": {"selectedFieldSettings": {}}}),
        [],
    ),
    (
        "all that is on because nothing is said, spelled out",
        content(),
        write_spelled_out(SPEC, content()),
        [],
    ),
    (
        "one object more, with one edit",
        content(read={"contacts": {}}),
        content(read={"contacts": {}, "deals": {"selectedFields": {"a": True}}}),
        [{"edit": "selectField", "objectName": "deals", "fieldName": "a", "selected": True}],
    ),
    (
        "one object more, and nothing chosen for it",
        content(write=OFF),
        content(write={"deals": {}}),
        [{"edit": "enableWrite", "objectName": "deals"}],
    ),
    (
        "one object less, for reading and writing at once",
        content(read={"contacts": {}}, write={"contacts": {}, "deals": {}}),
        content(read=OFF, write={"deals": {}}),
        [{"edit": "removeObject", "objectName": "contacts"}],
    ),
    (
        "one object less, for reading alone: the other half is made again",
        content(read={"contacts": {}}, write={"contacts": {"inheritMapping": True}}),
        content(read=OFF, write={"contacts": {"inheritMapping": True}}),
        [
            {"edit": "removeObject", "objectName": "contacts"},
            {"edit": "setInheritMapping", "objectName": "contacts", "inherit": True},
        ],
    ),
    (
        "one object less, for writing alone",
        content(read={"contacts": {}}, write={"contacts": {}}),
        content(read={"contacts": {}}, write=OFF),
        [{"edit": "disableWrite", "objectName": "contacts"}],
    ),
    (
        "two settings of a field at once",
        content(write={"deals": {}}),
        content(write={"deals": {"selectedFieldSettings": {"a": SET}}}),
        [{"edit": "setFieldSettings", "objectName": "deals", "fieldName": "a", "settings": SET}],
    ),
    (
        "one setting of a field leaves the other alone",
        content(write={"deals": {"selectedFieldSettings": {"a": SET}}}),
        content(write={"deals": {"selectedFieldSettings": {"a": {**SET, "writeOnUpdate": "ifEmpty"}}}}),
        [{"edit": "setWriteOnUpdate", "objectName": "deals", "fieldName": "a", "value": "ifEmpty"}],
    ),
    (
        "a default of the old form becomes one of the new",
        content(write={"deals": {"selectedValueDefaults": {"a": {"value": "x"}}}}),
        content(write={"deals": {"selectedFieldSettings": {"a": {"default": {"stringValue": "x"}}}}}),
        [{"edit": "setDefault", "objectName": "deals", "fieldName": "a", "value": {"stringValue": "x"}}],
    ),
    (
        "a rule beside a default of the old form",
        content(write={"deals": {"selectedValueDefaults": {"a": {"value": "x"}}}}),
        content(
            write={
                "deals": {
                    "selectedFieldSettings": {"a": {"writeOnUpdate": "never"}},
                    "selectedValueDefaults": {"a": {"value": "x"}},
                }
            }
        ),
        [{"edit": "setWriteOnUpdate", "objectName": "deals", "fieldName": "a", "value": "never"}],
    ),
]


@pytest.mark.parametrize(("case", "before", "after", "expected"), CASES, ids=[case for case, *_ in CASES])
def test_each_edit_names_a_difference(
    case: str, before: ConfigContent, after: ConfigContent, expected: list[Json]
) -> None:
    assert [{k: v for k, v in each.items() if k != "action"} for each in found(before, after)] == expected, case
    assert meant(apply(SPEC, before, parse_edits(expected))) == meant(after)


def test_what_no_edit_does_is_told_all_at_once() -> None:
    before = content(read={"contacts": {"schedule": "0 * * * *"}}, write={"deals": {}})
    after = content(
        read={"contacts": {"schedule": "0 0 * * *"}, "tickets": {"selectedFields": {"a": True}}},
        write={
            "deals": {"selectedValueDefaults": {"a.b": {"value": "x"}}},
            "tickets": {},
        },
        subscribe={"contacts": {"inheritFieldsAndMappings": True}},
    )
    with pytest.raises(InvalidInput) as refused:
        diff(SPEC, before, after)
    assert {(issue.path, issue.code) for issue in refused.value.issues} == {
        ("config.content.read.objects.contacts.schedule", "no-edit"),
        ("config.content.read.objects.tickets", "not-in-manifest"),
        ('config.content.write.objects.deals.selectedValueDefaults["a.b"]', "no-edit"),
        ("config.content.write.objects.tickets", "not-in-manifest"),
        ("config.content.subscribe", "no-edit"),
    }


@given(chosen, chosen)
def test_edits_make_one_config_into_any_other_that_edits_can_make(before: ConfigContent, after: ConfigContent) -> None:
    before = built(before)
    assert meant(apply(SPEC, before, diff(SPEC, before, after))) == meant(after)


@given(chosen, chosen)
def test_no_edit_could_be_left_out(before: ConfigContent, after: ConfigContent) -> None:
    before = built(before)
    edits = diff(SPEC, before, after)
    for index in range(len(edits)):
        fewer = (*edits[:index], *edits[index + 1 :])
        assert meant(apply(SPEC, before, fewer)) != meant(after)


@given(chosen, st.lists(edits, max_size=8))
def test_what_was_edited_is_found_again(before: ConfigContent, made: list[Edit]) -> None:
    before = built(before)
    after = apply(SPEC, before, made)
    assert meant(apply(SPEC, before, diff(SPEC, before, after))) == meant(after)


@given(contents, contents)
def test_whatever_two_configs_hold_the_edits_are_right_or_there_are_none(
    before: ConfigContent, after: ConfigContent
) -> None:
    before = built(before)
    with suppress(InvalidInput):
        assert meant(apply(SPEC, before, diff(SPEC, before, after))) == meant(after)


def test_two_configs_that_say_nothing_are_alike() -> None:
    nothing = ConfigContent(provider="hubspot")
    assert nothing.write is UNSET
    assert diff(SPEC, nothing, nothing) == ()
