from typing import Any

import pytest

from tests.installations.customers import deeds, rules, sent

NAMES = {"fieldMappings": [{"fieldName": "Source__c", "mapToName": "source"}, {"mapToName": "open"}]}
DEFAULT = {"default": {"stringValue": "app"}}


def settings(**fields: Any) -> dict[str, Any]:
    return {"selectedFieldSettings": fields}


@pytest.mark.parametrize(
    ("default", "expected"),
    [
        pytest.param({"stringValue": ""}, "", id="empty text"),
        pytest.param({"integerValue": 0}, 0, id="zero"),
        pytest.param({"booleanValue": False}, False, id="false"),
        pytest.param({"floatValue": 1.5}, 1.5, id="fraction"),
        pytest.param({"listValue": ["a", 1]}, ["a", 1], id="list"),
        pytest.param({"dateValue": "2026-01-02"}, "2026-01-02", id="date"),
        pytest.param({"value": "early"}, "early", id="the early form"),
    ],
)
def test_every_kind_of_default_is_used(default: Any, expected: Any) -> None:
    assert sent(rules(chosen=settings(f={"default": default})), "create", {}) == {"f": expected}


@pytest.mark.parametrize("given", [0, False, "", None, [], {}, "x"], ids=repr)
def test_a_value_that_was_sent_stays(given: Any) -> None:
    assert sent(rules(chosen=settings(f=DEFAULT)), "create", {"f": given}) == {"f": given}


@pytest.mark.parametrize("name", ["source", "Source__c"])
@pytest.mark.parametrize("sent_as", ["source", "Source__c"])
def test_settings_and_fields_go_by_either_name(name: str, sent_as: str) -> None:
    ready = rules(NAMES, chosen=settings(**{name: DEFAULT}))
    assert sent(ready, "create", {}) == {"Source__c": "app"}
    assert sent(ready, "create", {sent_as: "web"}) == {"Source__c": "web"}


def test_a_default_for_a_mapping_left_open_goes_nowhere() -> None:
    assert sent(rules(NAMES, chosen=settings(open=DEFAULT)), "create", {}) == {}


def test_a_setting_without_a_default_fills_nothing() -> None:
    assert sent(rules(chosen=settings(f={"writeOnCreate": "always"}, g={"default": {}})), "create", {}) == {}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param({}, "manifest", id="manifest alone"),
        pytest.param({"selectedValueDefaults": {"f": "legacy"}}, "legacy", id="legacy over manifest"),
        pytest.param({"selectedValueDefaults": {"f": {"value": 0}}}, 0, id="legacy in full"),
        pytest.param(
            {"selectedValueDefaults": {"f": "legacy"}, **settings(f={"default": {"stringValue": "new"}})}, "new",
            id="new over legacy",
        ),
        pytest.param(settings(f={"writeOnUpdate": "never"}), "manifest", id="each member for itself"),
    ],
)  # fmt: skip
def test_the_customers_default_stands_over_the_manifests(chosen: Any, expected: Any) -> None:
    write = {"fieldSettings": {"f": {"default": {"stringValue": "manifest"}}}}
    assert sent(rules(write, chosen=chosen), "create", {}) == {"f": expected}


def test_a_legacy_gate_holds_back_the_default_and_not_a_value_that_was_sent() -> None:
    ready = rules(chosen={"selectedValueDefaults": {"f": {"value": 1, "applyOnUpdate": "never"}}})
    assert sent(ready, "create", {}) == {"f": 1}
    assert sent(ready, "update", {}) == {}
    assert sent(ready, "update", {"f": 2}) == {"f": 2}
    assert deeds(ready, "update", {}) == [("defaults", "withheld", "", "f")]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param({}, {"a": {"b": "app"}}, id="the objects between are made"),
        pytest.param({"a": {"c": 1}}, {"a": {"c": 1, "b": "app"}}, id="put into an object"),
        pytest.param({"a": {"b": None}}, {"a": {"b": None}}, id="present inside"),
        pytest.param({"a": "text"}, {"a": "text"}, id="no room"),
        pytest.param({"a": None}, {"a": None}, id="null has no room either"),
    ],
)
def test_a_nested_default(record: Any, expected: Any) -> None:
    assert sent(rules(chosen=settings(**{"$['a']['b']": DEFAULT})), "create", record) == expected


def test_a_default_never_takes_the_place_of_fields_inside() -> None:
    ready = rules({"fieldMappings": [{"fieldName": "$['a']['b']", "mapToName": "m"}]}, chosen=settings(a=DEFAULT))
    assert sent(ready, "create", {"m": 1}) == {"a": {"b": 1}}
    assert sent(ready, "create", {}) == {"a": "app"}


def test_a_default_is_never_the_id_of_an_update() -> None:
    ready = rules(chosen=settings(id=DEFAULT))
    assert sent(ready, "update", {}) == {}
    assert sent(ready, "create", {}) == {"id": "app"}
