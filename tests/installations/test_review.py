"""A config against the account: what a customer is told, where, and whether it keeps them from saving."""

import time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installations.capabilities import Capabilities, ProviderFacts
from installations.errors import Issue
from installations.install import build_config
from installations.review import breaks, review
from installations.schema import Absent
from tests.installations.account import FIELDS, NEEDED, account, choices, chosen, field, integration, issues, short

R, W = "read.objects.contacts", "write.objects.contacts"
MAIL = {"optionalFields": [{"mapToName": "mail"}]}
Case = tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]


def settings(**named: Any) -> dict[str, Any]:
    return {"write": {"selectedFieldSettings": named}}


def default(**value: Any) -> dict[str, Any]:
    return {"default": value}


TEXT = default(stringValue="x")
NEVER = {"writeOnCreate": "never", "writeOnUpdate": "never"}

READING: list[Case] = [
    ("a field that is there", {"read": {}}, {"read": {"selectedFields": {"email": True}}}, []),
    ("nested", {"read": {}}, {"read": {"selectedFields": {"$['address']['city']": True}}}, []),
    ("inside what is not described further", {"read": {}}, {"read": {"selectedFields": {"$['blob']['x']": True}}}, []),
    ("a list inside", {"read": {}}, {"read": {"selectedFields": {"$['blob'][*]['x']": True}}}, []),
    ("deeper inside", {"read": {}}, {"read": {"selectedFields": {"$['address']['geo']['lat']": True}}}, []),
    ("a nested name of one member", {"read": {}}, {"read": {"selectedFields": {"$['email']": True}}}, []),
    ("the id of every record", {"read": {}}, {"read": {"selectedFields": {"id": True, "Id": True}}}, []),
    ("all there is", {"read": {}}, {"read": {"selectedFieldsAuto": "all"}}, []),
    ("read-only is no matter", {"read": {}}, {"read": {"selectedFields": {"created": True}}}, []),
    (
        "a field that is not there",
        {"read": {}},
        {"read": {"selectedFields": {"emial": True, "gone": False}}},
        [("error", "unknown-field", f"{R}.selectedFields.emial")],
    ),
    (
        "nothing of this name inside",
        {"read": {}},
        {"read": {"selectedFields": {"$['address']['zip']": True, "$['gone']['x']": True}}},
        [
            ("error", "unknown-field", f"{R}.selectedFields[\"$['address']['zip']\"]"),
            ("error", "unknown-field", f"{R}.selectedFields[\"$['gone']['x']\"]"),
        ],
    ),
    (
        "inside a plain value",
        {"read": {}},
        {"read": {"selectedFields": {"$['email']['x']": True}}},
        [("warning", "not-inside", f"{R}.selectedFields[\"$['email']['x']\"]")],
    ),
    (
        "another case",
        {"read": {}},
        {"read": {"selectedFields": {"EMAIL": True}}},
        [("warning", "other-case", f"{R}.selectedFields.EMAIL")],
    ),
    ("an object that is off", {"read": {}}, {"read": {"disabled": True, "selectedFields": {"gone": True}}}, []),
    ("an object of no manifest", {"write": {}}, {"read": {"selectedFields": {"gone": True}}}, []),
    (
        "what the manifest requires and the account lacks",
        {"read": {"requiredFields": [{"fieldName": "gone"}, {"fieldName": "lost", "mapToName": "x"}]}},
        {"read": {}},
        [
            ("warning", "unknown-field", f"{R}.selectedFields.gone"),
            ("warning", "unknown-field", f"{R}.selectedFields.lost"),
        ],
    ),
    ("a mapping", {"read": MAIL}, {"read": {"selectedFieldMappings": {"mail": "email"}}}, []),
    ("a mapping left open", {"read": MAIL}, {"read": {"selectedFieldMappings": {"mail": ""}}}, []),
    (
        "a mapping to nothing",
        {"read": MAIL},
        {"read": {"selectedFieldMappings": {"mail": "gone"}}},
        [("error", "unknown-field", f"{R}.selectedFieldMappings.mail")],
    ),
    (
        "a preselected mapping to nothing, which nobody chose",
        {"read": {"optionalFields": [{"mapToName": "mail", "default": "gone"}]}},
        {"read": {}},
        [("warning", "unknown-field", f"{R}.selectedFieldMappings.mail")],
    ),
    (
        "the same where the customer must choose",
        {"read": {"requiredFields": [{"mapToName": "mail", "default": "gone"}]}},
        {"read": {}},
        [("error", "unknown-field", f"{R}.selectedFieldMappings.mail")],
    ),
    (
        "a name that nobody offers",
        {"read": MAIL},
        {"read": {"selectedFieldMappings": {"mial": "email"}}},
        [("warning", "unknown-mapping", f"{R}.selectedFieldMappings.mial")],
    ),
    (
        "a name that the page offers",
        {"read": {}},
        {"read": {"selectedFieldMappings": {"mine": "email"}, "dynamicMappingsInput": [{"mapToName": "mine"}]}},
        [],
    ),
    (
        "an offer for a field that is not there",
        {"read": {}},
        {"read": {"dynamicMappingsInput": [{"fieldName": "stage"}, {"fieldName": "gone"}]}},
        [("warning", "unknown-field", f"{R}.dynamicMappingsInput[1].fieldName")],
    ),
    (
        "filters",
        {"read": {}},
        {
            "read": {
                "fieldFilters": [{"fieldName": "gone", "operator": "eq"}],
                "backfill": {
                    "defaultPeriod": {"days": 1},
                    "fieldFilters": [{"fieldName": "name", "operator": "eq"}, {"fieldName": "lost", "operator": "eq"}],
                },
            }
        },
        [
            ("error", "unknown-field", f"{R}.fieldFilters[0].fieldName"),
            ("error", "unknown-field", f"{R}.backfill.fieldFilters[1].fieldName"),
        ],
    ),
    (
        "values of one's own for a picklist",
        {"read": {}},
        {"read": {"selectedValueMappings": {"stage": {"new": "lead", "old": "lost"}}}},
        [("warning", "other-choice", f"{R}.selectedValueMappings.stage.old")],
    ),
    (
        "values of one's own for no picklist and for nothing",
        {"read": {}},
        {
            "read": {
                "selectedValueMappings": {"name": {"new": "lead"}, "gone": {"a": "b"}, "$['blob']['x']": {"a": "b"}}
            }
        },
        [
            ("warning", "no-picklist", f"{R}.selectedValueMappings.name"),
            ("warning", "no-effect", f"{R}.selectedValueMappings.gone"),
        ],
    ),
    (
        "values under the product's name",
        {"read": {"optionalFields": [{"mapToName": "phase"}]}},
        {"read": {"selectedFieldMappings": {"phase": "stage"}, "selectedValueMappings": {"phase": {"new": "lead"}}}},
        [],
    ),
]

