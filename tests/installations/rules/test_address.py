from typing import Any

import pytest

from installations.errors import InvalidInput
from installations.explain import explain
from installations.pipeline import Rules, plan, settle
from installations.record import WriteRequest
from tests.installations.customers import ask, planned, rules, sent

RENAMED = {"fieldMappings": [{"fieldName": "id", "mapToName": "recordId"}, {"fieldName": "Email", "mapToName": "mail"}]}
ENABLED = {"deletionSettings": {"enabled": True}}


def issues(ready: Rules, request: WriteRequest) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as caught:
        plan(request, ready)
    return [(issue.path, issue.code) for issue in caught.value.issues]


@pytest.mark.parametrize(("given", "address"), [("003x", "003x"), (7, "7"), (0, "0"), (-1, "-1"), ("a/b ü", "a/b ü")])
def test_an_id_is_a_text_or_a_whole_number(given: Any, address: str) -> None:
    made = plan(ask("update", {"id": given, "x": 1}), rules())
    assert [(record.id, record.fields) for record in made.records] == [(address, {"x": 1})]


@pytest.mark.parametrize("given", ["", "  ", None, True, 1.0, [], {}, "a\0b", "a\nb", 10**400, "\ud800"], ids=ascii)
@pytest.mark.parametrize("action", ["update", "delete"])
def test_anything_else_is_refused(action: Any, given: Any) -> None:
    assert issues(rules(chosen=ENABLED), ask(action, {"id": given})) == [("record.id", "id-required")]


def test_the_id_is_required() -> None:
    assert issues(rules(), ask("update", {"x": 1})) == [("record.id", "id-required")]


@pytest.mark.parametrize(
    ("write", "record", "expected"),
    [
        pytest.param({}, {"Id": "003x", "x": 1}, ("003x", {"x": 1}), id="Salesforce's spelling"),
        pytest.param({}, {"ID": 7, "x": 1}, ("7", {"x": 1}), id="capitals"),
        pytest.param({}, {"id": "1", "Id": "2"}, ("1", {"Id": "2"}), id="id stands first, and the other is a field"),
        pytest.param({}, {"Id": "1", "ID": "2"}, ("1", {"ID": "2"}), id="and Id before ID"),
    ],
)
def test_the_id_may_be_spelt_otherwise_where_id_is_absent(write: Any, record: Any, expected: Any) -> None:
    made = plan(ask("update", record), rules(write))
    assert [(each.id, each.fields) for each in made.records] == [expected]
    removed = plan(ask("delete", record), rules(write, chosen=ENABLED))
    assert [(each.id, each.fields) for each in removed.records] == [(expected[0], {})]


@pytest.mark.parametrize("mapping", [{"fieldName": "Key__c", "mapToName": "Id"}, {"mapToName": "Id"}])
def test_another_spelling_that_a_mapping_has_is_no_address(mapping: Any) -> None:
    assert issues(rules({"fieldMappings": [mapping]}), ask("update", {"Id": "x"})) == [("record.id", "id-required")]


@pytest.mark.parametrize("action", ["update", "delete"])
def test_another_spelling_is_explained_and_refused_by_its_own_name(action: Any) -> None:
    ready = rules(chosen=ENABLED)
    told = explain(plan(ask(action, {"Id": "7"}), ready)).records[0]
    assert [(each.name, each.fate) for each in told.inputs] == [("Id", "address")]
    assert issues(ready, ask(action, {"Id": ""})) == [("record.Id", "id-required")]
    twice = [{"record": {"id": "7"}}, {"record": {"Id": 7}}]
    assert issues(ready, ask(action, batch=twice)) == [("batch[1].record.Id", "duplicate-record")]


def test_the_id_is_the_address_whatever_the_mappings_say() -> None:
    ready = rules({"fieldMappings": [{"fieldName": "Key__c", "mapToName": "id"}]})
    assert sent(ready, "update", {"x": 1}) == {"x": 1}
    assert sent(ready, "create", {"id": "9"}) == {"Key__c": "9"}


def test_a_mapped_id_is_no_field_of_an_update_and_may_not_name_another_record() -> None:
    assert sent(rules(RENAMED), "update", {"recordId": 7, "x": 1}) == {"x": 1}
    assert issues(rules(RENAMED), ask("update", {"id": "7", "recordId": "8"})) == [("record.recordId", "conflict")]


