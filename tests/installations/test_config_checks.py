from typing import Any

import pytest

from installations.capabilities import Capabilities, ProviderFacts
from installations.config_checks import check_config
from installations.install import build_config
from installations.manifest import IntegrationSpec
from installations.shape import decode

SPEC = decode(
    {
        "name": "acme",
        "provider": "hubspot",
        "read": {
            "objects": [
                {
                    "objectName": "contacts",
                    "destination": "webhook",
                    "requiredFields": [{"fieldName": "hs_phone", "mapToName": "phone"}, {"mapToName": "stage"}],
                    "optionalFields": [{"fieldName": "hs_city", "mapToName": "city"}],
                },
                {"objectName": "companies"},
            ]
        },
        "write": {"objects": [{"objectName": "contacts", "inheritMapping": True}]},
        "subscribe": {
            "objects": [{"objectName": "contacts", "destination": "webhook", "inheritFieldsAndMapping": True}],
        },
    },
    IntegrationSpec,
)
HUBSPOT = ProviderFacts(name="hubspot", support=Capabilities(read=True, write=True))
CONTACTS = "config.content.read.objects.contacts"
WRITTEN = "config.content.write.objects.contacts"
WATCHED = "config.content.subscribe.objects.contacts"
STAGE = {"stage": "hs_stage"}


def reading(name: str = "contacts", **members: Any) -> dict[str, Any]:
    return {"read": {"objects": {name: {"selectedFieldMappings": STAGE, **members}}}}


def writing(name: str = "contacts", **members: Any) -> dict[str, Any]:
    return {**reading(), "write": {"objects": {name: members}}}


def watching(**members: Any) -> dict[str, Any]:
    return {**reading(), "subscribe": {"objects": {"contacts": members}}}


def found(submitted: Any) -> list[tuple[str, str]]:
    content = build_config(SPEC, submitted)
    issues = check_config(SPEC, content, provider=HUBSPOT, destinations={"webhook"})
    return [(issue.path, issue.code) for issue in issues]


GOOD: list[tuple[str, Any]] = [
    ("nothing", {}),
    ("one object to read", reading()),
    ("every field", {"read": {"objects": {"companies": {"selectedFieldsAuto": "all"}}}}),
    ("an optional field with its mapping", reading(selectedFields={"hs_city": True})),
    ("another field for a mapping that is off", reading(selectedFieldMappings={**STAGE, "city": "town"})),
    ("a mapping of nested fields", reading(selectedFieldMappings={"stage": "$['a']['b']"})),
    ("a free mapping", reading(selectedFieldMappings={**STAGE, "free": "x"})),
    ("an offer with a field and without a name", reading(dynamicMappingsInput=[{"fieldName": "country"}])),
    ("values one to one", reading(selectedValueMappings={"stage": {"open": "1", "won": "2"}})),
    ("an object to write", writing()),
    ("falsy defaults", writing(selectedFieldSettings={"a": {"default": {"booleanValue": False}}})),
    ("old defaults beside new ones", writing(selectedFieldSettings={"a": {}}, selectedValueDefaults={"a": 1})),
    (
        "two names that agree",
        writing(selectedFieldSettings={"phone": {"writeOnUpdate": "never"}, "hs_phone": {"writeOnUpdate": "never"}}),
    ),
    (
        "two names that say different things",
        writing(selectedFieldSettings={"phone": {"writeOnUpdate": "never"}, "hs_phone": {"writeOnCreate": "never"}}),
    ),
    ("deletion off", writing(deletionSettings={"enabled": False})),
    ("no events", watching(createEvent={"enabled": "never"}, updateEvent={"enabled": "never"})),
    ("all changes", watching(updateEvent={"enabled": "always", "watchFieldsAuto": "all"})),
]


@pytest.mark.parametrize(("case", "submitted"), GOOD, ids=[case for case, _ in GOOD])
def test_what_is_possible_passes(case: str, submitted: Any) -> None:
    assert found(submitted) == [], case


