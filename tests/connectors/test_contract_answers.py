"""What every connector of the catalogue makes of answers that no provider should give."""

from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.connector import Connector, Interpreter
from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused
from installations.record import Fault
from installations.schema import ObjectMetadata
from tests.connectors.contracted import connectors, drive, reads, require_sound, writes

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "HTML": b"<html><body>Sign in</body></html>",
    "broken JSON": b'{"id": "1", ',
    "null": b"null",
    "a number": b"17",
    "a text": b'"ok"',
    "an empty object": b"{}",
    "an empty list": b"[]",
    "a list of objects": b'[{"id": "1"}]',
    "a list of nonsense": b'[null, 1, "x", [], {}]',
    "wrong types": b'{"id": {"a": 1}, "results": {"a": 1}, "records": 7, "errors": "x", "success": "yes", "fields": 3}',
    "a huge integer": b'{"id": ' + b"9" * 400 + b', "results": [' + b"9" * 400 + b"]}",
    "a huger integer": b'{"id": ' + b"9" * 6000 + b"}",
    "another id": b'{"id": "someone-else", "Id": "someone-else", "success": true, "errors": [], "record": {"id": "x"}}',
    "deep nesting": b"[" * 5000 + b"]" * 5000,
    "bad UTF-8": b'{"id": "\xff\xfe"}',
    "a lone surrogate": b'{"id": "\\ud800"}',
    "NUL": b'{"id": "\\u0000"}',
    "a long word": b'{"message": "' + b"x" * 200_000 + b'"}',
    "too few results": b'{"results": [], "records": [], "status": "COMPLETE"}',
    "one result": b'{"results": [{"id": "1", "status": 201, "body": {"id": "1"}, "record": {"id": "1"}}]}',
    "many results": b'{"results": [' + b", ".join([b'{"id": "1", "status": 201, "body": {"id": "1"}}'] * 9) + b"]}",
    "results that failed inside the server": b'{"results": [{"status": 500, "code": "INTERNAL"}, {"status": 503}]}',
    "one collection result": b'[{"id": "003000000000001AAA", "success": true, "errors": []}]',
    "many collection results": b"["
    + b", ".join([b'{"id": "003000000000001AAA", "success": true, "errors": []}'] * 9)
    + b"]",
    "failure inside success": b'{"success": false, "error": {"message": "no"}, "errors": [{"message": "no"}]}',
}
STATUSES = (
    200,
    201,
    202,
    204,
    207,
    299,
    300,
    302,
    304,
    307,
    400,
    401,
    403,
    404,
    409,
    412,
    418,
    422,
    423,
    429,
    451,
    499,
)
SERVER_STATUSES = (500, 501, 502, 503, 504, 520, 599)


@connectors
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_hostile_answers_to_writes_come_out_as_outcomes_or_errors(connector: Connector, body: bytes) -> None:
    for status in (*STATUSES, *SERVER_STATUSES):
        for name, change, make in writes(connector):
            _, result = drive(make(), httpx.Response(status, content=b"" if status == 204 else body))
            try:
                require_sound(result, change, status)
            except AssertionError as error:
                raise AssertionError(f"{name} answered {status}: {error}: {result!r:.300}") from error


@connectors
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_hostile_answers_to_reads_come_out_as_data_or_errors(connector: Connector, body: bytes) -> None:
    for status in (*STATUSES, *SERVER_STATUSES):
        for name, make in reads(connector):
            _, result = drive(make(), httpx.Response(status, content=b"" if status == 204 else body))
            if isinstance(result, ConnectorError):
                assert not isinstance(result, NotSent)
                continue
            if not 200 <= status < 300:
                assert name == "fetch" or name == "find", f"{name} answered {status}"  # noqa: PLR1714
                assert result == {}
            elif name in ("fetch", "find"):
                assert isinstance(result, dict)
                assert all(isinstance(key, str) and isinstance(value, dict) for key, value in result.items())
            elif name == "describe":
                assert isinstance(result, ObjectMetadata)


@connectors
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_whatever_a_call_of_others_is_answered_can_be_interpreted(connector: Connector, body: bytes) -> None:
    if isinstance(connector, Interpreter):
        for status in (400, 401, 403, 404, 429, 477, *SERVER_STATUSES):
            fault = connector.interpret(httpx.Response(status, content=body))
            assert fault.status == status
            assert (fault.kind == "rate_limited") >= (status == 429)


@connectors
@pytest.mark.parametrize("status", [401, 403])
def test_a_probe_tells_a_bad_credential(connector: Connector, status: int) -> None:
    probes = [make for name, make in reads(connector) if name == "probe"]
    for make in probes:
        _, result = drive(make(), httpx.Response(status, json={}))
        assert isinstance(result, Refused)
        assert result.fault.kind == {401: "auth", 403: "forbidden"}[status]


@connectors
def test_what_is_thrown_in_comes_out(connector: Connector) -> None:
    """A single write may give an error a better name; it does not swallow it."""
    for _, change, make in writes(connector):
        if change.batch:
            continue
        flow = make()
        next(flow)
        with pytest.raises(ConnectorError) as caught:
            flow.throw(Ambiguous(Fault(kind="ambiguous", message="lost")))
        assert isinstance(caught.value, Ambiguous)


KEYS = st.sampled_from(
    [
        "id",
        "Id",
        "results",
        "records",
        "record",
        "errors",
        "error",
        "message",
        "status",
        "success",
        "body",
        "category",
        "context",
        "code",
        "errorCode",
        "statusCode",
        "fields",
        "properties",
        "name",
        "type",
        "new",
        "created",
        "index",
    ]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["1", "", "003000000000001AAA", "COMPLETE", "contacts", "0@a.test"]),
    st.text(max_size=5),
)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20
)


@connectors
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(body=JSON, status=st.sampled_from([200, 201, 207, 400, 404, 409, 429, 500, 503]))
def test_any_json_at_all_is_survived(connector: Connector, body: Any, status: int) -> None:
    content = msgspec.json.encode(body)
    for _, change, make in writes(connector):
        require_sound(drive(make(), httpx.Response(status, content=content))[1], change, status)
    for _, make in reads(connector):
        drive(make(), httpx.Response(status, content=content))
