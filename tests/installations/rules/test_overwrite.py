from typing import Any

import pytest

from installations.record import Action
from installations.rules.overwrite import is_empty
from tests.installations.customers import planned, rules, sent

DEFAULT = {"default": {"stringValue": "default"}}
SENT = {"f": "sent"}
FILLED = {"f": "default"}


@pytest.mark.parametrize(
    ("action", "setting", "there", "when_sent", "when_absent"),
    [
        pytest.param("create", {}, None, SENT, FILLED, id="create, nothing set"),
        pytest.param("create", {"writeOnCreate": "always"}, None, SENT, FILLED, id="create always"),
        pytest.param("create", {"writeOnCreate": "never"}, None, {}, {}, id="create never"),
        pytest.param("create", {"writeOnUpdate": "never"}, None, SENT, FILLED, id="create, update never"),
        pytest.param("create", {"writeOnUpdate": "ifEmpty"}, None, SENT, FILLED, id="create, update ifEmpty"),
        pytest.param("update", {"writeOnCreate": "never"}, None, SENT, FILLED, id="update, create never"),
        pytest.param("update", {"writeOnUpdate": "always"}, None, SENT, FILLED, id="update always"),
        pytest.param("update", {"writeOnUpdate": "never"}, None, {}, {}, id="update never"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {}, SENT, FILLED, id="unset there"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {"f": None}, SENT, FILLED, id="null there"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {"f": ""}, SENT, FILLED, id="empty text there"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {"f": []}, SENT, FILLED, id="empty list there"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {"f": "x"}, {}, {}, id="text there"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {"f": 0}, {}, {}, id="zero there"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {"f": False}, {}, {}, id="false there"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, {"F": "x"}, {}, {}, id="there in another case"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, None, SENT, FILLED, id="no such record"),
        pytest.param("upsert", {"writeOnCreate": "never"}, None, {}, {}, id="upsert creates, never"),
        pytest.param("upsert", {"writeOnCreate": "never"}, {}, SENT, FILLED, id="upsert updates, create never"),
        pytest.param("upsert", {"writeOnUpdate": "never"}, {}, {}, {}, id="upsert updates, never"),
        pytest.param("upsert", {"writeOnUpdate": "never"}, None, SENT, FILLED, id="upsert creates, update never"),
        pytest.param("upsert", {"writeOnUpdate": "ifEmpty"}, {"f": "x"}, {}, {}, id="upsert updates, value there"),
        pytest.param("upsert", {"writeOnUpdate": "ifEmpty"}, {"f": ""}, SENT, FILLED, id="upsert updates, empty there"),
        pytest.param("upsert", {"writeOnUpdate": "never", "writeOnCreate": "never"}, {}, {}, {}, id="upsert never"),
    ],
)
def test_a_gate_holds_for_the_field_however_it_was_filled(
    action: Action, setting: Any, there: Any, when_sent: Any, when_absent: Any
) -> None:
    key = {"key": "k"} if action == "upsert" else {}
    ready = rules({"upsertKeys": ["key"]}, chosen={"selectedFieldSettings": {"f": {**DEFAULT, **setting}}})
    assert sent(ready, action, {**key, **SENT}, there) == {**key, **when_sent}
    assert sent(ready, action, key, there) == {**key, **when_absent}


@pytest.mark.parametrize(
    ("action", "setting", "needs"),
    [
        pytest.param("create", {"writeOnUpdate": "ifEmpty"}, (), id="create never looks"),
        pytest.param("update", {"writeOnUpdate": "ifEmpty"}, ("f",), id="ifEmpty looks"),
        pytest.param("update", {"writeOnUpdate": "never"}, (), id="never need not look"),
        pytest.param("upsert", {"writeOnUpdate": "never"}, ("f",), id="upsert looks where the two differ"),
        pytest.param("upsert", {"writeOnUpdate": "never", "writeOnCreate": "never"}, (), id="upsert, both the same"),
        pytest.param("upsert", {"writeOnCreate": "always"}, (), id="upsert, always"),
    ],
)
def test_a_plan_says_what_it_must_see(action: Action, setting: Any, needs: Any) -> None:
    ready = rules({"upsertKeys": ["key"]}, chosen={"selectedFieldSettings": {"f": setting}})
    assert planned(ready, action, {"key": "k", "f": 1}).needs == needs
    assert planned(ready, action, {"key": "k"}).needs == ()


def test_a_nested_field_is_looked_up_where_it_lives() -> None:
    ready = rules(chosen={"selectedFieldSettings": {"$['a']['b']": {"writeOnUpdate": "ifEmpty"}}})
    assert planned(ready, "update", {"a": {"b": 1, "c": 2}}).needs == ("a",)
    assert sent(ready, "update", {"a": {"b": 1, "c": 2}}, {"A": {"B": "x"}}) == {"a": {"c": 2}}
    assert sent(ready, "update", {"a": {"b": 1}}, {"a": {"b": "x"}}) == {}
    assert sent(ready, "update", {"a": {"b": 1}}, {"a": None}) == {"a": {"b": 1}}


def test_the_customers_rule_stands_over_the_manifests_and_the_trace_shows_both() -> None:
    write = {"fieldSettings": {"f": {"writeOnUpdate": "never"}}}
    ready = rules(write, chosen={"selectedFieldSettings": {"f": {"writeOnUpdate": "always"}}})
    (step,) = planned(ready, "update", SENT).records[0].steps
    assert (step.deed, step.choice, step.setting, step.instead_of) == (
        "written",
        "always",
        "config.write.objects.contact.selectedFieldSettings.f.writeOnUpdate",
        "manifest.write.objects[0].fieldSettings.f.writeOnUpdate",
    )


@pytest.mark.parametrize(
    ("value", "empty"), [(None, True), ("", True), ([], True), ({}, False), (0, False), (False, False), (" ", False)]
)
def test_empty_is_unset_or_says_nothing(value: Any, *, empty: bool) -> None:
    assert is_empty(value) is empty


def test_a_field_that_is_never_written_is_not_looked_up() -> None:
    chosen = {
        "selectedFieldSettings": {"f": {"writeOnCreate": "never", "writeOnUpdate": "never"}},
        "selectedValueDefaults": {"f": {"value": 1, "applyOnUpdate": "never"}},
    }
    assert planned(rules({"upsertKeys": ["key"]}, chosen=chosen), "upsert", {"key": "k"}).needs == ()