FILTER = {"fieldName": "a", "operator": "eq", "value": 1}
REFUSED: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("another provider", {"provider": "salesforce"}, [("config.content.provider", "wrong-provider")]),
    ("proxy without the manifest", {"proxy": {"enabled": True}}, [("config.content.proxy.enabled", "not-in-manifest")]),
    ("another name", reading(objectName="people"), [(f"{CONTACTS}.objectName", "not-allowed")]),
    (
        "an object the manifest does not read",
        reading("job.posts"),
        [('config.content.read.objects["job.posts"]', "not-in-manifest")],
    ),
    ("no field", {"read": {"objects": {"companies": {}}}}, [("config.content.read.objects.companies", "required")]),
    (
        "fields deselected",
        {"read": {"objects": {"companies": {"selectedFields": {"a": False}}}}},
        [("config.content.read.objects.companies", "required")],
    ),
    (
        "a required mapping left open",
        reading(selectedFieldMappings={}),
        [(f"{CONTACTS}.selectedFieldMappings.stage", "required")],
    ),
    (
        "an empty mapping",
        reading(selectedFieldMappings={**STAGE, "free": ""}),
        [(f"{CONTACTS}.selectedFieldMappings.free", "required")],
    ),
    (
        "a malformed mapping",
        reading(selectedFieldMappings={"stage": "$[a]"}),
        [(f"{CONTACTS}.selectedFieldMappings.stage", "invalid-path")],
    ),
    (
        "two fields for one name",
        reading(selectedFieldMappings={**STAGE, "phone": "mobile"}),
        [(f"{CONTACTS}.selectedFieldMappings.phone", "duplicate-name")],
    ),
    (
        "two fields for one name, by choice",
        reading(selectedFields={"hs_city": True}, selectedFieldMappings={**STAGE, "city": "town"}),
        [(f"{CONTACTS}.selectedFieldMappings.city", "duplicate-name")],
    ),
    (
        "two values for one",
        reading(selectedValueMappings={"stage": {"open": "1", "won": "1"}}),
        [(f"{CONTACTS}.selectedValueMappings.stage.won", "not-one-to-one")],
    ),
    ("an empty offer", reading(dynamicMappingsInput=[{}]), [(f"{CONTACTS}.dynamicMappingsInput[0]", "required")]),
    (
        "one offer twice",
        reading(dynamicMappingsInput=[{"fieldName": "x"}, {"mapToName": "a"}, {"mapToName": "a"}]),
        [(f"{CONTACTS}.dynamicMappingsInput[2].mapToName", "duplicate-name")],
    ),
    (
        "one offered value twice",
        reading(
            dynamicMappingsInput=[
                {"fieldName": "x", "mappedValues": [{"mappedValue": "1", "mappedDisplayValue": "a"}] * 2}
            ]
        ),
        [(f"{CONTACTS}.dynamicMappingsInput[0].mappedValues[1]", "duplicate-name")],
    ),
    ("too often", reading(schedule="*/5 * * * *"), [(f"{CONTACTS}.schedule", "invalid-schedule")]),
    (
        "two filters on one field",
        reading(fieldFilters=[FILTER, FILTER]),
        [(f"{CONTACTS}.fieldFilters[1].fieldName", "duplicate-name")],
    ),
    (
        "a backfill of nothing",
        reading(backfill={"defaultPeriod": {}}),
        [(f"{CONTACTS}.backfill.defaultPeriod", "one-of")],
    ),
    (
        "a backfill into the future",
        reading(backfill={"defaultPeriod": {"days": -1}, "fieldFilters": [FILTER, FILTER]}),
        [
            (f"{CONTACTS}.backfill.defaultPeriod.days", "out-of-range"),
            (f"{CONTACTS}.backfill.fieldFilters[1].fieldName", "duplicate-name"),
        ],
    ),
    ("an unknown destination", reading(destination="nope"), [(f"{CONTACTS}.destination", "unknown-destination")]),
    (
        "an object the manifest does not write",
        writing("deals"),
        [("config.content.write.objects.deals", "not-in-manifest")],
    ),
    (
        "defaults without and with two values",
        writing(selectedFieldSettings={"a": {"default": {}}, "b": {"default": {"stringValue": "", "integerValue": 0}}}),
        [
            (f"{WRITTEN}.selectedFieldSettings.a.default", "one-of"),
            (f"{WRITTEN}.selectedFieldSettings.b.default", "one-of"),
        ],
    ),
    (
        "an odd default",
        writing(selectedFieldSettings={"a": {"default": {"value": {"b": 1}}}}),
        [(f"{WRITTEN}.selectedFieldSettings.a.default.value", "wrong-type")],
    ),
    (
        "a date without a zone",
        writing(selectedFieldSettings={"a": {"default": {"dateValue": "2026-01-31T09:00:00"}}}),
        [(f"{WRITTEN}.selectedFieldSettings.a.default.dateValue", "invalid-date")],
    ),
    (
        "a malformed setting",
        writing(selectedFieldSettings={"$[]": {}}),
        [(f'{WRITTEN}.selectedFieldSettings["$[]"]', "invalid-path")],
    ),
    (
        "a malformed old default",
        writing(selectedValueDefaults={"$[]": 1}),
        [(f'{WRITTEN}.selectedValueDefaults["$[]"]', "invalid-path")],
    ),
    (
        "two names that contradict",
        writing(selectedFieldSettings={"hs_phone": {"writeOnUpdate": "never"}, "phone": {"writeOnUpdate": "always"}}),
        [(f"{WRITTEN}.selectedFieldSettings.phone.writeOnUpdate", "contradiction")],
    ),
    (
        "values of writing two for one",
        writing(selectedValueMappings={"stage": {"open": "1", "won": "1"}}),
        [(f"{WRITTEN}.selectedValueMappings.stage.won", "not-one-to-one")],
    ),
    (
        "a mapping of writing to nothing",
        writing(selectedFieldMappings={"a": " "}),
        [(f"{WRITTEN}.selectedFieldMappings.a", "required")],
    ),
    (
        "deletion where there is none",
        writing(deletionSettings={"enabled": True}),
        [(f"{WRITTEN}.deletionSettings.enabled", "not-supported")],
    ),
    (
        "an object the manifest does not watch",
        {"subscribe": {"objects": {"deals": {"destination": "webhook"}}}},
        [("config.content.subscribe.objects.deals", "not-in-manifest")],
    ),
    (
        "nowhere to send events",
        {"subscribe": {"objects": {"deals": {}}}},
        [
            ("config.content.subscribe.objects.deals", "not-in-manifest"),
            ("config.content.subscribe.objects.deals.destination", "required"),
        ],
    ),
    (
        "events without fields",
        watching(inheritFieldsAndMappings=False, createEvent={"enabled": "always"}),
        [(f"{WATCHED}.inheritFieldsAndMappings", "required")],
    ),
    ("changes of nothing", watching(updateEvent={"enabled": "always"}), [(f"{WATCHED}.updateEvent", "one-of")]),
    ("events to nobody", watching(destination="nope"), [(f"{WATCHED}.destination", "unknown-destination")]),
]


@pytest.mark.parametrize(("case", "submitted", "expected"), REFUSED, ids=[case for case, *_ in REFUSED])
def test_what_is_impossible_is_told_with_its_path(case: str, submitted: Any, expected: list[tuple[str, str]]) -> None:
    assert found(submitted) == expected, case


def test_connection_and_integration_share_the_provider() -> None:
    other = ProviderFacts(name="salesforce", support=Capabilities())
    (issue,) = check_config(SPEC, build_config(SPEC, {}), provider=other)
    assert (issue.path, issue.code) == ("connectionId", "wrong-provider")