WRITING: list[Case] = [
    ("nothing said", {"write": {}}, {}, []),
    ("an object that is off", {"write": {}}, {"write": None}, []),
    ("a default that fits", {"write": {}}, settings(name=TEXT), []),
    ("a rule", {"write": {}}, settings(name={"writeOnUpdate": "ifEmpty"}), []),
    (
        "a default of another type",
        {"write": {}},
        settings(vip=default(integerValue=1)),
        [("error", "wrong-type", f"{W}.selectedFieldSettings.vip.default")],
    ),
    (
        "a default that reads as what is wanted",
        {"write": {}},
        settings(visits=default(stringValue="1")),
        [("warning", "converted", f"{W}.selectedFieldSettings.visits.default")],
    ),
    (
        "defaults that are no choice",
        {"write": {}},
        settings(stage=TEXT, tags=default(listValue=["red", "x"]), mood=TEXT, owner_kind=TEXT),
        [
            ("error", "not-a-choice", f"{W}.selectedFieldSettings.stage.default"),
            ("error", "not-a-choice", f"{W}.selectedFieldSettings.tags.default"),
            ("warning", "other-choice", f"{W}.selectedFieldSettings.mood.default"),
        ],
    ),
    ("a default that is never sent", {"write": {}}, settings(vip={**TEXT, **NEVER}), []),
    (
        "a default of a field that is not there",
        {"write": {}},
        settings(gone=TEXT),
        [("error", "unknown-field", f"{W}.selectedFieldSettings.gone")],
    ),
    (
        "another case",
        {"write": {}},
        settings(NAME=TEXT),
        [("error", "unknown-field", f"{W}.selectedFieldSettings.NAME")],
    ),
    (
        "a default of a read-only field",
        {"write": {}},
        settings(created=default(dateValue="2026-01-31T09:00:00Z")),
        [("error", "read-only", f"{W}.selectedFieldSettings.created.default")],
    ),
    ("a read-only field that is kept from being written", {"write": {}}, settings(created=NEVER), []),
    (
        "a rule for a read-only field",
        {"write": {}},
        settings(created={"writeOnUpdate": "ifEmpty"}),
        [("warning", "no-effect", f"{W}.selectedFieldSettings.created")],
    ),
    (
        "a setting for a mapping left open",
        {"write": {"fieldMappings": [{"mapToName": "fax"}]}},
        settings(fax=TEXT),
        [("warning", "no-effect", f"{W}.selectedFieldSettings.fax")],
    ),
    (
        "old defaults",
        {"write": {}},
        {"write": {"selectedValueDefaults": {"vip": "x", "gone": 1, "name": {"value": "x"}}}},
        [
            ("error", "unknown-field", f"{W}.selectedValueDefaults.gone"),
            ("error", "wrong-type", f"{W}.selectedValueDefaults.vip"),
        ],
    ),
    (
        "an old default under a new one",
        {"write": {}},
        {"write": {"selectedFieldSettings": {"name": TEXT}, "selectedValueDefaults": {"name": 1}}},
        [],
    ),
    (
        "the manifest's settings",
        {"write": {"fieldSettings": {"gone": TEXT, "vip": TEXT, "created": TEXT, "name": TEXT}}},
        {},
        [
            ("warning", "unknown-field", f"{W}.selectedFieldSettings.gone"),
            ("warning", "wrong-type", f"{W}.selectedFieldSettings.vip.default"),
            ("warning", "read-only", f"{W}.selectedFieldSettings.created.default"),
        ],
    ),
    (
        "the manifest's setting under the customer's",
        {"write": {"fieldSettings": {"vip": TEXT}}},
        settings(vip=default(booleanValue=True)),
        [],
    ),
    (
        "a default under the product's name",
        {"write": {"fieldMappings": [{"fieldName": "visits", "mapToName": "count"}]}},
        settings(count=TEXT),
        [("error", "wrong-type", f"{W}.selectedFieldSettings.count.default")],
    ),
    (
        "mappings",
        {"write": {"fieldMappings": [{"mapToName": "mail"}, {"mapToName": "born"}, {"mapToName": "when"}]}},
        {"write": {"selectedFieldMappings": {"mail": "email", "born": "gone", "when": "created", "own": "name"}}},
        [
            ("error", "unknown-field", f"{W}.selectedFieldMappings.born"),
            ("error", "read-only", f"{W}.selectedFieldMappings.when"),
        ],
    ),
    (
        "a mapping to many values",
        {"write": {}},
        {"write": {"selectedFieldMappings": {"lat": "$['blob'][*]['x']"}}},
        [("error", "not-writable", f"{W}.selectedFieldMappings.lat")],
    ),
    (
        "a misspelt mapping",
        {"write": {"fieldMappings": [{"mapToName": "mailbox"}]}},
        {"write": {"selectedFieldMappings": {"mailbux": "email"}}},
        [("warning", "unknown-mapping", f"{W}.selectedFieldMappings.mailbux")],
    ),
    (
        "the manifest's mappings",
        {
            "write": {
                "fieldMappings": [
                    {"fieldName": "gone", "mapToName": "a"},
                    {"mapToName": "b", "default": "lost"},
                    {"fieldName": "created"},
                    {"fieldName": "name", "mapToName": "c"},
                ]
            }
        },
        {},
        [
            ("warning", "unknown-field", f"{W}.selectedFieldMappings.a"),
            ("warning", "unknown-field", f"{W}.selectedFieldMappings.b"),
            ("warning", "read-only", f"{W}.selectedFieldMappings.created"),
        ],
    ),
    (
        "two names for one field",
        {"write": {"fieldMappings": [{"fieldName": "email", "mapToName": "mail"}]}},
        {"write": {"selectedFieldMappings": {"post": "email"}}},
        [("warning", "same-field", f"{W}.selectedFieldMappings.post")],
    ),
    (
        "two names for one field in the manifest",
        {
            "write": {
                "fieldMappings": [
                    {"fieldName": "email", "mapToName": "mail"},
                    {"fieldName": "email", "mapToName": "post"},
                ]
            }
        },
        {},
        [],
    ),
    (
        "values",
        {"write": {"fieldMappings": [{"fieldName": "stage", "mapToName": "phase"}]}},
        {"write": {"selectedValueMappings": {"phase": {"new": "lead", "old": "Won"}, "tags": {"a": "red"}, "x": {}}}},
        [
            ("error", "not-a-choice", f"{W}.selectedValueMappings.phase.old"),
            ("warning", "no-effect", f"{W}.selectedValueMappings.x"),
        ],
    ),
    (
        "a key to match by that is not there",
        {"write": {"upsertKeys": ["email", "gone"]}},
        {},
        [("warning", "unknown-field", W)],
    ),
]

