"""What an answer means where a provider says nothing special: statuses to faults, waits, and bodies that can be read.

A connector starts from these tables and overrides cells by what its provider documents; nothing here is a guess that
something did not happen.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import httpx
import msgspec

from connectors.errors import Ambiguous, ConnectorError, Refused, Unreadable
from installations.record import Fault, FaultKind, RecordOutcome

T = TypeVar("T")

TEXT_LIMIT = 4096
"""The most bytes of a provider's words that are kept."""
SHORTEST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 3600.0

REFUSED: Mapping[int, FaultKind] = {
    300: "unrecognised",
    301: "unrecognised",
    302: "unrecognised",
    303: "unrecognised",
    304: "unrecognised",
    307: "unrecognised",
    308: "unrecognised",
    400: "invalid",
    401: "auth",
    402: "forbidden",
    403: "forbidden",
    404: "not_found",
    405: "invalid",
    406: "invalid",
    409: "conflict",
    410: "not_found",
    411: "invalid",
    412: "conflict",
    413: "invalid",
    414: "invalid",
    415: "invalid",
    416: "invalid",
    417: "invalid",
    421: "invalid",
    422: "invalid",
    423: "locked",
    424: "invalid",
    426: "invalid",
    428: "invalid",
    429: "rate_limited",
    431: "invalid",
    451: "forbidden",
    501: "invalid",
}
"""Statuses that say: I did not do it. Redirects are never followed, so they are refusals."""

UNCLEAR: Mapping[int, FaultKind] = {408: "provider", 425: "provider"}
"""Statuses besides 5xx after which nobody knows. A status in neither table is unclear too, as ``unrecognised``."""

_MESSAGE_KEYS = ("message", "error_description", "detail", "error", "title", "reason", "errors", "messages")
_SECONDS = re.compile(r"\d{1,12}(?:\.\d{1,6})?")


def status_fault(response: httpx.Response, *, overrides: Mapping[int, FaultKind] | None = None) -> Fault:
    """Say what a status other than a success means for a read, in the provider's words where it has any.

    For a write use `failure`: there a status that proves nothing is ``ambiguous``, whoever has to act.
    """
    status = response.status_code
    kind = (overrides or {}).get(status) or REFUSED.get(status) or UNCLEAR.get(status)
    return Fault(
        kind=kind or ("provider" if response.is_server_error else "unrecognised"),
        message=provider_message(response) or f"the provider answered {status}",
        status=status,
        code="unexpected_redirect" if response.is_redirect else None,
        retry_after_seconds=retry_after_seconds(response),
    )


def failure(response: httpx.Response, *, overrides: Mapping[int, FaultKind] | None = None) -> ConnectorError:
    """Make the error for a status other than a success: `Refused` where the status says so, else `Ambiguous`.

    A status in ``overrides`` is a refusal: the provider documents that it then did nothing.
    """
    known = response.status_code in REFUSED or response.status_code in (overrides or {})
    kind = Refused if known else Ambiguous
    return kind(status_fault(response, overrides=overrides), raw_response=raw_text(response))


def require_success(response: httpx.Response, *, overrides: Mapping[int, FaultKind] | None = None) -> None:
    """Return if the status is a success; raise what `failure` makes if not."""
    if not response.is_success:
        raise failure(response, overrides=overrides)


def decode_body(response: httpx.Response, kind: type[T]) -> T:
    """Decode a success's JSON body. Raises `Unreadable`: it was done, but we cannot read what came of it."""
    try:
        return msgspec.json.decode(response.content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(response, f"the body cannot be used: {_brief(error)}") from error


def unreadable(response: httpx.Response, what: str) -> Unreadable:
    """Make the error for a success status whose body does not say what it must."""
    message = f"the provider answered {response.status_code}, but {what}"
    fault = Fault(kind="unrecognised", message=clip(message), status=response.status_code)
    return Unreadable(fault, raw_response=raw_text(response))


def retry_after_seconds(response: httpx.Response) -> float | None:
    """Read ``Retry-After``: seconds, or any of HTTP's three date forms against the answer's own ``Date``.

    Clamped to 1 s ... 1 h. ``None`` if it is absent, past, negative or garbage. RFC 9110, sections 5.6.7 and 10.2.3.
    """
    value = response.headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return _clamped(float(value))
    until, now = _date(value), _date(response.headers.get("date", ""))
    if until is None or now is None or until <= now:
        return None
    return _clamped((until - now).total_seconds())


def clip(text: str) -> str:
    """Cut a text to `TEXT_LIMIT` bytes of UTF-8."""
    return text.encode("utf-8", "replace")[:TEXT_LIMIT].decode("utf-8", "ignore")


def raw_text(response: httpx.Response) -> str | None:
    """Answer the start of the body as text; ``None`` if it is empty."""
    return clip(response.content[:TEXT_LIMIT].decode("utf-8", "replace")) or None


def provider_message(response: httpx.Response) -> str:
    """Find the provider's own words in an error body of any shape; empty if there are none."""
    try:
        found = _words(msgspec.json.decode(response.content), depth=0)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = "" if _looks_like_markup(response) else response.content[:TEXT_LIMIT].decode("utf-8", "replace")
    return clip(found.strip())


def unmatched(status: int | None) -> RecordOutcome:
    """Make the outcome of a record that a batch's answer does not mention: nobody knows."""
    fault = Fault(kind="ambiguous", message="the provider's answer does not mention this record", status=status)
    return RecordOutcome(success=False, fault=fault)


def complete(outcomes: Sequence[RecordOutcome], *, count: int, status: int | None) -> tuple[RecordOutcome, ...]:
    """Answer exactly ``count`` outcomes for answers told apart by position.

    Fewer: the rest is unknown. More: positions mean nothing, so all are unknown.
    """
    if len(outcomes) > count:
        return (unmatched(status),) * count
    return (*outcomes, *[unmatched(status)] * (count - len(outcomes)))


def _clamped(seconds: float) -> float:
    return min(max(seconds, SHORTEST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)


def _brief(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]


def _words(value: Any, *, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth > 3:  # noqa: PLR2004 -- deeper than any known error body
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_words(item, depth=depth + 1) for item in value[:10])))
    if isinstance(value, dict):
        return next(filter(None, (_words(value.get(key), depth=depth + 1) for key in _MESSAGE_KEYS)), "")
    return ""


def _looks_like_markup(response: httpx.Response) -> bool:
    return response.content.lstrip()[:1] == b"<"
