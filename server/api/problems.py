"""The one table from errors to statuses and problem documents (RFC 9457, with the published members).

Nothing else in the house knows an HTTP status of an error. Every error class of ours has a row, its own or its
parent's; whatever has none is our fault, answered as such and recorded without its text.
"""

import math
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal, get_args

import msgspec
from litestar.exceptions import HTTPException
from msgspec import UNSET, UnsetType

from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused, Unreadable
from installations.errors import InstallationsError, InvalidInput, Issue, NotFound
from installations.record import FaultKind
from server import logs
from server.access.errors import AccessError, BadToken, Forbidden, TooManyRequests, Unauthenticated
from server.api.bodies import Malformed
from server.connecting.errors import ConnectError
from server.delivering.holds import OnHold
from server.delivering.idempotency import IdempotencyError, KeyInFlight, KeyReused
from server.delivering.verdicts import Forgotten, InterventionError, Unfit
from server.door.refusals import BadRequest, NotOffered, RequestError, TooLarge, TooSlow, WrongMediaType
from server.editing import ConfigChanged
from server.proxying.errors import (
    AnswerWithheld,
    HeldBack,
    MaybeForwarded,
    NeverForwarded,
    NotForwarded,
    NotPassed,
    ProxyError,
    ProxyOff,
)
from server.store.contract import InUse, Missing, StoreError, Superseded, Taken, Unavailable
from server.store.keyring import RetiredKey
from server.store.vault import UnknownKey, Unsealable

PROBLEM_TYPE = "application/problem+json"
RETRY_SECONDS = 2
"""What we ask a caller to wait while the database is away."""
CHALLENGE = 'Bearer realm="isthmus"'
LONGEST_RETRY_SECONDS = 24 * 3600
"""The most that a provider can make us ask for."""


MOST_ISSUES = 500
"""How many an answer lists: a small body can have a thousand times its size wrong with it."""


Where = Literal["body", "header", "path", "query"]
"""Where in a request an issue lies."""