INHERITING: list[Case] = [
    (
        "a read-only field chosen for reading",
        {"read": MAIL, "write": {"inheritMapping": True}},
        {"read": {"selectedFieldMappings": {"mail": "created"}}},
        [("warning", "not-writable", f"{R}.selectedFieldMappings.mail")],
    ),
    (
        "a read-only field that the manifest maps",
        {"read": {"requiredFields": [{"fieldName": "created", "mapToName": "at"}]}, "write": {"inheritMapping": True}},
        {"read": {}},
        [],
    ),
    (
        "values that are written",
        {"read": {}, "write": {"inheritMapping": True}},
        {"read": {"selectedValueMappings": {"stage": {"old": "lost"}}}},
        [("error", "not-a-choice", f"{R}.selectedValueMappings.stage.old")],
    ),
    (
        "mappings of an object that is not read, but written",
        {"read": MAIL, "write": {"inheritMapping": True}},
        {"read": {"disabled": True, "selectedFields": {"gone": True}, "selectedFieldMappings": {"mail": "gone"}}},
        [("error", "unknown-field", f"{R}.selectedFieldMappings.mail")],
    ),
    (
        "the manifest's mappings of an object that the config does not read",
        {"read": {"requiredFields": [{"fieldName": "gone", "mapToName": "x"}]}, "write": {"inheritMapping": True}},
        {},
        [("warning", "unknown-field", f"{W}.selectedFieldMappings.x")],
    ),
    (
        "two names for one field, chosen on both sides",
        {"read": MAIL, "write": {"inheritMapping": True}},
        {"read": {"selectedFieldMappings": {"mail": "email"}}, "write": {"selectedFieldMappings": {"post": "email"}}},
        [("warning", "same-field", f"{R}.selectedFieldMappings.mail")],
    ),
]
CASES = [*READING, *WRITING, *INHERITING]


