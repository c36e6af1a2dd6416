"""The door: what every request must look like, and what every answer carries.

A plain ASGI wrapper around the application. It knows the five published services, CORS, request ids and limits; it
knows nothing of keys or resources.
"""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from server import logs
from server.address import parse_address
from server.api import problems
from server.clock import Clock, NewId
from server.refusals import BadRequest, RequestError, TooLarge, WrongMediaType

MAX_BODY_BYTES = 1_000_000
MAX_WRITE_BYTES = 6_000_000
"""A batch of a hundred records."""
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_EXPOSED = b"X-Request-Id, Retry-After, Idempotent-Replayed"
_EVERY_ANSWER = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", _EXPOSED),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"Origin"),
)
_PREFLIGHT = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
    (b"access-control-max-age", b"7200"),
)
_ALLOWED_HEADERS = b"Content-Type, X-Api-Key, Authorization, X-Amp-Client, X-Amp-Client-Version, Idempotency-Key"
Headers = dict[bytes, bytes]


class Front:
    """Admits requests that are in order to the application, and finishes every answer."""

    def __init__(self, app: ASGIApp, *, clock: Clock, new_id: NewId) -> None:
        self._app = app
        self._clock = clock
        self._new_id = new_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, request_id=self._new_id())
        headers = dict(scope["headers"])
        if scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
            await answer.preflight(headers)
            return
        try:
            receive = self._admit(scope, receive, headers, request_id=answer.request_id)
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 -- the rim: nothing may leave as a traceback
            await self._fail(error, answer)

    def _admit(self, scope: Any, receive: Receive, headers: Headers, *, request_id: str) -> Receive:
        """Check the request and say in its scope what it means. Raises `RequestError`."""
        address = parse_address(scope.get("raw_path") or scope["path"].encode(), host=headers.get(b"host", b""))
        _check_framing(scope["headers"], headers)
        if scope["query_string"]:
            _check_query(scope["query_string"])
        scope["path"] = f"/proxy{address.path}" if address.service == "proxy" else address.path
        scope["raw_path"] = scope["path"].encode()
        state = scope.setdefault("state", {})
        state["service"] = address.service
        state["request_id"] = request_id
        if scope["method"] not in _WITH_BODY:
            return receive
        return _check_body(receive, headers, path=scope["path"])

    async def _fail(self, error: Exception, answer: "_Answer") -> None:
        if answer.started:
            logs.failed("answer.broken_off", error, request_id=answer.request_id)
            raise error
        problems.record(error, request_id=answer.request_id)
        document = problems.document_of(error, request_id=answer.request_id, now=self._clock())
        headers = {"content-type": problems.PROBLEM_TYPE, **problems.headers_of(error)}
        if isinstance(error, RequestError):
            headers["connection"] = "close"  # the body may not have been read
        await answer.whole(document.status, headers, msgspec.json.encode(document))


class _Answer:
    """A ``send`` that puts on every answer what every answer carries."""

    def __init__(self, send: Send, *, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            message["headers"] = [*message["headers"], *_EVERY_ANSWER, (b"x-request-id", self.request_id.encode())]
        await self._send(message)

    async def whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer in one piece."""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await self({"type": "http.response.start", "status": status, "headers": raw})
        await self({"type": "http.response.body", "body": body, "more_body": False})

    async def preflight(self, headers: Headers) -> None:
        """Let a browser ask: without credentials, for every route alike."""
        wanted = headers.get(b"access-control-request-headers", b"")
        allowed = wanted if wanted.isascii() and len(wanted) < 1024 and wanted else _ALLOWED_HEADERS  # noqa: PLR2004
        raw = [*_PREFLIGHT, (b"access-control-allow-headers", allowed)]
        await self({"type": "http.response.start", "status": 204, "headers": raw})
        await self({"type": "http.response.body", "body": b"", "more_body": False})


def _check_framing(raw: Any, headers: Headers) -> None:
    if b"content-length" in headers and b"transfer-encoding" in headers:
        raise BadRequest("Content-Length and Transfer-Encoding must not be sent together.")
    if sum(1 for name, _ in raw if name == b"host") > 1:
        raise BadRequest("The Host header must be sent once.")


def _check_query(query: bytes) -> None:
    """Refuse what two readers would read differently."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as error:
        raise BadRequest("The query is not valid percent-encoded UTF-8 with at most 50 parameters.") from error
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise BadRequest(f"Query parameters must not be repeated: {', '.join(repeated)}.")
    if any("\0" in part for pair in pairs for part in pair):
        raise BadRequest("The query holds a NUL character.")


def _check_body(receive: Receive, headers: Headers, *, path: str) -> Receive:
    """Demand plain JSON of a bounded size. Uploads take any type."""
    limit = MAX_WRITE_BYTES if "/objects/" in path else MAX_BODY_BYTES
    length = headers.get(b"content-length", b"")
    if length and not length.isdigit():
        raise BadRequest("Content-Length must be a number.")
    if length and int(length) > limit:
        raise TooLarge(f"This route takes at most {limit:,} bytes.")
    if b"content-encoding" in headers:
        raise WrongMediaType("Content-Encoding is not supported; send the body as it is.")
    chunked = b"transfer-encoding" in headers
    if (chunked or (length and int(length))) and not path.startswith("/v1/uploads/"):
        _check_json(headers.get(b"content-type", b""))
    return _counted(receive, limit=limit) if chunked else receive


def _check_json(content_type: bytes) -> None:
    kind, _, parameters = content_type.decode("latin-1").lower().partition(";")
    charset = parameters.strip().removeprefix("charset=").strip('" ')
    if kind.strip() != "application/json" or charset not in {"", "utf-8"}:
        raise WrongMediaType("Send the body as application/json, in UTF-8.")


def _counted(receive: Receive, *, limit: int) -> Receive:
    total = 0

    async def count() -> Any:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b"")) if message["type"] == "http.request" else 0
        if total > limit:
            raise TooLarge(f"This route takes at most {limit:,} bytes.")
        return message

    return count
