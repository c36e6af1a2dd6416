"""Configs held against one account, as a table: the manifest, the config, and what is said where."""

from typing import Any

from tests.installations.account import NEVER, TEXT, default, settings

R, W = "read.objects.contacts", "write.objects.contacts"
MAIL = {"optionalFields": [{"mapToName": "mail"}]}
Case = tuple[str, dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]


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
