"""Our side: every capability in the plainest way, for tests and as the example to read first."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.answers import complete, decode_body, failure, require_success, unreadable
from connectors.connector import READS_ONLY, Account, Flow, Recognition
from connectors.errors import Refused
from connectors.headers import caller_headers
from connectors.provider import BatchSupport, BatchWriteSupport, Provider, Support
from connectors.urls import resource_url
from installations.record import Change, Fault, Header, Outcome, Record, RecordChange, RecordOutcome
from installations.schema import FieldMetadata, ObjectMetadata

BATCH_LIMIT = 50
_BATCH = BatchSupport(supported=True, default_record_limit=BATCH_LIMIT)

MEMORY = Provider(
    name="memory",
    display_name="In memory",
    auth_type="none",
    base_url="http://memory.invalid/v1",
    support=Support(
        write=True,
        delete=True,
        batch_write=BatchWriteSupport(create=_BATCH, update=_BATCH, upsert=_BATCH, delete=_BATCH),
    ),
)


class _Records(msgspec.Struct, frozen=True, kw_only=True):
    records: list[Record]


class _Result(msgspec.Struct, frozen=True, kw_only=True):
    status: int
    body: Any = None


class _Existing(msgspec.Struct, frozen=True, kw_only=True):
    existing_id: str | None = None


class _Results(msgspec.Struct, frozen=True, kw_only=True):
    results: list[_Result]


class _Description(msgspec.Struct, frozen=True, kw_only=True):
    fields: list[FieldMetadata]


class Memory:
    """Implements every capability against `MemoryServer`.

    ``recognitions`` tells by object how creates are recognised; the server must be told of fields that are unique.
    """

    def __init__(self, recognitions: Mapping[str, Recognition] | None = None) -> None:
        self._recognitions = recognitions or {}

    @property
    def provider(self) -> Provider:
        """The provider's data."""
        return MEMORY

    @property
    def batch_limit(self) -> int:
        """The most records at once."""
        return BATCH_LIMIT

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        """POST to the collection, or PATCH the record."""
        change = self._marked(change)
        (record,) = change.records
        headers = change.headers
        if change.action == "create":
            method, url = "POST", _url(account, change.object_name)
            headers += tuple(Header(key="Idempotency-Key", value=key) for key in self._keys(change))
        else:
            method, url = "PATCH", _url(account, change.object_name, record.id or "")
        response = yield _request(method, url, record.fields, headers=headers)
        _require_success(response, record_id=record.id)
        return Outcome(records=(_saved(response, decode_body(response, dict[str, Any])),))

    def write_batch(self, account: Account, change: Change) -> Flow[Outcome]:
        """POST to ``:createBatch`` or ``:updateBatch``; answers correlate by position."""
        return self._batch(account, change, verb=f":{change.action}Batch")

    def upsert(self, account: Account, change: Change) -> Flow[Outcome]:
        """POST to ``:upsertBatch``, also for one."""
        outcome = yield from self._batch(account, change, verb=":upsertBatch")
        fault = outcome.records[0].fault
        if not change.batch and fault is not None and fault.kind != "ambiguous":
            raise Refused(fault)
        return outcome

    def can_upsert(self, object_name: str, match_field: str) -> bool:  # noqa: ARG002 -- the protocol's
        """By any field of any object."""
        return True

    def recognition(self, object_name: str, fields: Record) -> Recognition | None:
        """As it was told; a marker where its field is free, a unique field where it has a value."""
        told = self._recognitions.get(object_name)
        if told is None or told.kind == "key" or (told.kind == "unique") == (fields.get(told.field) is not None):
            return told
        return None

    def delete(self, account: Account, change: Change) -> Flow[Outcome]:
        """DELETE one record, or POST many to ``:deleteBatch``."""
        if change.batch:
            return (yield from self._batch(account, change, verb=":deleteBatch"))
        record_id = change.records[0].id or ""
        url = _url(account, change.object_name, record_id)
        response = yield httpx.Request("DELETE", url, headers=caller_headers(change.headers))
        _require_success(response, record_id=record_id)
        return Outcome(records=(RecordOutcome(success=True, record_id=record_id),))

    def fetch(
        self, account: Account, object_name: str, *, ids: Sequence[str], fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """POST the ids to ``:fetch``."""
        response = yield _request("POST", _url(account, object_name, ":fetch"), {"ids": list(ids)}, reads=True)
        return _listed(response, fields)

    def find(
        self, account: Account, object_name: str, *, field: str, value: Any, fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """POST the field and its value to ``:find``."""
        asked = {"field": field, "value": value}
        response = yield _request("POST", _url(account, object_name, ":find"), asked, reads=True)
        return _listed(response, fields)

    def describe(self, account: Account, object_name: str) -> Flow[ObjectMetadata]:
        """GET ``:describe``."""
        response = yield httpx.Request("GET", _url(account, object_name, ":describe"))
        _require_success(response)
        described = decode_body(response, _Description)
        return ObjectMetadata(name=object_name, fields={field.field_name: field for field in described.fields})

    def probe(self, account: Account) -> Flow[None]:
        """GET the base URL."""
        response = yield httpx.Request("GET", account.base_url)
        require_success(response)

    def _batch(self, account: Account, change: Change, *, verb: str) -> Flow[Outcome]:
        records = self._marked(change).records
        body = {"records": [_item(record) for record in records], "allOrNone": change.all_or_none}
        if keys := self._keys(change):
            body["keys"] = keys
        if change.match_field is not None:
            body["matchField"] = change.match_field
        response = yield _request("POST", _url(account, change.object_name, verb), body, headers=change.headers)
        _require_success(response)
        results = decode_body(response, _Results).results
        outcomes = [_judged(result, record) for result, record in zip(results, change.records, strict=False)]
        surplus = outcomes + [_judged(result, change.records[0]) for result in results[len(outcomes) :]]
        return Outcome(records=complete(surplus, count=len(change.records), status=response.status_code))

    def _keys(self, change: Change) -> tuple[str, ...]:
        told = self._recognitions.get(change.object_name)
        return change.keys if change.action == "create" and told is not None and told.kind == "key" else ()

    def _marked(self, change: Change) -> Change:
        if change.action != "create" or not change.keys:
            return change
        pairs = zip(change.records, change.keys, strict=True)
        return replace(change, records=tuple(self._stamped(change.object_name, *pair) for pair in pairs))

    def _stamped(self, object_name: str, record: RecordChange, key: str) -> RecordChange:
        told = self.recognition(object_name, record.fields)
        if told is None or told.kind != "marker":
            return record
        return replace(record, fields=record.fields | {told.field: key})


def _url(account: Account, object_name: str, *rest: str) -> str:
    return resource_url(account, "", object_name, *rest)


def _request(method: str, url: str, body: Any, *, headers: Sequence[Header] = (), reads: bool = False) -> httpx.Request:
    sent = [*caller_headers(headers), ("Content-Type", "application/json")]
    extensions = {READS_ONLY: True} if reads else {}
    return httpx.Request(method, url, headers=sent, content=msgspec.json.encode(body), extensions=extensions)


def _item(record: RecordChange) -> Record:
    return record.fields if record.id is None else record.fields | {"id": record.id}


def _require_success(response: httpx.Response, *, record_id: str | None = None) -> None:
    """Tell an object that is not there from a record that is not there."""
    if response.status_code == httpx.codes.CONFLICT:
        raise Refused(_conflict(response))
    if response.status_code == httpx.codes.NOT_FOUND and (record_id is None or b"UNKNOWN_OBJECT" in response.content):
        require_success(response, overrides={404: "unknown_object"})
    require_success(response)


def _saved(response: httpx.Response, record: Record) -> RecordOutcome:
    record_id = record.get("id")
    if not isinstance(record_id, str) or not record_id:
        raise unreadable(response, "it names no id")
    return RecordOutcome(success=True, record_id=record_id, data=record)


def _judged(result: _Result, record: RecordChange) -> RecordOutcome:
    body = result.body if isinstance(result.body, dict) else {}
    record_id = body.get("id", record.id)
    if httpx.codes.is_success(result.status) and isinstance(record_id, str):
        created = result.status == httpx.codes.CREATED if record.id is None else None
        data = body or UNSET
        return RecordOutcome(success=True, record_id=record_id, data=data, created=created)
    return RecordOutcome(success=False, fault=_fault(result))


def _fault(result: _Result) -> Fault:
    if httpx.codes.is_success(result.status):
        return Fault(kind="ambiguous", message="the answer names no id", status=result.status)
    if not httpx.codes.CONTINUE <= result.status <= _LAST_STATUS:
        return Fault(kind="ambiguous", message="the answer holds no HTTP status")
    response = httpx.Response(result.status, content=msgspec.json.encode(result.body))
    return _conflict(response) if response.status_code == httpx.codes.CONFLICT else failure(response).fault


def _conflict(response: httpx.Response) -> Fault:
    """Read the id of the record that is already there, where one is named."""
    fault = failure(response).fault
    try:
        existing = msgspec.json.decode(response.content, type=_Existing)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return fault
    return replace(fault, existing_id=existing.existing_id)


_LAST_STATUS = 599


def _listed(response: httpx.Response, fields: Sequence[str]) -> dict[str, Record]:
    _require_success(response)
    return {
        record["id"]: {name: record[name] for name in fields if name in record}
        for record in decode_body(response, _Records).records
        if isinstance(record.get("id"), str)
    }
