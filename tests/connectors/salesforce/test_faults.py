"""How Salesforce's refusals are understood. The words are its own; the kinds say who must act and what time does."""

from typing import Any

import httpx
import pytest

from connectors.connector import Account
from connectors.errors import Ambiguous, ConnectorError, Refused
from connectors.salesforce.connector import Salesforce
from connectors.transport import rehearse
from installations.record import Change, Fault, Outcome, RecordChange

ACCOUNT = Account(base_url="https://acme.my.salesforce.com")
CONNECTOR = Salesforce()
CREATE = Change(action="create", object_name="account", records=(RecordChange(fields={"Testing__c": 1}),))
UPDATE = Change(action="update", object_name="account", records=(RecordChange(id="001A", fields={}),))
UPSERT = Change(
    action="upsert", object_name="account", records=(RecordChange(fields={"Ext__c": "k"}),), match_field="Ext__c"
)


def refusal(status: int, code: str, message: str, *fields: str) -> httpx.Response:
    return httpx.Response(status, json=[{"errorCode": code, "message": message, "fields": list(fields)}])


def write(change: Change, answer: httpx.Response) -> ConnectorError:
    flow = CONNECTOR.upsert(ACCOUNT, change) if change.action == "upsert" else CONNECTOR.write(ACCOUNT, change)
    _, error = rehearse(flow, answer)
    assert isinstance(error, ConnectorError)
    return error


COLUMN = "No such column 'Testing__c' on sobject of type Account"
SECURITY = "Unable to create/update fields: CreatedDate. Please check the security settings of this field"
DUPLICATE = "duplicate value found: Ext__c duplicates value on record with id: 001D000000IqhSL"

