"""What the sandbox's answers mean: records and batch results as outcomes, refusals as faults.

The error body is ``{code, message, errors: [{field, code, message, existingId}]}``; the sandbox serves its
documentation at ``/``.
"""

from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar

import httpx
import msgspec

from connectors.answers import REFUSED, clip, decode_body, failure, raw_text, status_fault
from connectors.errors import Refused
from installations.record import Fault, FaultKind, RecordOutcome

T = TypeVar("T")

NOT_PROCESSED = "not_processed"
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
        raise Refused(_response_fault(response), raw_response=raw_text(response))
    return decode_body(response, kind)


def read_write(response: httpx.Response, kind: type[T]) -> T:
    """Decode a success of a request that writes; raises `Refused`, `Ambiguous` or `Unreadable`."""
    if not response.is_success:
        refuse(response)
    return decode_body(response, kind)


def refuse(response: httpx.Response) -> NoReturn:
    """Raise what an answer to a write means that is no success.

    A 5xx may have come after the effect, and a status nobody knows may mean anything: both are `Ambiguous`. But the
    sandbox's page says of 503 with the code ``not_processed`` that nothing was done.
    """
    fault = _response_fault(response)
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE and fault.code == NOT_PROCESSED:
        raise Refused(fault, raw_response=raw_text(response))
    error = failure(response)
    raise type(error)(fault, raw_response=error.raw_response)


def read_result(result: ResultEntry, *, upsert: bool) -> RecordOutcome:
    """Make the outcome of one record of a batch."""
    if not result.success:
        kind = REFUSED.get(result.status, "ambiguous")  # As for a request: what is not known to be a refusal is none.
        fault = Fault(kind=kind, message=f"The sandbox answered {result.status}.", status=result.status)
        return RecordOutcome(success=False, fault=_detailed(fault, result))
    created = result.status == httpx.codes.CREATED if upsert else None
    data = msgspec.UNSET if result.record is None else result.record
    return RecordOutcome(success=True, record_id=result.id, data=data, created=created)


def read_record(response: httpx.Response, *, upsert: bool) -> RecordOutcome:
    """Make the outcome of a single create, update or upsert; raises as `read_write`."""
    body = read_write(response, dict[str, Any])
    entry = decode_body(response, RecordEntry)
    created = response.status_code == httpx.codes.CREATED if upsert else None
    return RecordOutcome(success=True, record_id=entry.id, data=body, created=created)


def _response_fault(response: httpx.Response) -> Fault:
    try:
        entry = msgspec.json.decode(response.content, type=ErrorEntry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return status_fault(response)  # A proxy's page, perhaps: the status has to do.
    return _detailed(status_fault(response), entry)


def _detailed(fault: Fault, entry: ErrorEntry) -> Fault:
    """Put the sandbox's words, codes and fields into a fault that was told by its status."""
    kind = _kind(entry, told=fault.kind)
    words = (entry.message or fault.message, *_sentences(entry))
    return msgspec.structs.replace(
        fault,
        kind=kind,
        message=clip(" ".join(words)),
        code=(entry.errors[0].code if len(entry.errors) == 1 else entry.code) or fault.code,
        fields=_blamed(entry, kind=kind),
        existing_id=next((error.existing_id for error in entry.errors if error.existing_id), None),
    )


def _sentences(entry: ErrorEntry) -> Iterable[str]:
    """Say what is wrong; where there is more than one thing, of which field each is said."""
    several = len(entry.errors) > 1
    for error in entry.errors:
        if error.message:
            yield f"{error.field}: {error.message}" if several and error.field else error.message


def _kind(entry: ErrorEntry, *, told: FaultKind) -> FaultKind:
    if entry.code == "unknown_object":
        return "unknown_object"
    if any(error.code in _MAPPING_AT_FAULT for error in entry.errors):
        return "unknown_field"
    return told


def _blamed(entry: ErrorEntry, *, kind: FaultKind) -> tuple[str, ...]:
    """Name the fields at fault; where the mapping is to blame, those alone."""
    blamed = [error for error in entry.errors if kind != "unknown_field" or error.code in _MAPPING_AT_FAULT]
    return tuple(dict.fromkeys(error.field for error in blamed if error.field))
