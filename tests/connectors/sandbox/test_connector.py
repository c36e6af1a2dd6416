"""Change in, requests out; canned answers in, outcome out."""

import json
from typing import Any

import httpx
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
from connectors.errors import Ambiguous, ConnectorError, Refused, Unreadable
from connectors.headers import header_problem
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX, SANDBOX_OAUTH
from connectors.transport import rehearse
from installations.record import Change, Fault, Header, Outcome, RecordChange, RecordOutcome

ACCOUNT = Account(base_url="http://crm.test")
SANDBOX_CRM = SandboxConnector()
RECORDS = "/v1/objects/contacts/records"
LINK = {"to": {"id": "com_1"}, "type": "works_at"}


def change(*records: RecordChange, **members: Any) -> Change:
    return Change(**({"action": "create", "object_name": "contacts", "records": records} | members))


def fields(**values: Any) -> RecordChange:
    return RecordChange(fields=values)


def answer(status: int, body: Any = None, **headers: str) -> httpx.Response:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=sent) if body is None else httpx.Response(status, json=body, headers=sent)


def record(record_id: str, **values: Any) -> dict[str, Any]:
    return {"id": record_id, "object": "contacts", "fields": values, "associations": []}


def refusal(code: str, message: str, *errors: dict[str, Any]) -> dict[str, Any]:
    return {"code": code, "message": message, "errors": list(errors)}


def seen(request: httpx.Request) -> tuple[str, str, Any]:
    body = json.loads(request.content) if request.content else None
    return request.method, request.url.raw_path.decode(), body


def batch_body(action: str, *records: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"action": action, "records": list(records), "allOrNone": False, "matchField": ""} | members


WRITES: tuple[tuple[str, Change, tuple[str, str, Any], httpx.Response, tuple[RecordOutcome, ...]], ...] = (
    (
        "a create",
        change(fields(email="a@b.example", score=7)),
        ("POST", RECORDS, {"fields": {"email": "a@b.example", "score": 7}}),
        answer(201, record("con_1", score=7)),
        (RecordOutcome(success=True, record_id="con_1", data=record("con_1", score=7)),),
    ),
    (
        "a create with associations, which pass untouched",
        change(RecordChange(fields={}, associations=[LINK])),
        ("POST", RECORDS, {"fields": {}, "associations": [LINK]}),
        answer(201, record("con_1")),
        (RecordOutcome(success=True, record_id="con_1", data=record("con_1")),),
    ),
    (
        "an update, whose id cannot leave its place in the path",
        change(RecordChange(id="con/1?", fields={"score": 0}), action="update"),
        ("PATCH", f"{RECORDS}/con%2F1%3F", {"fields": {"score": 0}}),
        answer(200, record("con/1?")),
        (RecordOutcome(success=True, record_id="con/1?", data=record("con/1?")),),
    ),
    (
        "an upsert that created",
        change(fields(email="a@b.example"), action="upsert", match_field="email"),
        ("POST", f"{RECORDS}:upsert", {"fields": {"email": "a@b.example"}, "matchField": "email"}),
        answer(201, record("con_1")),
        (RecordOutcome(success=True, record_id="con_1", data=record("con_1"), created=True),),
    ),
    (
        "an upsert that updated",
        change(fields(email="a@b.example"), action="upsert", match_field="email"),
        ("POST", f"{RECORDS}:upsert", {"fields": {"email": "a@b.example"}, "matchField": "email"}),
        answer(200, record("con_1")),
        (RecordOutcome(success=True, record_id="con_1", data=record("con_1"), created=False),),
    ),
    (
        "a delete",
        change(RecordChange(id="con_1", fields={}), action="delete"),
        ("DELETE", f"{RECORDS}/con_1", None),
        answer(204),
        (RecordOutcome(success=True, record_id="con_1"),),
    ),
    (
        "a batch that was done in part; results are told apart by index, not by place",
        change(fields(score=1), fields(score="x"), batch=True),
        ("POST", f"{RECORDS}:batch", batch_body("create", {"fields": {"score": 1}}, {"fields": {"score": "x"}})),
        answer(
            200,
            {
                "results": [
                    {
                        "index": 1,
                        "success": False,
                        "status": 422,
                        **refusal(
                            "validation_failed", "No.", {"field": "score", "code": "wrong_type", "message": "Hm."}
                        ),
                    },
                    {"index": 0, "success": True, "status": 201, "id": "con_1", "record": record("con_1")},
                ]
            },
        ),
        (
            RecordOutcome(success=True, record_id="con_1", data=record("con_1")),
            RecordOutcome(
                success=False,
                fault=Fault(kind="invalid", message="No. Hm.", status=422, code="wrong_type", fields=("score",)),
            ),
        ),
    ),
    (
        "a batch whose answer leaves a record out: nobody knows",
        change(fields(score=1), batch=True),
        ("POST", f"{RECORDS}:batch", batch_body("create", {"fields": {"score": 1}})),
        answer(200, {"results": []}),
        (
            RecordOutcome(
                success=False,
                fault=Fault(kind="ambiguous", message="the provider's answer does not mention this record", status=200),
            ),
        ),
    ),
    (
        "a batch of upserts",
        change(fields(email="a@b.example"), action="upsert", match_field="email", batch=True),
        ("POST", f"{RECORDS}:batch", batch_body("upsert", {"fields": {"email": "a@b.example"}}, matchField="email")),
        answer(
            200,
            {"results": [{"index": 0, "success": True, "status": 200, "id": "con_1", "record": record("con_1")}]},
        ),
        (RecordOutcome(success=True, record_id="con_1", data=record("con_1"), created=False),),
    ),
    (
        "a batch of deletes",
        change(RecordChange(id="con_1", fields={}), action="delete", batch=True),
        ("POST", f"{RECORDS}:batch", batch_body("delete", {"fields": {}, "id": "con_1"})),
        answer(200, {"results": [{"index": 0, "success": True, "status": 204, "id": "con_1"}]}),
        (RecordOutcome(success=True, record_id="con_1"),),
    ),
)


