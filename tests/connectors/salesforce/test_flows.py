"""What each flow asks of Salesforce, and what it makes of the answers."""

import json
from typing import Any

import httpx
import msgspec
import pytest

from connectors.connector import (
    READS_ONLY,
    Account,
    BatchWriter,
    Deleter,
    Describer,
    Fetcher,
    Finder,
    Prober,
    Upserter,
    Writer,
)
from connectors.errors import Refused, Unreadable
from connectors.salesforce.connector import Salesforce
from connectors.transport import rehearse
from installations.record import Change, Header, Outcome, RecordChange, RecordOutcome

BASE = "https://acme.my.salesforce.com"
DATA = "/services/data/v60.0"
ACCOUNT = Account(base_url=BASE)
CONNECTOR = Salesforce()
SAVED = {"id": "001D000000IqhSLIAZ", "success": True, "errors": []}


def reply(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status) if body is None else httpx.Response(status, json=body)


def change(action: str, *records: RecordChange, **rest: Any) -> Change:
    return Change(action=action, object_name=rest.pop("object_name", "account"), records=records, **rest)  # type: ignore[arg-type]


def new(**fields: Any) -> RecordChange:
    return RecordChange(fields=fields)


def asked(request: httpx.Request) -> tuple[str, str, Any]:
    target = request.url.raw_path.decode().removeprefix(DATA)
    return request.method, target, json.loads(request.content) if request.content else None


@pytest.mark.parametrize(
    "capability",
    [Writer, BatchWriter, Upserter, Deleter, Fetcher, Finder, Describer, Prober],
    ids=lambda each: each.__name__,
)
def test_the_connector_has_the_capability(capability: type[object]) -> None:
    assert isinstance(CONNECTOR, capability)


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


def flow_of(asked_for: Change) -> Any:
    if asked_for.action == "delete":
        return CONNECTOR.delete(ACCOUNT, asked_for)
    if asked_for.action == "upsert":
        return CONNECTOR.upsert(ACCOUNT, asked_for)
    return (CONNECTOR.write_batch if asked_for.batch else CONNECTOR.write)(ACCOUNT, asked_for)


@pytest.mark.parametrize(
    ("asked_for", "sent", "answer", "came"), [row[1:] for row in WRITES], ids=[row[0] for row in WRITES]
)
def test_a_change_becomes_one_request_and_its_answer_an_outcome(
    asked_for: Change, sent: tuple[str, str, Any], answer: httpx.Response, came: tuple[RecordOutcome, ...]
) -> None:
    requests, outcome = rehearse(flow_of(asked_for), answer)
    assert [asked(request) for request in requests] == [sent]
    assert isinstance(outcome, Outcome)
    for got, wanted in zip(outcome.records, came, strict=True):
        if wanted.success:
            assert got == wanted
        else:
            assert not got.success
            assert got.fault is not None


def test_the_callers_headers_go_out_with_the_write_and_keep_their_bytes() -> None:
    headers = (
        Header(key="Sforce-Duplicate-Rule-Header", value="allowSave=true"),
        Header(key="Sforce-Auto-Assign", value="FALSE"),
        Header(key="X-Note", value="é"),
    )
    (request,), _ = rehearse(
        CONNECTOR.write(ACCOUNT, change("create", new(Name="A"), headers=headers)), reply(201, SAVED)
    )
    assert request.headers["sforce-duplicate-rule-header"] == "allowSave=true"
    assert request.headers["sforce-auto-assign"] == "FALSE"
    assert (b"X-Note", "é".encode()) in request.headers.raw
    assert request.headers["content-type"] == "application/json"


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


