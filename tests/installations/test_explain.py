from typing import Any, get_args

import msgspec
import pytest

from installations.explain import Explanation, FieldExplanation, InputExplanation, explain, words
from installations.pipeline import Current, Rules, plan, settle
from installations.record import Action, Record
from installations.rules.trace import Step
from tests.installations.customers import ask, planned, rules

WRITE = {
    "inheritMapping": True,
    "fieldSettings": {"src": {"writeOnUpdate": "never", "default": {"stringValue": "web"}}},
    "upsertKeys": ["mail"],
}
READ = {"optionalFields": [{"mapToName": "mail"}, {"mapToName": "src"}, {"mapToName": "tier"}]}
CHOSEN = {
    "selectedFieldSettings": {"Source": {"writeOnUpdate": "ifEmpty"}, "VIP": {"default": {"booleanValue": False}}},
    "deletionSettings": {"enabled": True},
}
CHOSEN_READ = {
    "selectedFieldMappings": {"mail": "Email", "src": "Source"},
    "selectedValueMappings": {"Source": {"web": "W"}},
}
SETTINGS = "config.write.objects.contact.selectedFieldSettings"
NAMES = "config.read.objects.contact.selectedFieldMappings"


def customer() -> Rules:
    return rules(WRITE, READ, chosen=CHOSEN, chosen_read=CHOSEN_READ)


def told(action: Action, record: Record, current: list[Current | None] | None = None) -> Explanation:
    return explain(planned(customer(), action, record), current or ())


def the_input(told: Explanation, name: str) -> InputExplanation:
    (found,) = (each for each in told.records[0].inputs if each.name == name)
    return found


def the_field(told: Explanation, name: str) -> FieldExplanation:
    (found,) = (each for each in told.records[0].fields if each.field == name)
    return found


def deeds(entry: InputExplanation | FieldExplanation) -> list[tuple[str, str, str]]:
    return [(reason.rule, reason.deed, reason.setting) for reason in entry.because]


RECORD = {"mail": "a@b.example", "src": "web", "tier": "Gold", "note": "x"}


def test_every_input_is_told() -> None:
    said = told("update", RECORD, [Current(id="7", fields={"Source": "there"})])
    assert [(each.name, each.fate, each.field) for each in said.records[0].inputs] == [
        ("note", "sent", "note"),
        ("mail", "sent", "Email"),
        ("src", "dropped", "Source"),
        ("tier", "dropped", ""),
        ("id", "address", ""),
    ]


def test_every_field_is_told() -> None:
    said = told("update", RECORD, [Current(id="7", fields={"Source": "there"})])
    assert [(each.field, each.fate, each.inputs, each.value) for each in said.records[0].fields] == [
        ("note", "sent", ("note",), "x"),
        ("Email", "sent", ("mail",), "a@b.example"),
        ("Source", "dropped", ("src",), msgspec.UNSET),
        ("VIP", "sent", (), False),
    ]


@pytest.mark.parametrize(
    ("there", "fate", "deed", "sentence"),
    [
        ("x", "dropped", "dropped", "The rule is 'ifEmpty', and the record has a value there."),
        ("", "sent", "written", "The rule is 'ifEmpty', and the record has no value there."),
    ],
)
def test_a_field_says_which_setting_decided_and_which_it_overrides(
    there: str, fate: str, deed: str, sentence: str
) -> None:
    field = the_field(told("update", RECORD, [Current(id="7", fields={"Source": there})]), "Source")
    assert field.fate == fate
    assert deeds(field) == [
        ("mapping", "mapped", f"{NAMES}.src"),
        ("values", "translated", "config.read.objects.contact.selectedValueMappings.Source.web"),
        ("overwrite", deed, f"{SETTINGS}.Source.writeOnUpdate"),
    ]
    last = field.because[-1]
    assert (last.choice, last.instead_of) == ("ifEmpty", "manifest.write.objects[0].fieldSettings.src.writeOnUpdate")
    assert last.words == f"{sentence} {last.setting} overrides {last.instead_of}."


def test_what_waits_for_the_record_as_it_is_now_says_so() -> None:
    said = told("update", RECORD)
    assert the_field(said, "Source").fate == the_input(said, "src").fate == "pending"
    assert said.change.records[0].fields["Source"] == "W"


def test_a_default_says_where_it_comes_from() -> None:
    said = told("create", {})
    assert deeds(the_field(said, "VIP")) == [("defaults", "filled", f"{SETTINGS}.VIP.default")]
    assert deeds(the_field(said, "Source"))[0] == (
        "defaults",
        "filled",
        "manifest.write.objects[0].fieldSettings.src.default",
    )
    assert said.records[0].inputs == ()


def test_what_no_rule_names_passes_unchanged() -> None:
    said = told("create", {"note": "x"})
    assert the_input(said, "note").because == the_field(said, "note").because
    (reason,) = the_field(said, "note").because
    assert (reason.deed, reason.words, reason.setting) == (
        "unchanged",
        "No mapping and no setting names it, so it is sent as it came.",
        "",
    )


