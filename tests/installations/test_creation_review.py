"""What creating a record needs: what fills it, what keeps it away, and what is told of that."""

from typing import Any

import pytest

from tests.installations.account import (
    NEEDED,
    TEXT,
    account,
    chosen,
    field,
    integration,
    issues,
    settings,
    short,
)
from tests.installations.review_cases import Case, W

PATH = f"{W}.selectedFieldSettings.last_name"
SENT = {"fieldMappings": [{"fieldName": "last_name", "mapToName": "family"}]}
CREATING: list[Case] = [
    ("nothing fills it", {"write": {}}, {}, [("warning", "required-field", PATH)]),
    ("a default", {"write": {}}, settings(last_name=TEXT), []),
    ("the manifest's default", {"write": {"fieldSettings": {"last_name": TEXT}}}, {}, []),
    ("an old default", {"write": {}}, {"write": {"selectedValueDefaults": {"last_name": "x"}}}, []),
    ("a mapping", {"write": SENT}, {}, []),
    (
        "a field that is read under its own name",
        {"read": {}, "write": {}},
        {"read": {"selectedFields": {"last_name": True}}},
        [],
    ),
    ("the key to match by", {"write": {"upsertKeys": ["last_name"]}}, {}, []),
    (
        "only a rule",
        {"write": {}},
        settings(last_name={"writeOnUpdate": "never"}),
        [("warning", "required-field", PATH)],
    ),
    (
        "unmapped fields are removed",
        {"write": {"removeUnmappedFields": True}},
        {},
        [("error", "required-field", PATH)],
    ),
    (
        "unmapped fields are removed, all are selected",
        {"read": {}, "write": {"removeUnmappedFields": True}},
        {"read": {"selectedFieldsAuto": "all"}},
        [("warning", "required-field", PATH)],
    ),
    (
        "the customer keeps it from being written",
        {"write": SENT},
        settings(family={"writeOnCreate": "never"}),
        [("error", "required-field", f"{W}.selectedFieldSettings.family.writeOnCreate")],
    ),
    (
        "the manifest keeps it from being written",
        {"write": {"fieldSettings": {"last_name": {"writeOnCreate": "never"}}}},
        {},
        [("warning", "required-field", f"{PATH}.writeOnCreate")],
    ),
    ("an object that is off", {"write": {}}, {"write": None}, []),
]


@pytest.mark.parametrize(("case", "spec", "config", "expected"), CREATING, ids=[case for case, *_ in CREATING])
def test_what_creating_needs_is_filled_or_told(case: str, spec: Any, config: Any, expected: Any) -> None:
    submitted = {"write": {"objects": {}}} if config == {"write": None} else chosen(**config)
    assert short(issues(integration(**spec), submitted, account(NEEDED))) == expected, case


@pytest.mark.parametrize(
    "needed",
    [
        pytest.param({**NEEDED, "readOnly": True}, id="set by the provider"),
        pytest.param(field("$['address']['street']", isRequired=True), id="needed inside another alone"),
        pytest.param(field("address", isRequired=False), id="not needed"),
    ],
)
def test_what_creating_does_not_need_is_not_asked_for(needed: Any) -> None:
    assert issues(integration(write={}), {}, account(needed)) == []


def test_a_nested_mapping_fills_the_field_around_it() -> None:
    spec = integration(write={"fieldMappings": [{"fieldName": "$['address']['city']", "mapToName": "town"}]})
    assert issues(spec, {}, account(field("address", isRequired=True, valueType="other"))) == []
