from typing import Any

import pytest

from installations.errors import InvalidInput
from tests.installations.customers import deeds, inheriting, rules, sent

PREDEFINED = {"requiredFields": [{"fieldName": "Email", "mapToName": "mail"}]}
ASKED = {"optionalFields": [{"mapToName": "source"}]}
SWAP = {"selectedFieldMappings": {"email": "phone", "phone": "email"}}
CITY = {"selectedFieldMappings": {"town": "$['address']['city']"}}
TOWN = {"selectedFieldMappings": {"$['home']['town']": "City"}}
NESTED = """record["$['address']['city']"]"""
BOTH = {"selectedFieldMappings": {"$['home']['town']": "$['address']['city']"}}
TWO = {"selectedFieldMappings": {"a": "X", "b": "X"}}
INSIDE = {"selectedFieldMappings": {"place": "$['a']['b']", "spot": "$['a']['b']['c']"}}
DYNAMIC = {
    "dynamicMappingsInput": [{"mapToName": "hue"}, {"mapToName": "size", "fieldName": "Size__c"}, {"mapToName": "no"}],
    "selectedFieldMappings": {"hue": "Colour__c"},
}


@pytest.mark.parametrize(
    ("read", "chosen", "record", "expected"),
    [
        pytest.param(PREDEFINED, {}, {"mail": "a"}, {"Email": "a"}, id="predefined"),
        pytest.param(PREDEFINED, {"selectedFieldMappings": {"mail": "M2"}}, {"mail": "a"}, {"M2": "a"}, id="chosen"),
        pytest.param(ASKED, {"selectedFieldMappings": {"source": "S"}}, {"source": 1}, {"S": 1}, id="user-defined"),
        pytest.param(ASKED, {}, {"source": 1, "x": 2}, {"x": 2}, id="left open is stripped"),
        pytest.param(ASKED, {"selectedFieldMappings": {"source": ""}}, {"source": 1}, {}, id="chosen as nothing"),
        pytest.param(
            {"requiredFields": [{"fieldName": "source"}], **ASKED}, {}, {"source": 1}, {"source": 1},
            id="an open name that is a declared provider field passes",
        ),
        pytest.param({}, DYNAMIC, {"hue": 1, "size": 2, "no": 3}, {"Colour__c": 1, "Size__c": 2}, id="dynamic"),
        pytest.param(PREDEFINED, {}, {"Email": "a", "x": None}, {"Email": "a", "x": None}, id="provider names pass"),
        pytest.param(PREDEFINED, {}, {"MAIL": "a"}, {"MAIL": "a"}, id="names are exact"),
        pytest.param(PREDEFINED, {}, {"mail": "a", "Email": "a"}, {"Email": "a"}, id="two names that agree"),
        pytest.param({}, SWAP, {"email": 1, "phone": 2}, {"phone": 1, "email": 2}, id="names change places"),
        pytest.param({}, SWAP, {"email": 1}, {"phone": 1}, id="half a swap"),
        pytest.param(
            {}, {"selectedFieldMappings": {"a": "b", "b": "c"}}, {"a": 1, "b": 2}, {"b": 1, "c": 2}, id="a chain"
        ),
        pytest.param(
            {"optionalFields": [{"mapToName": "b"}]}, {"selectedFieldMappings": {"a": "b"}}, {"a": 1, "b": 2}, {"b": 1},
            id="a field may carry an open name",
        ),
        pytest.param({}, CITY, {"town": 1}, {"address": {"city": 1}}, id="nested at the provider"),
        pytest.param(
            {}, CITY, {"town": 1, "address": {"zip": 2}}, {"address": {"zip": 2, "city": 1}}, id="merged with an object"
        ),
        pytest.param({}, CITY, {"address": {"city": 1}}, {"address": {"city": 1}}, id="nested natively"),
        pytest.param({}, CITY, {"$['address']['city']": 1}, {"address": {"city": 1}}, id="the nested name itself"),
        pytest.param({}, CITY, {"town": 1, "address": {"city": 1}}, {"address": {"city": 1}}, id="nested and agreeing"),
        pytest.param({}, CITY, {"address": "text"}, {"address": "text"}, id="no object, and nothing for it"),
        pytest.param({}, CITY, {"address": {}}, {"address": {}}, id="an empty object stays"),
        pytest.param({}, TOWN, {"home": {"town": 1}}, {"City": 1}, id="nested in the request"),
        pytest.param({}, TOWN, {"home": {"town": 1, "x": 2}}, {"City": 1, "home": {"x": 2}}, id="the rest stays"),
        pytest.param({}, TOWN, {"$['home']['town']": 1}, {"City": 1}, id="the nested name as a key"),
        pytest.param({}, TOWN, {"home": None}, {"home": None}, id="nothing to find"),
        pytest.param({}, BOTH, {"home": {"town": None}}, {"address": {"city": None}}, id="nested on both sides"),
        pytest.param({}, INSIDE, {"spot": 1}, {"a": {"b": {"c": 1}}}, id="three deep"),
        pytest.param(
            {}, INSIDE, {"place": {"d": 1}, "spot": 2}, {"a": {"b": {"d": 1, "c": 2}}}, id="one nested in another"
        ),
        pytest.param(
            {"optionalFields": [{"mapToName": "$['home']['town']"}]}, {}, {"home": {"town": 1, "x": 2}},
            {"home": {"x": 2}}, id="an open nested name is stripped",
        ),
        pytest.param({}, {}, {"$['a']['b']": 1}, {"$['a']['b']": 1}, id="a key nobody named is only a key"),
        pytest.param({}, {"selectedFieldMappings": {"$['m']": "$['N']"}}, {"m": 1}, {"N": 1}, id="one segment"),
        pytest.param(
            {}, {"selectedFieldMappings": {"m": "$['x'"}}, {"m": 1}, {"$['x'": 1}, id="a broken path is a name"
        ),
    ],
)  # fmt: skip
def test_inherited_mappings(read: Any, chosen: Any, record: Any, expected: Any) -> None:
    assert sent(inheriting(read, chosen), "create", record) == expected


