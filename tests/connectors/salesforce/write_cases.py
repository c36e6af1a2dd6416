"""Changes as rows: what Salesforce is asked for each, what it answers and what comes of it; and what is never sent."""

from typing import Any

import httpx

from installations.record import Change, RecordChange, RecordOutcome
from tests.connectors.salesforce.rehearsed import SAVED, change, new, reply

TYPED = {"attributes": {"type": "account"}}
PATCH_PATH = "/sobjects/account/001D000000IqhSL"

WRITES: list[tuple[str, Change, tuple[str, str, Any], httpx.Response, tuple[RecordOutcome, ...]]] = [
    (
        "create",
        change("create", new(Name="Acme")),
        ("POST", "/sobjects/account/", {"Name": "Acme"}),
        reply(201, SAVED),
        (RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED),),
    ),
    (
        "create with a parent named by external id",
        change("create", new(Name="Acme", Owner={"Ext__c": "x"})),
        ("POST", "/sobjects/account/", {"Name": "Acme", "Owner": {"Ext__c": "x"}}),
        reply(201, SAVED),
        (RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED),),
    ),
    (
        "update",
        change("update", RecordChange(id="001D000000IqhSL", fields={"Name": "Acme", "Phone": None})),
        ("PATCH", PATCH_PATH, {"Name": "Acme", "Phone": None}),
        reply(204),
        (RecordOutcome(success=True, record_id="001D000000IqhSL"),),
    ),
    (
        "delete",
        change("delete", RecordChange(id="001D000000IqhSL", fields={})),
        ("DELETE", PATCH_PATH, None),
        reply(204),
        (RecordOutcome(success=True, record_id="001D000000IqhSL"),),
    ),
    (
        "upsert that creates",
        change("upsert", new(Ext__c="a b&c", Name="Acme", id="001"), match_field="ext__C"),
        ("PATCH", "/sobjects/account/ext__C/a%20b%26c", {"Name": "Acme"}),
        reply(201, SAVED | {"created": True}),
        (RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED | {"created": True}, created=True),),
    ),
    (
        "upsert that updates, by a number",
        change("upsert", new(Ext__c=17, Name="Acme"), match_field="Ext__c"),
        ("PATCH", "/sobjects/account/Ext__c/17", {"Name": "Acme"}),
        reply(200, SAVED | {"created": False}),
        (RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED | {"created": False}, created=False),),
    ),
    (
        "upsert that updates, answered without a body",
        change("upsert", new(Ext__c="k", Name="Acme"), match_field="Ext__c"),
        ("PATCH", "/sobjects/account/Ext__c/k", {"Name": "Acme"}),
        reply(204),
        (RecordOutcome(success=True, created=False),),
    ),
    (
        "upsert by a value that a path would lose",
        change("upsert", new(Ext__c="x@y.inc", Name="Acme"), match_field="Ext__c"),
        (
            "PATCH",
            "/composite/sobjects/account/Ext__c",
            {"allOrNone": False, "records": [TYPED | {"Ext__c": "x@y.inc", "Name": "Acme"}]},
        ),
        reply(200, [SAVED | {"created": True}]),
        (RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED | {"created": True}, created=True),),
    ),
    (
        "batch of creates, one refused",
        change("create", new(Name="Acme"), new(Phone="1"), batch=True),
        (
            "POST",
            "/composite/sobjects",
            {"allOrNone": False, "records": [TYPED | {"Name": "Acme"}, TYPED | {"Phone": "1"}]},
        ),
        reply(
            200,
            [
                SAVED,
                {
                    "success": False,
                    "errors": [
                        {
                            "statusCode": "REQUIRED_FIELD_MISSING",
                            "message": "Required fields are missing: [Name]",
                            "fields": ["Name"],
                        }
                    ],
                },
            ],
        ),
        (
            RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED),
            RecordOutcome(success=False),
        ),
    ),
    (
        "batch of updates, all or none",
        change(
            "update",
            RecordChange(id="001D000000IqhSL", fields={"Id": "001B", "Name": "A"}),
            batch=True,
            all_or_none=True,
        ),
        (
            "PATCH",
            "/composite/sobjects",
            {"allOrNone": True, "records": [TYPED | {"id": "001D000000IqhSL", "Name": "A"}]},
        ),
        reply(200, [SAVED]),
        (RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED),),
    ),
    (
        "batch of upserts",
        change("upsert", new(Ext__c="a", id="001B"), batch=True, match_field="Ext__c"),
        (
            "PATCH",
            "/composite/sobjects/account/Ext__c",
            {"allOrNone": False, "records": [TYPED | {"Ext__c": "a"}]},
        ),
        reply(200, [SAVED | {"created": False}]),
        (RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED | {"created": False}, created=False),),
    ),
    (
        "batch of deletes",
        change("delete", *(RecordChange(id=each, fields={}) for each in ("001D000000IqhSL", "001A")), batch=True),
        ("DELETE", "/composite/sobjects?ids=001D000000IqhSL%2C001A&allOrNone=false", None),
        reply(200, [SAVED, SAVED | {"id": "001A"}]),
        (
            RecordOutcome(success=True, record_id="001D000000IqhSLIAZ", data=SAVED),
            RecordOutcome(success=True, record_id="001A", data=SAVED | {"id": "001A"}),
        ),
    ),
]

REFUSED_UNSENT: list[tuple[str, Change, str]] = [
    ("an object name with a slash", change("create", new(), object_name="Account/../Lead"), "unknown_object"),
    ("an empty object name", change("create", new(), object_name=""), "unknown_object"),
    ("an id that climbs", change("update", RecordChange(id="..", fields={})), "invalid"),
    ("no id", change("update", RecordChange(fields={})), "invalid"),
    ("an id of two", change("delete", RecordChange(id="001A,001B", fields={}), batch=True), "invalid"),
    ("an id with a query", change("delete", RecordChange(id="001A?x=1", fields={})), "invalid"),
    ("a match field with a slash", change("upsert", new(Ext__c="a"), match_field="Ext__c/x"), "unknown_field"),
    ("no match field", change("upsert", new(Ext__c="a")), "unknown_field"),
    ("no match value", change("upsert", new(Name="a"), match_field="Ext__c"), "invalid"),
    ("an empty match value", change("upsert", new(Ext__c=""), match_field="Ext__c"), "invalid"),
    ("a list to match by", change("upsert", new(Ext__c=["a"]), match_field="Ext__c", batch=True), "invalid"),
    (
        "associations",
        change("create", RecordChange(fields={}, associations=[{"to": {"id": "1"}}])),
        "invalid",
    ),
    (
        "associations in a batch",
        change("create", RecordChange(fields={}, associations=[{"to": {"id": "1"}}]), batch=True),
        "invalid",
    ),
]

UNREADABLE: list[tuple[str, Change, httpx.Response]] = [
    ("a create without a body", change("create", new()), httpx.Response(201)),
    ("a create with a page", change("create", new()), httpx.Response(200, text="<html>")),
    ("a create with an array", change("create", new()), reply(201, [])),
    ("a batch with an object", change("create", new(), batch=True), reply(200, {})),
    ("a batch that does not say how it went", change("create", new(), batch=True), reply(200, [{}])),
    ("a batch in broken UTF-8", change("create", new(), batch=True), httpx.Response(200, content=b'[{"id":"\xff"}]')),
]
