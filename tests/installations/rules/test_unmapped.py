from typing import Any

import pytest

from tests.installations.customers import deeds, rules, sent

ON = {"removeUnmappedFields": True}
OFF = {"removeUnmappedFields": False}
RECORD = {"mail": 1, "stray": 2, "Known": 3, "set": 4, "address": {"city": 5, "zip": 6}}
WRITE = {
    "fieldMappings": [
        {"fieldName": "Email", "mapToName": "mail"},
        {"fieldName": "Known"},
        {"fieldName": "$['address']['city']", "mapToName": "town"},
    ],
    "fieldSettings": {"set": {"writeOnCreate": "always"}},
}
KEPT = {"Email": 1, "Known": 3, "set": 4, "address": {"city": 5}}
ALL = {"Email": 1, **{name: value for name, value in RECORD.items() if name != "mail"}}


@pytest.mark.parametrize(
    ("manifest", "chosen", "chosen_read", "expected"),
    [
        pytest.param({}, {}, {}, ALL, id="off"),
        pytest.param(ON, {}, {}, KEPT, id="manifest"),
        pytest.param({}, ON, {}, KEPT, id="customer"),
        pytest.param(ON, OFF, {}, ALL, id="customer says no"),
        pytest.param(ON, {}, {"selectedFields": {"stray": True}}, {**KEPT, "stray": 2}, id="selected fields stay"),
        pytest.param(
            ON, {"selectedValueMappings": {"stray": {"a": "b"}}}, {}, {**KEPT, "stray": 2}, id="value mappings"
        ),
        pytest.param(ON, {}, {"selectedFields": {"stray": False}}, KEPT, id="deselected fields go"),
        pytest.param(ON, {}, {"selectedFieldsAuto": "all"}, ALL, id="all fields selected"),
    ],
)
def test_what_nothing_names_is_dropped(manifest: Any, chosen: Any, chosen_read: Any, expected: Any) -> None:
    ready = rules({**WRITE, **manifest}, {}, chosen=chosen, chosen_read=chosen_read)
    assert sent(ready, "create", RECORD) == expected


def test_the_fields_to_match_by_stay() -> None:
    assert sent(rules({**ON, "upsertKeys": ["key"]}), "upsert", {"key": 1, "stray": 2}) == {"key": 1}


def test_the_trace_names_what_was_dropped() -> None:
    assert deeds(rules(ON), "create", {"b": 1, "a": 2}) == [
        ("unmapped", "dropped", "a", "a"),
        ("unmapped", "dropped", "b", "b"),
    ]
