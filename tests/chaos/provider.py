"""The provider of a run: the sandbox CRM with a ledger, misbehaving as it is told to.

It serves the sandbox's own application; what goes wrong is put around it. Every call is remembered with the tags of the
operations in it, so that what came of an operation can be told call by call.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from connectors.sandbox.access import KEY_HEADER, Credential
from connectors.sandbox.journal import LedgerEntry
from connectors.sandbox.refusals import ErrorBody
from connectors.sandbox.server import build_app
from connectors.sandbox.state import Options, Sandbox
from connectors.sandbox.table import Unit
from connectors.sandbox.workspace import RecordWrite
from tests.chaos.faults import Fault, Faults

TAG = re.compile(rb"chaos-\d{6}")
_ORDERED = ("PATCH", "DELETE")
HANG_SECONDS = 600
WAIT_SECONDS = 1
ON_ITS_WAY_SECONDS = 0.2
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Call(msgspec.Struct, kw_only=True):
    """One call as it came in."""

    number: int
    at: float
    """Seconds of the monotonic clock."""
    workspace: str
    line: str
    """Method and path."""
    tags: tuple[str, ...]
    fault: Fault | None = None
    status: int | None = None
    """``None`` where no answer was given."""
    effects: tuple[int, int] = (0, 0)
    """The ledger's length before and after."""
    ended: float | None = None


class Provider:
    """One sandbox and what is known of its calls."""

    def __init__(self, faults: Faults, *, options: Options | None = None) -> None:
        self.faults = faults
        self.sandbox = Sandbox(options or Options())
        self.calls: list[Call] = []
        self.seen: set[str] = set()
        """The tags that have come in."""
        self.called_at: dict[str, float] = {}
        """When each workspace's last call with tags came in."""
        self.under_way = 0
        """Calls that may still do something."""
        self.early = 0
        """Asynchronous calls that began although their workspace had been told to wait."""
        self.origin = ""
        self.slow: dict[str, float] = {}
        """Seconds that every call of a workspace takes besides."""
        self._held: dict[str, float] = {}

    def open_workspace(self, name: str) -> str:
        """Open a customer's workspace and answer its key."""
        self.sandbox.open_workspace(name)
        key = f"key-of-{name}"
        self.sandbox.keys[key] = Credential(workspace=name)
        return key

    def plant(self, workspace: str, object_name: str, fields: dict[str, object]) -> str:
        """Put a record in as if it had always been there, and answer its id; the ledger does not tell."""
        tenant = self.sandbox.tenant(workspace)
        return tenant.workspace.create(object_name, RecordWrite(fields=fields), unit=Unit()).id

    def ledger(self) -> list[LedgerEntry]:
        """List what really happened."""
        return list(self.sandbox.journal.effects(None))

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve on loopback; gives the origin."""
        app = build_app(self.sandbox)

        @web.middleware
        async def misbehave(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._misbehave(request, handler)

        app.middlewares.insert(0, misbehave)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
            yield self.origin
        finally:
            await runner.cleanup()

    async def _misbehave(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if "/objects/" not in request.path:
            return await handler(request)
        try:
            body = await request.read()
        except ConnectionError:
            return web.Response()  # Its caller died before it had sent everything.
        call = self._noted(request, body)
        self.under_way += 1
        try:
            return await self._answered(request, handler, call)
        finally:
            call.ended = time.monotonic()
            self.under_way -= 1

    async def _answered(self, request: web.Request, handler: Handler, call: Call) -> web.StreamResponse:
        fault = call.fault = self.faults.draw()
        await asyncio.sleep(self.faults.latency() + self.slow.get(call.workspace, 0))
        if fault == "throttle":
            if call.tags:
                self._held[call.workspace] = time.monotonic()
            return _refusal(call, 429, headers={"Retry-After": str(WAIT_SECONDS)})
        if fault == "error_before":
            return _refusal(call, self.faults.status())
        if fault == "reset_before" or (request.method in _ORDERED and _hung_up(request)):
            # A change that came late could overwrite a newer one; a create that comes late shows as a duplicate.
            return _cut(request)
        return await self._after(request, await self._done(request, handler, call), call)

    async def _after(self, request: web.Request, response: web.StreamResponse, call: Call) -> web.StreamResponse:
        """Let go wrong what goes wrong when it is done."""
        if call.fault == "error_after":
            return _refusal(call, self.faults.status())
        if call.fault in {"stall", "hang"}:
            await self._silent(self.faults.mix.stall_seconds if call.fault == "stall" else HANG_SECONDS)
        if call.fault in {"stall", "hang", "reset_after"}:
            return _cut(request)
        if call.fault == "garbled" and isinstance(response, web.Response) and isinstance(response.body, bytes):
            response.body = response.body[: len(response.body) // 2]
        call.status = response.status
        return response

    async def _silent(self, seconds: float) -> None:
        """Let a caller wait who may be gone long ago. What the call does it has done: nobody else waits for it."""
        self.under_way -= 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self.under_way += 1

    async def _done(self, request: web.Request, handler: Handler, call: Call) -> web.StreamResponse:
        before = self.sandbox.journal.effect_count
        response = await handler(request)
        call.effects = (before, self.sandbox.journal.effect_count)
        return response

    def _noted(self, request: web.Request, body: bytes) -> Call:
        credential = self.sandbox.keys.get(request.headers.get(KEY_HEADER, ""))
        call = Call(
            number=len(self.calls) + 1,
            at=time.monotonic(),
            workspace=credential.workspace if credential is not None else "",
            line=f"{request.method} {request.path_qs}",
            tags=tuple(tag.decode() for tag in TAG.findall(body)),
        )
        # What was on its way already when the provider asked to wait is not early. Deletions bear no tags: they are
        # synchronous, and neither wait nor make others wait.
        told = self._held.get(call.workspace, 0)
        self.early += bool(call.tags) and ON_ITS_WAY_SECONDS < call.at - told < WAIT_SECONDS
        self.calls.append(call)
        self.seen.update(call.tags)
        if call.tags:
            self.called_at[call.workspace] = call.at
        return call


def _hung_up(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # Goes nowhere: the connection is closed.


def _refusal(call: Call, status: int, *, headers: dict[str, str] | None = None) -> web.Response:
    call.status = status
    body = ErrorBody(code="chaos", message=f"The provider was told to answer {status}.")
    return web.Response(
        status=status, body=msgspec.json.encode(body), headers={"Content-Type": "application/json", **(headers or {})}
    )
