"""The connector: which requests each capability makes against HubSpot's CRM, in which order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NoReturn, TypeVar

import httpx
import msgspec

from connectors.answers import raw_text, unreadable
from connectors.connector import Account, Flow, Recognition
from connectors.errors import Refused
from connectors.hubspot import requests as build
from connectors.hubspot.answers import (
    Input,
    from_record,
    read_batch,
    read_body,
    read_errors,
    read_record,
    read_records,
)
from connectors.hubspot.faults import is_own, read_entry, read_response, refuse, refuse_read
from connectors.hubspot.properties import Schema, is_custom_object, parse_object, parse_schema
from connectors.hubspot.provider import BATCH_LIMIT, HUBSPOT
from connectors.hubspot.values import build_value
from connectors.provider import Provider
from installations.record import Change, Fault, Outcome, Record, RecordOutcome
from installations.schema import ObjectMetadata

T = TypeVar("T")

OK = 200
NO_CONTENT = 204
NOT_FOUND = 404

ARCHIVE_IS_SILENT = "HubSpot archives a batch without saying what came of each record"

_NO_UPSERT = frozenset({"leads", "lead", "line_items", "line_item", "orders", "order", "0-136", "0-8", "0-123"})
"""Objects without ``/batch/upsert``.
https://developers.hubspot.com/docs/api-reference/legacy/crm/objects/contacts/batch/upsert-contacts
"""

_NOT_UNIQUE: Mapping[str, frozenset[str]] = {
    "contact": frozenset({"firstname", "lastname", "phone", "mobilephone", "company", "website", "jobtitle"}),
    "company": frozenset({"name", "domain", "website", "phone"}),
    "deal": frozenset({"dealname", "amount", "dealstage", "pipeline"}),
    "ticket": frozenset({"subject", "content"}),
    "product": frozenset({"name", "hs_sku"}),
}
"""HubSpot's own properties that people match by though HubSpot does not keep them unique, so an upsert refuses them."""

_SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal", "tickets": "ticket", "products": "product"}

_CONTACTS = frozenset({"contacts", "contact", "0-1"})
_BY_EMAIL = Recognition(kind="unique", field="email")

_RECORD_ID = frozenset({"id", "hs_object_id"})


