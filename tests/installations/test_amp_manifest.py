import json
from typing import Any

import msgspec
import pytest

from installations.amp_manifest import parse_manifest, read_integration
from installations.capabilities import Capabilities, ProviderFacts
from installations.errors import InvalidInput, Issue

ALL = Capabilities(read=True, write=True, delete=True, subscribe=True, proxy=True)
PROVIDERS = {
    "hubspot": ProviderFacts(name="hubspot", support=ALL, modules={"crm": Capabilities(read=True, write=True)}),
    "salesforce": ProviderFacts(name="salesforce", support=ALL),
    "google": ProviderFacts(name="google", support=Capabilities(), modules={"calendar": Capabilities(read=True)}),
    "snowflake": ProviderFacts(name="snowflake", support=ALL),
    "mute": ProviderFacts(name="mute", support=Capabilities(proxy=True)),
}

FULL = """\
specVersion: 1.0.0
integrations:
  - name: acmeHubspot
    provider: hubspot
    displayName: Acme HubSpot
    read:
      objects:
        - objectName: contacts
          destination: webhook
          schedule: "*/10 * * * *"
          mapToName: people
          mapToDisplayName: People
          requiredFields:
            - fieldName: email
            - fieldName: $['address']['city']
              mapToName: city
            - mapToName: score
              mapToDisplayName: Score
              prompt: Which field is the score?
          optionalFields:
            - mapToName: notes
              default: hs_notes
          optionalFieldsAuto: all
          backfill:
            defaultPeriod: {days: 30}
          delivery: {mode: onRequest, pageSize: 100}
        - objectName: search only
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
          valueDefaults: {allowAnyFields: true}
          fieldMappings:
            - mapToName: internalNote
              fieldName: note_c
          fieldSettings:
            source: {default: {stringValue: web}, writeOnUpdate: never}
          removeUnmappedFields: true
          upsertKeys: [email]
    subscribe:
      objects:
        - objectName: contacts
          destination: webhook
          inheritFieldsAndMapping: true
          createEvent: {enabled: always}
          updateEvent: {enabled: always, requiredWatchFields: [email]}
          associationChangeEvent: {enabled: always, includeFullRecords: true}
          otherEvents: [object.merged]
    proxy: {enabled: true, useModule: false}
    watchSchema:
      destination: webhook
      allObjects: {fieldCreated: {enabled: always}}
"""


def parse(text: str, destinations: set[str] | None = None) -> tuple[Any, tuple[Issue, ...]]:
    return parse_manifest(text, providers=PROVIDERS, destinations=destinations)


def test_a_full_manifest_passes_without_a_word() -> None:
    manifest, warnings = parse(FULL, {"webhook"})
    assert warnings == ()
    (integration,) = manifest.integrations
    assert integration.read_object("contacts").map_to_name == "people"
    assert integration.write_object("contacts").upsert_keys == ("email",)
    assert integration.watch_schema.schedule == "0 */24 * * *"


def test_the_same_manifest_may_be_json() -> None:
    manifest, _ = parse(FULL)
    text = msgspec.json.encode(manifest).decode()
    assert parse(text)[0] == manifest
    assert parse(json.dumps(json.loads(text), indent="\t"))[0] == manifest


def test_json_may_escape_characters_in_pairs() -> None:
    text = json.dumps(
        {"specVersion": "1.0.0", "integrations": [{"name": "😀", "provider": "mute", "proxy": {"enabled": True}}]}
    )
    assert parse(text)[0].integrations[0].name == "😀"
    with pytest.raises(InvalidInput) as refused:
        parse(text.replace('"name"', '"name": "x", "name"'))
    assert refused.value.issues[0].code == "duplicate-key"


def test_names_of_members_match_in_any_case() -> None:
    text = (
        FULL.replace("objectName", "ObjectName")
        .replace("inheritMapping", "INHERITMAPPING")
        .replace("provider:", "Provider:")
    )
    assert parse(text) == parse(FULL)


def one(**members: Any) -> dict[str, Any]:
    return {"name": "a", "provider": "hubspot", **members}


def reading(**members: Any) -> dict[str, Any]:
    return one(read={"objects": [{"objectName": "x", **members}]})


def writing(**members: Any) -> dict[str, Any]:
    return one(write={"objects": [{"objectName": "x", **members}]})


def watching(*, read: bool = True, **members: Any) -> dict[str, Any]:
    watched = {"objectName": "x", "destination": "d", "inheritFieldsAndMapping": True, **members}
    action = {"read": {"objects": [{"objectName": "x"}]}} if read else {}
    return one(**action, subscribe={"objects": [watched]})