@pytest.mark.parametrize(
    ("chosen", "record", "path", "code"),
    [
        pytest.param(TWO, {"a": 1, "b": 2}, "record.b", "conflict", id="two mapped names"),
        pytest.param(TWO, {"a": 1, "X": 2}, "record.a", "conflict", id="mapped and provider name"),
        pytest.param(TWO, {"a": 1, "X": 1.0}, "record.a", "conflict", id="1 is not 1.0"),
        pytest.param(TWO, {"a": [1, {"y": 1}], "X": [1, {"y": True}]}, "record.a", "conflict", id="deep inside"),
        pytest.param(CITY, {"town": 1, "address": {"city": 2}}, NESTED, "conflict", id="nested"),
        pytest.param(CITY, {"town": 1, "address": "x"}, "record.town", "conflict", id="home is no object"),
        pytest.param(CITY, {"town": 1, "address": None}, "record.town", "conflict", id="home is null"),
        pytest.param(
            {"selectedFieldMappings": {"m": "$['a'][*]"}}, {"m": 1}, "record.m", "not-writable", id="wildcard"
        ),
    ],
)
def test_conflicts_are_named(chosen: Any, record: Any, path: str, code: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        sent(inheriting({}, chosen), "create", record)
    (issue,) = caught.value.issues
    assert (issue.path, issue.code) == (path, code)


def test_nothing_is_inherited_unless_said() -> None:
    assert sent(rules({}, PREDEFINED, chosen_read=SWAP), "create", {"mail": 1, "email": 2}) == {"mail": 1, "email": 2}


def test_a_config_may_ask_for_inheritance() -> None:
    assert sent(rules({}, PREDEFINED, chosen={"inheritMapping": True}), "create", {"mail": 1}) == {"Email": 1}


def test_write_only_mappings_need_no_read_object_and_stand_before_inherited_ones() -> None:
    own = {
        "inheritMapping": True,
        "fieldMappings": [{"mapToName": "mail", "fieldName": "WorkEmail"}, {"mapToName": "x"}],
    }
    assert sent(rules(own, PREDEFINED), "create", {"mail": 1, "x": 2}) == {"WorkEmail": 1}
    chosen = {"selectedFieldMappings": {"mail": "Mine", "x": "X__c"}}
    assert sent(rules(own, PREDEFINED, chosen=chosen), "create", {"mail": 1, "x": 2}) == {"Mine": 1, "X__c": 2}


def test_the_trace_names_what_happened() -> None:
    ready = inheriting({**PREDEFINED, **ASKED}, CITY)
    record = {"mail": 1, "Email": 1, "source": 2, "address": {"city": 3}, "other": 4}
    assert deeds(ready, "create", record) == [
        ("mapping", "stripped", "source", ""),
        ("mapping", "agreed", "Email", "Email"),
        ("mapping", "mapped", "mail", "Email"),
        ("mapping", "found", "$['address']['city']", "$['address']['city']"),
    ]


@pytest.mark.parametrize(
    ("chosen", "chosen_read", "expected"),
    [
        pytest.param({}, {}, {"Size__c": 1}, id="no choice"),
        pytest.param({"selectedFieldMappings": {"size": "Mine"}}, {}, {"Mine": 1}, id="another choice"),
        pytest.param({"selectedFieldMappings": {"size": ""}}, {}, {}, id="chosen to have none"),
        pytest.param({}, {"selectedFieldMappings": {"size": "Theirs"}}, {"Theirs": 1}, id="a choice for reading"),
    ],
)
def test_a_mapping_for_writing_alone_has_its_default_until_the_customer_chooses(
    chosen: Any, chosen_read: Any, expected: Any
) -> None:
    write = {"inheritMapping": True, "fieldMappings": [{"mapToName": "size", "default": "Size__c"}]}
    assert sent(rules(write, {}, chosen=chosen, chosen_read=chosen_read), "create", {"size": 1}) == expected
