"""The door: what every request must look like, and what every answer carries.

A plain ASGI wrapper around the application. It knows the published services, request ids and the last resort for
errors; what a request must look like is `intake`'s to say, what browsers may do with the answer is that of `browsers`.
It knows nothing of keys or resources.
"""

from typing import Any

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from server import logs
from server.api import problems
from server.clock import Clock, NewId
from server.door.address import Address, parse_address, proxied_path
from server.door.browsers import Browsers
from server.door.intake import BODY_SECONDS, admit_body, check_framing, check_query

Headers = dict[bytes, bytes]


class Front:
    """Admits requests that are in order to the application, and finishes every answer."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        browsers: Browsers,
        clock: Clock,
        new_id: NewId,
        body_seconds: float = BODY_SECONDS,
        proxy_host: str = "",
    ) -> None:
        self._app = app
        self._browsers = browsers
        self._clock = clock
        self._new_id = new_id
        self._body_seconds = body_seconds
        self._proxy_host = proxy_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, request_id=self._new_id(), browsers=self._browsers)
        headers = dict(scope["headers"])
        try:
            self._address(scope, headers, answer)
            if answer.readable and scope["method"] == "OPTIONS" and b"access-control-request-method" in headers:
                await answer.preflight(headers)
                return
            receive = self._admit(scope, receive, headers)
            await self._app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001 -- the rim: nothing may leave as a traceback
            await self._fail(error, answer)

    def _address(self, scope: Any, headers: Headers, answer: "_Answer") -> None:
        """Say in the request's scope what its URL means. Raises `BadRequest`."""
        raw_path = scope.get("raw_path") or scope["path"].encode()
        state = scope.setdefault("state", {})
        state["request_id"] = answer.request_id
        answer.state = state
        proxied = proxied_path(raw_path, headers=headers, own_host=self._proxy_host)
        if proxied is None:
            address = parse_address(raw_path, host=headers.get(b"host", b""))
        else:
            # The path is the provider's: none of our own meanings are read into it.
            address = Address(service="proxy", path="/proxy/")
            state["proxied_path"] = proxied
        scope["path"] = address.path
        scope["raw_path"] = scope["path"].encode()
        state["service"] = address.service
        answer.readable = self._browsers.may_call(scope["path"])

    def _admit(self, scope: Any, receive: Receive, headers: Headers) -> Receive:
        """Check the request. Raises `RequestError`."""
        check_framing(scope["headers"], headers)
        if scope["query_string"] and scope["state"]["service"] != "proxy":
            check_query(scope["query_string"])
        return admit_body(receive, headers, method=scope["method"], path=scope["path"], seconds=self._body_seconds)

    async def _fail(self, error: Exception, answer: "_Answer") -> None:
        if answer.started:
            logs.failed("answer.broken_off", error, request_id=answer.request_id)
            raise error
        problems.record(error, request_id=answer.request_id)
        document = problems.document_of(error, request_id=answer.request_id, now=self._clock())
        headers = {"content-type": problems.PROBLEM_TYPE, **problems.headers_of(error)}
        await answer.whole(document.status, headers, msgspec.json.encode(document))


class _Answer:
    """A ``send`` that puts on every answer what every answer carries."""

    def __init__(self, send: Send, *, request_id: str, browsers: Browsers) -> None:
        self._send = send
        self._browsers = browsers
        self.request_id = request_id
        self.readable = False
        """Whether pages of other origins may read it."""
        self.started = False
        self.state: Any = {}
        """What the application has found out about the request."""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers: Any = message["headers"]
            complete = self._browsers.complete(headers, readable=self.readable)
            access = self.state.get("access")
            warned = [(b"x-isthmus-warning", access.warning.encode())] if access and access.warning else []
            message["headers"] = [*complete, *warned, (b"x-request-id", self.request_id.encode())]
        await self._send(message)

    async def whole(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer in one piece."""
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        raw.append((b"content-length", str(len(body)).encode()))
        await self({"type": "http.response.start", "status": status, "headers": raw})
        await self({"type": "http.response.body", "body": body, "more_body": False})

    async def preflight(self, headers: Headers) -> None:
        """Let a browser ask: without credentials, and whatever it asks for."""
        raw = self._browsers.preflight(headers.get(b"access-control-request-headers", b""))
        await self({"type": "http.response.start", "status": 204, "headers": raw})
        await self({"type": "http.response.body", "body": b"", "more_body": False})
