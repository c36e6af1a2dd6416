from typing import Any

import pytest

from installations.record import AutoBatchPolicy, BatchItem, Header, RetryPolicy, WriteRequest
from installations.rules import headers, request
from tests.installations.customers import ask

R: dict[str, Any] = {"record": {}}
AUTO = {"mode": "asynchronous", "autoBatchPolicy": {"maxDelayMinutes": 5}}


def found(asked: WriteRequest) -> list[tuple[str, str]]:
    return [(issue.path, issue.code) for issue in request.judge(asked)]


@pytest.mark.parametrize(
    ("action", "members", "expected"),
    [
        pytest.param("create", R, [], id="a record"),
        pytest.param("create", {"batch": [R]}, [], id="a batch of one"),
        pytest.param("create", {"batch": [R] * 100}, [], id="a batch of 100"),
        pytest.param("create", {}, [("", "record-xor-batch")], id="neither"),
        pytest.param("create", {**R, "batch": [R]}, [("", "record-xor-batch")], id="both"),
        pytest.param("create", {"batch": []}, [("batch", "out-of-range")], id="an empty batch"),
        pytest.param("create", {"batch": [R] * 101}, [("batch", "out-of-range")], id="a batch of 101"),
        pytest.param("create", {"batch": [R], "associations": []}, [("associations", "misplaced")], id="misplaced"),
        pytest.param("create", {**R, **AUTO}, [], id="auto-batch create"),
        pytest.param("update", {**R, **AUTO}, [], id="auto-batch update"),
        pytest.param("upsert", {**R, **AUTO}, [("autoBatchPolicy", "auto-batch")], id="auto-batch upsert"),
        pytest.param("delete", {**R, **AUTO}, [("autoBatchPolicy", "auto-batch")], id="auto-batch delete"),
        pytest.param("create", {"batch": [R], **AUTO}, [("autoBatchPolicy", "auto-batch")], id="auto-batch of batches"),
        pytest.param(
            "create", {**R, **AUTO, "mode": "synchronous"}, [("autoBatchPolicy", "auto-batch")], id="auto-batch at once"
        ),
        pytest.param("create", {**R, "matchKey": "x"}, [("matchKey", "match-key-unused")], id="key without an upsert"),
        pytest.param("create", {**R, "retryPolicy": {"deadlineHours": 48}}, [], id="retry for 48 hours"),
    ],
)
def test_the_members_of_a_request(action: Any, members: Any, expected: Any) -> None:
    assert found(ask(action, **members)) == expected


def test_every_issue_is_told_at_once() -> None:
    asked = WriteRequest(
        group_ref="g",
        type="delete",
        batch=[],
        auto_batch_policy=AutoBatchPolicy(max_delay_minutes=0, retry_deadline_hours=49),
        retry_policy=RetryPolicy(deadline_hours=0),
        associations=["text"],  # type: ignore[list-item]
        headers=[Header(key="Host", value="x")],
    )
    assert found(asked) == [
        ("batch", "out-of-range"),
        ("associations", "misplaced"),
        ("headers[0].key", "reserved-header"),
        ("associations[0]", "wrong-type"),
        ("autoBatchPolicy", "auto-batch"),
        ("autoBatchPolicy", "auto-batch"),
        ("autoBatchPolicy", "auto-batch"),
        ("autoBatchPolicy.maxDelayMinutes", "out-of-range"),
        ("autoBatchPolicy.retryDeadlineHours", "out-of-range"),
        ("retryPolicy.deadlineHours", "out-of-range"),
    ]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("Sforce-Auto-Assign", "FALSE", [], id="an ordinary header"),
        pytest.param("x", "", [], id="an empty value"),
        pytest.param("AUTHORIZATION", "Bearer x", [("headers[0].key", "reserved-header")], id="credentials"),
        pytest.param("Proxy-Authorization", "x", [("headers[0].key", "reserved-header")], id="proxy credentials"),
        pytest.param("X-Forwarded-For", "::1", [("headers[0].key", "reserved-header")], id="where it comes from"),
        pytest.param("X-Note", " a", [("headers[0].value", "invalid-header")], id="space around a value"),
        pytest.param("X-Note", "a b", [], id="space inside a value"),
        pytest.param("X-Note", "", [], id="no value"),
        pytest.param("cookie", "x", [("headers[0].key", "reserved-header")], id="cookies"),
        pytest.param("Host", "x", [("headers[0].key", "reserved-header")], id="host"),
        pytest.param("content-length", "1", [("headers[0].key", "reserved-header")], id="framing"),
        pytest.param("Transfer-Encoding", "chunked", [("headers[0].key", "reserved-header")], id="chunking"),
        pytest.param("Connection", "close", [("headers[0].key", "reserved-header")], id="hop by hop"),
        pytest.param("X-HTTP-Method-Override", "GET", [("headers[0].key", "reserved-header")], id="method"),
        pytest.param("", "x", [("headers[0].key", "invalid-header")], id="no name"),
        pytest.param("a b", "x", [("headers[0].key", "invalid-header")], id="a space in the name"),
        pytest.param("Host ", "x", [("headers[0].key", "invalid-header")], id="a space behind the name"),
        pytest.param("x\n", "x", [("headers[0].key", "invalid-header")], id="a line break behind the name"),
        pytest.param("x", "a\r\nHost: b", [("headers[0].value", "invalid-header")], id="line breaks"),
        pytest.param("x", "a\n", [("headers[0].value", "invalid-header")], id="a line break at the end"),
        pytest.param("x", "a\0", [("headers[0].value", "invalid-header")], id="NUL"),
        pytest.param("x", "ü", [("headers[0].value", "invalid-header")], id="not ASCII"),
        pytest.param("x", "a" * 8192, [("headers", "too-long")], id="too long"),
    ],
)
def test_the_headers_a_caller_may_set(name: str, value: str, expected: Any) -> None:
    assert [(issue.path, issue.code) for issue in headers.judge([Header(key=name, value=value)])] == expected


def test_a_hundred_headers_are_enough() -> None:
    assert not headers.judge([Header(key="x", value="y")] * 100)
    assert [issue.code for issue in headers.judge([Header(key="x", value="y")] * 101)] == ["too-many"]


def test_a_record_has_five_thousand_fields_at_most() -> None:
    fits, over = {f"f{n}": n for n in range(5_000)}, {f"f{n}": n for n in range(5_001)}
    batch = WriteRequest(group_ref="g", type="create", batch=[BatchItem(record=fits), BatchItem(record=over)])
    single = WriteRequest(group_ref="g", type="create", record=over)
    assert [[(issue.path, issue.code) for issue in request.judge(one)] for one in (batch, single)] == [
        [("batch[1].record", "out-of-range")],
        [("record", "out-of-range")],
    ]
