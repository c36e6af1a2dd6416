"""Where everything meets. Reads as a list: routes, what they are given, how errors are answered."""

from collections.abc import Iterable, Iterator
from functools import cache, partial

import msgspec
from litestar import Litestar, MediaType, Request, Response, Router
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp

from server.access.guards import requires_any_key, requires_full_key, requires_full_key_but_for
from server.api import (
    api_keys,
    connect_pages,
    connections,
    custom_auth,
    deliveries,
    destinations,
    drafts,
    edits,
    embed,
    explain,
    health,
    installations,
    integrations,
    interventions,
    jwt_keys,
    oauth,
    object_metadata,
    operations,
    problems,
    projects,
    provider_apps,
    providers,
    proxy,
    queries,
    revisions,
    schema_checks,
    session_tokens,
    topics,
    ui,
    uploads,
    writes,
)
from server.api.announcing import announce_changes
from server.api.nearest import nearest_path
from server.api.provided import Provided, access, project_id, services_of
from server.door.browsers import Browsers
from server.door.front import Front
from server.liveness import living
from server.openapi import PATH, RECORDS, openapi_config, public_path
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
    edits.edit_installation,
    provider_apps.list_provider_apps,
    connections.generate_connection,
    connections.list_connections,
    connections.get_connection,
    connections.update_connection,
    connections.delete_connection,
    oauth.oauth_update,
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
    destinations.create_destination,
    destinations.list_destinations,
    destinations.get_destination,
    destinations.update_destination,
    destinations.delete_destination,
    destinations.enable_destination,
    destinations.test_destination,
    deliveries.list_deliveries,
    deliveries.replay_deliveries,
    topics.create_topic,
    topics.list_topics,
    topics.update_topic,
    topics.delete_topic,
    topics.create_event_topic_route,
    topics.list_event_topic_routes,
    topics.delete_event_topic_route,
    topics.create_topic_destination_route,
    topics.list_topic_destination_routes,
    topics.delete_topic_destination_route,
]
"""Routes below a project for keys that are kept on a server."""

JWT_KEYS = [
    jwt_keys.create_jwt_key,
    jwt_keys.list_jwt_keys,
    jwt_keys.get_jwt_key,
    jwt_keys.update_jwt_key,
    jwt_keys.delete_jwt_key,
]
"""For the same keys; their problems look a little different, as published."""

OUTSIDE_PROJECTS = [
    projects.list_projects,
    uploads.generate_upload_url,
]
"""Routes for keys that are kept on a server, which name no project."""

CONNECTING = [
    oauth.oauth_connect,
    oauth.complete_oauth,
    custom_auth.custom_auth_connect,
]
"""Routes for every key, which name their project in the body."""

DELIVERIES = [
    explain.explain_write,
    operations.get_operation,
    operations.list_operations,
    operations.list_all_operations,
    operations.list_operation_logs,
    operations.explain_operation,
    interventions.resolve_operation,
    interventions.cancel_operation,
    interventions.retry_operation,
    interventions.replay_operations,
    interventions.resolve_operations,
]
"""Routes about writes; they change no configuration."""


SESSIONS = [session_tokens.create_session_token]
"""For keys that are kept on a server. It is asked for at every visit, and is no change that others have to hear of."""

SCHEMA_CHECKS = [
    schema_checks.get_schema_check,
    schema_checks.run_schema_check,
    schema_checks.list_schema_checks,
]
"""For keys that are kept on a server: what customers' accounts have become. They change no configuration."""

DRAFTS = [drafts.review_config, drafts.preview_write]
"""For every key, while somebody types: they change nothing, so nobody has to hear of them."""

FOR_BROWSERS = [providers.list_providers, providers.get_provider, *FOR_ANY_KEY, *DRAFTS, *CONNECTING, *ui.UI]
"""Routes that pages of other origins may call. Whatever else there is answers without CORS."""


