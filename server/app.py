"""Where everything meets. Reads as a list: routes, what they are given, how errors are answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar, Request, Response, Router
from litestar.di import Provide
from litestar.types import ASGIApp

from server.access.guards import requires_full_key, requires_full_key_but_for
from server.api import (
    api_keys,
    connections,
    explain,
    health,
    installations,
    integrations,
    object_metadata,
    operations,
    problems,
    projects,
    provider_apps,
    providers,
    revisions,
    uploads,
    writes,
)
from server.api.announcing import announce_changes
from server.api.provided import access, project_id
from server.changes import follow
from server.front import Front
from server.liveness import stay_alive
from server.openapi import openapi_config
from server.services import Services

PROJECT = "/v1/projects/{project_id_or_name:str}"

PUBLIC = [
    health.live,
    health.ready,
    providers.list_providers,
    providers.get_provider,
    uploads.put_upload,
]
"""Routes without a credential."""

FOR_ANY_KEY = [
    projects.get_project,
    integrations.list_integrations,
    integrations.get_integration,
    revisions.hydrate_revision,
    installations.create_installation,
    installations.list_installations,
    installations.list_all_installations,
    installations.get_installation,
    installations.update_installation,
    installations.delete_installation,
    provider_apps.list_provider_apps,
    connections.generate_connection,
    connections.list_connections,
    connections.get_connection,
    connections.update_connection,
    connections.delete_connection,
]
"""Routes below a project for every key: what the embedded UI calls."""

FOR_FULL_KEYS = [
    projects.update_project,
    api_keys.create_api_key,
    api_keys.list_api_keys,
    api_keys.get_api_key,
    api_keys.update_api_key,
    api_keys.delete_api_key,
    provider_apps.create_provider_app,
    provider_apps.update_provider_app,
    provider_apps.delete_provider_app,
    integrations.create_integration,
    integrations.deploy_integrations,
    integrations.create_revision,
    integrations.delete_integration,
    installations.patch_config_content,
    object_metadata.get_integration_object,
    object_metadata.get_connection_object,
]
"""Routes below a project for keys that are kept on a server."""

OUTSIDE_PROJECTS = [
    projects.list_projects,
    uploads.generate_upload_url,
]
"""Routes for keys that are kept on a server, which name no project."""

DELIVERIES = [
    explain.explain_write,
    operations.get_operation,
    operations.list_operations,
    operations.list_operation_logs,
    operations.explain_operation,
]
"""Routes about writes; they change no configuration."""


def build_app(services: Services) -> ASGIApp:
    """Wire the whole server into one ASGI application. The store is started and closed by its opener."""
    announcing = announce_changes(services.changes)
    app = Litestar(
        route_handlers=[
            *PUBLIC,
            *DELIVERIES,
            Router("/", route_handlers=OUTSIDE_PROJECTS, guards=[requires_full_key]),
            Router(
                PROJECT,
                route_handlers=[*FOR_ANY_KEY, *FOR_FULL_KEYS],
                guards=[requires_full_key_but_for(FOR_ANY_KEY)],
                middleware=[announcing],
            ),
        ],
        dependencies={
            "services": Provide(lambda: services, sync_to_thread=False),
            "access": Provide(access, sync_to_thread=False),
            "project_id": Provide(project_id, sync_to_thread=False),
        },
        exception_handlers={Exception: _problem(services)},
        lifespan=[_running(services)],
        openapi_config=openapi_config(),
        logging_config=None,
        debug=False,
    )
    app.state.keyring = services.keyring
    services.changes.subscribe(services.keyring.forget)
    services.changes.subscribe(services.directory.forget)
    return Front(writes.WritesFirst(app, services), clock=services.clock, new_id=services.new_id)


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
        companions = [
            asyncio.create_task(follow(services.changes, store=services.store)),
            asyncio.create_task(stay_alive(services.store, owner=services.owner, kind="server", clock=services.clock)),
        ]
        try:
            yield
        finally:
            for companion in companions:
                companion.cancel()
            await asyncio.gather(*companions, return_exceptions=True)

    return run