@pytest.mark.parametrize(
    ("asked_for", "kind"), [row[1:] for row in REFUSED_UNSENT], ids=[row[0] for row in REFUSED_UNSENT]
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(asked_for: Change, kind: str) -> None:
    requests, error = rehearse(flow_of(asked_for))
    assert requests == []
    assert isinstance(error, Refused)
    assert error.fault.kind == kind


@pytest.mark.parametrize("value", ["a.b", "..", "a/b", "a\\b", "a;b", "50%", "a\nb", "1.5", "x" * 256])
def test_a_value_that_a_path_would_lose_is_upserted_by_a_collection(value: str) -> None:
    (request,), _ = rehearse(
        CONNECTOR.upsert(ACCOUNT, change("upsert", new(Ext__c=value), match_field="Ext__c")), reply(200, [SAVED])
    )
    assert asked(request)[1] == "/composite/sobjects/account/Ext__c"


def test_one_record_that_went_by_a_collection_is_refused_like_one_that_went_alone() -> None:
    errors = [{"statusCode": "DUPLICATE_EXTERNAL_ID", "message": "more than one record found", "fields": ["Ext__c"]}]
    _, error = rehearse(
        CONNECTOR.upsert(ACCOUNT, change("upsert", new(Ext__c="a.b"), match_field="Ext__c")),
        reply(200, [{"success": False, "errors": errors}]),
    )
    assert isinstance(error, Refused)
    assert (error.fault.kind, error.fault.code) == ("conflict", "DUPLICATE_EXTERNAL_ID")


@pytest.mark.parametrize(
    ("object_name", "field", "expected"),
    [("Account", "Ext__c", True), ("Account", "ext__C", True), ("Contact", "Email", False), ("Account", "Id", False)],
)
def test_only_custom_fields_can_be_upserted_by_natively(object_name: str, field: str, *, expected: bool) -> None:
    assert CONNECTOR.can_upsert(object_name, field) is expected


UNREADABLE: list[tuple[str, Change, httpx.Response]] = [
    ("a create without a body", change("create", new()), httpx.Response(201)),
    ("a create with a page", change("create", new()), httpx.Response(200, text="<html>")),
    ("a create with an array", change("create", new()), reply(201, [])),
    ("a batch with an object", change("create", new(), batch=True), reply(200, {})),
    ("a batch that does not say how it went", change("create", new(), batch=True), reply(200, [{}])),
    ("a batch in broken UTF-8", change("create", new(), batch=True), httpx.Response(200, content=b'[{"id":"\xff"}]')),
]


@pytest.mark.parametrize(("asked_for", "answer"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_a_success_that_cannot_be_read_is_never_called_a_failure(asked_for: Change, answer: httpx.Response) -> None:
    _, error = rehearse(flow_of(asked_for), answer)
    assert isinstance(error, Unreadable)


@pytest.mark.parametrize(("results", "kinds"), [(1, [None, "ambiguous"]), (3, ["ambiguous", "ambiguous"])])
def test_records_that_a_batch_does_not_account_for_are_unknown(results: int, kinds: list[str | None]) -> None:
    _, outcome = rehearse(flow_of(change("create", new(), new(), batch=True)), reply(200, [SAVED] * results))
    assert [None if record.fault is None else record.fault.kind for record in outcome.records] == kinds


def test_a_fetch_reads_by_place_and_marks_its_request_as_a_read() -> None:
    row = {"attributes": {"type": "Account", "url": "/x"}, "Id": "001D000000IqhSLIAZ", "Name": "Acme", "Phone": None}
    flow = CONNECTOR.fetch(
        ACCOUNT, "account", ids=["001D000000IqhSL", "001000000000000", "bogus!"], fields=["Name", "Id", "Phone", "Name"]
    )
    (request,), found = rehearse(flow, reply(200, [row, None, None]))
    assert asked(request) == (
        "POST",
        "/composite/sobjects/account",
        {"ids": ["001D000000IqhSL", "001000000000000", "bogus!"], "fields": ["Id", "Name", "Phone"]},
    )
    assert request.extensions[READS_ONLY] is True
    assert found == {"001D000000IqhSL": {"Id": "001D000000IqhSLIAZ", "Name": "Acme", "Phone": None}}


def test_fields_come_back_under_the_names_they_were_asked_for() -> None:
    """Salesforce answers ``Phone`` to ``phone``; whoever looks for ``phone`` must not find it empty."""
    row: dict[str, Any] = {"attributes": {}, "Id": "001", "Phone": "1", "Fax": None}
    fields = ["phone", "Phone", "FAX", "id"]
    (request,), found = rehearse(CONNECTOR.fetch(ACCOUNT, "account", ids=["001"], fields=fields), reply(200, [row]))
    assert json.loads(request.content)["fields"] == ["Id", "phone", "FAX"]
    assert found == {"001": {"Id": "001", "phone": "1", "Phone": "1", "FAX": None, "id": "001"}}
    flow = CONNECTOR.find(ACCOUNT, "account", field="phone", value="1", fields=fields)
    _, found = rehearse(flow, reply(200, {"records": [row]}))
    assert found == {"001": {"Id": "001", "phone": "1", "Phone": "1", "FAX": None, "id": "001"}}


def test_a_fetch_of_very_many_ids_takes_as_few_requests_as_salesforce_allows() -> None:
    ids = [f"001{number:012}" for number in range(2001)]
    requests, found = rehearse(
        CONNECTOR.fetch(ACCOUNT, "Account", ids=ids, fields=[]), reply(200, [None] * 2000), reply(200, [{"Id": "x"}])
    )
    assert [len(json.loads(request.content)["ids"]) for request in requests] == [2000, 1]
    assert found == {ids[2000]: {"Id": "x"}}


def test_a_fetch_of_nothing_asks_nothing() -> None:
    assert rehearse(CONNECTOR.fetch(ACCOUNT, "Account", ids=[], fields=["Name"])) == ([], {})


def test_a_fetch_keeps_related_records_nested_without_their_attributes() -> None:
    row = {"attributes": {}, "Id": "003", "Owner": {"attributes": {}, "Name": "Ada"}}
    _, found = rehearse(CONNECTOR.fetch(ACCOUNT, "Contact", ids=["003"], fields=["Owner.Name"]), reply(200, [row]))
    assert found == {"003": {"Id": "003", "Owner": {"Name": "Ada"}}}


def test_a_fetch_with_fewer_rows_than_ids_is_unreadable() -> None:
    _, error = rehearse(CONNECTOR.fetch(ACCOUNT, "Account", ids=["001"], fields=[]), reply(200, []))
    assert isinstance(error, Unreadable)


SELECT = "SELECT Id, Name FROM Account WHERE "
QUERIES: list[tuple[str, Any, str]] = [
    ("Name", "Acme", SELECT + "Name = 'Acme' LIMIT 5"),
    ("Name", "Bob's BBQ", SELECT + r"Name = 'Bob\'s BBQ' LIMIT 5"),
    ("Name", "x' OR Name != '", SELECT + r"Name = 'x\' OR Name != \'' LIMIT 5"),
    ("Name", "\\' OR Id != null --", SELECT + r"Name = '\\\' OR Id != null --' LIMIT 5"),
    ("Name", "\\", SELECT + r"Name = '\\' LIMIT 5"),
    ("Name", 'a"b\n\r\t\b\f', SELECT + r"""Name = 'a\"b\n\r\t\b\f' LIMIT 5"""),
    ("Name", "Zoë & Söhne %_ #?+", SELECT + "Name = 'Zoë & Söhne %_ #?+' LIMIT 5"),
    ("Owner.Email", "a@b.c", SELECT + "Owner.Email = 'a@b.c' LIMIT 5"),
    ("Num__c", 17, SELECT + "Num__c = 17 LIMIT 5"),
    ("Num__c", 1.5, SELECT + "Num__c = 1.5 LIMIT 5"),
    ("Flag__c", True, SELECT + "Flag__c = true LIMIT 5"),
    ("Name", None, SELECT + "Name = null LIMIT 5"),
]


@pytest.mark.parametrize(("field", "value", "query"), QUERIES)
def test_a_look_up_keeps_its_value_a_value(field: str, value: Any, query: str) -> None:
    rows = {"totalSize": 1, "done": True, "records": [{"attributes": {}, "Id": "001", "Name": "Acme"}]}
    (request,), found = rehearse(
        CONNECTOR.find(ACCOUNT, "Account", field=field, value=value, fields=["Name"]), reply(200, rows)
    )
    assert request.method == "GET"
    assert request.url.path == f"{DATA}/query/"
    assert request.url.params["q"] == query
    assert found == {"001": {"Id": "001", "Name": "Acme"}}


@pytest.mark.parametrize(
    ("object_name", "field", "value", "fields", "kind"),
    [
        ("Account WHERE Id != null", "Name", "x", ["Name"], "unknown_object"),
        ("Account", "Name = 'x' OR Name", "x", ["Name"], "unknown_field"),
        ("Account", "Name", "x", ["Name, (SELECT Id FROM Contacts)"], "unknown_field"),
        ("Account", "Name", "x", ["Name--"], "unknown_field"),
        ("Account", "", "x", [], "unknown_field"),
        ("Account", "Name", ["x"], [], "invalid"),
        ("Account", "Name", {"a": 1}, [], "invalid"),
    ],
)
def test_a_look_up_by_what_is_no_name_or_no_value_is_never_sent(
    object_name: str, field: str, value: Any, fields: list[str], kind: str
) -> None:
    requests, error = rehearse(CONNECTOR.find(ACCOUNT, object_name, field=field, value=value, fields=fields))
    assert requests == []
    assert isinstance(error, Refused)
    assert error.fault.kind == kind


def test_a_description_becomes_the_published_schema() -> None:
    plain = {"createable": True, "updateable": True, "nillable": True, "defaultedOnCreate": False, "custom": False}
    described = {
        "name": "Account",
        "label": "Account",
        "fields": [
            plain
            | {"name": "Id", "label": "Account ID", "type": "id"}
            | {"createable": False, "updateable": False, "nillable": False, "defaultedOnCreate": True},
            plain | {"name": "Name", "label": "Account Name", "type": "string", "nillable": False},
            plain
            | {"name": "Active__c", "label": "Active", "type": "boolean", "custom": True}
            | {"nillable": False, "defaultedOnCreate": True},
            plain
            | {
                "name": "Industry",
                "label": "Industry",
                "type": "picklist",
                "picklistValues": [
                    {"value": "Energy", "label": "Energy sector", "active": True},
                    {"value": "Gone", "label": "Gone", "active": False},
                    {"value": "Bare", "label": None, "active": True},
                ],
            },
            plain | {"name": "OwnerId", "label": "Owner ID", "type": "reference", "referenceTo": ["User", "Group"]},
            plain | {"name": "BillingAddress", "label": "Address", "type": "address", "referenceTo": []},
        ],
    }
    (request,), schema = rehearse(CONNECTOR.describe(ACCOUNT, "account"), reply(200, described))
    assert asked(request) == ("GET", "/sobjects/account/describe", None)
    built = msgspec.to_builtins(schema)
    assert built["name"] == "Account"
    assert built["displayName"] == "Account"
    rows = {
        name: (field["valueType"], field["readOnly"], field["isRequired"], field["isCustom"])
        for name, field in built["fields"].items()
    }
    assert rows == {
        "Id": ("string", True, False, False),
        "Name": ("string", False, True, False),
        "Active__c": ("boolean", False, False, True),
        "Industry": ("singleSelect", False, False, False),
        "OwnerId": ("reference", False, False, False),
        "BillingAddress": ("other", False, False, False),
    }
    assert list(built["fields"]["Industry"]["values"]) == [
        {"value": "Energy", "displayValue": "Energy sector"},
        {"value": "Bare", "displayValue": "Bare"},
    ]
    assert list(built["fields"]["OwnerId"]["referenceTo"]) == ["User", "Group"]
    assert "referenceTo" not in built["fields"]["BillingAddress"]
    assert built["fields"]["BillingAddress"]["providerType"] == "address"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"type": "picklist", "restrictedPicklist": False}, True),
        ({"type": "multipicklist", "restrictedPicklist": False}, True),
        ({"type": "picklist", "restrictedPicklist": True}, None),
        ({"type": "picklist"}, None),
        ({"type": "string", "restrictedPicklist": False}, None),
    ],
)
def test_a_picklist_that_is_not_restricted_takes_any_value(members: dict[str, Any], expected: bool | None) -> None:  # noqa: FBT001 -- a row's
    described = {"name": "Account", "fields": [{"name": "Kind", "picklistValues": [], **members}]}
    _, schema = rehearse(CONNECTOR.describe(ACCOUNT, "Account"), reply(200, described))
    assert msgspec.to_builtins(schema)["fields"]["Kind"].get("anyValue") is expected


def test_a_description_of_another_shape_is_unreadable() -> None:
    _, error = rehearse(CONNECTOR.describe(ACCOUNT, "Account"), reply(200, {"name": "Account"}))
    assert isinstance(error, Unreadable)


def test_the_probe_asks_for_what_every_user_of_the_api_may_see() -> None:
    (request,), result = rehearse(CONNECTOR.probe(ACCOUNT), reply(200, {"sobjects": "/x"}))
    assert asked(request) == ("GET", "/", None)
    assert result is None