@pytest.mark.parametrize(("case", "spec", "config", "expected"), CASES, ids=[case for case, *_ in CASES])
def test_a_config_is_compared_with_the_account(case: str, spec: Any, config: Any, expected: Any) -> None:
    submitted = {"write": {"objects": {}}} if config == {"write": None} else chosen(**config)
    assert short(issues(integration(**spec), submitted)) == expected, case


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


def test_where_the_provider_ignores_case_so_does_the_review() -> None:
    config = chosen(
        read={"selectedFields": {"EMAIL": True}},
        write={"selectedFieldSettings": {"LAST_NAME": TEXT, "Stage": default(stringValue="lead")}},
    )
    assert issues(integration(read={}, write={}), config, account(NEEDED), ignores_case=True) == []


def test_where_all_values_are_text_no_number_is_wrong_for_a_text() -> None:
    spec, config = integration(write={}), settings(name=default(integerValue=5))
    assert issues(spec, chosen(**config), values_are_text=True) == []
    assert short(issues(spec, chosen(**config))) == [("error", "wrong-type", f"{W}.selectedFieldSettings.name.default")]


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Email", "did you mean 'email'?"),
        ("emial", "did you mean 'email'?"),
        ("E-mail Address", "did you mean 'email'?"),
        ("nothing like it", "choose a field that is there"),
        ("x" * 5000, "choose a field that is there"),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_one(name: str, remedy: str) -> None:
    (issue,) = issues(integration(write={}), chosen(**settings(**{name: TEXT})))
    assert (issue.code, issue.remedy) == ("unknown-field", remedy)


def test_guessing_ends_after_twenty_names() -> None:
    named = {f"emai{index}": TEXT for index in range(30)}
    found = issues(integration(write={}), chosen(**settings(**named)))
    assert [issue.code for issue in found] == ["unknown-field"] * 30
    assert sum(bool(issue.remedy) for issue in found) == 20


UNKNOWN = {"contacts": Absent("There is no object 'contacts'.")}


