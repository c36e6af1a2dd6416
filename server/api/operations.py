"""Operations: what became of a write, lists of them, their log, and the stored explanation of what was sent and why.

Published statuses are three; the finer state is an extension that a caller asks for with the header
``X-Isthmus-Detail: true``, or of one operation with ``?state=true``.
"""

from typing import Annotated

import msgspec
from litestar import get
from litestar.di import Provide
from litestar.params import FromPath, HeaderParameter, QueryParameter

from installations.explain import Explanation, explain
from server.access.guards import requires_full_key
from server.api.operation_filters import Asked, asked_filter, operations_meant
from server.api.operation_log import LogLine, log_of
from server.api.operation_views import OperationPage, OperationView, full_view, page_view, view
from server.api.provided import Entered, FromApp
from server.api.queries import no_such_page
from server.delivering.payloads import with_gathered
from server.delivering.verdicts import kept
from server.door.address import unescape
from server.services import Services
from server.store.contract import Missing, OperationFilter, Page

PAGE_SIZE = 200
LARGEST_PAGE = 1000
Finer = Annotated[bool, QueryParameter(name="state")]
"""``state`` itself is a name that the framework keeps for itself."""
Detail = Annotated[
    str | None,
    HeaderParameter(name="X-Isthmus-Detail", description="With `true`, what the published answer has no place for."),
]
PageSize = Annotated[int, QueryParameter(name="pageSize", ge=1, le=LARGEST_PAGE)]
PageToken = Annotated[str | None, QueryParameter(name="pageToken")]
FILTERED = {"asked": Provide(asked_filter, sync_to_thread=False)}


@get(
    "/v1/projects/{project_id_or_name:str}/operations/{operation_id:str}",
    guards=[requires_full_key],
)
async def get_operation(
    services: FromApp,
    project_id: Entered,
    operation_id: FromPath[str],
    finer: Finer = False,  # noqa: FBT002 -- a query parameter
    detail: Detail = None,
) -> OperationView:
    """Tell what became of an operation."""
    operation = await services.store.operation(project_id, unescape(operation_id))
    attempts = await services.store.attempts(project_id, operation.id)
    return full_view(operation, attempts) if finer or is_asked(detail) else view(operation, attempts)


@get(
    "/v1/projects/{project_id_or_name:str}/integrations/{integration_id_or_name:str}"
    "/installations/{installation_id:str}/operations",
    guards=[requires_full_key],
    dependencies=FILTERED,
)
async def list_operations(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
    asked: Asked,
    page_size: PageSize = PAGE_SIZE,
    page_token: PageToken = None,
    detail: Detail = None,
) -> OperationPage:
    """List the operations of one installation, newest first. Each filter that is given narrows."""
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    installation = await services.store.installation(project_id, unescape(installation_id))
    if installation.integration_id != integration.id:
        raise Missing("There is no such installation of this integration.")
    which = await operations_meant(services.store, project_id, asked, path="query")
    mine = msgspec.structs.replace(which, installation_id=installation.id)
    page = await _page(services, project_id, mine, page_size=page_size, page_token=page_token)
    return page_view(page, finer=is_asked(detail))


@get(
    "/v1/projects/{project_id_or_name:str}/operations",
    guards=[requires_full_key],
    dependencies=FILTERED,
)
async def list_all_operations(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    project_id: Entered,
    asked: Asked,
    page_size: PageSize = PAGE_SIZE,
    page_token: PageToken = None,
    detail: Detail = None,
) -> OperationPage:
    """List the operations of a project, newest first. Each filter that is given narrows."""
    which = await operations_meant(services.store, project_id, asked, path="query")
    page = await _page(services, project_id, which, page_size=page_size, page_token=page_token)
    return page_view(page, finer=is_asked(detail))


@get(
    "/v1/projects/{project_id_or_name:str}/operations/{operation_id:str}/logs",
    guards=[requires_full_key],
)
async def list_operation_logs(services: FromApp, project_id: Entered, operation_id: FromPath[str]) -> list[LogLine]:
    """List what happened to an operation, first to last."""
    operation = await services.store.operation(project_id, unescape(operation_id))
    attempts = await services.store.attempts(project_id, operation.id)
    return log_of(operation, attempts)


@get(
    "/v1/projects/{project_id_or_name:str}/operations/{operation_id:str}/:explain",
    guards=[requires_full_key],
)
async def explain_operation(services: FromApp, project_id: Entered, operation_id: FromPath[str]) -> Explanation:
    """Explain an operation: the stored plan, the fate of each field, and the change.

    Raises `Forgotten` where the plan is no longer kept.
    """
    operation = await services.store.operation(project_id, unescape(operation_id))
    stored = kept(operation)
    if operation.gathered:
        stored = with_gathered(stored, await services.store.gathered(project_id, operation.id))
    return explain(stored.plan, stored.current)


async def _page(
    services: Services, project_id: str, which: OperationFilter, *, page_size: int, page_token: str | None
) -> Page:
    try:
        return await services.store.operations(project_id, which, page_size=page_size, page_token=page_token)
    except Missing as error:
        if page_token is None:
            raise
        raise no_such_page(page_token) from error


def is_asked(detail: str | None) -> bool:
    """Whether the header asks for what the published answer has no place for."""
    return detail is not None and detail.lower() == "true"
