"""What each flow that reads asks of Salesforce, and what it makes of the answers."""

import json
from typing import Any

import msgspec
import pytest

from connectors.connector import READS_ONLY
from connectors.errors import Refused, Unreadable
from connectors.transport import rehearse
from tests.connectors.salesforce.rehearsed import ACCOUNT, CONNECTOR, DATA, asked, reply


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
