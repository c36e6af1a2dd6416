"""What every connector of the catalogue keeps to, whatever its provider answers."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.catalog import CATALOG
from connectors.connector import (
    Account,
    BatchWriter,
    Connector,
    Deleter,
    Describer,
    Fetcher,
    Finder,
    Flow,
    Interpreter,
    Prober,
    Recogniser,
    Upserter,
    Writer,
)
from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused, Unreadable
from connectors.memory.connector import Memory
from connectors.sandbox.data import SANDBOXES
from installations.record import Action, Change, Fault, Outcome, RecordChange
from installations.schema import ObjectMetadata

MOST_REQUESTS = 25
BASE_URL = "https://provider.test/base"
OBJECTS = {"salesforce": "Contact", "memory": "contacts"}
IDS = {"salesforce": ("003000000000001AAA", "003000000000002AAA", "003000000000003AAA")}
MATCH_FIELDS = {"salesforce": "Ext__c", "hubspot": "email"}

# The sandbox's other entries are the same connector with other data, which `test_providers.py` looks at.
ONES = [connector for connector in CATALOG if connector.provider not in SANDBOXES[1:]]
connectors = pytest.mark.parametrize("connector", [Memory(), *ONES], ids=lambda connector: connector.provider.name)


def account_of(connector: Connector) -> Account:
    inputs = () if connector.provider.metadata is msgspec.UNSET else connector.provider.metadata.input
    return Account(base_url=BASE_URL, metadata={field.name: "acme" for field in inputs})


def change_of(connector: Connector, action: Action, count: int = 1, *, batch: bool = False) -> Change:
    name = connector.provider.name
    match_field = MATCH_FIELDS.get(name, "email")
    ids = IDS.get(name, ("1", "2", "3"))
    return Change(
        action=action,
        object_name=OBJECTS.get(name, "contacts"),
        records=tuple(
            RecordChange(
                fields={} if action == "delete" else {match_field: f"{number}@a.test", "Name": "Ada"},
                id=ids[number] if action in ("update", "delete") else None,
            )
            for number in range(count)
        ),
        batch=batch,
        match_field=match_field if action == "upsert" else None,
    )


def writes(connector: Connector) -> list[tuple[str, Change, Callable[[], Flow[Outcome]]]]:
    """Make every write the connector can do, each by name with its change."""
    account, made = account_of(connector), []

    def add(name: str, call: Callable[[Account, Change], Flow[Outcome]], change: Change) -> None:
        made.append((name, change, lambda: call(account, change)))

    if isinstance(connector, Writer):
        add("create", connector.write, change_of(connector, "create"))
        add("update", connector.write, change_of(connector, "update"))
    if isinstance(connector, BatchWriter):
        for count in (1, 3):
            add(f"create {count}", connector.write_batch, change_of(connector, "create", count, batch=True))
            add(f"update {count}", connector.write_batch, change_of(connector, "update", count, batch=True))
    if isinstance(connector, Upserter):
        upsert = change_of(connector, "upsert")
        if connector.can_upsert(upsert.object_name, upsert.match_field or ""):
            add("upsert", connector.upsert, upsert)
            add("upsert 3", connector.upsert, change_of(connector, "upsert", 3, batch=True))
    if isinstance(connector, Deleter):
        add("delete", connector.delete, change_of(connector, "delete"))
        add("delete 3", connector.delete, change_of(connector, "delete", 3, batch=True))
    return made


def reads(connector: Connector) -> list[tuple[str, Callable[[], Flow[Any]]]]:
    account, change = account_of(connector), change_of(connector, "update", 3, batch=True)
    ids = [record.id or "" for record in change.records]
    made: list[tuple[str, Callable[[], Flow[Any]]]] = []
    if isinstance(connector, Fetcher):
        fetch = connector.fetch
        made.append(("fetch", lambda: fetch(account, change.object_name, ids=ids, fields=("Name",))))
    if isinstance(connector, Finder):
        find, field = connector.find, MATCH_FIELDS.get(connector.provider.name, "email")
        made.append(("find", lambda: find(account, change.object_name, field=field, value="a", fields=("Name",))))
    if isinstance(connector, Describer):
        describe = connector.describe
        made.append(("describe", lambda: describe(account, change.object_name)))
    if isinstance(connector, Prober):
        probe = connector.probe
        made.append(("probe", lambda: probe(account)))
    return made


def drive(flow: Flow[Any], answer: httpx.Response) -> tuple[list[httpx.Request], Any]:
    """Give every request the same answer; an endless flow fails the test."""
    requests: list[httpx.Request] = []
    try:
        request = next(flow)
        while True:
            requests.append(request)
            assert len(requests) <= MOST_REQUESTS, "the flow does not end"
            given = httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
            given.request = request
            request = flow.send(given)
    except StopIteration as stop:
        return requests, stop.value
    except ConnectorError as error:
        return requests, error


def require_sound(result: Any, change: Change, status: int) -> None:
    """Hold what a write may come to, for an answer with this status."""
    success = 200 <= status < 300
    if isinstance(result, ConnectorError):
        assert isinstance(result, Refused | Ambiguous | Unreadable)
        assert isinstance(result, Unreadable) <= success, "only a success can be unreadable"
        if status >= 500 and status != 501:
            assert isinstance(result, Ambiguous), "a server error proves nothing"
        assert len((result.raw_response or "").encode()) <= 4096 * 3
        assert len(result.fault.message) <= 4096
        return
    assert isinstance(result, Outcome)
    assert len(result.records) == len(change.records)
    for outcome in result.records:
        assert success or not outcome.success, f"status {status} is no success"
        assert outcome.success or outcome.fault is not None
        if outcome.fault is not None and (outcome.fault.status or 0) >= 500 and outcome.fault.status != 501:
            assert outcome.fault.kind == "ambiguous", "a server error of one record proves nothing either"
        if outcome.success and change.action == "create":
            # An update may name another record, where two were merged; an upsert may name none (Salesforce, 204).
            assert outcome.record_id or result.warnings, "a record that was created has an id, or it is said why not"


def test_names_are_unique() -> None:
    names = [connector.provider.name for connector in CATALOG]
    assert len(set(names)) == len(names)


@connectors
def test_declared_support_matches_the_protocols(connector: Connector) -> None:
    support = connector.provider.support
    assert support.proxy, "calls are passed through to every provider"
    assert support.write == isinstance(connector, Writer)
    assert support.delete == isinstance(connector, Deleter)
    batches = support.batch_write
    declared = batches is not msgspec.UNSET and any(
        getattr(batches, kind) is not msgspec.UNSET and getattr(batches, kind).supported
        for kind in ("create", "update")
    )
    assert declared == isinstance(connector, BatchWriter)
    if batches is not msgspec.UNSET and batches.upsert is not msgspec.UNSET and batches.upsert.supported:
        assert isinstance(connector, Upserter)
    if isinstance(connector, BatchWriter):
        assert connector.batch_limit >= 1


@connectors
def test_every_placeholder_of_the_base_url_is_asked_for(connector: Connector) -> None:
    metadata = connector.provider.metadata
    names = set() if metadata is msgspec.UNSET else {field.name for field in metadata.input}
    url = connector.provider.base_url
    for name in names:
        url = url.replace("{{." + name + "}}", "acme")
    assert "{{" not in url
    assert httpx.URL(url).scheme in ("http", "https")
    assert not url.endswith("/")


@connectors
def test_requests_stay_below_the_account_and_carry_no_credential(connector: Connector) -> None:
    flows: Sequence[tuple[str, Callable[[], Flow[Any]]]] = [
        *((name, make) for name, _, make in writes(connector)),
        *reads(connector),
    ]
    assert flows
    for name, make in flows:
        requests, _ = drive(make(), httpx.Response(400, json={}))
        for request in requests:
            assert f"{request.url}/".startswith((f"{BASE_URL}/", f"{BASE_URL}?")), f"{name}: {request.url}"
            assert "authorization" not in request.headers
            assert "cookie" not in request.headers
            assert "accept-encoding" not in request.headers


@connectors
@pytest.mark.parametrize("hostile", ["../..", "..", "a/../../b", "a?b=c", "a#b", "a%2f..", "a\\..\\b", "\ud800", ""])
def test_a_hostile_id_or_object_does_not_climb(connector: Connector, hostile: str) -> None:
    account = account_of(connector)
    for action in ("create", "update", "delete"):
        for place in ("object", "id"):
            plain = change_of(connector, action)
            records = (RecordChange(fields=plain.records[0].fields, id=hostile),) if place == "id" else plain.records
            name = hostile if place == "object" else plain.object_name
            if place == "id" and action == "create":
                continue
            change = Change(action=action, object_name=name, records=records)
            flow: Flow[Outcome] | None = None
            if action == "delete" and isinstance(connector, Deleter):
                flow = connector.delete(account, change)
            elif action != "delete" and isinstance(connector, Writer):
                flow = connector.write(account, change)
            if flow is None:
                continue
            requests, _ = drive(flow, httpx.Response(400, json={}))
            neutral = change_of(connector, action)
            depth = _depth(connector, action, neutral)
            for request in requests:
                assert str(request.url).startswith(f"{BASE_URL}/")
                assert request.url.raw_path.count(b"/") == depth, request.url
                assert not request.url.fragment


def _depth(connector: Connector, action: Action, change: Change) -> int:
    account, flow = account_of(connector), None
    if action == "delete" and isinstance(connector, Deleter):
        flow = connector.delete(account, change)
    elif isinstance(connector, Writer):
        flow = connector.write(account, change)
    assert flow is not None
    requests, _ = drive(flow, httpx.Response(400, json={}))
    return requests[0].url.raw_path.count(b"/")


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
def test_a_recogniser_s_word_can_be_kept(connector: Connector) -> None:
    """What really comes of a create that is sent twice is held in `test_recognition.py`."""
    if not isinstance(connector, Recogniser):
        return
    for object_name in ("contacts", "companies", "deals", "tickets", "unheard_of"):
        for fields in ({}, {"email": "a@b.co"}, {"name": None, "externalId": "e"}):
            told = connector.recognition(object_name, fields)
            if told is None:
                continue
            assert bool(told.field) == (told.kind != "key")
            assert told.kind != "unique" or fields.get(told.field) is not None, "there is a value to be unique by"
            assert told.kind != "marker" or (isinstance(connector, Finder) and fields.get(told.field) is None)
            assert told.window_seconds is None or (told.kind == "key" and told.window_seconds > 0)


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