REFUSALS: list[tuple[Change, httpx.Response, str, tuple[str, ...]]] = [
    (CREATE, refusal(400, "INVALID_FIELD", COLUMN), "unknown_field", ("Testing__c",)),
    (
        CREATE,
        refusal(400, "INVALID_FIELD_FOR_INSERT_UPDATE", SECURITY, "CreatedDate"),
        "unknown_field",
        ("CreatedDate",),
    ),
    (
        CREATE,
        refusal(400, "INVALID_FIELD", "Foreign key external ID: x not found for field Ext__c in entity Account"),
        "invalid",
        (),
    ),
    (CREATE, refusal(404, "NOT_FOUND", "The requested resource does not exist"), "unknown_object", ()),
    (UPDATE, refusal(404, "NOT_FOUND", "The requested resource does not exist"), "not_found", ()),
    (
        UPSERT,
        refusal(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible: Ext__c"),
        "unknown_field",
        (),
    ),
    (CREATE, refusal(400, "INVALID_TYPE", "sObject type 'account' is not supported."), "unknown_object", ()),
    (UPDATE, refusal(404, "ENTITY_IS_DELETED", "entity is deleted"), "not_found", ()),
    (UPDATE, refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"), "not_found", ()),
    (UPDATE, refusal(400, "INVALID_CROSS_REFERENCE_KEY", "Owner ID: bad", "OwnerId"), "invalid", ("OwnerId",)),
    (CREATE, refusal(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"), "invalid", ()),
    (UPDATE, refusal(400, "UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record"), "locked", ()),
    (CREATE, refusal(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), "rate_limited", ()),
    (CREATE, refusal(401, "INVALID_SESSION_ID", "Session expired or invalid"), "auth", ()),
    (CREATE, refusal(400, "DUPLICATE_VALUE", DUPLICATE), "conflict", ()),
    (CREATE, refusal(400, "DUPLICATES_DETECTED", "Use one of these records?"), "conflict", ()),
    (UPDATE, refusal(403, "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights"), "forbidden", ()),
    (UPDATE, refusal(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", "insufficient access"), "forbidden", ()),
    (
        CREATE,
        refusal(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization"),
        "forbidden",
        (),
    ),
    (
        CREATE,
        refusal(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name"),
        "invalid",
        ("Name",),
    ),
    (CREATE, refusal(400, "JSON_PARSER_ERROR", "Unexpected character"), "invalid", ()),
    (CREATE, refusal(400, "A_CODE_OF_TOMORROW", "something new"), "invalid", ()),
    (UPSERT, httpx.Response(300, json=["/services/data/v60.0/sobjects/account/001A"]), "conflict", ()),
    (CREATE, httpx.Response(403, text="<html>forbidden</html>"), "forbidden", ()),
    (CREATE, httpx.Response(405), "invalid", ()),
    (CREATE, httpx.Response(302, headers={"location": "/"}), "unrecognised", ()),
    (CREATE, httpx.Response(429), "rate_limited", ()),
    (CREATE, httpx.Response(413, json={"an": "object"}), "invalid", ()),
]


@pytest.mark.parametrize(("change", "answer", "kind", "fields"), REFUSALS)
def test_a_refusal_has_its_kind_its_fields_and_the_providers_words(
    change: Change, answer: httpx.Response, kind: str, fields: tuple[str, ...]
) -> None:
    error = write(change, answer)
    assert isinstance(error, Refused)
    assert (error.fault.kind, error.fault.fields, error.fault.status) == (kind, fields, answer.status_code)
    assert error.raw_response == (answer.text or None)
    if isinstance(answer_errors := _json(answer), list) and isinstance(answer_errors[0], dict):
        assert error.fault.message == answer_errors[0]["message"]
        assert error.fault.code == answer_errors[0]["errorCode"]


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def test_a_duplicate_names_the_record_that_is_there() -> None:
    assert write(CREATE, refusal(400, "DUPLICATE_VALUE", DUPLICATE)).fault.existing_id == "001D000000IqhSL"


def test_several_errors_keep_all_words_and_all_fields() -> None:
    answer = httpx.Response(
        400,
        json=[
            {"errorCode": "STRING_TOO_LONG", "message": "Name: data value too large", "fields": ["Name"]},
            {"errorCode": "INVALID_EMAIL_ADDRESS", "message": "Email: invalid email address", "fields": ["Email"]},
        ],
    )
    fault = write(CREATE, answer).fault
    assert fault.message == "Name: data value too large; Email: invalid email address"
    assert fault.fields == ("Name", "Email")
    assert fault.code == "STRING_TOO_LONG"


def test_words_and_bodies_are_cut_to_four_kilobytes() -> None:
    error = write(CREATE, refusal(400, "X", "m" * 10_000))
    assert len(error.fault.message) == 4096
    assert error.raw_response is not None
    assert len(error.raw_response) == 4096


def test_a_wait_is_kept_where_one_is_told() -> None:
    answer = httpx.Response(429, headers={"Retry-After": "7"})
    assert write(CREATE, answer).fault.retry_after_seconds == 7.0


@pytest.mark.parametrize("status", [408, 425, 208, 299, 500, 502, 503, 504, 599])
def test_a_write_that_nobody_can_judge_is_ambiguous(status: int) -> None:
    answer = httpx.Response(
        status, json=[{"errorCode": "UNKNOWN_EXCEPTION", "message": "An unexpected error occurred"}]
    )
    error = write(CREATE, answer)
    assert isinstance(error, Ambiguous)
    assert (error.fault.kind, error.fault.status, error.fault.code) == ("ambiguous", status, "UNKNOWN_EXCEPTION")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(503, json=[{"errorCode": "SERVER_UNAVAILABLE", "message": "busy"}]), "provider"),
        (httpx.Response(500), "provider"),
        (httpx.Response(404, json=[{"errorCode": "NOT_FOUND", "message": "no"}]), "unknown_object"),
        (httpx.Response(401, json=[{"errorCode": "INVALID_SESSION_ID", "message": "no"}]), "auth"),
        (httpx.Response(400, json=[{"errorCode": "MALFORMED_QUERY", "message": "no"}]), "invalid"),
    ],
)
def test_a_read_that_fails_is_refused_since_nothing_can_have_happened(answer: httpx.Response, kind: str) -> None:
    for flow in (
        CONNECTOR.describe(ACCOUNT, "Account"),
        CONNECTOR.fetch(ACCOUNT, "Account", ids=["001"], fields=[]),
        CONNECTOR.find(ACCOUNT, "Account", field="Name", value="x", fields=[]),
        CONNECTOR.probe(ACCOUNT),
    ):
        _, error = rehearse(flow, httpx.Response(answer.status_code, content=answer.content))
        assert isinstance(error, Refused)
        assert error.fault.kind == kind


def batch_of(*errors: tuple[str, str] | None) -> list[Fault | None]:
    records = tuple(RecordChange(fields={}) for _ in errors)
    change = Change(action="create", object_name="Account", records=records, batch=True, all_or_none=True)
    results = [
        {"success": True, "id": "001", "errors": []}
        if error is None
        else {"success": False, "errors": [{"statusCode": error[0], "message": error[1], "fields": []}]}
        for error in errors
    ]
    _, outcome = rehearse(CONNECTOR.write_batch(ACCOUNT, change), httpx.Response(200, json=results))
    assert isinstance(outcome, Outcome)
    return [record.fault for record in outcome.records]


INNOCENT = ("ALL_OR_NONE_OPERATION_ROLLED_BACK", "Record rolled back because not all records were valid")


@pytest.mark.parametrize(
    ("codes", "kinds"),
    [
        ([None, "UNABLE_TO_LOCK_ROW"], [None, "locked"]),
        ([INNOCENT, "UNABLE_TO_LOCK_ROW"], ["locked", "locked"]),
        ([INNOCENT, "UNABLE_TO_LOCK_ROW", "REQUIRED_FIELD_MISSING"], ["invalid", "locked", "invalid"]),
        (["DUPLICATE_VALUE", INNOCENT], ["conflict", "conflict"]),
        ([INNOCENT], ["invalid"]),
    ],
)
def test_a_record_that_was_only_rolled_back_shares_the_kind_of_the_guilty_one(
    codes: list[Any], kinds: list[str | None]
) -> None:
    faults = batch_of(*(code if code is None or code == INNOCENT else (code, "words") for code in codes))
    assert [None if fault is None else fault.kind for fault in faults] == kinds
    rolled_back = [fault for fault, code in zip(faults, codes, strict=True) if code == INNOCENT and fault is not None]
    assert all((fault.code, fault.message) == INNOCENT for fault in rolled_back)
