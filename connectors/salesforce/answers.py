"""What an answer with success says: one saved record, a change without a body, a collection, rows."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import msgspec

from connectors.answers import complete, decode_body, raw_text, unmatched, unreadable
from connectors.errors import Refused
from connectors.salesforce import faults
from connectors.salesforce.faults import Target
from installations.record import Outcome, Record, RecordOutcome

T = TypeVar("T")

_ID_LENGTH = 15


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A SaveResult, UpsertResult or DeleteResult.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections.htm
    """

    success: bool
    id: str | None = None
    created: bool | None = None
    errors: Any = ()


def one_saved(response: httpx.Response, *, target: Target) -> Outcome:
    """Read the answer to one create or upsert: 201 created, 200 updated, 204 updated in versions before 46.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm

    Raises:
        Refused, Ambiguous, Unreadable: as the answer says.
    """
    if response.status_code == HTTPStatus.NO_CONTENT:
        if target == "object":
            raise unreadable(response, "it names no id")
        return Outcome(records=(RecordOutcome(success=True, created=_created(response, said=None, target=target)),))
    if response.status_code not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        raise faults.write_failure(response, target=target)
    body = decode_body(response, Any)
    saved = _converted(response, body, _Saved)
    if not saved.success:
        raise Refused(faults.record_fault(saved.errors, target=target), raw_response=raw_text(response))
    if target == "object" and not saved.id:
        raise unreadable(response, "it names no id")
    created = _created(response, said=saved.created, target=target)
    return Outcome(records=(RecordOutcome(success=True, record_id=saved.id, data=body, created=created),))


def one_changed(response: httpx.Response, record_id: str) -> Outcome:
    """Read the answer to one update or delete: 204 and no body.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_update_fields.htm

    Raises:
        Refused, Ambiguous: as the answer says.
    """
    if response.status_code not in {HTTPStatus.NO_CONTENT, HTTPStatus.OK}:
        raise faults.write_failure(response, target="record")
    return Outcome(records=(RecordOutcome(success=True, record_id=record_id),))


def many_saved(
    response: httpx.Response, *, count: int, target: Target, ids: Sequence[str | None] | None = None
) -> Outcome:
    """Read the answer to a collection: 200, and one result for each record in the order sent.

    Where their number is wrong, nobody knows what came of the records left over; nor of one whose result names another
    record than the one at its place in ``ids``, those that were sent.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_create.htm

    Raises:
        Refused, Ambiguous, Unreadable: as the answer says.
    """
    if response.status_code != HTTPStatus.OK:
        raise faults.write_failure(response, target=target)
    bodies = decode_body(response, list[Any])
    results = _converted(response, bodies, list[_Saved])
    blamed = faults.spread_blame(
        [None if result.success else faults.record_fault(result.errors, target=target) for result in results]
    )
    records = (
        RecordOutcome(success=each.success, record_id=each.id, data=body, fault=fault, created=each.created)
        for each, body, fault in zip(results, bodies, blamed, strict=True)
    )
    outcomes = complete(tuple(records), count=count, status=response.status_code)
    if ids is not None:
        outcomes = tuple(
            unmatched(response.status_code) if _is_another(outcome.record_id, sent) else outcome
            for outcome, sent in zip(outcomes, ids, strict=True)
        )
    return Outcome(records=outcomes)


def _is_another(answered: str | None, sent: str | None) -> bool:
    """Compare ids of 15 and of 18 characters: the last three only say what case the others have."""
    return answered is not None and sent is not None and answered[:_ID_LENGTH] != sent[:_ID_LENGTH]


def judged_alone(outcome: Outcome, response: httpx.Response) -> Outcome:
    """Answer the outcome of one record that travelled in a collection as if it had gone alone.

    Raises:
        Refused: if the record was refused.
    """
    (record,) = outcome.records
    if record.fault is not None:
        raise Refused(record.fault, raw_response=raw_text(response))
    return outcome


def retrieved(response: httpx.Response, *, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Record]:
    """Read a retrieve: one record or ``null`` for each id, in the order asked; fields under the names as asked.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_retrieve_post.htm

    Raises:
        Refused, Unreadable: as the answer says.
    """
    rows = read(response, list[dict[str, Any] | None])
    if len(rows) != len(ids):
        raise unreadable(response, f"{len(ids)} records were asked and {len(rows)} came back")
    return {asked: _spelled(row, fields) for asked, row in zip(ids, rows, strict=True) if row is not None}


class _QueryResult(msgspec.Struct, frozen=True, kw_only=True):
    records: list[dict[str, Any]]


def queried(response: httpx.Response, *, fields: Sequence[str]) -> dict[str, Record]:
    """Read the rows of a query, by id; fields under the names as asked.

    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm

    Raises:
        Refused, Unreadable: as the answer says.
    """
    rows = read(response, _QueryResult).records
    return {str(row["Id"]): _spelled(row, fields) for row in rows if "Id" in row}


def read(response: httpx.Response, kind: type[T]) -> T:
    """Read the answer to a request that changes nothing.

    Raises:
        Refused, Unreadable: as the answer says.
    """
    if response.status_code != HTTPStatus.OK:
        raise faults.read_failure(response, target="object")
    return decode_body(response, kind)


def _converted(response: httpx.Response, body: Any, kind: type[T]) -> T:
    """Give a decoded body its type; the body itself is kept beside it."""
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise unreadable(response, f"the body cannot be used: {error}") from error


def _created(response: httpx.Response, *, said: bool | None, target: Target) -> bool | None:
    """Tell whether an upsert created the record; a plain create needs no telling."""
    if target != "external_id":
        return None
    return response.status_code == HTTPStatus.CREATED if said is None else said


def _spelled(row: dict[str, Any], asked: Sequence[str]) -> Record:
    """Answer a row with its fields as they were asked for: ``phone`` is answered as ``Phone``, and whoever asked for
    the one must not take its absence for an empty field.
    """  # noqa: D205
    held = _plain(row)
    by_lower = {name.lower(): value for name, value in held.items()}
    heads = [name.partition(".")[0] for name in asked]
    given = {head: by_lower[head.lower()] for head in heads if head.lower() in by_lower}
    return ({"Id": held["Id"]} if "Id" in held else {}) | given


def _plain(row: dict[str, Any]) -> Record:
    """Take ``attributes`` (type and URL) off a row and off the related rows in it."""
    return {
        name: _plain(value) if isinstance(value, dict) else value for name, value in row.items() if name != "attributes"
    }