@pytest.mark.parametrize(
    ("asked", "request_", "given", "expected"), [row[1:] for row in WRITES], ids=[r[0] for r in WRITES]
)
def test_a_change_becomes_one_request_and_its_answer_an_outcome(
    asked: Change, request_: tuple[str, str, Any], given: httpx.Response, expected: tuple[RecordOutcome, ...]
) -> None:
    if asked.action == "delete":
        flow = SANDBOX_CRM.delete(ACCOUNT, asked)
    elif asked.action == "upsert":
        flow = SANDBOX_CRM.upsert(ACCOUNT, asked)
    else:
        flow = SANDBOX_CRM.write_batch(ACCOUNT, asked) if asked.batch else SANDBOX_CRM.write(ACCOUNT, asked)
    requests, outcome = rehearse(flow, given)
    assert [seen(request) for request in requests] == [request_]
    assert outcome == Outcome(records=expected)


def test_an_all_or_none_batch_that_became_none_blames_the_record_at_fault() -> None:
    results = [
        {"index": 0, "success": False, "status": 422, "code": "not_applied", "message": "Not done."},
        {"index": 1, "success": False, "status": 404, "code": "not_found", "message": "No such record."},
    ]
    asked = change(fields(score=1), fields(score=2), batch=True, all_or_none=True)
    requests, outcome = rehearse(SANDBOX_CRM.write_batch(ACCOUNT, asked), answer(422, {"results": results}))
    assert json.loads(requests[0].content)["allOrNone"] is True
    assert [(each.success, each.fault.kind, each.fault.code) for each in outcome.records] == [
        (False, "invalid", "not_applied"),
        (False, "not_found", "not_found"),
    ]
    assert "not_applied" in outcome.raw_response


