from typing import Any

import msgspec
import pytest

from installations.config import ConfigContent
from installations.errors import InvalidInput
from installations.manifest import IntegrationSpec
from installations.pipeline import Rules, compile_rules
from tests.installations.customers import deeds, planned, sent

WRITE: dict[str, Any] = {
    "objectName": "contact",
    "fieldMappings": [{"fieldName": "Email", "mapToName": "mail"}, {"mapToName": "open"}],
    "fieldSettings": {"description": {"default": {"stringValue": "d"}}},
    "upsertKeys": ["Ext__c"],
}
CHOSEN: dict[str, Any] = {
    "objectName": "contact",
    "selectedFieldSettings": {"Description": {"writeOnUpdate": "ifEmpty"}, "PHONE": {"writeOnUpdate": "never"}},
    "selectedValueMappings": {"stage": {"new": "Lead"}},
}


def ready(*, ignores_case: bool = True) -> Rules:
    spec = {"name": "crm", "provider": "crm", "write": {"objects": [WRITE]}}
    content = {"provider": "crm", "write": {"objects": {"contact": CHOSEN}}}
    made = msgspec.convert(content, ConfigContent)
    return compile_rules(msgspec.convert(spec, IntegrationSpec), made, "contact", ignores_case=ignores_case)


@pytest.mark.parametrize(
    ("given", "now", "expected"),
    [
        pytest.param({"dESCRIPTION": "x"}, {"Description": "there"}, {}, id="a rule holds for every spelling"),
        pytest.param({"description": "x"}, {}, {"Description": "x"}, id="a default is no second field"),
        pytest.param({}, {}, {"Description": "d"}, id="two settings under two spellings are one field's"),
        pytest.param({"phone": "1", "Description": ""}, {}, {"Description": ""}, id="never"),
        pytest.param({"STAGE": "new", "Description": 1}, {}, {"stage": "Lead", "Description": 1}, id="values"),
        pytest.param(
            {"email": 1, "mail": 1, "Description": 1}, {}, {"Email": 1, "Description": 1}, id="twice the same"
        ),
        pytest.param({"Other": 1, "Description": 1}, {}, {"Other": 1, "Description": 1}, id="what nothing names"),
        pytest.param({"open": 1, "Description": 1}, {}, {"Description": 1}, id="an open mapping"),
    ],
)
def test_case_does_not_get_around_a_rule(given: Any, now: Any, expected: Any) -> None:
    assert sent(ready(), "update", given, now) == expected


def test_two_spellings_with_two_values_are_a_conflict() -> None:
    with pytest.raises(InvalidInput) as error:
        planned(ready(), "create", {"Phone": "1", "phone": "2"})
    assert [(issue.path, issue.code) for issue in error.value.issues] == [("record.phone", "conflict")]


def test_records_are_matched_by_a_key_in_any_spelling() -> None:
    assert planned(ready(), "upsert", {"ext__C": "1"}).records[0].fields["Ext__c"] == "1"


def test_the_trace_tells_the_spelling() -> None:
    assert deeds(ready(), "create", {"phone": "1", "Description": 1}) == [("mapping", "respelled", "phone", "PHONE")]


def test_where_case_counts_nothing_is_respelled() -> None:
    given = {"phone": "1", "description": "x", "Description": "y"}
    assert sent(ready(ignores_case=False), "create", given) == given
