"""What the sandbox's answers mean: records and batch results as outcomes, refusals as faults.

The error body is ``{code, message, errors: [{field, code, message, existingId}]}``; the sandbox serves its
documentation at ``/``.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar

import httpx
import msgspec

from connectors.errors import Ambiguous, Refused, Unreadable
from installations.record import Fault, FaultKind, RecordOutcome

T = TypeVar("T")

TEXT_LIMIT = 4096
_DIGITS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")
_SERVER_ERRORS = 500

_BY_STATUS: Mapping[int, FaultKind] = {
    400: "invalid",
    401: "auth",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    413: "invalid",
    415: "invalid",
    422: "invalid",
    423: "locked",
    429: "rate_limited",
}
_MAPPING_AT_FAULT = frozenset({"unknown_field", "read_only"})
"""Codes of fields that the mapping, not the caller, has to stop sending."""


class FieldErrorEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the sandbox says of one field."""

    field: str = ""
    code: str = ""
    message: str = ""
    existing_id: str | None = None


class ErrorEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox says of a refused request, or of one record in a batch."""

    code: str | None = None
    message: str | None = None
    errors: tuple[FieldErrorEntry, ...] = ()


class RecordEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the sandbox serves it."""

    id: str
    fields: dict[str, Any]


class ResultEntry(ErrorEntry, frozen=True, kw_only=True):
    """What came of one record of a batch."""

    index: int
    success: bool
    status: int
    id: str | None = None
    record: Any = None


class BatchEntry(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a batch."""

    results: tuple[ResultEntry, ...]


def read_answer(response: httpx.Response, kind: type[T]) -> T:
    """Decode a success of a request that only reads; raises `Refused` for anything else, `Unreadable` for nonsense."""
    if not response.is_success:
        _refuse_read(response)
    return decode(response, kind)


def read_write(response: httpx.Response, kind: type[T]) -> T:
    """Decode a success of a request that writes; raises `Refused`, `Ambiguous` or `Unreadable`."""
    if not response.is_success:
        refuse(response)
    return decode(response, kind)


def decode(response: httpx.Response, kind: type[T]) -> T:
    """Decode a body; raises `Unreadable`."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        fault = Fault(kind="unrecognised", message=f"the answer cannot be read: {error}", status=response.status_code)
        raise Unreadable(fault, raw_response=response.text[:TEXT_LIMIT]) from error


def refuse(response: httpx.Response) -> NoReturn:
    """Raise what an answer to a write means that is no success.

    Any 5xx may have come after the effect, and a status nobody knows may mean anything: both are `Ambiguous`.
    """
    fault = _fault(_error_entry(response), status=response.status_code, headers=response.headers)
    text = response.text[:TEXT_LIMIT]
    if fault.kind in {"ambiguous", "unrecognised"}:
        raise Ambiguous(fault, raw_response=text)
    raise Refused(fault, raw_response=text)


def read_result(result: ResultEntry, *, upsert: bool) -> RecordOutcome:
    """Make the outcome of one record of a batch."""
    if not result.success:
        return RecordOutcome(success=False, fault=_fault(result, status=result.status, headers={}))
    created = result.status == httpx.codes.CREATED if upsert else None
    data = msgspec.UNSET if result.record is None else result.record
    return RecordOutcome(success=True, record_id=result.id, data=data, created=created)


def read_record(response: httpx.Response, *, upsert: bool) -> RecordOutcome:
    """Make the outcome of a single create, update or upsert; raises as `read_write`."""
    body = read_write(response, dict[str, Any])
    entry = decode(response, RecordEntry)
    created = response.status_code == httpx.codes.CREATED if upsert else None
    return RecordOutcome(success=True, record_id=entry.id, data=body, created=created)


def _refuse_read(response: httpx.Response) -> NoReturn:
    try:
        refuse(response)
    except Ambiguous as error:
        # What only reads cannot have changed a thing.
        kind: FaultKind = "provider" if error.fault.kind == "ambiguous" else error.fault.kind
        raise Refused(msgspec.structs.replace(error.fault, kind=kind), raw_response=error.raw_response) from None


def _error_entry(response: httpx.Response) -> ErrorEntry:
    try:
        return msgspec.json.decode(response.content, type=ErrorEntry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ErrorEntry()  # A proxy's page, perhaps: the status has to do.


def _fault(entry: ErrorEntry, *, status: int, headers: Mapping[str, str]) -> Fault:
    words = [error.message for error in entry.errors if error.message]
    kind = _kind(entry, status=status)
    return Fault(
        kind=kind,
        message=(" ".join((entry.message or f"The sandbox answered {status}.", *words)))[:TEXT_LIMIT],
        status=status,
        code=entry.errors[0].code if len(entry.errors) == 1 else entry.code,
        fields=_blamed(entry, kind=kind),
        retry_after_seconds=_retry_after(headers),
        existing_id=next((error.existing_id for error in entry.errors if error.existing_id), None),
    )


def _kind(entry: ErrorEntry, *, status: int) -> FaultKind:
    if status >= _SERVER_ERRORS:
        return "ambiguous"
    if entry.code == "unknown_object":
        return "unknown_object"
    if any(error.code in _MAPPING_AT_FAULT for error in entry.errors):
        return "unknown_field"
    return _BY_STATUS.get(status, "unrecognised")


def _blamed(entry: ErrorEntry, *, kind: FaultKind) -> tuple[str, ...]:
    """Name the fields at fault; where the mapping is to blame, those alone."""
    blamed = [error for error in entry.errors if kind != "unknown_field" or error.code in _MAPPING_AT_FAULT]
    return tuple(dict.fromkeys(error.field for error in blamed if error.field))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: Retry-After as seconds, or as a date against the answer's own Date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    if _DIGITS.fullmatch(text):
        return float(text)
    until, now = _moment(text), _moment(headers.get("date", ""))
    return max(0.0, (until - now).total_seconds()) if until and now else None


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
