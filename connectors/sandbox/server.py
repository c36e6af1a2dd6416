"""The sandbox CRM as a server: its routes, and how to start it for a test or from the command line."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from connectors.sandbox import batches, records
from connectors.sandbox.access import OPEN_PREFIX, OPEN_WORKSPACE, Credential
from connectors.sandbox.authorization import page_routes
from connectors.sandbox.calls import Endpoint
from connectors.sandbox.connecting import connecting_routes
from connectors.sandbox.data import DEFAULT_PORT
from connectors.sandbox.door import guarded, refusal_response
from connectors.sandbox.refusals import Refusal
from connectors.sandbox.state import Options, Sandbox
from connectors.sandbox.switches import switch_routes

LARGEST_BODY = 6 * 1024 * 1024
"""Bytes of a request's body."""

_RECORDS = "/v1/objects/{object}/records"

API: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", _RECORDS, records.create_record),
    ("GET", _RECORDS, records.list_records),
    ("POST", f"{_RECORDS}:batch", batches.run_batch),
    ("POST", f"{_RECORDS}:upsert", records.upsert_record),
    ("GET", f"{_RECORDS}/{{id}}", records.show_record),
    ("PATCH", f"{_RECORDS}/{{id}}", records.update_record),
    ("DELETE", f"{_RECORDS}/{{id}}", records.delete_record),
    ("GET", f"{_RECORDS}/{{id}}/associations", records.list_associations),
    ("POST", f"{_RECORDS}/{{id}}/associations", records.add_associations),
    ("DELETE", f"{_RECORDS}/{{id}}/associations/{{other}}/{{other_id}}", records.delete_association),
    ("GET", "/v1/objects/{object}/schema", records.show_schema),
    ("POST", "/v1/objects/{object}/fields", records.create_field),
    ("GET", "/v1/objects", records.list_objects),
    ("GET", "/v1/me", records.show_me),
)
"""The API, the busiest routes first: they are tried in this order."""


def build_app(sandbox: Sandbox) -> web.Application:
    """Build the server's application around its state."""
    app = web.Application(client_max_size=LARGEST_BODY, middlewares=[_rim])
    everybody = Credential(workspace=OPEN_WORKSPACE, scheme="none")
    for method, path, endpoint in API:
        app.router.add_route(method, path, guarded(sandbox, endpoint))
        app.router.add_route(method, f"{OPEN_PREFIX}{path}", guarded(sandbox, endpoint, everybody=everybody))
    for method, path, handler in (*page_routes(sandbox), *connecting_routes(sandbox), *switch_routes(sandbox)):
        app.router.add_route(method, path, handler)
    return app


@asynccontextmanager
async def serve(*, host: str = "127.0.0.1", port: int = 0, options: Options | None = None) -> AsyncIterator[str]:
    """Serve while the context is open; gives the base URL. Port 0 lets the kernel choose. Raises `OSError`."""
    runner = web.AppRunner(
        build_app(Sandbox(options or Options())), access_log=None, auto_decompress=False, shutdown_timeout=0.2
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{_authority(host, runner.addresses[0][1])}"
    finally:
        await runner.cleanup()


def run(
    *,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    options: Options | None = None,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Serve until interrupted (SIGINT). ``announce`` is told the base URL once requests are taken."""

    async def forever() -> None:
        async with serve(host=host, port=port, options=options) as base_url:
            if announce is not None:
                announce(base_url)
            await asyncio.Event().wait()

    try:
        asyncio.run(forever())
    except KeyboardInterrupt:
        return


def _authority(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@web.middleware
async def _rim(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Say refusals in one shape, the framework's own (no such path or method, a body too large) included."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refusal_response(refusal)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 -- the class of client errors
            raise
        code = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}.get(error.status, "bad_request")
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return refusal_response(Refusal(error.status, code, error.reason, headers=headers))