ALWAYS = {"enabled": "always"}
READ = "integrations[0].read.objects"
WRITE = "integrations[0].write.objects"
SUBSCRIBE = "integrations[0].subscribe.objects"
PROXY = {"enabled": True}

REFUSED: list[tuple[str, Any, str, str]] = [
    ("no name", {"provider": "hubspot", "proxy": PROXY}, "integrations[0].name", "required"),
    ("an empty name", one(name="", proxy=PROXY), "integrations[0].name", "out-of-range"),
    ("a name that breaks addresses", one(name="a/b", proxy=PROXY), "integrations[0].name", "invalid-text"),
    ("no provider", {"name": "a", "proxy": PROXY}, "integrations[0].provider", "required"),
    ("no action", one(), "integrations[0]", "required"),
    ("proxy without enabled", one(proxy={}), "integrations[0].proxy.enabled", "required"),
    ("nothing to read", one(read={"objects": []}), READ, "required"),
    ("nothing to write", one(write={}), WRITE, "required"),
    ("nothing to watch", one(subscribe={"objects": []}), SUBSCRIBE, "required"),
    ("an object without name", one(write={"objects": [{}]}), f"{WRITE}[0].objectName", "required"),
    ("an object with an empty name", reading(objectName=" "), f"{READ}[0].objectName", "required"),
    ("a watched object without destination", watching(destination=None), f"{SUBSCRIBE}[0].destination", "required"),
    ("four cron fields", reading(schedule="* * * *"), f"{READ}[0].schedule", "invalid-schedule"),
    ("five minutes apart", reading(schedule="0,5 9 * * *"), f"{READ}[0].schedule", "invalid-schedule"),
    (
        "auto delivery with a page size",
        reading(delivery={"pageSize": 100}),
        f"{READ}[0].delivery.pageSize",
        "not-allowed",
    ),
    (
        "delivery on request without one",
        reading(delivery={"mode": "onRequest"}),
        f"{READ}[0].delivery.pageSize",
        "required",
    ),
    (
        "delivery on request of few",
        reading(delivery={"mode": "onRequest", "pageSize": 49}),
        f"{READ}[0].delivery.pageSize",
        "out-of-range",
    ),
    (
        "delivery on request of many",
        reading(delivery={"mode": "onRequest", "pageSize": 501}),
        f"{READ}[0].delivery.pageSize",
        "out-of-range",
    ),
    ("an empty backfill", reading(backfill={"defaultPeriod": {}}), f"{READ}[0].backfill.defaultPeriod", "one-of"),
    (
        "two backfills",
        reading(backfill={"defaultPeriod": {"days": 1, "fullHistory": True}}),
        f"{READ}[0].backfill.defaultPeriod",
        "one-of",
    ),
    (
        "a negative backfill",
        reading(backfill={"defaultPeriod": {"days": -1}}),
        f"{READ}[0].backfill.defaultPeriod.days",
        "out-of-range",
    ),
    (
        "a mapping on a required field that is always on",
        reading(enabled="always", schedule="0 * * * *", requiredFields=[{"fieldName": "f", "mapToName": "m"}]),
        f"{READ}[0].requiredFields[0].mapToName",
        "not-allowed",
    ),
    ("enabled but not always", reading(enabled="never"), f"{READ}[0].enabled", "not-allowed"),
    ("a field without any name", reading(optionalFields=[{"prompt": "?"}]), f"{READ}[0].optionalFields[0]", "required"),
    (
        "a malformed nested name",
        reading(requiredFields=[{"fieldName": "$['a'"}]),
        f"{READ}[0].requiredFields[0].fieldName",
        "invalid-path",
    ),
    (
        "two fields under one name",
        reading(requiredFields=[{"fieldName": "f", "mapToName": "m"}], optionalFields=[{"mapToName": "m"}]),
        f"{READ}[0].optionalFields[0].mapToName",
        "duplicate-name",
    ),
    (
        "watching without reading",
        watching(read=False, createEvent=ALWAYS),
        "integrations[0].subscribe",
        "read-missing",
    ),
    (
        "watching what is not read",
        watching(objectName="y", createEvent=ALWAYS),
        f"{SUBSCRIBE}[0].objectName",
        "read-missing",
    ),
    (
        "watching without inheriting",
        watching(inheritFieldsAndMapping=False, deleteEvent=ALWAYS),
        f"{SUBSCRIBE}[0].inheritFieldsAndMapping",
        "required",
    ),
    (
        "an event that is never",
        watching(createEvent={"enabled": "never"}),
        f"{SUBSCRIBE}[0].createEvent.enabled",
        "not-allowed",
    ),
    ("an event without a state", watching(createEvent={}), f"{SUBSCRIBE}[0].createEvent.enabled", "required"),
    ("watching no fields", watching(updateEvent=ALWAYS), f"{SUBSCRIBE}[0].updateEvent", "one-of"),
    (
        "watching fields in two ways",
        watching(updateEvent={**ALWAYS, "watchFieldsAuto": "all", "requiredWatchFields": ["a"]}),
        f"{SUBSCRIBE}[0].updateEvent",
        "one-of",
    ),
    *(
        (
            f"watching the field {name}",
            watching(updateEvent={**ALWAYS, "requiredWatchFields": ["ok", name]}),
            f"{SUBSCRIBE}[0].updateEvent.requiredWatchFields[1]",
            "invalid-path",
        )
        for name in ("a.b", "a[", "a]")
    ),
    (
        "one object to read twice",
        one(read={"objects": [{"objectName": "x"}] * 2}),
        f"{READ}[1].objectName",
        "duplicate-name",
    ),
    (
        "one object to write twice",
        one(write={"objects": [{"objectName": "x"}] * 2}),
        f"{WRITE}[1].objectName",
        "duplicate-name",
    ),
    ("an unknown provider", one(provider="HubSpot", proxy=PROXY), "integrations[0].provider", "unknown-provider"),
    ("an unknown module", one(module="cms", proxy=PROXY), "integrations[0].module", "unknown-module"),
    ("a module that cannot", one(module="crm", proxy=PROXY), "integrations[0].proxy", "not-supported"),
    ("a provider that cannot", {**writing(), "provider": "mute"}, "integrations[0].write", "not-supported"),
    (
        "too many objects to watch",
        {
            **one(
                read={"objects": [{"objectName": str(n)} for n in range(6)]},
                subscribe={
                    "objects": [{"objectName": str(n), "destination": "d", "otherEvents": ["e"]} for n in range(6)]
                },
            ),
            "provider": "salesforce",
        },
        SUBSCRIBE,
        "out-of-range",
    ),
    (
        "a long look back into a calendar",
        {
            **one(read={"objects": [{"objectName": "events", "backfill": {"defaultPeriod": {"days": 29}}}]}),
            "provider": "google",
            "module": "calendar",
        },
        f"{READ}[0].backfill.defaultPeriod",
        "out-of-range",
    ),
    (
        "days of Snowflake",
        {**reading(backfill={"defaultPeriod": {"days": 5}}), "provider": "snowflake"},
        f"{READ}[0].backfill.defaultPeriod.days",
        "not-supported",
    ),
    (
        "schema watches every half hour",
        one(watchSchema={"destination": "d", "schedule": "*/30 * * * *"}),
        "integrations[0].watchSchema.schedule",
        "invalid-schedule",
    ),
    ("an unknown destination to read to", reading(destination="nope"), f"{READ}[0].destination", "unknown-destination"),
    (
        "an unknown destination to watch to",
        watching(destination="nope", createEvent=ALWAYS),
        f"{SUBSCRIBE}[0].destination",
        "unknown-destination",
    ),
    (
        "an unknown destination of schema watches",
        one(watchSchema={"destination": "nope"}),
        "integrations[0].watchSchema.destination",
        "unknown-destination",
    ),
    ("a mapping for writing without names", writing(fieldMappings=[{}]), f"{WRITE}[0].fieldMappings[0]", "required"),
    (
        "a default with two values",
        writing(fieldSettings={"f": {"default": {"stringValue": "a", "integerValue": 1}}}),
        f"{WRITE}[0].fieldSettings.f.default",
        "one-of",
    ),
    (
        "a default without a value",
        writing(fieldSettings={"f": {"default": {}}}),
        f"{WRITE}[0].fieldSettings.f.default",
        "one-of",
    ),
    (
        "a date that is none",
        writing(fieldSettings={"f": {"default": {"dateValue": "2026-02-30"}}}),
        f"{WRITE}[0].fieldSettings.f.default.dateValue",
        "invalid-date",
    ),
    (
        "another spelling of a rule",
        writing(fieldSettings={"f": {"writeOnUpdate": "ifempty"}}),
        f"{WRITE}[0].fieldSettings.f.writeOnUpdate",
        "not-allowed",
    ),
    ("an empty upsert key", writing(upsertKeys=[""]), f"{WRITE}[0].upsertKeys[0]", "required"),
    ("one upsert key twice", writing(upsertKeys=["a", "a"]), f"{WRITE}[0].upsertKeys[1]", "duplicate-name"),
]