def test_an_upsert_tells_by_what_it_matches_and_whose_rules_hold() -> None:
    found, none = told("upsert", RECORD, [Current(id="7", fields={"Source": "x"})]), told("upsert", RECORD, [None])
    assert ("address", "matched", "") in deeds(the_field(found, "Email"))
    assert (the_field(found, "Source").fate, the_field(none, "Source").fate) == ("dropped", "sent")
    assert (found.change.records[0].id, none.change.records[0].id) == ("7", None)


def test_a_delete_is_told_too() -> None:
    said = told("delete", {"note": "x"})
    assert [(each.name, each.fate) for each in said.records[0].inputs] == [("note", "dropped"), ("id", "address")]
    assert deeds(the_input(said, "id")) == [
        ("deletion", "allowed", "config.write.objects.contact.deletionSettings.enabled"),
        ("address", "addressed", ""),
    ]


def test_a_mapped_id_is_told_as_the_address() -> None:
    ready = rules({"fieldMappings": [{"fieldName": "id", "mapToName": "recordId"}]})
    said = explain(planned(ready, "update", {"recordId": "7", "x": 1}))
    assert the_input(said, "recordId").fate == "address"
    assert said.change.records[0].fields == {"x": 1}


def test_nested_fields_are_told_by_their_nested_names() -> None:
    ready = rules({"fieldMappings": [{"fieldName": "$['a']['b']", "mapToName": "$['m']['n']"}]})
    said = explain(planned(ready, "create", {"m": {"n": 1, "o": 2}, "a": {"c": 3}}))
    assert [(each.name, each.field) for each in said.records[0].inputs] == [
        ("m", "m"),
        ("a", "a"),
        ("$['m']['n']", "$['a']['b']"),
    ]
    assert said.change.records[0].fields == {"m": {"o": 2}, "a": {"c": 3, "b": 1}}


def test_records_of_a_batch_are_told_in_order() -> None:
    made = plan(ask("create", batch=[{"record": {"x": 1}}, {"record": {"y": 2}}]), rules())
    assert [(each.path, each.fields[0].field) for each in explain(made).records] == [
        ("batch[0].record", "x"),
        ("batch[1].record", "y"),
    ]


def test_an_explanation_is_data_in_the_wires_spelling() -> None:
    data: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(told("update", {"src": "web"})))
    assert data["objectName"] == "contact"
    assert data["change"]["records"][0] == {"fields": {"Source": "W", "VIP": False}, "id": "7"}
    assert data["records"][0]["fields"][0] == {
        "field": "Source",
        "fate": "pending",
        "inputs": ["src"],
        "value": "W",
        "because": [
            {
                "rule": "mapping",
                "deed": "mapped",
                "words": "'src' is mapped to the provider field 'Source'.",
                "setting": f"{NAMES}.src",
            },
            {
                "rule": "values",
                "deed": "translated",
                "words": "The value 'web' is 'W' at the provider.",
                "setting": "config.read.objects.contact.selectedValueMappings.Source.web",
            },
            {
                "rule": "overwrite",
                "deed": "pending",
                "words": "The rule is 'ifEmpty': it is sent if the record has no value there. "
                f"{SETTINGS}.Source.writeOnUpdate overrides "
                "manifest.write.objects[0].fieldSettings.src.writeOnUpdate.",
                "setting": f"{SETTINGS}.Source.writeOnUpdate",
                "insteadOf": "manifest.write.objects[0].fieldSettings.src.writeOnUpdate",
                "choice": "ifEmpty",
            },
        ],
    }


def test_the_change_told_is_the_change_sent() -> None:
    made = planned(customer(), "update", RECORD)
    current = [Current(id="7", fields={"Source": "there"})]
    assert explain(made, current).change == settle(made, current)


def test_names_with_braces_do_not_disturb_the_sentences() -> None:
    assert "'{0}'" in words(Step(rule="mapping", deed="mapped", source="{0}", field="{x}"))


@pytest.mark.parametrize("choice", ["always", "never", "ifEmpty"])
@pytest.mark.parametrize("action", get_args(Action))
def test_every_outcome_has_words(action: Action, choice: str) -> None:
    ways: list[Record] = [{"writeOnUpdate": choice}, {"writeOnUpdate": choice, "writeOnCreate": "never"}]
    for way in ways:
        chosen = {
            "selectedFieldSettings": {"f": way},
            "selectedValueDefaults": {"f": {"value": 1, "applyOnUpdate": "never"}},
            "deletionSettings": {"enabled": True},
        }
        under = {"fieldSettings": {"f": {"writeOnUpdate": "never", "writeOnCreate": "always"}}, "upsertKeys": ["k"]}
        for record in ({"k": "x"}, {"k": "x", "f": 1}):
            made = planned(rules(under, chosen=chosen), action, record)
            for current in ([], [None], [Current(id="7", fields={})], [Current(id="7", fields={"f": "x"})]):
                for entry in explain(made, current).records[0].fields:
                    assert all(reason.words for reason in entry.because)
