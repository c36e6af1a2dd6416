"""What an outcome reads like: rows of outcome and answer."""

from typing import Any, get_args

import msgspec
import pytest

from installations.record import Fault, FaultKind, Outcome, RecordOutcome
from server.delivering.write_results import WORDS, batch_answer, error_message, single_answer, summary
from tests.server.store.samples import operation

DONE = RecordOutcome(success=True, record_id="7", data={"id": "7"}, created=True)
BAD = RecordOutcome(success=False, fault=Fault(kind="invalid", message="no such stage", status=400, fields=("stage",)))
LOCKED = RecordOutcome(success=False, fault=Fault(kind="locked", message="row is locked"))
OPERATION = operation("o1")
SAID = "error writing contact: bad request: no such stage"
DETAILS = {"kind": "invalid", "message": "no such stage", "status": 400, "fields": ["stage"]}


def plain(answer: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(answer))


SINGLE = [
    pytest.param(
        Outcome(records=(DONE,), warnings=("careful",)),
        {"operationId": "o1", "result": {"success": True, "recordId": "7", "data": {"id": "7"}}},
        {
            "operationId": "o1",
            "result": {"success": True, "recordId": "7", "data": {"id": "7"}, "index": 0, "created": True},
            "warnings": [{"message": "careful"}],
        },
        id="done",
    ),
    pytest.param(
        Outcome(records=(BAD,), raw_response="{}", warnings=("careful",)),
        {
            "operationId": "o1",
            "result": {"success": False},
            "errors": [{"message": SAID}],
            "warnings": [{"message": "careful"}],
            "rawResponse": "{}",
        },
        {
            "operationId": "o1",
            "result": {"success": False, "index": 0, "error": DETAILS, "message": SAID},
            "errors": [{"message": SAID}],
            "warnings": [{"message": "careful"}],
            "rawResponse": "{}",
        },
        id="refused",
    ),
    pytest.param(
        Outcome(records=(RecordOutcome(success=True, data=["a list"]),)),
        {"operationId": "o1", "result": {"success": True}},
        {"operationId": "o1", "result": {"success": True, "index": 0}},
        id="data that is no object is not shown",
    ),
    pytest.param(
        Outcome(records=(RecordOutcome(success=False),)),
        {
            "operationId": "o1",
            "result": {"success": False},
            "errors": [{"message": "error writing contact: no reason given"}],
        },
        {
            "operationId": "o1",
            "result": {"success": False, "index": 0, "message": "error writing contact: no reason given"},
            "errors": [{"message": "error writing contact: no reason given"}],
        },
        id="no reason",
    ),
]


@pytest.mark.parametrize(("outcome", "expected", "detailed"), SINGLE)
def test_the_answer_for_one_record(outcome: Outcome, expected: Any, detailed: Any) -> None:
    assert plain(single_answer(OPERATION, outcome, detailed=False)) == expected
    assert plain(single_answer(OPERATION, outcome, detailed=True)) == detailed


def test_the_answer_for_many_counts_and_says_equal_errors_once() -> None:
    answer = plain(batch_answer(OPERATION, Outcome(records=(DONE, BAD, LOCKED, BAD)), detailed=False))
    assert (answer["successCount"], answer["failureCount"]) == (1, 3)
    assert answer["results"] == [{"success": True, "recordId": "7", "data": {"id": "7"}}, *[{"success": False}] * 3]
    assert answer["errors"] == [{"message": SAID}, {"message": "error writing contact: record locked: row is locked"}]
    detailed = plain(batch_answer(OPERATION, Outcome(records=(DONE, BAD)), detailed=True))
    assert [each["index"] for each in detailed["results"]] == [0, 1]
    assert detailed["results"][1]["error"] == DETAILS
    assert "errors" not in plain(batch_answer(OPERATION, Outcome(records=(DONE,)), detailed=False))


SUMMARIES = [
    ((DONE,), "[contact] Write succeeded"),
    ((BAD,), f"[contact] {SAID}"),
    ((DONE, BAD, DONE), "Batch write completed (2 succeeded, 1 failed)"),
    ((BAD, BAD), "Batch write completed (0 succeeded, 2 failed)"),
]


@pytest.mark.parametrize(("records", "expected"), SUMMARIES)
def test_an_operation_reads_in_one_line(records: tuple[RecordOutcome, ...], expected: str) -> None:
    assert summary(OPERATION, Outcome(records=records)) == expected


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_every_kind_of_fault_has_its_words(kind: FaultKind) -> None:
    assert error_message("lead", Fault(kind=kind, message="m")) == f"error writing lead: {WORDS[kind]}: m"