@pytest.mark.parametrize(
    ("config", "described", "expected"),
    [
        ({"read": {}}, {"contacts": "No right."}, [("warning", "not-described", R)]),
        ({"write": {}}, {"contacts": "No right."}, [("warning", "not-described", W)]),
        ({}, {"contacts": "No right."}, [("warning", "not-described", W)]),
        ({"read": {}}, UNKNOWN, [("error", "unknown-object", R)]),
        ({"write": {}}, UNKNOWN, [("error", "unknown-object", W)]),
        ({}, UNKNOWN, [("warning", "unknown-object", W)]),
        ({"write": {}}, {}, []),
        ({"write": {"selectedFieldSettings": {"gone": {}}}}, account(fields=[]), []),
    ],
)
def test_an_object_that_is_not_described_is_told_once_and_nothing_is_guessed(
    config: Any, described: Any, expected: Any
) -> None:
    assert short(issues(integration(read={}, write={}), chosen(**config), described)) == expected


def test_an_object_that_is_off_need_not_be_there() -> None:
    config = {"read": {"objects": {"contacts": {"disabled": True}}}, "write": {"objects": {}}}
    assert issues(integration(read={}, write={}), config, UNKNOWN) == []


def test_an_object_that_every_customer_has_may_be_missing_in_one_account() -> None:
    spec = integration(read={"enabled": "always"})
    assert short(issues(spec, {}, UNKNOWN)) == [("warning", "unknown-object", R)]


def test_a_flat_description_says_nothing_about_nested_names() -> None:
    flat = account(fields=[each for each in FIELDS if not each["fieldName"].startswith("$")])
    spec = integration(write={"fieldMappings": [{"fieldName": "$['Account']['Code__c']", "mapToName": "code"}]})
    assert short(issues(spec, {}, flat)) == [("warning", "not-described", f"{W}.selectedFieldMappings.code")]


def test_watched_fields_are_looked_for_too() -> None:
    event = {"enabled": "always", "requiredWatchFields": ["email", "gone"]}
    watching = {"objects": {"contacts": {"destination": "d", "updateEvent": event}}}
    found = issues(integration(read={}), {"subscribe": watching})
    path = "subscribe.objects.contacts.updateEvent.requiredWatchFields[1]"
    assert short(found) == [("warning", "unknown-field", path)]


def test_the_account_of_another_provider_is_not_compared() -> None:
    other = ProviderFacts(name="hubspot", support=Capabilities())
    assert issues(integration(write={}), chosen(**settings(gone=TEXT)), provider=other) == []


def test_the_path_of_the_document_is_the_callers() -> None:
    spec = integration(write={})
    (issue,) = review(spec, build_config(spec, chosen(**settings(vip=TEXT))), account(), path="content")
    assert issue.path == "content.write.objects.contacts.selectedFieldSettings.vip.default"


def test_an_object_with_marks_in_its_name_keeps_its_path() -> None:
    spec = integration(write={})
    odd = "job.posts"
    renamed = msgspec.convert({**msgspec.to_builtins(spec), "write": {"objects": [{"objectName": odd}]}}, type(spec))
    config = {"write": {"objects": {odd: {"selectedFieldSettings": {"vip": TEXT}}}}}
    (issue,) = issues(renamed, config, account(name=odd))
    assert issue.path == 'config.content.write.objects["job.posts"].selectedFieldSettings.vip.default'


@pytest.mark.parametrize(
    ("issue", "expected"),
    [
        (Issue(path="", message="", code="anything"), True),
        (Issue(path="", message="", code="unknown-field", severity="warning"), True),
        (Issue(path="", message="", code="not-described", severity="warning"), False),
        (Issue(path="", message="", code="required-field", severity="warning"), False),
    ],
)
def test_a_warning_may_still_mean_that_nothing_works(issue: Issue, *, expected: bool) -> None:
    assert breaks(issue) is expected


# Whatever is sent.

