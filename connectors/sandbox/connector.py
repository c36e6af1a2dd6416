"""The connector: which requests each capability makes against the sandbox CRM."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.answers import raw_text, unmatched
from connectors.connector import READS_ONLY, Account, Flow, Recognition
from connectors.provider import Provider
from connectors.sandbox.answers import (
    BatchEntry,
    RecordEntry,
    ResultEntry,
    read_answer,
    read_record,
    read_result,
    read_write,
    refuse,
)
from connectors.sandbox.data import BATCH_LIMIT, SANDBOX
from connectors.sandbox.metadata import read_schema
from connectors.sandbox.recognition import UNIQUE, keys_of, recognised_by, with_item_key, with_key, with_markers
from connectors.urls import parse_url, path_segment
from installations.record import Change, Header, Outcome, Record, RecordChange, RecordOutcome
from installations.schema import ObjectMetadata

_FIND_LIMIT = 5
_BRACKETED = re.compile(r"\['([^']+)'\]")
_JSON_HEADERS = ((b"accept", b"application/json"), (b"content-type", b"application/json"))


class _ReadResult(msgspec.Struct, frozen=True, kw_only=True):
    record: RecordEntry | None = None


class _ReadBatch(msgspec.Struct, frozen=True, kw_only=True):
    results: tuple[_ReadResult, ...]


class _Page(msgspec.Struct, frozen=True, kw_only=True):
    records: tuple[RecordEntry, ...]


class SandboxConnector:
    """Writes, reads and describes the sandbox's objects; each method is a flow.

    One class serves all of its catalogue entries, since they differ in how a customer proves who they are.
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
        (record,) = with_markers(change).records
        body = _entry(replace(record, id=None))
        if change.action == "create":
            headers = with_key(change.headers, keys_of(change)[0])
            response = yield _request("POST", _records(account, change.object_name), body=body, headers=headers)
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
        return match_field in UNIQUE.get(object_name, ())

    def recognition(self, object_name: str, fields: Record) -> Recognition | None:
        """Tell how a create would be recognised: the sandbox's page says it of each object."""
        return recognised_by(object_name, fields)

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
            body = {"action": "read", "records": items, "fields": _tops(fields)}
            request = _request("POST", f"{_records(account, object_name)}:batch", body=body)
            request.extensions[READS_ONLY] = True
            response = yield request
            records = (result.record for result in read_answer(response, _ReadBatch).results)
            found |= {record.id: record.fields for record in records if record is not None}
        return found

    def find(
        self, account: Account, object_name: str, *, field: str, value: Any, fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Answer up to five records whose field equals the value; ``field`` may be nested, in bracket form."""
        query = {
            f"filter[{'.'.join(_names(field))}]": _filter_text(value),
            "limit": _FIND_LIMIT,
            "fields": ",".join(_tops(fields)),
        }
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
    entries = zip(map(_entry, with_markers(change).records), keys_of(change), strict=True)
    body = {
        "action": change.action,
        "records": [with_item_key(entry, key) for entry, key in entries],
        "allOrNone": change.all_or_none,
        "matchField": change.match_field or "",
    }
    response = yield _request(
        "POST", f"{_records(account, change.object_name)}:batch", body=body, headers=change.headers
    )
    results = _by_index(_results(response))
    upsert = change.action == "upsert"
    outcomes = tuple(_outcome(results.get(index), upsert=upsert) for index in range(len(change.records)))
    return Outcome(records=outcomes, raw_response=None if response.is_success else raw_text(response))


def _results(response: httpx.Response) -> tuple[ResultEntry, ...]:
    """Read a batch's results. A 422 with results is an all-or-none batch that became none."""
    if response.status_code != httpx.codes.UNPROCESSABLE_ENTITY:
        return read_write(response, BatchEntry).results
    try:
        batch = msgspec.json.decode(response.content, type=BatchEntry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        refuse(response)
    return batch.results


def _by_index(results: Sequence[ResultEntry]) -> dict[int, ResultEntry]:
    """Tell results apart by index. Two with one index may contradict each other, so neither counts."""
    counts = Counter(result.index for result in results)
    return {result.index: result for result in results if counts[result.index] == 1}


def _outcome(result: ResultEntry | None, *, upsert: bool) -> RecordOutcome:
    if result is None:
        return unmatched(httpx.codes.OK)
    return read_result(result, upsert=upsert)


def _names(path: str) -> list[str]:
    """Take ``$['address']['city']`` apart; any other name is itself."""
    return (_BRACKETED.findall(path) if path.startswith("$[") else []) or [path]


def _tops(fields: Sequence[str]) -> list[str]:
    """Tell the top fields to ask for: nested ones come with theirs."""
    return list(dict.fromkeys(_names(field)[0] for field in fields))


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
    return f"{account.base_url}/v1/objects/{path_segment(object_name)}"


def _records(account: Account, object_name: str) -> str:
    return f"{_object(account, object_name)}/records"


def _record(account: Account, object_name: str, record_id: str) -> str:
    return f"{_records(account, object_name)}/{path_segment(record_id)}"


def _request(method: str, url: str, *, body: Any = None, headers: Sequence[Header] = ()) -> httpx.Request:
    # Bytes, so that what is not ASCII meets the transport's own check instead of an encoding error here.
    sent = [(_raw(header.key), _raw(header.value)) for header in headers]
    given = {header.key.lower() for header in headers}
    sent += [(name, value) for name, value in _JSON_HEADERS if name.decode() not in given]
    if body is None:
        return httpx.Request(method, parse_url(url), headers=sent)
    return httpx.Request(method, parse_url(url), headers=sent, content=msgspec.json.encode(body))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
