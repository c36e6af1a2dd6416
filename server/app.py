"""Where everything meets. Reads as a list: routes, what they are given, how errors are answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.types import ASGIApp

from server.api import explain, health, operations, problems, writes
from server.api.provided import project_id
from server.changes import follow
from server.front import Front
from server.services import Services

HANDLERS = [
    health.live,
    health.ready,
    explain.explain_write,
    operations.get_operation,
    operations.list_operations,
    operations.list_operation_logs,
    operations.explain_operation,
]


def build_app(services: Services) -> ASGIApp:
    """Wire the whole server into one ASGI application. Starting it starts the store; stopping it closes the store."""
    app = Litestar(
        route_handlers=[*HANDLERS, writes.route(services)],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "project_id": Provide(project_id, sync_to_thread=False),
        },
        exception_handlers={Exception: _problem(services)},
        lifespan=[_running(services)],
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.state.keyring = services.keyring
    services.changes.subscribe(services.keyring.forget)
    services.changes.subscribe(services.directory.forget)
    return Front(app, clock=services.clock, new_id=services.new_id)


def _problem(services: Services) -> Callable[..., Response[problems.ProblemDocument]]:
    def answer(request: Request[object, object, object], error: Exception) -> Response[problems.ProblemDocument]:  # type: ignore[type-var]
        request_id = request.scope["state"]["request_id"]
        problems.record(error, request_id=request_id)
        document = problems.document_of(error, request_id=request_id, now=services.clock())
        return Response(
            document, status_code=document.status, headers=problems.headers_of(error), media_type=problems.PROBLEM_TYPE
        )

    return answer


def _running(services: Services) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def run(_: Litestar) -> AsyncIterator[None]:
        await services.store.start()
        following = asyncio.create_task(follow(services.changes, store=services.store))
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
            await services.store.close()

    return run
