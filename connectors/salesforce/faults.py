"""How Salesforce says no: error codes to faults, for whole requests and for single records.

Errors of a request are an array ``[{errorCode, message, fields}]``; errors of one record in a collection have
``statusCode`` in place of ``errorCode``.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
The codes:
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm#i1421192
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

import httpx
import msgspec

from connectors.answers import clip, failure, raw_text, status_fault
from connectors.errors import Ambiguous, ConnectorError, Refused
from installations.record import Fault, FaultKind

Target: TypeAlias = Literal["object", "record", "external_id"]
"""What a URL named. The same code means different things by it."""

ROLLED_BACK = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
"""The code of an innocent record in an all-or-none collection.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_allornone.htm
"""

_KINDS: dict[str, FaultKind] = {
    "INVALID_SESSION_ID": "auth",
    "INVALID_AUTH_HEADER": "auth",
    "API_DISABLED_FOR_ORG": "forbidden",
    "API_CURRENTLY_DISABLED": "forbidden",
    "FUNCTIONALITY_NOT_ENABLED": "forbidden",
    "STORAGE_LIMIT_EXCEEDED": "forbidden",
    "REQUEST_LIMIT_EXCEEDED": "rate_limited",
    "UNABLE_TO_LOCK_ROW": "locked",
    "DUPLICATE_VALUE": "conflict",
    "DUPLICATES_DETECTED": "conflict",
    "DUPLICATE_EXTERNAL_ID": "conflict",
    "ENTITY_IS_DELETED": "not_found",
    "INVALID_TYPE": "unknown_object",
    "INVALID_TYPE_FOR_OPERATION": "unknown_object",
    "SERVER_UNAVAILABLE": "provider",
    "QUERY_TIMEOUT": "provider",
}

_PREFIXES: tuple[tuple[str, FaultKind], ...] = (
    ("INSUFFICIENT_ACCESS", "forbidden"),
    ("INVALID_FIELD", "unknown_field"),
)

_BY_TARGET: dict[Target, Mapping[str, FaultKind]] = {
    "object": {"NOT_FOUND": "unknown_object"},
    "record": {"NOT_FOUND": "not_found", "INVALID_CROSS_REFERENCE_KEY": "not_found"},
    # Its words: Provided external ID field does not exist or is not accessible.
    "external_id": {"NOT_FOUND": "unknown_field"},
}

_STATUSES: Mapping[int, FaultKind] = {300: "conflict", 410: "unknown_object"}

# The words of a value that found nothing are under INVALID_FIELD too, and are no drift of the schema.
_NO_SUCH_PARENT = "Foreign key external ID"
_NO_SUCH_COLUMN = re.compile(r"No such column '([^']+)'")
# The words of DUPLICATE_VALUE end with the record that is there already.
_EXISTING = re.compile(r"record with id: ([A-Za-z0-9]{15,18})")


class _Error(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One error, of a request or of a record."""

    message: str = ""
    error_code: str = ""
    status_code: str = ""
    fields: tuple[str, ...] | None = None

    @property
    def code(self) -> str:
        return self.error_code or self.status_code

    @property
    def named_fields(self) -> tuple[str, ...]:
        """The fields it lists, or else those its words name."""
        return self.fields or tuple(_NO_SUCH_COLUMN.findall(self.message))


def record_fault(errors: Any, *, target: Target) -> Fault:
    """Answer the fault of one record of a collection, from its ``errors``."""
    return _fault(_parse(errors), target=target, fallback="invalid")


def read_failure(response: httpx.Response, *, target: Target) -> ConnectorError:
    """Name what an answer without success means where the request could change nothing."""
    return Refused(_whole(response, target=target), raw_response=raw_text(response))


def write_failure(response: httpx.Response, *, target: Target) -> ConnectorError:
    """Name what an answer without success means for a write: refused, or nobody knows."""
    fault = _whole(response, target=target)
    if isinstance(failure(response), Refused):
        return Refused(fault, raw_response=raw_text(response))
    return Ambiguous(msgspec.structs.replace(fault, kind="ambiguous"), raw_response=raw_text(response))


def spread_blame(faults: Sequence[Fault | None]) -> tuple[Fault | None, ...]:
    """Give records that were only rolled back the kind of the record that undid them.

    A lock on one record then makes the whole all-or-none change repeatable, and a bad value in one makes it final.
    The words and the code stay Salesforce's own.
    """
    guilty = [fault.kind for fault in faults if fault is not None and fault.code != ROLLED_BACK]
    kind: FaultKind = min(guilty, key=lambda each: each in {"locked", "rate_limited", "provider"}, default="invalid")
    return tuple(
        msgspec.structs.replace(fault, kind=kind) if fault is not None and fault.code == ROLLED_BACK else fault
        for fault in faults
    )


def _whole(response: httpx.Response, *, target: Target) -> Fault:
    plain = status_fault(response, overrides=_STATUSES)
    if response.status_code == HTTPStatus.MULTIPLE_CHOICES:
        # https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/dome_upsert.htm
        message = clip(f"more than one record has this external id, and none was written: {plain.message}")
        return msgspec.structs.replace(plain, message=message)
    try:
        errors = _parse(msgspec.json.decode(response.content))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return plain
    if not errors:
        return plain
    fault = _fault(errors, target=target, fallback=plain.kind)
    return msgspec.structs.replace(fault, status=plain.status, retry_after_seconds=plain.retry_after_seconds)


def _fault(errors: Sequence[_Error], *, target: Target, fallback: FaultKind) -> Fault:
    first = errors[0] if errors else _Error(message="Salesforce refused the record without a reason")
    message = "; ".join(error.message for error in errors if error.message) or first.message or first.code
    return Fault(
        kind=_kind(first, target=target) or fallback,
        message=clip(message),
        code=first.code or None,
        existing_id=next(iter(_EXISTING.findall(message)), None),
        fields=tuple(dict.fromkeys(name for error in errors for name in error.named_fields)),
    )


def _kind(error: _Error, *, target: Target) -> FaultKind | None:
    if error.message.startswith(_NO_SUCH_PARENT):
        return "invalid"
    # A bad reference is told under the same code as a bad address; only the first names a field.
    if error.code in _BY_TARGET[target] and not error.fields:
        return _BY_TARGET[target][error.code]
    exact = _KINDS.get(error.code)
    return exact or next((kind for prefix, kind in _PREFIXES if error.code.startswith(prefix)), None)


def _parse(body: Any) -> tuple[_Error, ...]:
    """Read an array of errors; anything else gives none."""
    try:
        return msgspec.convert(body, tuple[_Error, ...])
    except msgspec.ValidationError:
        return ()
