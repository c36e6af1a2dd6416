"""Change in, requests out; canned answers in, outcome out: batches, and upserts, which HubSpot has in batches only."""

import msgspec
import pytest

from connectors.errors import Refused
from connectors.hubspot.crm import ARCHIVE_IS_SILENT
from connectors.transport import rehearse
from installations.record import RecordChange
from tests.connectors.hubspot.rehearsed import (
    ACCOUNT,
    HUBSPOT,
    THREE,
    answer,
    batch,
    change,
    failure,
    fields,
    record,
    seen,
)


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
