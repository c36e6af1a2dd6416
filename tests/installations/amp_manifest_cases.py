"""Integrations and documents as rows: where each is wrong or doubtful, and those that are neither."""

from typing import Any

from tests.installations.amp_manifests import ALWAYS, PROXY, READ, SUBSCRIBE, WRITE, one, reading, watching, writing

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

ALLOWED: list[tuple[str, Any]] = [
    ("a read without schedule and destination", reading()),
    ("special events alone need no read", watching(read=False, inheritFieldsAndMapping=False, otherEvents=["e"])),
    ("no backfill at all", reading(backfill={"defaultPeriod": {"days": 0}})),
    ("an object with slashes and spaces", writing(objectName="cms/v3/job posts")),
    ("a list as default", writing(fieldSettings={"f": {"default": {"listValue": ["a", 1]}}})),
    ("a date as default", writing(fieldSettings={"f": {"default": {"dateValue": "2026-01-31T09:00:00Z"}}})),
    ("an empty section counts as none", one(read=None, proxy=PROXY)),
]

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
