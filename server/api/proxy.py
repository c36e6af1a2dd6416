"""The proxy: any method and path, passed through to a customer's account with its credentials.

A call is known by the header ``x-amp-proxy-version``, by the path prefix ``/proxy`` or by its host name
(`server/door/address.py`). What the provider answers comes back as it is, whatever its status; problem documents are
ours, and ``X-Isthmus-Outcome`` in them says whether the provider may have acted. No browser is a caller: the key is one
that is kept on a server.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar.enums import ScopeType
from litestar.exceptions import MethodNotAllowedException
from litestar.types import ASGIApp, Receive, Scope, Send

from server.proxying.caller import Caller
from server.proxying.calls import Call, parse_call
from server.proxying.passing import CALL_SECONDS
from server.services import Services
from server.store.contract import Missing

_REFUSED_METHODS = frozenset({"TRACE", "CONNECT"})
"""TRACE would show the customer's credentials to the caller, CONNECT is for tunnels."""
_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_GRACE_SECONDS = 1.0
"""What sends has the first word on its time being over: it knows whether anything was sent."""


class ProxyFirst:
    """Serves calls to providers, and hands every other request on to the application."""

    def __init__(self, app: ASGIApp, services: Services, *, call_seconds: float = CALL_SECONDS) -> None:
        self._app = app
        self._services = services
        self._call_seconds = call_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != ScopeType.HTTP or scope["state"]["service"] != "proxy":
            await self._app(scope, receive, send)
            return
        call = await self._admit(scope)
        caller = Caller(receive, dict(scope["headers"]))
        deadline = asyncio.get_running_loop().time() + self._call_seconds
        try:
            async with asyncio.timeout_at(deadline + _GRACE_SECONDS) as time_left, _watched(caller, time_left):
                await self._pass(call, caller, deadline=deadline, send=send, request_id=scope["state"]["request_id"])
        except Exception:
            if not caller.gone:
                raise

    async def _admit(self, scope: Any) -> Call:
        """Raises `AccessError`, `InvalidInput`, and `Missing` for a project that is not the caller's."""
        services = self._services
        access = await services.limits.counted(services.keyring.admit(scope["headers"]), scope)
        access.require_full()
        if scope["method"] in _REFUSED_METHODS:
            raise MethodNotAllowedException(headers={"Allow": _METHODS})
        call = parse_call(
            scope["headers"],
            method=scope["method"],
            path=scope["state"]["proxied_path"],
            query=scope["query_string"],
        )
        if call.place.project_id != access.project_id:
            raise Missing("There is no such project.")
        return call

    async def _pass(self, call: Call, caller: Caller, *, deadline: float, send: Send, request_id: str) -> None:
        async with self._services.proxy.call(call, caller, deadline=deadline, request_id=request_id) as answer:
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            async for piece in answer.body:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


@asynccontextmanager
async def _watched(caller: Caller, time_left: asyncio.Timeout) -> AsyncIterator[None]:
    """Cut the time short when the caller hangs up, so that the provider's connection does not outlive them."""

    async def watch() -> None:
        await caller.hang_up()
        time_left.reschedule(asyncio.get_running_loop().time())

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
