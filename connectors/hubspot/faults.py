"""What HubSpot's error answers mean.

Every member of an error body is optional and the status is the last thing to go by:
https://developers.hubspot.com/docs/api-reference/error-handling
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import httpx
import msgspec

from connectors.errors import Ambiguous, Refused
from installations.record import Fault, FaultKind

TEXT_LIMIT = 4096

_LOCK_SECONDS = 2.0
"""A 423 lasts two seconds. https://developers.hubspot.com/docs/api-reference/error-handling"""
_MIGRATION_SECONDS = 3600.0
"""A 477 lasts hours; its ``Retry-After`` says how many seconds."""
_DAILY_SECONDS = 3600.0
"""A spent daily budget comes back at the account's own midnight, which is not known here: ask again every hour."""
_POLICY_SECONDS: Mapping[str, float] = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": _DAILY_SECONDS}
"""By ``policyName`` of a 429. https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines"""

_BY_CODE: Mapping[str, FaultKind] = {
    "PROPERTY_DOESNT_EXIST": "unknown_field",
    "READ_ONLY_VALUE": "unknown_field",
    "READ_ONLY_PROPERTY": "unknown_field",
    "CONFLICTING_UNIQUE_VALUE": "conflict",
}
"""Codes of single properties, the most telling first. A property that became read-only needs the mapping repaired
just as one that is gone.
"""

_BY_CATEGORY: Mapping[str, FaultKind] = {
    "INVALID_AUTHENTICATION": "auth",
    "EXPIRED_AUTHENTICATION": "auth",
    "REVOKED_AUTHENTICATION": "auth",
    "MISSING_SCOPES": "forbidden",
    "BANNED": "forbidden",
    "RATE_LIMITS": "rate_limited",
    "CONFLICT": "conflict",
    "OBJECT_ALREADY_EXISTS": "conflict",
    "OBJECT_NOT_FOUND": "not_found",
    "VALIDATION_ERROR": "invalid",
}
"""``category`` of the published error models (https://github.com/HubSpot/hubspot-api-python)."""

_BY_STATUS: Mapping[int, FaultKind] = {
    401: "auth",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    423: "locked",
    429: "rate_limited",
    477: "provider",
}

_STATUS_WINS = frozenset({401, 403, 423, 429, 477})
"""These statuses say more than a category, which may be missing or general there."""

_AMBIGUOUS = frozenset({408, 425})

_UNKNOWN_OBJECT = "Unable to infer object type from"
_INVALID_VALUES = "Property values were not valid: "
_EXISTING_ID = re.compile(r"Existing ID:\s*(\w+)|(\w+) already has that value")
"""The only place where HubSpot names the record in the way; the second for unique properties of one's own."""
_DIGITS = re.compile(r"[0-9]{1,9}")


