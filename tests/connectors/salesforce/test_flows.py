"""What each write asks of Salesforce, and what it makes of the answers."""

from typing import Any

import httpx
import pytest

from connectors.connector import BatchWriter, Deleter, Describer, Fetcher, Finder, Prober, Upserter, Writer
from connectors.errors import Refused, Unreadable
from connectors.transport import rehearse
from installations.record import Change, Header, Outcome, RecordOutcome
from tests.connectors.salesforce.rehearsed import ACCOUNT, CONNECTOR, SAVED, asked, change, flow_of, new, reply
from tests.connectors.salesforce.write_cases import REFUSED_UNSENT, UNREADABLE, WRITES


@pytest.mark.parametrize(
    "capability",
    [Writer, BatchWriter, Upserter, Deleter, Fetcher, Finder, Describer, Prober],
    ids=lambda each: each.__name__,
)
def test_the_connector_has_the_capability(capability: type[object]) -> None:
    assert isinstance(CONNECTOR, capability)


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


@pytest.mark.parametrize(("asked_for", "answer"), [row[1:] for row in UNREADABLE], ids=[row[0] for row in UNREADABLE])
def test_a_success_that_cannot_be_read_is_never_called_a_failure(asked_for: Change, answer: httpx.Response) -> None:
    _, error = rehearse(flow_of(asked_for), answer)
    assert isinstance(error, Unreadable)


@pytest.mark.parametrize(("results", "kinds"), [(1, [None, "ambiguous"]), (3, ["ambiguous", "ambiguous"])])
def test_records_that_a_batch_does_not_account_for_are_unknown(results: int, kinds: list[str | None]) -> None:
    _, outcome = rehearse(flow_of(change("create", new(), new(), batch=True)), reply(200, [SAVED] * results))
    assert [None if record.fault is None else record.fault.kind for record in outcome.records] == kinds
