"""The connector: which requests each capability makes against the sandbox CRM."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.connector import READS_ONLY, Account, Flow
from connectors.provider import Provider
from connectors.sandbox.answers import (
    BatchEntry,
    RecordEntry,
    ResultEntry,
    decode,
    read_answer,
    read_record,
    read_result,
    read_write,
    refuse,
)
from connectors.sandbox.data import BATCH_LIMIT, SANDBOX
from connectors.sandbox.metadata import read_schema
from installations.record import Change, Fault, Header, Outcome, Record, RecordChange, RecordOutcome
from installations.schema import ObjectMetadata

_UNIQUE: Mapping[str, frozenset[str]] = {
    "contacts": frozenset({"email", "externalId"}),
    "companies": frozenset({"domain", "externalId"}),
}
"""The fields of standard objects that the sandbox keeps unique."""
_UNIQUE_EVERYWHERE = frozenset({"externalId"})
_FIND_LIMIT = 5
_JSON_HEADERS = ((b"accept", b"application/json"), (b"content-type", b"application/json"))


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    records: tuple[RecordEntry, ...]


class SandboxConnector:
    """Writes, reads and describes the sandbox's objects; each method is a flow.

    One class serves both catalogue entries, since they differ in how a customer proves who they are.
    """

    def __init__(self, provider: Provider = SANDBOX) -> None:
        self._provider = provider

    @property
    def provider(self) -> Provider:
        """The sandbox's data."""
        return self._provider

    @property
    def batch_limit(self) -> int:
        """The most records the sandbox takes at once."""
        return BATCH_LIMIT

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create (``POST``, 201) or update (``PATCH``, 200) one record."""
        (record,) = change.records
        body = _entry(replace(record, id=None))
        if change.action == "create":
            response = yield _request("POST", _records(account, change.object_name), body=body, headers=change.headers)
        else:
            url = _record(account, change.object_name, record.id or "")
            response = yield _request("PATCH", url, body=body, headers=change.headers)
        return Outcome(records=(read_record(response, upsert=False),))

    def write_batch(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create or update up to `batch_limit` records in one request."""
        return (yield from _batch(account, change))

    def upsert(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create or update by a unique field: one record, or up to `batch_limit`."""
        if change.batch or len(change.records) > 1:
            return (yield from _batch(account, change))
        (record,) = change.records
        body = {**_entry(record), "matchField": change.match_field or ""}
        url = f"{_records(account, change.object_name)}:upsert"
        response = yield _request("POST", url, body=body, headers=change.headers)
        return Outcome(records=(read_record(response, upsert=True),))

    def can_upsert(self, object_name: str, match_field: str) -> bool:
        """Whether the sandbox keeps this field unique, as its objects come. Custom unique fields go by look-up."""
        return match_field in _UNIQUE.get(object_name, _UNIQUE_EVERYWHERE)

    def delete(self, account: Account, change: Change) -> Flow[Outcome]:
        """Delete one record (204), or up to `batch_limit` in one request."""
        if change.batch or len(change.records) > 1:
            return (yield from _batch(account, change))
        record_id = change.records[0].id or ""
        url = _record(account, change.object_name, record_id)
        response = yield _request("DELETE", url, headers=change.headers)
        if not response.is_success:
            refuse(response)
        return Outcome(records=(RecordOutcome(success=True, record_id=record_id),))

    def fetch(
        self, account: Account, object_name: str, *, ids: Sequence[str], fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Answer the records found, by id: one request for each hundred ids."""
        wanted = tuple(dict.fromkeys(ids))
        found: dict[str, Record] = {}
        for start in range(0, len(wanted), BATCH_LIMIT):
            items = [{"id": record_id} for record_id in wanted[start : start + BATCH_LIMIT]]
            body = {"action": "read", "records": items, "fields": list(fields)}
            request = _request("POST", f"{_records(account, object_name)}:batch", body=body)
            request.extensions[READS_ONLY] = True
            response = yield request
            found |= _found(read_answer(response, BatchEntry))
        return found

    def find(
        self, account: Account, object_name: str, *, field: str, value: Any, fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Answer up to five records whose field equals the value; ``field`` may be nested with dots."""
        query = {f"filter[{field}]": _filter_text(value), "limit": _FIND_LIMIT, "fields": ",".join(fields)}
        response = yield _request("GET", f"{_records(account, object_name)}?{urlencode(query)}")
        return {record.id: record.fields for record in read_answer(response, _Page).records}

    def describe(self, account: Account, object_name: str) -> Flow[ObjectMetadata]:
        """Answer one object with its fields, nested ones in bracket form (``$['address']['city']``) as well."""
        response = yield _request("GET", f"{_object(account, object_name)}/schema")
        return read_schema(response)

    def probe(self, account: Account) -> Flow[None]:
        """Ask whose credential this is."""
        response = yield _request("GET", f"{account.base_url}/v1/me")
        read_answer(response, dict[str, Any])


def _batch(account: Account, change: Change) -> Flow[Outcome]:
    body = {
        "action": change.action,
        "records": [_entry(record) for record in change.records],
        "allOrNone": change.all_or_none,
        "matchField": change.match_field or "",
    }
    response = yield _request(
        "POST", f"{_records(account, change.object_name)}:batch", body=body, headers=change.headers
    )
    results = _results(response)
    upsert = change.action == "upsert"
    return Outcome(records=tuple(_outcome(results.get(index), upsert=upsert) for index in range(len(change.records))))


def _results(response: httpx.Response) -> dict[int, ResultEntry]:
    """Read a batch's results by index. A 422 with results is an all-or-none batch that became none."""
    if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY and b'"results"' in response.content:
        batch = decode(response, BatchEntry)
    else:
        batch = read_write(response, BatchEntry)
    return {result.index: result for result in batch.results}


def _outcome(result: ResultEntry | None, *, upsert: bool) -> RecordOutcome:
    if result is None:
        fault = Fault(kind="ambiguous", message="The answer does not say what came of this record.")
        return RecordOutcome(success=False, fault=fault)
    return read_result(result, upsert=upsert)


def _found(batch: BatchEntry) -> dict[str, Record]:
    records = [msgspec.convert(each.record, RecordEntry) for each in batch.results if each.success]
    return {record.id: record.fields for record in records}


def _entry(record: RecordChange) -> dict[str, Any]:
    entry: dict[str, Any] = {"fields": record.fields}
    if record.id is not None:
        entry["id"] = record.id
    if record.associations is not UNSET:
        entry["associations"] = record.associations
    return entry


def _filter_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _object(account: Account, object_name: str) -> str:
    return f"{account.base_url}/v1/objects/{quote(object_name, safe='')}"


def _records(account: Account, object_name: str) -> str:
    return f"{_object(account, object_name)}/records"


def _record(account: Account, object_name: str, record_id: str) -> str:
    return f"{_records(account, object_name)}/{quote(record_id, safe='')}"


def _request(method: str, url: str, *, body: Any = None, headers: Sequence[Header] = ()) -> httpx.Request:
    # Bytes, so that a value that is not ASCII reaches the transport's own check instead of an encoding error here.
    sent = [(header.key.encode(), header.value.encode()) for header in headers]
    given = {header.key.lower() for header in headers}
    sent += [(name, value) for name, value in _JSON_HEADERS if name.decode() not in given]
    if body is None:
        return httpx.Request(method, url, headers=sent)
    return httpx.Request(method, url, headers=sent, content=msgspec.json.encode(body))
