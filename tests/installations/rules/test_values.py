from typing import Any

import pytest

from tests.installations.customers import inheriting, rules, sent

MAPPINGS = {
    "selectedFieldMappings": {"stage": "Stage__c"},
    "selectedValueMappings": {"Stage__c": {"new": "Lead", "1": "One", "true": "Yes", "1.5": "More", "": "None"}},
}
BY_OWN_NAME = {**MAPPINGS, "selectedValueMappings": {"stage": {"new": "Lead"}}}


@pytest.mark.parametrize(
    ("chosen", "given", "expected"),
    [
        pytest.param(MAPPINGS, "new", "Lead", id="text"),
        pytest.param(MAPPINGS, "old", "old", id="unnamed values pass"),
        pytest.param(MAPPINGS, 1, "One", id="number"),
        pytest.param(MAPPINGS, 1.5, "More", id="fraction"),
        pytest.param(MAPPINGS, 1.0, 1.0, id="1.0 is not 1"),
        pytest.param(MAPPINGS, True, "Yes", id="boolean"),
        pytest.param(MAPPINGS, "", "None", id="empty text"),
        pytest.param(MAPPINGS, None, None, id="null has no text"),
        pytest.param(MAPPINGS, 10**5000, 10**5000, id="a number too long to spell"),
        pytest.param(MAPPINGS, ["new", "old", 1, ["new"]], ["Lead", "old", "One", ["new"]], id="each of a list"),
        pytest.param(MAPPINGS, {"new": "new"}, {"new": "new"}, id="objects pass"),
        pytest.param(BY_OWN_NAME, "new", "Lead", id="under the product's name"),
    ],
)
def test_values_are_translated(chosen: Any, given: Any, expected: Any) -> None:
    assert sent(inheriting({}, chosen), "create", {"stage": given}) == {"Stage__c": expected}


def test_values_for_writing_alone_stand_before_inherited_ones() -> None:
    own = {"selectedValueMappings": {"Stage__c": {"new": "Mine"}}}
    ready = rules({"inheritMapping": True}, {}, chosen=own, chosen_read=MAPPINGS)
    assert [sent(ready, "create", {"stage": value})["Stage__c"] for value in ("new", 1)] == ["Mine", "One"]


def test_values_are_inherited_with_the_mappings_only() -> None:
    assert sent(rules({}, {}, chosen_read=MAPPINGS), "create", {"Stage__c": "new"}) == {"Stage__c": "new"}


def test_values_of_a_mapping_left_open_concern_no_field() -> None:
    chosen = {"selectedValueMappings": {"stage": {"new": "Lead"}}}
    assert sent(inheriting({"optionalFields": [{"mapToName": "stage"}]}, chosen), "create", {"stage": "new"}) == {}


def test_a_name_of_both_sides_means_the_providers_field() -> None:
    swapped = {"Phone": "Mobile", "Mobile": "Phone"}
    chosen = {"selectedFieldMappings": swapped, "selectedValueMappings": {"Phone": {"none": "0"}}}
    assert sent(inheriting({}, chosen), "create", {"Mobile": "none", "Phone": "none"}) == {
        "Phone": "0",
        "Mobile": "none",
    }