class _Detail(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one property."""

    message: str
    code: str
    field: str


def refuse(response: httpx.Response) -> NoReturn:
    """Raise what an answer means that is no success: `Refused`, or `Ambiguous` where it may have happened.

    Any 5xx, a 408 and a 425 may come from a proxy that gave up waiting (502 and 504 are documented as time-outs), so
    nobody knows whether the write went through. A 3xx or another unheard-of status is never taken for success.
    """
    text = response.text[:TEXT_LIMIT]
    fault = read_fault(_parse(response.content), status=response.status_code, headers=response.headers)
    if fault.kind in {"ambiguous", "unrecognised"}:
        raise Ambiguous(fault, raw_response=text)
    raise Refused(fault, raw_response=text)


def refuse_read(response: httpx.Response) -> NoReturn:
    """Raise what an answer to a request that only reads means: `Refused` always, for it cannot have changed a thing."""
    try:
        refuse(response)
    except Ambiguous as error:
        kind: FaultKind = "provider" if error.fault.kind == "ambiguous" else error.fault.kind
        fault = msgspec.structs.replace(error.fault, kind=kind)
        raise Refused(fault, raw_response=error.raw_response) from None


def read_fault(body: Mapping[str, Any], *, status: int | None, headers: Mapping[str, str] | None = None) -> Fault:
    """Read an error body, or one entry of ``errors`` in a 207, where there is no ``status``."""
    details = tuple(_details(body))
    message = _text(body.get("message"))
    kind = _kind(status, category=_text(body.get("category")), message=message, codes={d.code for d in details})
    existing = _EXISTING_ID.search(message) if kind == "conflict" else None
    return Fault(
        kind=kind,
        message=_words(message, details)[:TEXT_LIMIT] or f"HubSpot answered {status} without a message",
        status=status,
        code=next((detail.code for detail in details if detail.code), "") or _text(body.get("category")) or None,
        fields=_fields(kind, details),
        retry_after_seconds=_retry_after(status, kind, body=body, headers=headers or {}),
        existing_id=existing[1] or existing[2] if existing else None,
    )


def _kind(status: int | None, *, category: str, message: str, codes: set[str]) -> FaultKind:
    if status is not None and (status >= 500 or status in _AMBIGUOUS):  # noqa: PLR2004 - the class of server errors
        return "ambiguous"
    if status in _STATUS_WINS:
        return _BY_STATUS[status]
    if message.startswith(_UNKNOWN_OBJECT):
        return "unknown_object"  # Measured as a bare 400 without a category; 404 was seen too.
    for code, kind in _BY_CODE.items():
        if code in codes:
            return kind
    return _BY_CATEGORY.get(category) or _kind_by_status(status)


def _kind_by_status(status: int | None) -> FaultKind:
    if status is None:
        return "unrecognised"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "invalid" if 400 <= status < 500 else "unrecognised"  # noqa: PLR2004 - the class of client errors


def _fields(kind: FaultKind, details: tuple[_Detail, ...]) -> tuple[str, ...]:
    """Name the properties that are to blame; among several problems those of the kind that was chosen."""
    blamed = [detail.field for detail in details if _BY_CODE.get(detail.code, "invalid") == kind]
    return tuple(dict.fromkeys(field for field in blamed or [d.field for d in details] if field))


def _words(message: str, details: tuple[_Detail, ...]) -> str:
    words = list(dict.fromkeys(detail.message for detail in details if detail.message))
    if message.startswith(_INVALID_VALUES) and words:
        message = _INVALID_VALUES.removesuffix(": ")
    return ": ".join(filter(None, (message, "; ".join(word for word in words if word not in message))))


def _details(body: Mapping[str, Any]) -> Iterator[_Detail]:
    """Find what is said of single properties: in ``errors``, in ``context``, or as JSON inside ``message``."""
    for error in _objects(body.get("errors")):
        context = error.get("context")
        named = context.get("propertyName") if isinstance(context, Mapping) else None
        field = named[0] if isinstance(named, list) and named else named
        yield _Detail(
            message=_text(error.get("message")),
            code=_text(error.get("code")),
            field=_text(field) or _text(error.get("in")),
        )
    context = body.get("context")
    missing = context.get("properties") if isinstance(context, Mapping) else None
    for field in missing if isinstance(missing, list) else ():
        yield _Detail(message="", code="", field=_text(field))  # "Some required properties were not set."
    yield from _embedded(_text(body.get("message")))


def _embedded(message: str) -> Iterator[_Detail]:
    """Read ``Property values were not valid: [{"isValid":false,"message":…,"error":"INVALID_OPTION","name":…}]``."""
    if message.startswith(_INVALID_VALUES):
        for error in _objects(_parse_any(message.removeprefix(_INVALID_VALUES).encode())):
            yield _Detail(
                message=_text(error.get("message")), code=_text(error.get("error")), field=_text(error.get("name"))
            )


def _retry_after(
    status: int | None, kind: FaultKind, *, body: Mapping[str, Any], headers: Mapping[str, str]
) -> float | None:
    if kind == "locked":
        return _LOCK_SECONDS
    if kind == "rate_limited":
        return _rate_limit_seconds(_text(body.get("policyName")), headers=headers)
    if status == 477:  # noqa: PLR2004 - HubSpot's own status
        return _seconds(headers.get("retry-after"), scale=1) or _MIGRATION_SECONDS
    return None


def _rate_limit_seconds(policy: str, *, headers: Mapping[str, str]) -> float | None:
    """Seconds until the window moves on. ``Retry-After`` is not documented for this, so it comes last."""
    if policy == "DAILY":
        return _DAILY_SECONDS
    interval = _seconds(headers.get("x-hubspot-ratelimit-interval-milliseconds"), scale=1000)
    return interval or _POLICY_SECONDS.get(policy) or _seconds(headers.get("retry-after"), scale=1)


def _seconds(text: str | None, *, scale: int) -> float | None:
    return int(text) / scale if text is not None and _DIGITS.fullmatch(text) else None


def _parse(content: bytes) -> Mapping[str, Any]:
    body = _parse_any(content)
    return body if isinstance(body, Mapping) else {}


def _parse_any(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # A proxy's page, or text that only looks like JSON: the status has to do.


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