class HubSpot:
    """Writes, reads and describes HubSpot's CRM objects; each method is a flow."""

    @property
    def provider(self) -> Provider:
        """HubSpot's data."""
        return HUBSPOT

    @property
    def batch_limit(self) -> int:
        """The most records HubSpot takes at once."""
        return BATCH_LIMIT

    @property
    def values_are_text(self) -> Literal[True]:
        """Whatever a property's type, its value is written as text (`values.py`)."""
        return True

    def write(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create (``POST``, 201) or update (``PATCH``, 200) one record; properties left out stay as they are."""
        record = change.records[0]
        body = build.single_body(record, change=change)
        if change.action == "create":
            request = build.build_write(
                account, "POST", build.objects_path(change.object_name), body=body, change=change
            )
        else:
            path = build.record_path(change.object_name, record.id)
            request = build.build_write(account, "PATCH", path, body=body, change=change)
        response = yield request
        return Outcome(records=(from_record(read_record(response)),))

    def write_batch(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create or update up to `batch_limit` records; updates stay partial even for ``all_or_none``.

        A record that HubSpot has no words for (a nested object, say) is refused here and does not hold up the others,
        unless the batch is all or nothing.
        """
        return (yield from self._send_batch(account, change))

    def upsert(self, account: Account, change: Change) -> Flow[Outcome]:
        """Create or update by a unique property (``email`` for contacts), one record or up to `batch_limit`."""
        if not change.match_field:
            raise Refused(Fault(kind="invalid", message="an upsert needs a field to match by"))
        return (yield from self._send_batch(account, change))

    def can_upsert(self, object_name: str, match_field: str) -> bool:
        """Whether HubSpot may upsert so: not for some objects, nor by properties known not to be unique."""
        name = object_name.lower()
        if name in _NO_UPSERT or match_field in _RECORD_ID:
            return False
        return match_field not in _NOT_UNIQUE.get(_SINGULAR.get(name, name), frozenset())

    def recognition(self, object_name: str, fields: Record) -> Recognition | None:
        """A contact is known by its email; nothing else is told, for HubSpot takes no key with a request.

        "Email address is the primary unique identifier to avoid duplicate contacts": a second one is refused with 409,
        which names the first. Unique properties of one's own cannot be known here.
        https://developers.hubspot.com/docs/api/crm/contacts
        """
        return _BY_EMAIL if object_name.lower() in _CONTACTS and fields.get("email") else None

    def delete(self, account: Account, change: Change) -> Flow[Outcome]:
        """Archive one record or up to `batch_limit`; all of HubSpot's deletes can be undone by its users."""
        if change.batch or len(change.records) > 1:
            return (yield from self._archive(account, change))
        record = change.records[0]
        path = build.record_path(change.object_name, record.id)
        response = yield build.build_write(account, "DELETE", path, change=change)
        _require_archived(response)
        return Outcome(records=(RecordOutcome(success=True, record_id=record.id),))

    def fetch(
        self, account: Account, object_name: str, *, ids: Sequence[str], fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Answer the properties of the records found, each a string or ``None``: one request for 100 ids."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Record] = {}
        for start in range(0, len(wanted), BATCH_LIMIT):
            values = wanted[start : start + BATCH_LIMIT]
            response = yield build.read_request(account, object_name, values=values, fields=fields)
            found |= _found(response, fields=fields)
        return found

    def find(
        self, account: Account, object_name: str, *, field: str, value: Any, fields: Sequence[str]
    ) -> Flow[dict[str, Record]]:
        """Answer the records whose property equals ``value``: at once for a unique property, else by search.

        A batch read by a unique property sees what was just written. HubSpot refuses that for other properties; then
        search is asked, which lags behind writes by some seconds, so an empty answer proves little.
        https://developers.hubspot.com/docs/guides/api/crm/search
        """
        text = build_value(value, field=field)
        if not text:
            return {}  # Nothing to look for: HubSpot has no empty values.
        if field in _RECORD_ID:
            return (yield from self.fetch(account, object_name, ids=[text], fields=fields))
        response = yield build.read_request(account, object_name, values=[text], fields=fields, id_property=field)
        if not _needs_search(response):
            return _found(response, fields=fields)
        response = yield build.search_request(account, object_name, field=field, value=text, fields=fields)
        return _by_id(read_records(read_body(response)), fields=fields)

    def describe(self, account: Account, object_name: str) -> Flow[ObjectMetadata]:
        """Describe one object by its properties and, for a custom object, what its schema requires.

        HubSpot's metadata has no required properties for its own objects, so ``is_required`` stays unset there.
        """
        response = yield build.build_get(account, build.metadata_path("properties", object_name))
        if response.status_code != OK:
            _refuse_unknown_object(response)
        schema = (yield from self._schema(account, object_name)) if is_custom_object(object_name) else None
        return _parsed(response, lambda content: parse_object(content, object_name=object_name, schema=schema))

    def probe(self, account: Account) -> Flow[None]:
        """Ask for the account's details, which any valid token may see.

        https://developers.hubspot.com/docs/api-reference/latest/account/account-information/guide
        """
        response = yield build.build_get(account, "/account-info/v3/details")
        if response.status_code != OK and read_response(response).code != "MISSING_SCOPES":
            refuse_read(response)  # A missing right for this one call still proves the token.

    def interpret(self, response: httpx.Response) -> Fault:
        """Read a refusal: the body of a 429 says which of several limits was met."""
        return read_response(response)

    def _schema(self, account: Account, object_name: str) -> Flow[Schema | None]:
        """Answer the schema, or ``None`` where the token lacks the scope for it: fields can be had without."""
        response = yield build.build_get(account, build.metadata_path("schemas", object_name))
        if response.status_code in {403, NOT_FOUND}:
            return None
        if response.status_code != OK:
            refuse_read(response)
        return _parsed(response, parse_schema)

    def _send_batch(self, account: Account, change: Change) -> Flow[Outcome]:
        """Send those records that can be said in HubSpot's words, and put the answer beside the refused ones."""
        inputs: list[Input] = []
        bodies: list[dict[str, Any]] = []
        refused: dict[int, RecordOutcome] = {}
        for index, record in enumerate(change.records):
            try:
                sent, body = build.batch_input(record, index=index, change=change)
            except Refused as error:
                if change.all_or_none:
                    raise
                refused[index] = RecordOutcome(success=False, fault=error.fault)
            else:
                inputs.append(sent)
                bodies.append(body)
        if not bodies:
            return Outcome(records=tuple(refused.values()))
        path = build.objects_path(change.object_name, "batch", build.BATCH_VERBS[change.action])
        response = yield build.build_write(account, "POST", path, body={"inputs": bodies}, change=change)
        return _with_refused(read_batch(response, inputs), refused)

    def _archive(self, account: Account, change: Change) -> Flow[Outcome]:
        ids = [record.id for record in change.records]
        if not all(ids):
            raise Refused(Fault(kind="invalid", message="a record without an id cannot be archived", fields=("id",)))
        path = build.objects_path(change.object_name, "batch", "archive")
        body = {"inputs": [{"id": record_id} for record_id in ids]}
        response = yield build.build_write(account, "POST", path, body=body, change=change)
        _require_archived(response)
        records = tuple(RecordOutcome(success=True, record_id=record_id) for record_id in ids)
        return Outcome(records=records, warnings=(ARCHIVE_IS_SILENT,))


def _with_refused(outcome: Outcome, refused: Mapping[int, RecordOutcome]) -> Outcome:
    answered = iter(outcome.records)
    count = len(outcome.records) + len(refused)
    records = tuple(refused[index] if index in refused else next(answered) for index in range(count))
    return msgspec.structs.replace(outcome, records=records)


def _require_archived(response: httpx.Response) -> None:
    if response.status_code not in {OK, NO_CONTENT}:
        refuse(response)


def _found(response: httpx.Response, *, fields: Sequence[str]) -> dict[str, Record]:
    """Read a batch read. Records that are not there come as errors in a 207, or as a 404 if none is there."""
    if response.status_code == NOT_FOUND and read_response(response).kind == "not_found":
        return {}
    body = read_body(response)
    for error in read_errors(body):
        fault = read_entry(error)
        if fault.kind != "not_found":
            raise Refused(fault, raw_response=raw_text(response))
    return _by_id(read_records(body), fields=fields)


def _by_id(records: Iterator[Mapping[str, Any]], *, fields: Sequence[str]) -> dict[str, Record]:
    return {str(record["id"]): _asked(record, fields=fields) for record in records}


def _asked(record: Mapping[str, Any], *, fields: Sequence[str]) -> Record:
    """Answer the asked properties only; HubSpot adds its own dates and ids."""
    properties = record.get("properties")
    found = properties if isinstance(properties, Mapping) else {}
    return {field: found.get(field) for field in fields}


def _needs_search(response: httpx.Response) -> bool:
    """Whether a read by property failed because the property is not unique.

    HubSpot's words for that are not documented, so any other refusal goes on to search too, which then tells it.
    """
    return 400 <= response.status_code < 500 and read_response(response).kind == "invalid"  # noqa: PLR2004 - client errors


def _refuse_unknown_object(response: httpx.Response) -> NoReturn:
    """Raise what an answer about an object type means: a 404 of HubSpot's there says that there is no such type."""
    fault = read_response(response)
    if fault.kind != "not_found" or not is_own(response):
        refuse_read(response)
    raise Refused(msgspec.structs.replace(fault, kind="unknown_object"), raw_response=raw_text(response))


def _parsed(response: httpx.Response, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise unreadable(response, f"its metadata is not as documented: {error}") from error