@pytest.mark.parametrize(("case", "integration", "path", "code"), REFUSED, ids=[case for case, *_ in REFUSED])
def test_what_is_impossible_is_refused(case: str, integration: Any, path: str, code: str) -> None:
    text = json.dumps({"specVersion": "1.0.0", "integrations": [integration]}, indent=1)
    with pytest.raises(InvalidInput) as refused:
        parse(text, {"d"})
    errors = [issue for issue in refused.value.issues if issue.severity == "error"]
    assert [(issue.path, issue.code) for issue in errors] == [(path, code)], case
    assert all(isinstance(issue.line, int) for issue in errors)


DOUBTFUL: list[tuple[str, Any, str, str]] = [
    ("an unknown member", reading(schedul="x"), f"{READ}[0].schedul", "unknown-member"),
    ("no event", watching(), f"{SUBSCRIBE}[0]", "no-event"),
    ("a schema watch without events", one(watchSchema={"destination": "d"}), "integrations[0].watchSchema", "no-event"),
    (
        "a long backfill",
        reading(backfill={"defaultPeriod": {"days": 181}}),
        f"{READ}[0].backfill.defaultPeriod",
        "long-backfill",
    ),
    (
        "a backfill of everything",
        reading(backfill={"defaultPeriod": {"fullHistory": True}}),
        f"{READ}[0].backfill.defaultPeriod",
        "long-backfill",
    ),
    (
        "always on without a schedule",
        reading(enabled="always", requiredFields=[{"fieldName": "f"}]),
        f"{READ}[0].schedule",
        "incomplete",
    ),
    (
        "always on without fields",
        reading(enabled="always", schedule="0 * * * *"),
        f"{READ}[0].requiredFields",
        "incomplete",
    ),
    ("nothing to inherit", writing(inheritMapping=True), f"{WRITE}[0].inheritMapping", "nothing-to-inherit"),
    (
        "one field twice",
        reading(requiredFields=[{"fieldName": "f"}], optionalFields=[{"fieldName": "f"}]),
        f"{READ}[0].optionalFields[0].fieldName",
        "duplicate-name",
    ),
    (
        "two objects under one name",
        one(read={"objects": [{"objectName": "x", "mapToName": "m"}, {"objectName": "y", "mapToName": "m"}]}),
        f"{READ}[1].mapToName",
        "duplicate-name",
    ),
]