GOOD: dict[str, Any] = {
    "name": "text",
    "vip": True,
    "stage": "won",
    "tags": ["red"],
    "visits": 1,
    "score": 1.5,
    "blob": 1,
    "untyped": "x",
}
names = st.sampled_from(
    [*[each["fieldName"] for each in FIELDS], "NAME", "gone", "id", "$['blob'][*]", "$[", "", "mail"]
)
members = {str: "stringValue", bool: "booleanValue", int: "integerValue", float: "floatValue", list: "listValue"}
values = st.sampled_from([*GOOD.values(), {"a": 1}, None, "x" * 50])
rules = st.fixed_dictionaries(
    {},
    optional={
        "default": st.builds(lambda value: {members.get(type(value), "value"): value}, values),
        "writeOnCreate": st.sampled_from(["always", "never"]),
        "writeOnUpdate": st.sampled_from(["always", "never", "ifEmpty"]),
    },
)
mappings = st.dictionaries(names, names)
translations = st.dictionaries(names, st.dictionaries(st.sampled_from(["new", "old"]), st.sampled_from(["won", "x"])))
manifest_fields = st.lists(
    st.fixed_dictionaries({}, optional={"fieldName": names, "mapToName": names, "default": names}), max_size=4
)
reads = st.fixed_dictionaries({"requiredFields": manifest_fields, "optionalFields": manifest_fields})
writes = st.fixed_dictionaries(
    {"fieldMappings": manifest_fields, "fieldSettings": st.dictionaries(names, rules), "upsertKeys": st.lists(names)},
    optional={"inheritMapping": st.booleans(), "removeUnmappedFields": st.booleans()},
)
chosen_reads = st.fixed_dictionaries(
    {
        "selectedFields": st.dictionaries(names, st.booleans()),
        "selectedFieldMappings": mappings,
        "selectedValueMappings": translations,
        "dynamicMappingsInput": st.lists(st.fixed_dictionaries({}, optional={"fieldName": names, "mapToName": names})),
    },
    optional={"disabled": st.booleans()},
)
chosen_writes = st.fixed_dictionaries(
    {
        "selectedFieldSettings": st.dictionaries(names, rules),
        "selectedFieldMappings": mappings,
        "selectedValueMappings": translations,
    }
)


@given(reads, writes, chosen_reads, chosen_writes, st.booleans())
def test_whatever_is_sent_is_answered_with_issues_that_have_a_place(
    read: Any,
    write: Any,
    read_config: Any,
    write_config: Any,
    ignores_case: bool,  # noqa: FBT001 -- drawn
) -> None:
    config = chosen(read_config, write_config)
    found = issues(integration(read, write), config, account(NEEDED), ignores_case=ignores_case)
    assert all(issue.path.startswith("config.content.") and issue.message for issue in found)


@given(st.sets(st.sampled_from(sorted(GOOD)), min_size=1), st.booleans(), st.booleans())
def test_what_is_there_and_of_the_right_type_has_no_error(picked: set[str], inherits: bool, old: bool) -> None:  # noqa: FBT001 -- drawn
    typed = {name: default(**{members[type(GOOD[name])]: GOOD[name]}) for name in picked}
    plain = {name: GOOD[name] for name in picked if not isinstance(GOOD[name], list)}
    read = {"selectedFields": dict.fromkeys(picked, True), "selectedFieldMappings": {f"my_{n}": n for n in picked}}
    config = chosen(read, {"selectedValueDefaults": plain} if old else {"selectedFieldSettings": typed})
    found = issues(integration({}, {"inheritMapping": inherits}), config, account(NEEDED))
    assert [issue for issue in found if issue.severity == "error"] == []


MANY = 4000


@pytest.mark.parametrize(
    "config",
    [
        pytest.param({"write": {"selectedFieldSettings": {f"feild_{n}": TEXT for n in range(MANY)}}}, id="settings"),
        pytest.param({"read": {"selectedFields": {f"feild_{n}": True for n in range(MANY)}}}, id="fields"),
        pytest.param(
            {
                "read": {
                    "selectedFieldMappings": {f"name_{n}": "field_1" for n in range(MANY)},
                    "dynamicMappingsInput": [{"mapToName": f"nmae_{n}"} for n in range(MANY)],
                }
            },
            id="mappings",
        ),
        pytest.param(
            {"write": {"selectedValueMappings": {"kind": {f"a{n}": f"b{n}" for n in range(MANY)}}}}, id="values"
        ),
        pytest.param(
            {"write": {"selectedFieldSettings": {"kind": default(listValue=["v1"] * MANY + ["x"])}}}, id="a list"
        ),
    ],
)
def test_it_is_quick_where_much_is_wrong(config: Any) -> None:
    """Reviewing stops everybody else's requests in this process; this config is larger than any sensible one."""
    kind = field("kind", valueType="multiSelect", values=choices(*(f"v{n}" for n in range(MANY))))
    many = account(kind, fields=[field(f"field_{n}") for n in range(500)])
    spec = integration(read={}, write={"inheritMapping": True})
    content = build_config(spec, chosen(**config))
    started = time.process_time()
    assert review(spec, content, many)
    assert time.process_time() - started < 2
