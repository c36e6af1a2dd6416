"""What HubSpot's error answers mean.

Every member of an error body is optional and the status is the last thing to go by:
https://developers.hubspot.com/docs/api-reference/error-handling
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import httpx
import msgspec

from connectors.answers import REFUSED, clip, raw_text, retry_after_seconds, status_fault
from connectors.errors import Ambiguous, Refused
from installations.record import Fault, FaultKind

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

_MIGRATING = 477
"""HubSpot's own status: the account is being moved between data centres."""

_STATUS_WINS = frozenset({401, 403, 423, 429, _MIGRATING})
"""These statuses say more than a category, which may be missing or general there."""

_UNKNOWN_OBJECT = "Unable to infer object type from"
_INVALID_VALUES = "Property values were not valid: "
_EXISTING_ID = re.compile(r"Existing ID:\s{0,4}(\w{1,64})|\b(\w{1,64}) already has that value")
"""The only place where HubSpot names the record in the way; the second for unique properties of one's own."""
_DIGITS = re.compile(r"[0-9]{1,9}")


class _Detail(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one property."""

    message: str
    code: str
    field: str


def refuse(response: httpx.Response) -> NoReturn:
    """Raise what an answer means that is no success: `Refused`, or `Ambiguous` where it may have happened.

    Which statuses are refusals is the house's table; 502 and 504 are documented as time-outs, so with any 5xx nobody
    knows whether the write went through.
    """
    fault = read_response(response)
    refused = response.status_code in REFUSED or response.status_code == _MIGRATING
    raise (Refused if refused else Ambiguous)(fault, raw_response=raw_text(response))


def refuse_read(response: httpx.Response) -> NoReturn:
    """Raise what an answer to a request that only reads means: `Refused` always, for it cannot have changed a thing."""
    raise Refused(read_response(response), raw_response=raw_text(response))


def read_response(response: httpx.Response) -> Fault:
    """Read an answer that is no success: its body first, then its status."""
    general = status_fault(response, overrides={_MIGRATING: "provider"})
    status = response.status_code
    if status not in REFUSED and status != _MIGRATING:
        return general
    told = read_entry(_parse(response.content), otherwise=general.kind, status=status)
    wait = _wait(told.kind, response)
    return msgspec.structs.replace(
        told, message=told.message or general.message, status=status, retry_after_seconds=wait
    )


def is_own(response: httpx.Response) -> bool:
    """Tell an answer of HubSpot's from a page of somebody on the way, such as a proxy: its refusals say why in JSON."""
    return bool(_text(_parse(response.content).get("message")))


def read_entry(body: Mapping[str, Any], *, otherwise: FaultKind = "unrecognised", status: int | None = None) -> Fault:
    """Read an error body, or one entry of ``errors`` in a 207, which has no status of its own."""
    details = tuple(_details(body))
    message = _text(body.get("message"))
    category = _text(body.get("category"))
    kind = otherwise
    if status not in _STATUS_WINS:
        kind = _kind(message, category=category, codes={detail.code for detail in details}) or otherwise
    existing = _EXISTING_ID.search(message) if kind == "conflict" else None
    return Fault(
        kind=kind,
        message=clip(_words(message, details)),
        code=next((detail.code for detail in details if detail.code), "") or category or None,
        fields=_fields(kind, details),
        existing_id=existing[1] or existing[2] if existing else None,
    )


def _kind(message: str, *, category: str, codes: set[str]) -> FaultKind | None:
    if message.startswith(_UNKNOWN_OBJECT):
        return "unknown_object"  # Measured as a bare 400 without a category; 404 was seen too.
    told = next((kind for code, kind in _BY_CODE.items() if code in codes), None)
    return told or _BY_CATEGORY.get(category)


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


def _wait(kind: FaultKind, response: httpx.Response) -> float | None:
    """Seconds until it may go through. ``Retry-After`` is documented for 477 only, so elsewhere it comes last."""
    if response.status_code == _MIGRATING:
        return retry_after_seconds(response) or _MIGRATION_SECONDS
    if kind == "locked":
        return _LOCK_SECONDS
    if kind != "rate_limited":
        return None
    policy = _text(_parse(response.content).get("policyName"))
    interval = response.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
    if policy != "DAILY" and _DIGITS.fullmatch(interval):
        return int(interval) / 1000
    return _POLICY_SECONDS.get(policy) or retry_after_seconds(response)


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
