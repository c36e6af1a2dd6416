"""Change in, requests out; canned answers in, outcome out: one record at a time, deletes and reads."""

from typing import Any

import httpx
import pytest

from connectors.connector import READS_ONLY, BatchWriter, Deleter, Describer, Fetcher, Finder, Prober, Upserter, Writer
from connectors.errors import Ambiguous, NotSent, Refused, Unreadable
from connectors.transport import rehearse
from installations.record import Change, Header, Outcome, RecordChange, RecordOutcome
from tests.connectors.hubspot.rehearsed import (
    ACCOUNT,
    HUBSPOT,
    LINK,
    answer,
    batch,
    change,
    failure,
    fields,
    record,
    seen,
)

CAPABILITIES = (Writer, BatchWriter, Upserter, Deleter, Fetcher, Finder, Describer, Prober)


@pytest.mark.parametrize("capability", CAPABILITIES)
def test_hubspot_has_every_capability(capability: type[object]) -> None:
    assert isinstance(HUBSPOT, capability)


def test_support_is_what_the_connector_can_do() -> None:
    support = HUBSPOT.provider.support
    assert (support.write, support.delete, support.read, support.subscribe) == (True, True, False, False)
    assert HUBSPOT.provider.default_module in (HUBSPOT.provider.modules or {})


SINGLE: tuple[tuple[str, Change, tuple[str, str, Any], httpx.Response, RecordOutcome], ...] = (
    (
        "a create",
        change(fields(email="a@b.example", age=7)),
        ("POST", "/crm/v3/objects/contacts", {"properties": {"email": "a@b.example", "age": "7"}}),
        answer(201, record("5", email="a@b.example")),
        RecordOutcome(success=True, record_id="5", data=record("5", email="a@b.example")),
    ),
    (
        "a create with associations, which pass untouched",
        change(RecordChange(fields={"email": "a@b.example"}, associations=[LINK])),
        ("POST", "/crm/v3/objects/contacts", {"properties": {"email": "a@b.example"}, "associations": [LINK]}),
        answer(201, record("5")),
        RecordOutcome(success=True, record_id="5", data=record("5")),
    ),
    (
        "a custom object by type id",
        change(fields(model="T"), object_name="2-123"),
        ("POST", "/crm/v3/objects/2-123", {"properties": {"model": "T"}}),
        answer(201, record("6")),
        RecordOutcome(success=True, record_id="6", data=record("6")),
    ),
    (
        "an object name as the manifest has it, quoted",
        change(fields(a="b"), object_name="contact/../x?y"),
        ("POST", "/crm/v3/objects/contact%2F..%2Fx%3Fy", {"properties": {"a": "b"}}),
        answer(201, record("6")),
        RecordOutcome(success=True, record_id="6", data=record("6")),
    ),
    (
        "an update, which clears with null",
        change(RecordChange(id="5", fields={"firstname": None}), action="update"),
        ("PATCH", "/crm/v3/objects/contacts/5", {"properties": {"firstname": ""}}),
        answer(200, record("5", firstname="")),
        RecordOutcome(success=True, record_id="5", data=record("5", firstname="")),
    ),
    (
        "an update with no associations, which asks for none",
        change(RecordChange(id="5", fields={"firstname": "A"}, associations=[]), action="update"),
        ("PATCH", "/crm/v3/objects/contacts/5", {"properties": {"firstname": "A"}}),
        answer(200, record("5", firstname="A")),
        RecordOutcome(success=True, record_id="5", data=record("5", firstname="A")),
    ),
    (
        "a delete",
        change(RecordChange(id="5/6", fields={}), action="delete"),
        ("DELETE", "/crm/v3/objects/contacts/5%2F6", None),
        answer(204),
        RecordOutcome(success=True, record_id="5/6"),
    ),
)


@pytest.mark.parametrize(
    ("asked", "request_", "response", "outcome"), [row[1:] for row in SINGLE], ids=[row[0] for row in SINGLE]
)
def test_a_single_write(
    asked: Change, request_: tuple[str, str, Any], response: httpx.Response, outcome: RecordOutcome
) -> None:
    flow = HUBSPOT.delete if asked.action == "delete" else HUBSPOT.write
    requests, result = rehearse(flow(ACCOUNT, asked), response)
    assert [seen(request) for request in requests] == [request_]
    assert result == Outcome(records=(outcome,))


def test_the_callers_headers_travel_with_a_write() -> None:
    asked = change(fields(a="b"), headers=(Header(key="X-Trace", value="7"),))
    requests, _ = rehearse(HUBSPOT.write(ACCOUNT, asked), answer(201, record("1")))
    assert requests[0].headers["x-trace"] == "7"
    assert requests[0].headers["content-type"] == "application/json"


UNSENT: tuple[tuple[str, Change, str], ...] = (
    ("a nested object", change(fields(address={"city": "x"})), "address: HubSpot has no nested objects"),
    ("an update without an id", change(fields(a="b"), action="update"), "id: no value to find the record by"),
    ("an id that climbs", change(RecordChange(id="..", fields={}), action="update"), "'..' cannot stand in a path"),
    ("an object that climbs", change(fields(a="b"), object_name=".."), "'..' cannot stand in a path"),
    (
        "associations with an update",
        change(RecordChange(id="5", fields={}, associations=[LINK]), action="update"),
        "HubSpot takes associations with a create only",
    ),
)


