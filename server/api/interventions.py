"""What a person does to operations, over HTTP: resolve, cancel, retry, replay. All of it is ours."""

import msgspec
from litestar import post
from litestar.params import FromPath, RawBody
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from installations.errors import invalid
from installations.operation import FINAL, State
from installations.outlook import Verdict
from server.access.guards import requires_full_key
from server.api.bodies import Name, parse_strictly
from server.api.operation_filters import AskedFilter, operations_meant
from server.api.operation_views import OperationView, full_view
from server.api.provided import Entered, FromApp, takes
from server.delivering.interventions import MOST, Handled
from server.door.address import unescape
from server.services import Services
from server.store.contract import OperationFilter

OPERATION = "/v1/projects/{project_id_or_name:str}/operations/{operation_id:str}"
OPERATIONS = "/v1/projects/{project_id_or_name:str}/operations"


class Resolve(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What somebody found out about an unknown operation."""

    outcome: Verdict
    """It happened; it did not, so it is to be sent; or nobody shall ask any more."""
    record_id: Name | UnsetType = UNSET
    """For one that happened: the provider's id of its record."""


class ResolveMany(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What somebody found out about all unknown operations that the filter means."""

    outcome: Verdict
    filter: AskedFilter
    dry_run: bool = False


class ReplayMany(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which of what has failed is to be done again. With ``dryRun`` they are only counted."""

    filter: AskedFilter
    dry_run: bool = False


class HandledView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many operations were meant, or treated; and whether there are more than one call takes."""

    count: int
    more: bool
    operation_ids: tuple[str, ...] | UnsetType = UNSET
    """Of a replay, the new ones. Absent in a dry run."""


@post(OPERATION + "/:resolve", status_code=200, opt=takes(Resolve), guards=[requires_full_key])
async def resolve_operation(
    services: FromApp, project_id: Entered, operation_id: FromPath[str], body: RawBody
) -> OperationView:
    """Settle an operation of which nobody knows whether it happened, by the word of somebody who looked."""
    wanted = parse_strictly(body, Resolve)
    record_id = None if wanted.record_id is UNSET else wanted.record_id
    resolved = await services.interventions.resolve(
        project_id, unescape(operation_id), verdict=wanted.outcome, record_id=record_id
    )
    return await _shown(services, resolved.project_id, resolved.id)


@post(OPERATION + "/:cancel", status_code=200, guards=[requires_full_key])
async def cancel_operation(services: FromApp, project_id: Entered, operation_id: FromPath[str]) -> OperationView:
    """Take back an operation that waits to be sent."""
    cancelled = await services.interventions.cancel(project_id, unescape(operation_id))
    return await _shown(services, project_id, cancelled.id)


@post(OPERATION + "/:retry", status_code=200, guards=[requires_full_key])
async def retry_operation(services: FromApp, project_id: Entered, operation_id: FromPath[str]) -> OperationView:
    """Try an operation that waits now, or do again what of one has failed; the answer to that is the new operation."""
    operation = await services.store.operation(project_id, unescape(operation_id))
    if operation.state in FINAL:
        operation = await services.replays.replay(operation)
    else:
        operation = await services.interventions.hurry(project_id, operation.id)
    return await _shown(services, project_id, operation.id)


@post(OPERATIONS + "/:replay", status_code=200, opt=takes(ReplayMany), guards=[requires_full_key])
async def replay_operations(services: FromApp, project_id: Entered, body: RawBody) -> HandledView:
    """Do again what has failed, of each operation once, the earliest first, up to 10,000 in one call.

    That is failures, and of batches that have succeeded (``state``: ``success``) the records that were not written.
    """
    wanted = parse_strictly(body, ReplayMany)
    which = await _meant(services, project_id, wanted.filter, among=("failure", "success"))
    which = replace(which, replayable=True)
    if wanted.dry_run:
        return await _counted(services, project_id, which)
    return _handled(await services.replays.replay_all(project_id, which))


@post(OPERATIONS + "/:resolve", status_code=200, opt=takes(ResolveMany), guards=[requires_full_key])
async def resolve_operations(services: FromApp, project_id: Entered, body: RawBody) -> HandledView:
    """Settle unknown operations alike, the earliest first, up to 10,000 in one call."""
    wanted = parse_strictly(body, ResolveMany)
    which = await _meant(services, project_id, wanted.filter, among=("unknown",))
    if wanted.dry_run:
        return await _counted(services, project_id, which)
    return _handled(await services.interventions.resolve_all(project_id, which, verdict=wanted.outcome))


async def _meant(
    services: Services, project_id: str, asked: AskedFilter, *, among: tuple[State, ...]
) -> OperationFilter:
    """Build the filter of an act on operations in some states. Raises `InvalidInput` where another one is asked."""
    which = await operations_meant(services.store, project_id, asked, path="filter")
    if not which.states:
        return replace(which, states=among)
    if not set(which.states) <= set(among):
        words = " or ".join(f'"{state}"' for state in among)
        raise invalid("filter.state", f"must be {words} here, or left out", code="not-allowed")
    return which


async def _counted(services: Services, project_id: str, which: OperationFilter) -> HandledView:
    count = await services.store.count_operations(project_id, which)
    return HandledView(count=count, more=count > MOST)


def _handled(handled: Handled) -> HandledView:
    return HandledView(count=len(handled.operation_ids), more=handled.more, operation_ids=handled.operation_ids)


async def _shown(services: Services, project_id: str, operation_id: str) -> OperationView:
    operation = await services.store.operation(project_id, operation_id)
    return full_view(operation, await services.store.attempts(project_id, operation_id))