FIELD_GONE = {"field": "nope", "code": "unknown_field", "message": "There is no such field."}
TAKEN = {"field": "email", "code": "duplicate", "message": "Taken.", "existingId": "con_9"}
REFUSALS: tuple[tuple[str, httpx.Response, type[ConnectorError], Fault], ...] = (
    (
        "a bad key",
        answer(401, refusal("unauthorized", "No.")),
        Refused,
        Fault(kind="auth", message="No.", status=401, code="unauthorized"),
    ),
    (
        "a key that may only read",
        answer(403, refusal("forbidden", "No.")),
        Refused,
        Fault(kind="forbidden", message="No.", status=403, code="forbidden"),
    ),
    (
        "a record that is gone",
        answer(404, refusal("not_found", "No.")),
        Refused,
        Fault(kind="not_found", message="No.", status=404, code="not_found"),
    ),
    (
        "an object that is gone",
        answer(404, refusal("unknown_object", "No.")),
        Refused,
        Fault(kind="unknown_object", message="No.", status=404, code="unknown_object"),
    ),
    (
        "a field that is gone is the mapping's matter, and it alone is named",
        answer(422, refusal("validation_failed", "No.", TAKEN, FIELD_GONE)),
        Refused,
        Fault(
            kind="unknown_field",
            message="No. email: Taken. nope: There is no such field.",
            status=422,
            code="validation_failed",
            fields=("nope",),
            existing_id="con_9",
        ),
    ),
    (
        "a duplicate names the record in the way",
        answer(409, refusal("duplicate", "No.", TAKEN)),
        Refused,
        Fault(
            kind="conflict",
            message="No. Taken.",
            status=409,
            code="duplicate",
            fields=("email",),
            existing_id="con_9",
        ),
    ),
    (
        "a locked record",
        answer(423, refusal("locked", "Wait.")),
        Refused,
        Fault(kind="locked", message="Wait.", status=423, code="locked"),
    ),
    (
        "a rate limit in seconds",
        answer(429, refusal("rate_limited", "Wait."), retry_after="7"),
        Refused,
        Fault(kind="rate_limited", message="Wait.", status=429, code="rate_limited", retry_after_seconds=7),
    ),
    (
        "a rate limit by date",
        answer(
            429,
            refusal("rate_limited", "Wait."),
            retry_after="Sun, 22 Nov 2026 10:01:00 GMT",
            date="Sun, 22 Nov 2026 10:00:00 GMT",
        ),
        Refused,
        Fault(kind="rate_limited", message="Wait.", status=429, code="rate_limited", retry_after_seconds=60),
    ),
    (
        "a server error may have come after the effect",
        answer(500, refusal("internal_error", "Oops.")),
        Ambiguous,
        Fault(kind="ambiguous", message="Oops.", status=500, code="internal_error"),
    ),
    (
        "a status nobody knows is no success",
        httpx.Response(418, text="<p>tea</p>"),
        Ambiguous,
        Fault(kind="ambiguous", message="the provider answered 418", status=418),
    ),
)


