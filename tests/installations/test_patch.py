from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installations.config import WriteObjectConfig
from installations.errors import InvalidInput
from installations.patch import ConfigChange, apply_changes
from installations.shape import decode

DATA: dict[str, Any] = {
    "objectName": "contacts",
    "selectedFieldSettings": {
        "a/b": {"writeOnUpdate": "never"},
        "tags": {"default": {"listValue": ["x", "y"]}},
    },
}
CURRENT = decode(DATA, WriteObjectConfig)


def apply(*changes: Any) -> dict[str, Any]:
    return apply_changes(CURRENT, decode(list(changes), tuple[ConfigChange, ...], path="changes"))


GOOD: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("nothing", [], DATA),
    (
        "add",
        [{"op": "add", "path": "/deletionSettings", "value": {"enabled": True}}],
        {**DATA, "deletionSettings": {"enabled": True}},
    ),
    ("remove", [{"op": "remove", "path": "/selectedFieldSettings"}], {"objectName": "contacts"}),
    (
        "replace under an escaped name",
        [
            {"op": "replace", "path": "/selectedFieldSettings/a~1b/writeOnUpdate", "value": "ifEmpty"},
            {"op": "remove", "path": "/selectedFieldSettings/tags"},
        ],
        {"objectName": "contacts", "selectedFieldSettings": {"a/b": {"writeOnUpdate": "ifEmpty"}}},
    ),
    (
        "the end of a list",
        [
            {"op": "add", "path": "/selectedFieldSettings/tags/default/listValue/-", "value": 1},
            {"op": "remove", "path": "/selectedFieldSettings/a~1b"},
        ],
        {"objectName": "contacts", "selectedFieldSettings": {"tags": {"default": {"listValue": ["x", "y", 1]}}}},
    ),
    ("the whole", [{"op": "replace", "path": "", "value": {}}], {}),
    ("a null", [{"op": "add", "path": "/deletionSettings", "value": None}], {**DATA, "deletionSettings": None}),
]


@pytest.mark.parametrize(("case", "changes", "expected"), GOOD, ids=[case for case, *_ in GOOD])
def test_changes_are_applied_in_order(case: str, changes: list[Any], expected: dict[str, Any]) -> None:
    assert apply(*changes) == expected, case


BAD: list[tuple[str, list[Any], list[tuple[str, str]]]] = [
    ("another operation", [{"op": "move", "path": "/a", "from": "/b"}], [("changes[0].op", "not-allowed")]),
    ("no path", [{"op": "remove"}], [("changes[0].path", "required")]),
    ("a long path", [{"op": "remove", "path": "/" + "1" * 5000}], [("changes[0].path", "out-of-range")]),
    (
        "no values",
        [{"op": "add", "path": "/a"}, {"op": "remove", "path": "/a"}, {"op": "replace", "path": "/b"}],
        [("changes[0].value", "required"), ("changes[2].value", "required")],
    ),
    (
        "what is not there",
        [{"op": "remove", "path": "/selectedFieldSettings"}, {"op": "remove", "path": "/selectedFieldSettings/tags"}],
        [("changes[1].path", "not-applicable")],
    ),
    (
        "replacing what is not there",
        [{"op": "replace", "path": "/a", "value": 1}],
        [("changes[0].path", "not-applicable")],
    ),
    ("no pointer", [{"op": "add", "path": "a", "value": 1}], [("changes[0].path", "not-applicable")]),
    ("a wrong escape", [{"op": "add", "path": "/~2", "value": 1}], [("changes[0].path", "not-applicable")]),
    ("into a text", [{"op": "add", "path": "/objectName/a", "value": 1}], [("changes[0].path", "not-applicable")]),
    ("removing the whole", [{"op": "remove", "path": ""}], [("changes[0].path", "not-applicable")]),
    ("the whole becomes a number", [{"op": "replace", "path": "", "value": 5}], [("changes", "wrong-type")]),
]


@pytest.mark.parametrize(("case", "changes", "expected"), BAD, ids=[case for case, *_ in BAD])
def test_what_does_not_fit_is_refused_with_its_index(
    case: str, changes: list[Any], expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        apply(*changes)
    assert [(issue.path, issue.code) for issue in refused.value.issues] == expected, case
    assert apply() == DATA


STEPS = st.lists(
    st.sampled_from(["", "selectedFieldSettings", "tags", "default", "listValue", "-", "0", "9", "~", "objectName"])
)
CHANGES: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["add", "remove", "replace"]),
        "path": STEPS.map(lambda steps: "".join(f"/{s}" for s in steps)),
    },
    optional={"value": st.none() | st.integers() | st.lists(st.text(max_size=2)) | st.just({"a": {}})},
)


@given(st.lists(CHANGES, max_size=4))
def test_any_changes_are_applied_or_refused(changes: list[Any]) -> None:
    with suppress(InvalidInput):
        apply(*changes)