def build_app(services: Services, *, works: bool = True) -> ASGIApp:
    """Wire the whole server into one ASGI application. The store is started and closed by its opener.

    With ``works`` it also carries out what was accepted asynchronously.
    """
    routes = build_routes()
    app = Provided(routes, services, living=partial(living, services, kind="server", works=works))
    services.changes.subscribe(services.keyring.forget)
    services.changes.subscribe(services.sessions.forget)
    services.changes.subscribe(services.directory.forget)
    services.changes.subscribe(services.proxy.forget)
    services.changes.subscribe(services.bell.ring)
    browsers = Browsers(_paths(routes, FOR_BROWSERS), public_url=services.settings.public_url)
    return Front(
        proxy.ProxyFirst(writes.WritesFirst(app, services), services),
        browsers=browsers,
        clock=services.clock,
        new_id=services.new_id,
        proxy_host=services.settings.proxy_host,
    )


@cache
def build_routes() -> Litestar:
    """Tie every route to its handler and its guard: all but the writes and the calls through the proxy.

    They know nothing of the services, which come with each request; it takes a tenth of a second to tie them all.
    """
    return Litestar(
        route_handlers=[
            *PUBLIC,
            *ui.UI,
            embed.embed_page,
            *DELIVERIES,
            Router(PROJECT, route_handlers=SESSIONS, guards=[requires_full_key]),
            Router(PROJECT, route_handlers=SCHEMA_CHECKS, guards=[requires_full_key]),
            Router(PROJECT, route_handlers=DRAFTS, guards=[requires_any_key]),
            Router("/", route_handlers=OUTSIDE_PROJECTS, guards=[requires_full_key]),
            Router("/", route_handlers=CONNECTING, guards=[requires_any_key]),
            Router(
                "/",
                route_handlers=connect_pages.CONNECT_PAGES,
                exception_handlers={Exception: connect_pages.page_problem},
            ),
            Router(
                PROJECT,
                route_handlers=[
                    *FOR_ANY_KEY,
                    *FOR_FULL_KEYS,
                    Router("/", route_handlers=JWT_KEYS, exception_handlers={Exception: _jwt_key_problem}),
                ],
                guards=[requires_full_key_but_for(FOR_ANY_KEY)],
                middleware=[announce_changes],
            ),
        ],
        dependencies={
            "services": Provide(services_of, sync_to_thread=False),
            "access": Provide(access, sync_to_thread=False),
            "project_id": Provide(project_id, sync_to_thread=False),
        },
        before_request=queries.Queries().check,
        exception_handlers={Exception: _problem},
        openapi_config=openapi_config(for_tokens=[*FOR_ANY_KEY, *DRAFTS, *CONNECTING]),
        logging_config=None,
        debug=False,
    )


def _paths(app: Litestar, handlers: Iterable[BaseRouteHandler]) -> Iterator[str]:
    """List the routed paths of handlers, with everything that was put before them."""
    functions = {handler.fn for handler in handlers}
    for route in app.routes:
        if isinstance(route, HTTPRoute) and any(handler.fn in functions for handler in route.route_handlers):
            yield route.path_format


def _problem(request: Request[object, object, object], error: Exception) -> Response[problems.ProblemDocument]:  # type: ignore[type-var]
    request_id = request.scope["state"]["request_id"]
    problems.record(error, request_id=request_id)
    document = problems.document_of(error, request_id=request_id, now=services_of(request.scope).clock())
    if isinstance(error, NotFoundException):
        document = msgspec.structs.replace(document, remedy=_meant(request))
    return Response(
        document, status_code=document.status, headers=problems.headers_of(error), media_type=problems.PROBLEM_TYPE
    )


def _meant(request: Request[object, object, object]) -> str:  # type: ignore[type-var]
    """Say which route was probably meant by an address that is none."""
    routes = [public_path(route.path_format) for route in request.app.routes if isinstance(route, HTTPRoute)]
    near = nearest_path(request.scope["path"].replace("/:", ":"), [*routes, RECORDS])
    return f"Did you mean {near}?" if near else f"GET {PATH} lists every route."


def _jwt_key_problem(request: Request[object, object, object], error: Exception) -> Response[problems.ProblemDocument]:  # type: ignore[type-var]
    response = _problem(request, error)
    response.content, response.media_type = jwt_keys.as_published(response.content), MediaType.JSON
    return response
