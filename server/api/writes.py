"""Writing records: the one hot route, so it is plain ASGI and skips what other routes can afford.

``POST /v1/projects/{p}/integrations/{i}/objects/{o}``, see ``write_results`` for the bodies. Statuses as published:
200 and 422 in the write shape, 400 as a sentence in text/plain, anything else as a problem document. An asynchronous
write is answered 200 with its operation's id alone, as soon as it is stored; a synchronous one whose deadline passed
while nobody knew its fate answers the same with 202.
"""

from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec
from litestar.enums import ScopeType
from litestar.exceptions import MethodNotAllowedException
from litestar.types import ASGIApp, Receive, Scope, Send
from msgspec import UNSET

from installations.errors import InvalidInput, Issue, NotFound
from installations.record import WriteRequest
from installations.shape import parse_json, parse_plain
from server.delivering.deliveries import Delivered, Deliveries
from server.delivering.idempotency import idempotency_key
from server.delivering.write_results import AcceptedAnswer, batch_answer, single_answer
from server.door.address import unescape
from server.door.refusals import BadRequest, NotOffered
from server.services import Services
from server.store.contract import IdempotencyKey

DETAIL = b"x-isthmus-detail"
IDEMPOTENCY = b"idempotency-key"

_NOT_WRITING = {
    "read": "Reading records is not offered by this version; a write has a type, and goes to the write service.",
    "search": "Searching records is not offered by this version.",
}
"""What else the published services do at the path of a write."""

_JSON = (b"content-type", b"application/json")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_ENCODER = msgspec.json.Encoder()


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, ready to send."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Names(NamedTuple):
    """What the path of a write names."""

    project: str
    integration: str
    object_name: str


def names_of(path: str) -> Names | None:
    """Read the path of a write, as `parse_address` leaves it; ``None`` for any other path."""
    match path.split("/"):
        case ["", "v1", "projects", project, "integrations", integration, "objects", name] if name:
            return Names(unescape(project), unescape(integration), unescape(name))
    return None


class WritesFirst:
    """Serves writes, and hands every other request on to the application.

    Litestar 2.25 cannot serve an ``@asgi`` route with path parameters (``path_parameters[key]`` raises KeyError for
    HTTP methods; seen 2026-11-22), so the one path is matched here. The front stands around both.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app = app
        self._services = services
        self._deliveries: Deliveries = services.deliveries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or (names := names_of(scope["path"])) is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] != "POST":
            raise MethodNotAllowedException(headers={"Allow": "POST"})
        answer = await self._answer(names, scope, receive)
        headers = (*answer.headers, (b"content-length", str(len(answer.body)).encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _answer(self, names: Names, scope: Scope, receive: Receive) -> Answer:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        services = self._services
        access = await services.limits.counted(services.keyring.admit(scope["headers"]), scope)
        access.require_full()
        project_id = access.enter(names.project)
        if (service := scope["state"]["service"]) in _NOT_WRITING:
            raise NotOffered(_NOT_WRITING[service])
        body = await read_body(receive)
        try:
            request = parse_write(body)
            key = self._key(headers, route=scope["path"], body=body)
            delivered = None if key is None else await self._deliveries.repeat(project_id, key)
            if delivered is None:
                delivered = await self._deliver(project_id, names, request, key)
        except NotFound:
            raise
        except InvalidInput as error:
            return text(error)
        detailed = headers.get(DETAIL, b"").lower() == b"true"
        return write_answer(delivered, detailed=detailed)

    async def _deliver(
        self, project_id: str, names: Names, request: WriteRequest, key: IdempotencyKey | None
    ) -> Delivered:
        accepted = await self._deliveries.accept(project_id, names.integration, names.object_name, request)
        # A delete is always synchronous, as published.
        if request.mode == "asynchronous" and request.type != "delete":
            # Nothing is sent yet: when it is, its lane keeps within what the connection may be asked.
            return await self._deliveries.submit(accepted, request, idempotency=key)
        self._services.limits.connection(accepted.target.installation.connection.id)
        return await self._deliveries.write(accepted, idempotency=key)

    def _key(self, headers: dict[bytes, bytes], *, route: str, body: bytes) -> IdempotencyKey | None:
        value = headers.get(IDEMPOTENCY)
        if value is None:
            return None
        return idempotency_key(value.decode("latin-1"), route=route, body=body, now=self._services.clock())


def parse_write(body: bytes) -> WriteRequest:
    """Decode the body of a write.

    Raises `InvalidInput` with every issue, and `NotOffered` for the body of a read, which the published API tells
    from a write by its host alone: it has ``mode: async`` and no ``type``.
    """
    try:
        return parse_json(body, WriteRequest, slips="refuse")
    except InvalidInput:
        if _is_read(body):
            raise NotOffered(_NOT_WRITING["read"]) from None
        raise


def _is_read(body: bytes) -> bool:
    try:
        members = parse_plain(body)
    except InvalidInput:
        return False
    return isinstance(members, dict) and members.get("mode") == "async" and "type" not in members


def write_answer(delivered: Delivered, *, detailed: bool) -> Answer:
    """Build the published answer of an operation as far as it got."""
    operation, outcome = delivered.operation, delivered.outcome
    headers = (_JSON, (b"idempotent-replayed", b"true")) if delivered.replayed else (_JSON,)
    if operation.mode == "asynchronous":
        # The same whenever it is asked: a repetition does not tell more because it came later.
        body = _ENCODER.encode(AcceptedAnswer(operation_id=operation.id))
        return Answer(status=HTTPStatus.OK, headers=headers, body=body)
    if outcome is None or (operation.state == "unknown" and not outcome.records[0].success and _late(delivered)):
        body = _ENCODER.encode(AcceptedAnswer(operation_id=operation.id))
        return Answer(status=HTTPStatus.ACCEPTED, headers=headers, body=body)
    answer = batch_answer if delivered.batch else single_answer
    done = any(record.success for record in outcome.records)
    return Answer(
        status=HTTPStatus.OK if done else HTTPStatus.UNPROCESSABLE_ENTITY,
        headers=headers,
        body=_ENCODER.encode(answer(operation, outcome, detailed=detailed)),
    )


def _late(delivered: Delivered) -> bool:
    """Whether nobody answered at all: there is no word of the provider's to pass on."""
    outcome = delivered.outcome
    return outcome is not None and all(r.fault is not None and r.fault.status is None for r in outcome.records)


def text(error: InvalidInput) -> Answer:
    """Build the published 400: sentences, one issue a line."""
    lines = "\n".join(map(_line, error.issues))
    return Answer(status=HTTPStatus.BAD_REQUEST, headers=(_TEXT,), body=lines.encode())


def _line(issue: Issue) -> str:
    place = f"{issue.path}: " if issue.path else ""
    remedy = "" if issue.remedy is UNSET else f" ({issue.remedy})"
    return f"{place}{issue.message}{remedy}"


async def read_body(receive: Receive) -> bytes:
    """Read the whole body; the front has bounded it. Raises `BadRequest` when the caller hangs up."""
    message: Any = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        return body
    parts = [body]
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection was closed before the body ended.")
        parts.append(message.get("body", b""))
    return b"".join(parts)