def test_a_batch_may_name_a_record_once() -> None:
    batch = [{"record": {"id": each}} for each in ("1", 2, "2", "3", 1)]
    expected = [("batch[2].record.id", "duplicate-record"), ("batch[4].record.id", "duplicate-record")]
    assert issues(rules(), ask("update", batch=batch)) == expected
    assert issues(rules(chosen=ENABLED), ask("delete", batch=batch)) == expected


@pytest.mark.parametrize(
    ("keys", "members", "record", "field"),
    [
        pytest.param(["mail", "Phone"], {}, {"mail": "a"}, "Email", id="the first key declared"),
        pytest.param(["mail", "Phone"], {"matchKey": "Phone"}, {"Phone": 5}, "Phone", id="another key declared"),
        pytest.param(["Email"], {"matchKey": "mail"}, {"Email": "a"}, "Email", id="by either name"),
        pytest.param([], {"matchKey": "mail"}, {"mail": "a"}, "Email", id="any field, if none is declared"),
    ],
)
def test_an_upsert_matches_by_a_field(keys: Any, members: Any, record: Any, field: str) -> None:
    made = plan(ask("upsert", record, **members), rules({**RENAMED, "upsertKeys": keys}))
    assert (made.match_field, list(made.records[0].fields), made.records[0].id) == (field, [field], None)


@pytest.mark.parametrize(
    ("keys", "members", "record", "expected"),
    [
        pytest.param([], {}, {"mail": "a"}, ("matchKey", "match-key-required"), id="no key"),
        pytest.param(["mail"], {"matchKey": "Phone"}, {}, ("matchKey", "match-key-unknown"), id="key not declared"),
        pytest.param([], {"matchKey": "$['a']['b']"}, {}, ("matchKey", "match-key-nested"), id="nested key"),
        pytest.param(["mail"], {}, {}, ("record.Email", "match-value-required"), id="no value"),
        pytest.param(["mail"], {}, {"mail": ""}, ("record.mail", "match-value-required"), id="empty value"),
        pytest.param(["mail"], {}, {"mail": None}, ("record.mail", "match-value-required"), id="null"),
        pytest.param(["mail"], {}, {"mail": True}, ("record.mail", "match-value-required"), id="boolean"),
        pytest.param(["mail"], {}, {"mail": ["a"]}, ("record.mail", "match-value-required"), id="list"),
    ],
)
def test_an_upsert_must_say_which_record(keys: Any, members: Any, record: Any, expected: Any) -> None:
    assert issues(rules({**RENAMED, "upsertKeys": keys}), ask("upsert", record, **members)) == [expected]


def test_no_rule_fills_or_drops_the_field_to_match_by() -> None:
    setting = {"default": {"stringValue": "x"}, "writeOnUpdate": "never", "writeOnCreate": "never"}
    ready = rules({"upsertKeys": ["key"]}, chosen={"selectedFieldSettings": {"key": setting}})
    assert planned(ready, "upsert", {"key": "k"}).needs == ()
    assert sent(ready, "upsert", {"key": "k"}) == {"key": "k"}
    assert issues(ready, ask("upsert", {})) == [("record.key", "match-value-required")]


def test_an_upsert_batch_may_name_a_record_once() -> None:
    batch = [{"record": {"key": each}} for each in ("1", 1, 1.5, 1.5, "x")]
    expected = [("batch[1].record.key", "duplicate-record"), ("batch[3].record.key", "duplicate-record")]
    assert issues(rules({"upsertKeys": ["key"]}), ask("upsert", batch=batch)) == expected


def test_a_delete_sends_the_id_alone() -> None:
    change = settle(plan(ask("delete", {"id": 7, "x": 1}), rules(chosen=ENABLED)))
    assert [(record.id, record.fields) for record in change.records] == [("7", {})]


@pytest.mark.parametrize("chosen", [{}, {"deletionSettings": {"enabled": False}}])
def test_a_delete_must_be_enabled(chosen: Any) -> None:
    assert issues(rules(chosen=chosen), ask("delete", {"id": "7"})) == [("type", "deletion-not-enabled")]
    assert issues(rules(chosen=chosen), ask("delete", {})) == [
        ("type", "deletion-not-enabled"),
        ("record.id", "id-required"),
    ]
