"""Change in, requests out; canned answers in, outcome out."""

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
from connectors.errors import Ambiguous, NotSent, Refused, Unreadable
from connectors.hubspot.crm import ARCHIVE_IS_SILENT, HubSpot
from connectors.transport import rehearse
from installations.record import Change, Header, Outcome, RecordChange, RecordOutcome
from tests.connectors.hubspot.hubspot_models import request_problems

ACCOUNT = Account(base_url="https://api.hubapi.com")
HUBSPOT = HubSpot()
LINK = {"to": {"id": "1"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}


def change(*records: RecordChange, **members: Any) -> Change:
    return Change(**({"action": "create", "object_name": "contacts", "records": records} | members))


def fields(**properties: Any) -> RecordChange:
    return RecordChange(fields=properties)


def answer(status: int, body: Any = None) -> httpx.Response:
    return httpx.Response(status, json=body) if body is not None else httpx.Response(status)


def record(record_id: str, trace_id: str | None = None, **properties: Any) -> dict[str, Any]:
    body = {"id": record_id, "properties": properties, "createdAt": "t", "updatedAt": "t", "archived": False}
    return body | ({"objectWriteTraceId": trace_id} if trace_id is not None else {})


def failure(message: str, category: str, **context: list[str]) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "errors": [], "context": context, "links": {}}


def batch(*results: dict[str, Any], errors: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    body: dict[str, Any] = {"status": "COMPLETE", "results": list(results), "startedAt": "t", "completedAt": "t"}
    return body | ({"errors": list(errors), "numErrors": len(errors)} if errors else {})


def seen(request: httpx.Request) -> tuple[str, str, Any]:
    path = request.url.raw_path.decode()
    body = json.loads(request.content) if request.content else None
    assert request_problems(request.method, path, body) == []
    return request.method, path, body


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


THREE = tuple(fields(email=f"{name}@b.example") for name in "abc")


def test_a_batch_answers_in_the_order_asked_though_hubspot_does_not() -> None:
    response = answer(
        207,
        batch(
            record("12", "2", email="c@b.example"),
            record("10", "0", email="a@b.example"),
            errors=(failure("Contact already exists. Existing ID: 9", "CONFLICT", objectWriteTraceId=["1"]),),
        ),
    )
    requests, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, change(*THREE, batch=True)), response)
    inputs = [{"properties": {"email": f"{n}@b.example"}, "objectWriteTraceId": str(i)} for i, n in enumerate("abc")]
    assert [seen(r) for r in requests] == [("POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})]
    assert [item.record_id for item in outcome.records] == ["10", None, "12"]
    assert [item.success for item in outcome.records] == [True, False, True]
    assert (outcome.records[1].fault.kind, outcome.records[1].fault.existing_id) == ("conflict", "9")


def test_an_input_the_answer_does_not_mention_is_ambiguous() -> None:
    response = answer(207, batch(record("10", "0"), errors=(failure("no", "VALIDATION_ERROR", id=["?"]),)))
    _, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, change(*THREE, batch=True)), response)
    assert [item.fault and item.fault.kind for item in outcome.records] == [None, "ambiguous", "ambiguous"]
    assert outcome.records[1].fault.message == "the provider's answer does not mention this record: no"


def test_the_one_error_without_a_name_belongs_to_the_one_input_without_an_answer() -> None:
    response = answer(
        207, batch(record("10", "0"), record("11", "1"), errors=(failure("Bad e-mail", "VALIDATION_ERROR"),))
    )
    _, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, change(*THREE, batch=True)), response)
    assert [item.fault and item.fault.kind for item in outcome.records] == [None, None, "invalid"]


def test_a_batch_that_is_all_or_nothing_goes_without_trace_ids_and_matches_by_values() -> None:
    asked = change(fields(email="B@b.example"), fields(firstname="Ada"), fields(firstname="Ada", age=7), batch=True)
    asked = msgspec.structs.replace(asked, all_or_none=True)
    response = answer(
        201,
        batch(
            record("3", firstname="Ada", age="7"),
            record("2", firstname="Ada", age=None),
            record("1", email="b@b.example"),
        ),
    )
    requests, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, asked), response)
    assert all("objectWriteTraceId" not in item for item in seen(requests[0])[2]["inputs"])
    assert [item.record_id for item in outcome.records] == ["1", "2", "3"]
    assert outcome.warnings == ()


def test_an_all_or_nothing_batch_whose_records_cannot_be_told_apart_has_no_ids_but_succeeded() -> None:
    asked = change(fields(phone="+1 2"), fields(phone="+1 3"), batch=True, all_or_none=True)
    response = answer(201, batch(record("2", phone="13"), record("1", phone="12")))
    _, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, asked), response)
    assert [(item.success, item.record_id) for item in outcome.records] == [(True, None), (True, None)]
    assert len(outcome.warnings) == 1


def test_ids_are_not_given_out_where_hubspots_own_defaults_make_records_alike() -> None:
    asked = change(fields(firstname="Ada"), fields(firstname="Ada", stage="lead"), batch=True, all_or_none=True)
    response = answer(
        201, batch(record("2", firstname="Ada", stage="lead"), record("1", firstname="Ada", stage="lead"))
    )
    _, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, asked), response)
    assert [(item.success, item.record_id) for item in outcome.records] == [(True, None), (True, None)]


