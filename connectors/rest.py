"""The declarative door: a provider whose API is plain JSON CRUD is a table of objects, and no code.

Each object says where it lives, what wraps a record on the way in and out, and where the id stands:

POST   {base}/{path}          {"contact": {...}}      ->  201 {"data": {"id": 7, ...}}
PATCH  {base}/{path}/{id}     {"contact": {...}}      ->  200 {"data": {"id": 7, ...}}, or 204
GET    {base}/{path}/{id}                             ->  200 {"data": {"id": 7, ...}}
DELETE {base}/{path}/{id}                             ->  204
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import httpx
import msgspec

from connectors.answers import decode_body, require_success, unreadable
from connectors.connector import Account, Flow
from connectors.errors import RETRYABLE, ConnectorError, Refused, Unreadable
from connectors.headers import caller_headers
from connectors.provider import Provider
from connectors.urls import resource_url
from installations.record import Change, Fault, Header, Outcome, Record, RecordChange, RecordOutcome
from installations.schema import FieldMetadata, ObjectMetadata

Method = Literal["create", "update", "delete", "fetch"]


class RestObject(msgspec.Struct, frozen=True, kw_only=True):
    """One object of a provider, and how it is called."""

    path: str
    """Of the collection, below the base URL."""
    methods: frozenset[Method] = frozenset({"create", "update", "delete", "fetch"})
    request_envelope: str = ""
    """The key around a record that is sent; empty for none."""
    response_envelope: tuple[str, ...] = ()
    """The keys around a record that is answered, outermost first."""
    id_path: tuple[str, ...] = ("id",)
    """Where the id stands inside the answered record; text or whole numbers."""
    update_verb: Literal["PATCH", "PUT", "POST"] = "PATCH"
    fields: tuple[FieldMetadata, ...] = ()
    """For `DescribedRestConnector`."""


class RestConnector:
    """Writes, deletes, fetches and probes by a table. Implements `Writer`, `Deleter`, `Fetcher` and `Prober`."""

    def __init__(self, *, provider: Provider, objects: Mapping[str, RestObject], probe_path: str) -> None:
        """Serve ``objects`` by provider name; ``probe_path`` answers a GET with 2xx where the credential works."""
        self._provider = provider
        self._objects = objects
        self._probe_path = probe_path

    @property
    def provider(self) -> Provider:
        """The provider's data."""
        return self._provider

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create by POST to the collection, update by the object's verb to the record."""
        target = self._target(change.object_name, "create" if change.action == "create" else "update")
        (record,) = change.records
        if change.action == "create":
            method, url = "POST", resource_url(account, target.path)
        else:
            method, url = target.update_verb, resource_url(account, target.path, record.id or "")
        body = {target.request_envelope: record.fields} if target.request_envelope else record.fields
        response = yield _request(method, url, headers=change.headers, body=body)
        require_success(response)
        return Outcome(records=(_written(response, target, record),))

    def delete(self, account: Account, change: Change) -> Flow[Outcome]:
        """Delete each record by itself. A single refusal is raised; in a batch it stands at the record's index."""
        target = self._target(change.object_name, "delete")
        done: list[RecordOutcome] = []
        for record in change.records:
            try:
                response = yield _request(
                    "DELETE", resource_url(account, target.path, record.id or ""), headers=change.headers
                )
                require_success(response)
            except ConnectorError as error:
                if not change.batch:
                    raise
                done.append(_failed(error))
                if error.fault.kind in _STOPPING:
                    break
            else:
                done.append(RecordOutcome(success=True, record_id=record.id))
        return Outcome(records=(*done, *[_NOT_REACHED] * (len(change.records) - len(done))))

    def fetch(
        self, account: Account, object_name: str, *, ids: Sequence[str], fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Get each record by itself; ids that answer 404 or 410 are absent."""
        target = self._target(object_name, "fetch")
        found: dict[str, Record] = {}
        for record_id in ids:
            response = yield _request("GET", resource_url(account, target.path, record_id))
            if response.status_code in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
                continue
            require_success(response)
            record = _opened(response, target)
            found[record_id] = {name: record[name] for name in fields if name in record}
        return found

    def probe(self, account: Account) -> Flow[None]:
        """Get the probe path."""
        response = yield _request("GET", resource_url(account, self._probe_path))
        require_success(response)

    def _target(self, object_name: str, method: Method) -> RestObject:
        target = self._objects.get(object_name)
        if target is None:
            raise self._refused(f"has no object {object_name!r}", kind="unknown_object")
        if method not in target.methods:
            raise self._refused(f"does not {method} {object_name!r}", kind="invalid")
        return target

    def _refused(self, what: str, *, kind: Literal["unknown_object", "invalid"]) -> Refused:
        return Refused(Fault(kind=kind, message=f"{self._provider.display_name} {what}"))


class DescribedRestConnector(RestConnector):
    """A `RestConnector` whose objects list their fields. Implements `Describer` too."""

    def describe(self, account: Account, object_name: str) -> Flow[ObjectMetadata]:  # noqa: ARG002 -- the protocol's
        """Answer the table's fields; nothing is asked."""
        target = self._objects.get(object_name)
        if target is None:
            raise self._refused(f"has no object {object_name!r}", kind="unknown_object")
        yield from ()
        return ObjectMetadata(name=object_name, fields={field.field_name: field for field in target.fields})


_STOPPING = RETRYABLE | {"auth", "ambiguous"}
"""Kinds that the next record of a series would meet as well."""
_ID_BITS = 128
"""A longer number is no id, and turning one into text costs time."""
_NOT_REACHED = RecordOutcome(
    success=False, fault=Fault(kind="not_sent", message="an earlier record of the batch met a failure of all")
)


def _request(method: str, url: str, *, headers: Sequence[Header] = (), body: Any = None) -> httpx.Request:
    own = [("Accept", "application/json")]
    if body is None:
        return httpx.Request(method, url, headers=[*caller_headers(headers), *own])
    return httpx.Request(
        method,
        url,
        headers=[*caller_headers(headers), *own, ("Content-Type", "application/json")],
        content=msgspec.json.encode(body),
    )


def _written(response: httpx.Response, target: RestObject, record: RecordChange) -> RecordOutcome:
    if record.id is not None and not response.content:
        return RecordOutcome(success=True, record_id=record.id)
    answered = _opened(response, target)
    record_id = _id_in(answered, target) or record.id
    if record_id is None:
        raise unreadable(response, f"no id stands at {'.'.join(target.id_path)}")
    return RecordOutcome(success=True, record_id=record_id, data=answered)


def _opened(response: httpx.Response, target: RestObject) -> Record:
    value: Any = decode_body(response, dict[str, Any])
    for key in target.response_envelope:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        raise unreadable(response, f"no record stands at {'.'.join(target.response_envelope)}")
    return value


def _id_in(record: Record, target: RestObject) -> str | None:
    value: Any = record
    for key in target.id_path:
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value or None
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _ID_BITS:
        return str(value)
    return None


def _failed(error: ConnectorError) -> RecordOutcome:
    return RecordOutcome(success=isinstance(error, Unreadable), fault=error.fault)