@pytest.mark.parametrize(("case", "integration", "path", "code"), DOUBTFUL, ids=[case for case, *_ in DOUBTFUL])
def test_what_is_doubtful_is_a_warning(case: str, integration: Any, path: str, code: str) -> None:
    _, warnings = parse(json.dumps({"specVersion": "1.0.0", "integrations": [integration]}, indent=1))
    assert [(issue.path, issue.code, issue.severity) for issue in warnings] == [(path, code, "warning")], case


ALLOWED: list[tuple[str, Any]] = [
    ("a read without schedule and destination", reading()),
    ("special events alone need no read", watching(read=False, inheritFieldsAndMapping=False, otherEvents=["e"])),
    ("no backfill at all", reading(backfill={"defaultPeriod": {"days": 0}})),
    ("an object with slashes and spaces", writing(objectName="cms/v3/job posts")),
    ("a list as default", writing(fieldSettings={"f": {"default": {"listValue": ["a", 1]}}})),
    ("a date as default", writing(fieldSettings={"f": {"default": {"dateValue": "2026-01-31T09:00:00Z"}}})),
    ("an empty section counts as none", one(read=None, proxy=PROXY)),
]


@pytest.mark.parametrize(("case", "integration"), ALLOWED, ids=[case for case, _ in ALLOWED])
def test_what_guides_and_tools_do_is_allowed(case: str, integration: Any) -> None:
    assert parse(json.dumps({"specVersion": "1.0.0", "integrations": [integration]}))[1] == (), case


