"""Operations: what became of a write, its log, and the stored explanation of what was sent and why.

Published statuses are three; the finer state is an extension that a caller asks for with ``?state=true``.
"""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import get
from litestar.params import FromPath, QueryParameter
from msgspec import UNSET, UnsetType

from installations.explain import Explanation, explain
from installations.operation import Attempt, Operation, State, public_status
from server.access.guards import requires_full_key
from server.api.provided import Entered, FromApp
from server.delivering.deliveries import stored
from server.door.address import unescape
from server.store.contract import Missing

Finer = Annotated[bool, QueryParameter(name="state")]
"""``state`` itself is a name that the framework keeps for itself."""
PAGE_SIZE = 200
LARGEST_PAGE = 1000


class RetryView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How often it was tried."""

    attempts: int
    last_attempt: datetime


class OperationMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The published extras of an operation."""

    objects: tuple[str, ...]
    retry: RetryView
    successful_record_ids: tuple[str, ...] | UnsetType = UNSET


class OperationView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An operation in the published shape; ``state`` and ``fault`` are ours and appear only when asked for."""

    id: str
    project_id: str
    integration_id: str
    installation_id: str
    config_id: str
    action_type: str
    status: str
    create_time: datetime
    update_time: datetime
    resource: str
    metadata: OperationMetadata
    result: str | UnsetType = UNSET
    state: State | UnsetType = UNSET
    fault: str | UnsetType = UNSET


class Pagination(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether there is more, and how to ask for it."""

    done: bool
    next_page_token: str | UnsetType = UNSET


class OperationPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of operations, newest first."""

    results: tuple[OperationView, ...]
    pagination: Pagination


class LogMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a log line says. ``operation_id`` is spelt as published."""

    msg: str
    operation_id: str
    error: str | UnsetType = UNSET
    details: dict[str, str] | UnsetType = UNSET


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an operation's log."""

    timestamp: datetime
    severity: str
    message: LogMessage


@get(
    "/v1/projects/{project_id_or_name:str}/operations/{operation_id:str}",
    guards=[requires_full_key],
)
async def get_operation(
    services: FromApp,
    project_id: Entered,
    operation_id: FromPath[str],
    finer: Finer = False,  # noqa: FBT002 -- a query parameter
) -> OperationView:
    """Tell what became of an operation."""
    operation = await services.store.operation(project_id, unescape(operation_id))
    return view(operation, finer=finer)


@get(
    "/v1/projects/{project_id_or_name:str}/integrations/{integration_id_or_name:str}"
    "/installations/{installation_id:str}/operations",
    guards=[requires_full_key],
)
async def list_operations(  # noqa: PLR0917 -- a handler's parameters are its URL's
    services: FromApp,
    project_id: Entered,
    integration_id_or_name: FromPath[str],
    installation_id: FromPath[str],
    page_size: Annotated[int, QueryParameter(name="pageSize", ge=1, le=LARGEST_PAGE)] = PAGE_SIZE,
    page_token: Annotated[str | None, QueryParameter(name="pageToken")] = None,
    finer: Finer = False,  # noqa: FBT002 -- a query parameter
) -> OperationPage:
    """List the operations of one installation, newest first."""
    integration = await services.store.integration(project_id, unescape(integration_id_or_name))
    installation = await services.store.installation(project_id, unescape(installation_id))
    if installation.integration_id != integration.id:
        raise Missing("There is no such installation of this integration.")
    page = await services.store.operations(project_id, installation.id, page_size=page_size, page_token=page_token)
    token = page.next_page_token
    return OperationPage(
        results=tuple(view(operation, finer=finer) for operation in page.results),
        pagination=Pagination(done=token is None, next_page_token=UNSET if token is None else token),
    )


@get(
    "/v1/projects/{project_id_or_name:str}/operations/{operation_id:str}/logs",
    guards=[requires_full_key],
)
async def list_operation_logs(services: FromApp, project_id: Entered, operation_id: FromPath[str]) -> list[LogLine]:
    """List what happened to an operation, first to last."""
    operation = await services.store.operation(project_id, unescape(operation_id))
    attempts = await services.store.attempts(project_id, operation.id)
    return [_accepted_line(operation), *(_attempt_line(operation, attempt) for attempt in attempts)]


@get(
    "/v1/projects/{project_id_or_name:str}/operations/{operation_id:str}/:explain",
    guards=[requires_full_key],
)
async def explain_operation(services: FromApp, project_id: Entered, operation_id: FromPath[str]) -> Explanation:
    """Explain an operation that was really sent: the stored plan, the fate of each field, and the change."""
    operation = await services.store.operation(project_id, unescape(operation_id))
    kept = stored(operation)
    return explain(kept.plan, kept.current)


def view(operation: Operation, *, finer: bool) -> OperationView:
    """Build the published shape of an operation."""
    ids = operation.successful_record_ids
    return OperationView(
        id=operation.id,
        project_id=operation.project_id,
        integration_id=operation.integration_id,
        installation_id=operation.installation_id,
        config_id=operation.config_id,
        action_type="write",
        status=public_status(operation.state),
        create_time=operation.create_time,
        update_time=operation.update_time,
        resource=operation.object_name,
        metadata=OperationMetadata(
            objects=(operation.object_name,),
            retry=RetryView(attempts=operation.attempts, last_attempt=operation.run_at),
            successful_record_ids=ids or UNSET,
        ),
        result=operation.summary or UNSET,
        state=operation.state if finer else UNSET,
        fault=operation.fault_kind if finer and operation.fault_kind is not None else UNSET,
    )


def _accepted_line(operation: Operation) -> LogLine:
    message = f"Accepted: {operation.action} {operation.object_name}, {operation.mode}"
    return LogLine(
        timestamp=operation.create_time,
        severity="INFO",
        message=LogMessage(msg=message, operation_id=operation.id, details={"configId": operation.config_id}),
    )


def _attempt_line(operation: Operation, attempt: Attempt) -> LogLine:
    failed = attempt.effect != "done"
    seconds = (attempt.finished_at - attempt.started_at).total_seconds()
    details: dict[str, Any] = {"effect": attempt.effect, "durationSeconds": f"{seconds:.3f}"}
    if attempt.status is not None:
        details["providerStatus"] = str(attempt.status)
    if attempt.fault_kind is not None:
        details["fault"] = attempt.fault_kind
    return LogLine(
        timestamp=attempt.finished_at,
        severity="ERROR" if failed else "INFO",
        message=LogMessage(
            msg=f"Attempt {attempt.number}: {EFFECTS[attempt.effect]}",
            operation_id=operation.id,
            error=attempt.message if failed and attempt.message else UNSET,
            details=details,
        ),
    )


EFFECTS = {
    "done": "the provider did it",
    "rejected": "the provider refused, nothing was written",
    "not_sent": "nothing was sent",
    "ambiguous": "nobody can tell whether it was written",
}
"""How each effect reads in the log."""