def test_records_that_are_the_same_take_any_of_the_ids() -> None:
    asked = change(fields(firstname="Ada"), fields(firstname="Ada"), batch=True, all_or_none=True)
    response = answer(201, batch(record("2", firstname="Ada"), record("1", firstname="Ada")))
    _, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, asked), response)
    assert [item.record_id for item in outcome.records] == ["2", "1"]


def test_an_upsert_never_takes_a_match_value_for_a_record_id() -> None:
    asked = change(fields(vin="5"), fields(vin="6"), action="upsert", match_field="vin", batch=True, all_or_none=True)
    response = answer(200, batch(record("5", vin="6"), errors=(failure("no", "VALIDATION_ERROR", ids=["5"]),)))
    _, outcome = rehearse(HUBSPOT.upsert(ACCOUNT, asked), response)
    assert [(item.success, item.record_id) for item in outcome.records] == [(False, None), (True, "5")]


def test_an_empty_value_is_not_looked_for() -> None:
    assert rehearse(HUBSPOT.find(ACCOUNT, "contacts", field="email", value="", fields=["a"])) == ([], {})


def test_an_all_or_nothing_batch_is_refused_as_a_whole() -> None:
    asked = change(*THREE, batch=True, all_or_none=True)
    _, error = rehearse(
        HUBSPOT.write_batch(ACCOUNT, asked), answer(400, {"message": "no", "category": "VALIDATION_ERROR"})
    )
    assert isinstance(error, Refused)
    requests, error = rehearse(HUBSPOT.write_batch(ACCOUNT, change(fields(a={}), batch=True, all_or_none=True)))
    assert (requests, isinstance(error, Refused)) == ([], True)


def test_a_record_hubspot_has_no_words_for_does_not_hold_up_the_others() -> None:
    asked = change(fields(a={"b": 1}), fields(email="b@b.example"), batch=True)
    requests, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, asked), answer(201, batch(record("7", "1"))))
    assert [item["objectWriteTraceId"] for item in seen(requests[0])[2]["inputs"]] == ["1"]
    assert [(item.success, item.record_id) for item in outcome.records] == [(False, None), (True, "7")]
    requests, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, change(fields(a={}), fields(b={}), batch=True)))
    assert (requests, [item.success for item in outcome.records]) == ([], [False, False])


def test_a_batch_update_stays_partial_and_its_missing_records_are_named_by_id() -> None:
    asked = change(
        *(RecordChange(id=name, fields={"firstname": "x"}) for name in ("5", "6", "7")),
        action="update",
        batch=True,
        all_or_none=True,
    )
    response = answer(207, batch(record("6"), errors=(failure("gone", "OBJECT_NOT_FOUND", ids=["5", "7"]),)))
    requests, outcome = rehearse(HUBSPOT.write_batch(ACCOUNT, asked), response)
    assert seen(requests[0])[2]["inputs"][0] == {
        "id": "5",
        "properties": {"firstname": "x"},
        "objectWriteTraceId": "0",
    }
    assert [item.fault and item.fault.kind for item in outcome.records] == ["not_found", None, "not_found"]


def test_an_upsert_names_its_key_and_says_what_is_new() -> None:
    asked = change(*THREE[:2], action="upsert", match_field="email", batch=True)
    response = answer(200, batch(record("2", "1") | {"new": True}, record("1", "0") | {"new": False}))
    requests, outcome = rehearse(HUBSPOT.upsert(ACCOUNT, asked), response)
    method, path, body = seen(requests[0])
    assert (method, path) == ("POST", "/crm/v3/objects/contacts/batch/upsert")
    assert body["inputs"][0] == {
        "id": "a@b.example",
        "idProperty": "email",
        "properties": {"email": "a@b.example"},
        "objectWriteTraceId": "0",
    }
    assert [(item.record_id, item.created) for item in outcome.records] == [("1", False), ("2", True)]


def test_an_upsert_of_a_record_without_its_key_is_refused() -> None:
    asked = change(fields(firstname="Ada"), action="upsert", match_field="email")
    requests, outcome = rehearse(HUBSPOT.upsert(ACCOUNT, asked))
    assert requests == []
    assert outcome.records[0].fault.fields == ("email",)


UPSERTS = (
    ("contacts", "email", True),
    ("contact", "external_id", True),
    ("2-123", "vin", True),
    ("companies", "domain", False),
    ("contacts", "firstname", False),
    ("contacts", "hs_object_id", False),
    ("leads", "external_id", False),
    ("line_items", "external_id", False),
    ("orders", "external_id", False),
)


@pytest.mark.parametrize(("object_name", "field", "expected"), UPSERTS)
def test_upserts_are_native_where_hubspot_has_them(object_name: str, field: str, *, expected: bool) -> None:
    assert HUBSPOT.can_upsert(object_name, field) is expected


def test_a_batch_delete_succeeds_without_words_on_any_record() -> None:
    asked = change(*(RecordChange(id=name, fields={}) for name in ("5", "6")), action="delete", batch=True)
    requests, outcome = rehearse(HUBSPOT.delete(ACCOUNT, asked), answer(204))
    assert [seen(r) for r in requests] == [
        ("POST", "/crm/v3/objects/contacts/batch/archive", {"inputs": [{"id": "5"}, {"id": "6"}]})
    ]
    assert [item.record_id for item in outcome.records] == ["5", "6"]
    assert outcome.warnings == (ARCHIVE_IS_SILENT,)


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