WHOLE: list[tuple[str, str, str]] = [
    ("5", "", "wrong-type"),
    ("integrations: [{name: a, provider: mute, proxy: {enabled: true}}]", "specVersion", "required"),
    (
        "specVersion: 1.0.1\nintegrations: [{name: a, provider: mute, proxy: {enabled: true}}]",
        "specVersion",
        "not-allowed",
    ),
    ("specVersion: 1.0.0", "integrations", "required"),
    ("specVersion: 1.0.0\nintegrations: []", "integrations", "required"),
    ("specVersion: 1.0.0\nintegrations: [5]", "integrations[0]", "wrong-type"),
    (
        "specVersion: 1.0.0\nintegrations: [&a {name: a, provider: mute, proxy: {enabled: true}}]",
        "integrations[0]",
        "refused-yaml",
    ),
    (
        "specVersion: 1.0.0\nSpecVersion: 1.0.0\nintegrations: [{name: a, provider: mute, proxy: {enabled: true}}]",
        "SpecVersion",
        "duplicate-key",
    ),
]


@pytest.mark.parametrize(("text", "path", "code"), WHOLE)
def test_the_whole_document_is_judged(text: str, path: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert [(issue.path, issue.code) for issue in refused.value.issues] == [(path, code)]


def test_everything_comes_at_once_with_its_line() -> None:
    text = """\
specVersion: 1.0.0
integrations:
  - name: one
    provider: hubspot
    read:
      objects:
        - objectName: contacts
          schedul: "0 * * * *"
          schedule: "*/5 * * * *"
        - objectName: companies
          destination: 5
    write:
      objects:
        - objectName: contacts
          inheritMapping: yes
        - objectName: deals
          upsertKeys: [a, a]
  - name: one
    provider: nobody
    proxy: {enabled: true}
"""
    with pytest.raises(InvalidInput) as refused:
        parse(text)
    assert [(issue.line, issue.path, issue.code) for issue in refused.value.issues] == [
        (8, f"{READ}[0].schedul", "unknown-member"),
        (9, f"{READ}[0].schedule", "invalid-schedule"),
        (11, f"{READ}[1].destination", "wrong-type"),
        (15, f"{WRITE}[0].inheritMapping", "wrong-type"),
        (17, f"{WRITE}[1].upsertKeys[1]", "duplicate-name"),
        (18, "integrations[1].name", "duplicate-name"),
        (19, "integrations[1].provider", "unknown-provider"),
    ]


def test_one_integration_comes_as_data_too() -> None:
    spec, warnings = read_integration(reading(wat=1), path="latestRevision.content", providers=PROVIDERS)
    assert spec.name == "a"
    assert [issue.path for issue in warnings] == ["latestRevision.content.read.objects[0].wat"]
    with pytest.raises(InvalidInput) as refused:
        read_integration(reading(schedule="x"), path="latestRevision.content", providers=PROVIDERS)
    assert refused.value.issues[0].path == "latestRevision.content.read.objects[0].schedule"


def test_a_broken_object_hides_nothing_else() -> None:
    text = """\
specVersion: 1.0.0
integrations:
  - name: crm
    provider: hubspt
    write:
      objects:
        - objectName: contacts
        - objectName: contacts
          fieldSettings: {source: {writeOnUpdate: sometimes}}
        - objectName: deals
          upsertKeys: 7
    subscribe:
      objects:
        - objectName: contacts
          destination: 5
          createEvent: {enabled: always}
"""
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert [(issue.line, issue.path, issue.code) for issue in caught.value.issues if issue.severity == "error"] == [
        (4, "integrations[0].provider", "unknown-provider"),
        (8, "integrations[0].write.objects[1].objectName", "duplicate-name"),
        (9, "integrations[0].write.objects[1].fieldSettings.source.writeOnUpdate", "not-allowed"),
        (11, "integrations[0].write.objects[2].upsertKeys", "wrong-type"),
        (15, "integrations[0].subscribe.objects[0].destination", "wrong-type"),
    ]


@pytest.mark.parametrize(
    "broken", [{"read": 5}, {"read": {"objects": 5}}, {"write": []}, {"proxy": "yes"}, {"name": 5}]
)
def test_what_is_left_out_is_not_complained_of(broken: dict[str, Any]) -> None:
    subscribe = {
        "objects": [
            {
                "objectName": "contacts",
                "destination": "d",
                "inheritFieldsAndMapping": True,
                "createEvent": {"enabled": "always"},
            }
        ]
    }
    integration = {
        **reading(objectName="contacts"),
        "write": {"objects": [{"objectName": "contacts", "inheritMapping": True}]},
        "subscribe": subscribe,
        **broken,
    }
    with pytest.raises(InvalidInput) as caught:
        parse(json.dumps({"specVersion": "1.0.0", "integrations": [integration]}))
    (member,) = broken
    assert {issue.path.split(".")[1] for issue in caught.value.issues} == {member}