@pytest.mark.parametrize(("given", "kind", "fault"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_a_refusal_says_who_must_act(given: httpx.Response, kind: type[ConnectorError], fault: Fault) -> None:
    _, error = rehearse(SANDBOX_CRM.write(ACCOUNT, change(fields(score=1))), given)
    assert type(error) is kind
    assert error.fault == fault


@pytest.mark.parametrize("content", [b"", b'{"id": "con_', b"[]", b"{}", b'{"id": 5, "fields": {}}', b"[" * 5000])
def test_a_success_that_cannot_be_read_happened_all_the_same(content: bytes) -> None:
    _, error = rehearse(SANDBOX_CRM.write(ACCOUNT, change(fields())), httpx.Response(201, content=content))
    assert isinstance(error, Unreadable)


def test_a_server_error_on_a_read_changed_nothing() -> None:
    _, error = rehearse(SANDBOX_CRM.probe(ACCOUNT), answer(500, refusal("internal_error", "Oops.")))
    assert isinstance(error, Refused)
    assert error.fault.kind == "provider"


@pytest.mark.parametrize(("key", "value"), [("X-Naïve", "a"), ("X-A", "naïve"), ("X-A", "\ud800")])
def test_a_header_that_cannot_be_sent_is_left_to_the_transport(key: str, value: str) -> None:
    asked = change(fields(), headers=(Header(key=key, value=value),))
    requests, _ = rehearse(SANDBOX_CRM.write(ACCOUNT, asked), answer(201, record("con_1")))
    assert header_problem(requests[0].headers.raw)


def test_headers_of_the_caller_go_along_and_stand_before_ours() -> None:
    asked = change(fields(), headers=(Header(key="X-Trace", value="t"), Header(key="Accept", value="text/x")))
    requests, _ = rehearse(SANDBOX_CRM.write(ACCOUNT, asked), answer(201, record("con_1")))
    assert requests[0].headers["x-trace"] == "t"
    assert requests[0].headers.get_list("accept") == ["text/x"]
    assert requests[0].headers["content-type"] == "application/json"


def test_many_records_are_read_by_one_request_and_missing_ones_are_absent() -> None:
    results = [
        {"index": 0, "success": True, "status": 200, "record": record("con_1", address={"city": "Graz"})},
        {"index": 1, "success": False, "status": 404, "code": "not_found"},
    ]
    flow = SANDBOX_CRM.fetch(
        ACCOUNT, "contacts", ids=["con_1", "con_2", "con_1"], fields=["$['address']['city']", "address", "score"]
    )
    requests, found = rehearse(flow, answer(200, {"results": results}))
    sent = {"action": "read", "records": [{"id": "con_1"}, {"id": "con_2"}], "fields": ["address", "score"]}
    assert [seen(request) for request in requests] == [("POST", f"{RECORDS}:batch", sent)]
    assert requests[0].extensions[READS_ONLY] is True
    assert found == {"con_1": {"address": {"city": "Graz"}}}


def test_more_than_a_batch_of_ids_takes_a_request_for_each_hundred() -> None:
    empty = answer(200, {"results": []})
    ids = [f"con_{number}" for number in range(201)]
    requests, _ = rehearse(SANDBOX_CRM.fetch(ACCOUNT, "contacts", ids=ids, fields=[]), empty, empty, empty)
    assert [len(json.loads(request.content)["records"]) for request in requests] == [100, 100, 1]


@pytest.mark.parametrize(
    ("field", "value", "query"),
    [
        ("email", "a+b&c@d.example", "filter%5Bemail%5D=a%2Bb%26c%40d.example"),
        ("subscribed", True, "filter%5Bsubscribed%5D=true"),
        ("score", 5, "filter%5Bscore%5D=5"),
        ("$['address']['city']", "Graz", "filter%5Baddress.city%5D=Graz"),
    ],
)
def test_a_record_is_found_by_a_field(field: str, value: Any, query: str) -> None:
    flow = SANDBOX_CRM.find(ACCOUNT, "contacts", field=field, value=value, fields=["email", "score"])
    requests, found = rehearse(flow, answer(200, {"records": [record("con_1", score=5)], "nextCursor": None}))
    assert [seen(each) for each in requests] == [("GET", f"{RECORDS}?{query}&limit=5&fields=email%2Cscore", None)]
    assert found == {"con_1": {"score": 5}}


@pytest.mark.parametrize(
    ("object_name", "field", "native"),
    [
        ("contacts", "email", True),
        ("contacts", "phone", False),
        ("deals", "externalId", True),
        ("deals", "name", False),
    ],
)
def test_upserts_are_native_for_unique_fields(object_name: str, field: str, *, native: bool) -> None:
    assert SANDBOX_CRM.can_upsert(object_name, field) is native


def test_it_has_every_capability() -> None:
    for capability in (Writer, BatchWriter, Upserter, Deleter, Fetcher, Finder, Describer, Prober):
        assert isinstance(SANDBOX_CRM, capability)
    assert SANDBOX_CRM.provider is SANDBOX
    assert SandboxConnector(SANDBOX_OAUTH).provider.auth_type == "oauth2"