class ProblemIssue(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One thing wrong with the input, in the published shape; ``code`` and ``severity`` are ours."""

    type: str
    title: str
    detail: str
    where: Where = msgspec.field(name="in")
    name: str
    code: str
    value: Any = UNSET
    remedy: str | UnsetType = UNSET
    line: int | UnsetType = UNSET
    severity: Literal["error", "warning"] = "error"


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An ``ApiProblem``, or with ``issues`` an ``InputValidationProblem``."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    time: datetime
    request_id: str
    code: str
    retryable: bool | UnsetType = UNSET
    retry_after: datetime | UnsetType = UNSET
    causes: tuple[str, ...] | UnsetType = UNSET
    remedy: str | UnsetType = UNSET
    issues: tuple[ProblemIssue, ...] | UnsetType = UNSET


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table: what one kind of error is to a caller."""

    status: HTTPStatus
    code: str
    title: str
    retryable: bool = False
    says_why: bool = True
    """Whether the error's own text is meant for the caller."""


_INTERNAL = Problem(
    status=HTTPStatus.INTERNAL_SERVER_ERROR, code="internal", title="Something went wrong here", says_why=False
)
_MALFORMED = Problem(status=HTTPStatus.BAD_REQUEST, code="malformed", title="The request cannot be understood")
_UNAVAILABLE = Problem(
    status=HTTPStatus.SERVICE_UNAVAILABLE,
    code="unavailable",
    title="Not available right now",
    retryable=True,
    says_why=False,
)
_MISSING = Problem(status=HTTPStatus.NOT_FOUND, code="not-found", title="Not found")
_CONFLICT = Problem(status=HTTPStatus.CONFLICT, code="conflict", title="This conflicts with what is there")
_BAD_GATEWAY = Problem(status=HTTPStatus.BAD_GATEWAY, code="provider", title="The provider failed", retryable=True)

TABLE: dict[type[BaseException], Problem] = {
    InstallationsError: _MALFORMED,
    InvalidInput: Problem(status=HTTPStatus.UNPROCESSABLE_ENTITY, code="invalid-input", title="The input is not valid"),
    Malformed: _MALFORMED,
    NotFound: _MISSING,
    RequestError: _MALFORMED,
    BadRequest: _MALFORMED,
    NotOffered: Problem(status=HTTPStatus.NOT_FOUND, code="not-offered", title="Not offered by this version"),
    TooLarge: Problem(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="too-large", title="The request is too large"),
    TooSlow: Problem(
        status=HTTPStatus.REQUEST_TIMEOUT, code="too-slow", title="The request took too long to arrive", retryable=True
    ),
    WrongMediaType: Problem(
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, code="media-type", title="The body must be plain JSON"
    ),
    IdempotencyError: _CONFLICT,
    KeyReused: Problem(
        status=HTTPStatus.UNPROCESSABLE_ENTITY, code="idempotency-key-reused", title="The key came with another body"
    ),
    KeyInFlight: Problem(
        status=HTTPStatus.CONFLICT,
        code="idempotency-key-in-flight",
        title="The first request is still under way",
        retryable=True,
    ),
    InterventionError: _CONFLICT,
    Unfit: Problem(status=HTTPStatus.CONFLICT, code="operation-state", title="This cannot be done to it now"),
    Forgotten: Problem(status=HTTPStatus.NOT_FOUND, code="forgotten", title="Not kept any more"),
    OnHold: Problem(
        status=HTTPStatus.TOO_MANY_REQUESTS, code="on-hold", title="The provider asked us to wait", retryable=True
    ),
    AccessError: Problem(status=HTTPStatus.FORBIDDEN, code="forbidden", title="Not allowed"),
    Unauthenticated: Problem(status=HTTPStatus.UNAUTHORIZED, code="unauthenticated", title="Not authenticated"),
    BadToken: Problem(status=HTTPStatus.UNAUTHORIZED, code="bad-token", title="The token is refused"),
    Forbidden: Problem(status=HTTPStatus.FORBIDDEN, code="forbidden", title="Not allowed"),
    TooManyRequests: Problem(
        status=HTTPStatus.TOO_MANY_REQUESTS, code="too-many-requests", title="Too many requests", retryable=True
    ),
    ConnectError: _MALFORMED,
    ProxyError: _BAD_GATEWAY,
    ProxyOff: Problem(status=HTTPStatus.FORBIDDEN, code="proxy-off", title="Proxy calls are not offered"),
    HeldBack: Problem(
        status=HTTPStatus.TOO_MANY_REQUESTS, code="held-back", title="This account is not called yet", retryable=True
    ),
    NotPassed: _BAD_GATEWAY,
    NotForwarded: Problem(
        status=HTTPStatus.BAD_GATEWAY, code="not-sent", title="Nothing was sent to the provider", retryable=True
    ),
    NeverForwarded: Problem(
        status=HTTPStatus.BAD_GATEWAY, code="not-sendable", title="Nothing can be sent to the provider"
    ),
    MaybeForwarded: Problem(
        status=HTTPStatus.BAD_GATEWAY, code="ambiguous", title="The provider may have acted, or not"
    ),
    AnswerWithheld: Problem(
        status=HTTPStatus.BAD_GATEWAY, code="answer-withheld", title="The provider's answer cannot be passed on"
    ),
    StoreError: _INTERNAL,
    Unsealable: _INTERNAL,
    UnknownKey: _INTERNAL,
    Missing: _MISSING,
    Taken: _CONFLICT,
    InUse: _CONFLICT,
    Superseded: Problem(
        status=HTTPStatus.CONFLICT, code="superseded", title="Somebody else changed it first", retryable=True
    ),
    ConfigChanged: Problem(status=HTTPStatus.CONFLICT, code="config-changed", title="The config is another one by now"),
    Unavailable: _UNAVAILABLE,
    RetiredKey: _UNAVAILABLE,
    ConnectorError: _BAD_GATEWAY,
    NotSent: _BAD_GATEWAY,
    Refused: Problem(status=HTTPStatus.UNPROCESSABLE_ENTITY, code="provider-refused", title="The provider refused"),
    Ambiguous: _BAD_GATEWAY,
    Unreadable: _BAD_GATEWAY,
    RecursionError: Problem(
        status=HTTPStatus.BAD_REQUEST, code="malformed", title="The input is nested too deeply", says_why=False
    ),
    UnicodeDecodeError: Problem(
        status=HTTPStatus.BAD_REQUEST, code="malformed", title="The input is not valid UTF-8", says_why=False
    ),
    UnicodeEncodeError: Problem(
        status=HTTPStatus.BAD_REQUEST, code="malformed", title="The input is not valid Unicode", says_why=False
    ),
    OverflowError: Problem(
        status=HTTPStatus.BAD_REQUEST, code="malformed", title="A number is out of range", says_why=False
    ),
    Exception: _INTERNAL,
}
"""The nearest class above an error has its row."""


REFUSALS: dict[FaultKind, Problem] = {
    "not_found": _MISSING,
    "unknown_object": _MISSING,
    "rate_limited": Problem(
        status=HTTPStatus.TOO_MANY_REQUESTS, code="rate-limited", title="The provider asks us to wait", retryable=True
    ),
}
"""What some kinds of a provider's refusal are to a caller; the others are as the table says."""


def problem_of(error: Exception) -> Problem:
    """Find the row of an error."""
    if isinstance(error, Refused) and error.fault.kind in REFUSALS:
        return REFUSALS[error.fault.kind]
    if isinstance(error, HTTPException):
        return _of_framework(error)
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def _of_framework(error: HTTPException) -> Problem:
    """Read what the framework itself refuses: unknown routes, methods, parameters."""
    status = HTTPStatus(error.status_code)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _INTERNAL
    title = "Not found" if status == HTTPStatus.NOT_FOUND else status.phrase
    return Problem(status=status, code=title.lower().replace(" ", "-"), title=title)


def document_of(error: Exception, *, request_id: str, now: datetime) -> ProblemDocument:
    """Describe an error to the caller, in the published shape."""
    problem = problem_of(error)
    issues, more = _issues(error)
    faults = [issue for issue in issues if issue.severity == "error"]
    causes = tuple(f"{i.name}: {i.detail}" if i.name else i.detail for i in faults)
    causes += (f"and {more} more",) if more and causes else ()
    after = now + timedelta(seconds=_after_seconds(error)) if problem.retryable else UNSET
    return ProblemDocument(
        type=f"urn:isthmus:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        detail="; ".join(causes) or _detail(error, problem, request_id=request_id),
        instance=f"urn:uuid:{request_id}",
        time=now,
        request_id=request_id,
        code=problem.code,
        retryable=problem.retryable,
        retry_after=after,
        causes=causes or UNSET,
        remedy=next((i.remedy for i in faults if i.remedy is not UNSET), UNSET),
        issues=issues or UNSET,
    )


def headers_of(error: Exception) -> dict[str, str]:
    """Answer the headers that belong to an error."""
    headers = {"retry-after": str(_after_seconds(error))} if problem_of(error).retryable else {}
    if isinstance(error, ProxyError):
        headers |= error.headers
    if isinstance(error, RequestError):
        headers["connection"] = "close"  # the body may not have been read
    if isinstance(error, Unauthenticated):
        # https://www.rfc-editor.org/rfc/rfc6750#section-3; no scheme is registered for the header of API keys.
        headers["www-authenticate"] = CHALLENGE + (', error="invalid_token"' if isinstance(error, BadToken) else "")
    if isinstance(error, HTTPException):
        headers |= {name.lower(): value for name, value in (error.headers or {}).items() if name.lower() == "allow"}
    return headers


def _after_seconds(error: Exception) -> int:
    """Tell when it may be worth another try: where somebody said when, then not before."""
    if isinstance(error, TooManyRequests | HeldBack | OnHold):
        return error.after_seconds
    if isinstance(error, ConnectorError) and error.fault.retry_after_seconds is not None:
        return max(1, math.ceil(min(error.fault.retry_after_seconds, LONGEST_RETRY_SECONDS)))
    return RETRY_SECONDS


def record(error: Exception, *, request_id: str) -> None:
    """Leave a trace of what is our own fault."""
    if problem_of(error).status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logs.failed("request.failed", error, request_id=request_id)


def _detail(error: Exception, problem: Problem, *, request_id: str) -> str:
    if isinstance(error, HTTPException) and problem is not _INTERNAL:
        return _framework_detail(error, problem)
    if isinstance(error, ConnectorError):
        return f"The provider answered: {error.fault.message}"
    if problem.says_why and str(error):
        return str(error)
    if problem is _INTERNAL:
        return f"The request failed through no fault of yours. It is recorded under {request_id}."
    return f"{problem.title}."


def _framework_detail(error: HTTPException, problem: Problem) -> str:
    if problem.status == HTTPStatus.NOT_FOUND:
        return "There is nothing at this address."
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"This address is there, but not for this method: use {' or '.join(offered_methods(error))}."
    return f"{problem.title}."


def offered_methods(error: HTTPException) -> tuple[str, ...]:
    """List the methods that an address takes, where one was refused. OPTIONS, which all take, says nothing."""
    listed = next((value for name, value in (error.headers or {}).items() if name.lower() == "allow"), "")
    return tuple(sorted(method for name in listed.split(",") if (method := name.strip()) and method != "OPTIONS"))


def _issues(error: Exception) -> tuple[tuple[ProblemIssue, ...], int]:
    """List what is wrong with the input, and count what is too much for one answer."""
    found = error.issues if isinstance(error, InvalidInput) else ()
    return tuple(_issue(issue) for issue in found[:MOST_ISSUES]), len(found[MOST_ISSUES:])


def _issue(issue: Issue) -> ProblemIssue:
    where, name = _place(issue.path)
    return ProblemIssue(
        type=f"urn:isthmus:problem:{issue.code}",
        title=issue.code.replace("-", " ").capitalize(),
        detail=issue.message,
        where=where,
        name=name,
        code=issue.code,
        value=issue.value,
        remedy=issue.remedy,
        line=issue.line,
        severity=issue.severity,
    )


def _place(path: str) -> tuple[Where, str]:
    """Tell the part of the request and the name in it; a path that names no part lies in the body."""
    head, _, rest = path.partition(".")
    where: Where = next((part for part in get_args(Where) if part == head and rest), "body")
    return where, rest if head == where and rest else path