@pytest.mark.parametrize(("asked", "message"), [row[1:] for row in UNSENT], ids=[row[0] for row in UNSENT])
def test_what_hubspot_cannot_take_is_refused_unsent(asked: Change, message: str) -> None:
    requests, refused = rehearse(HUBSPOT.write(ACCOUNT, asked))
    assert requests == []
    assert isinstance(refused, Refused | NotSent)
    assert (refused.fault.kind, refused.fault.message) == ("invalid", message)


def test_a_success_without_a_record_is_unreadable() -> None:
    for response in (httpx.Response(201, text="<html>"), answer(201, {"properties": {}}), answer(201, [])):
        _, error = rehearse(HUBSPOT.write(ACCOUNT, change(fields(a="b"))), response)
        assert isinstance(error, Unreadable)


def test_a_server_error_on_a_create_is_ambiguous() -> None:
    _, error = rehearse(HUBSPOT.write(ACCOUNT, change(fields(a="b"))), answer(502))
    assert isinstance(error, Ambiguous)


def test_an_empty_value_is_not_looked_for() -> None:
    assert rehearse(HUBSPOT.find(ACCOUNT, "contacts", field="email", value="", fields=["a"])) == ([], {})


def test_a_delete_without_an_id_is_refused_unsent() -> None:
    for asked in (change(fields(), action="delete"), change(fields(), action="delete", batch=True)):
        requests, error = rehearse(HUBSPOT.delete(ACCOUNT, asked))
        assert (requests, isinstance(error, Refused)) == ([], True)


def test_a_fetch_reads_a_hundred_ids_at_once_and_leaves_out_what_is_missing() -> None:
    ids = [str(number) for number in range(250)]
    answers = (
        answer(200, batch(record("0", firstname="Ada", createdate="t"))),
        answer(207, batch(record("100", firstname=None), errors=(failure("gone", "OBJECT_NOT_FOUND", ids=["101"]),))),
        answer(404, {"message": "resource not found", "category": "OBJECT_NOT_FOUND"}),
    )
    flow = HUBSPOT.fetch(ACCOUNT, "contacts", ids=[*ids, "0"], fields=["firstname"])
    requests, found = rehearse(flow, *answers)
    assert [len(seen(request)[2]["inputs"]) for request in requests] == [100, 100, 50]
    assert all(request.extensions[READS_ONLY] for request in requests)
    assert found == {"0": {"firstname": "Ada"}, "100": {"firstname": None}}


def test_a_fetch_of_nothing_asks_nothing() -> None:
    assert rehearse(HUBSPOT.fetch(ACCOUNT, "contacts", ids=[], fields=["a"])) == ([], {})


def test_a_fetch_that_failed_for_another_reason_is_refused() -> None:
    flow = HUBSPOT.fetch(ACCOUNT, "contacts", ids=["1"], fields=["a"])
    _, error = rehearse(flow, answer(207, batch(errors=(failure("scope", "MISSING_SCOPES"),))))
    assert isinstance(error, Refused)
    assert error.fault.kind == "forbidden"
    flow = HUBSPOT.fetch(ACCOUNT, "widgets", ids=["1"], fields=["a"])
    _, error = rehearse(flow, answer(404, {"message": "Unable to infer object type from: widgets"}))
    assert isinstance(error, Refused)
    assert error.fault.kind == "unknown_object"


def test_a_unique_property_is_looked_up_without_search() -> None:
    flow = HUBSPOT.find(ACCOUNT, "contacts", field="email", value="a@b.example", fields=["firstname"])
    requests, found = rehearse(flow, answer(200, batch(record("1", firstname="Ada"))))
    body = {
        "inputs": [{"id": "a@b.example"}],
        "properties": ["firstname"],
        "propertiesWithHistory": [],
        "idProperty": "email",
    }
    assert [seen(r) for r in requests] == [("POST", "/crm/v3/objects/contacts/batch/read", body)]
    assert found == {"1": {"firstname": "Ada"}}


def test_another_property_is_searched_for_after_hubspot_refused_it_as_a_key() -> None:
    flow = HUBSPOT.find(ACCOUNT, "companies", field="domain", value="b.example", fields=["name"])
    refusal = answer(400, {"message": "domain is not a unique property", "category": "VALIDATION_ERROR"})
    requests, found = rehearse(flow, refusal, answer(200, {"total": 1, "results": [record("1", name="B")]}))
    assert [seen(request)[1] for request in requests] == [
        "/crm/v3/objects/companies/batch/read",
        "/crm/v3/objects/companies/search",
    ]
    assert seen(requests[1])[2]["filterGroups"] == [
        {"filters": [{"propertyName": "domain", "operator": "EQ", "value": "b.example"}]}
    ]
    assert requests[1].extensions[READS_ONLY]
    assert found == {"1": {"name": "B"}}


def test_a_record_id_is_looked_up_as_one() -> None:
    flow = HUBSPOT.find(ACCOUNT, "contacts", field="hs_object_id", value=5, fields=["a"])
    requests, found = rehearse(flow, answer(200, batch(record("5", a="b"))))
    assert "idProperty" not in seen(requests[0])[2]
    assert found == {"5": {"a": "b"}}


def test_a_probe_passes_with_a_token_that_merely_lacks_the_right_to_this_call() -> None:
    assert rehearse(HUBSPOT.probe(ACCOUNT), answer(200, {"portalId": 1}))[1] is None
    assert rehearse(HUBSPOT.probe(ACCOUNT), answer(403, {"category": "MISSING_SCOPES", "message": "x"}))[1] is None
    for status, kind in ((401, "auth"), (403, "forbidden"), (500, "provider")):
        _, error = rehearse(HUBSPOT.probe(ACCOUNT), answer(status))
        assert isinstance(error, Refused)
        assert error.fault.kind == kind
