"""How an operation reads: the published shape, and the finer members that a caller asks for."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from installations.operation import Attempt, OnAmbiguous, Operation, Reason, State, public_status
from installations.record import FaultKind
from server.delivering.payloads import stored, stored_outcome
from server.delivering.write_results import Result, record_results
from server.store.contract import Page, Tries

IN_FLIGHT: frozenset[State] = frozenset({"claimed", "sent"})


class RetryView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How often it was tried."""

    attempts: int
    last_attempt: datetime | UnsetType = UNSET


class OperationMetadata(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The published extras of an operation."""

    objects: tuple[str, ...]
    retry: RetryView
    successful_record_ids: tuple[str, ...] | UnsetType = UNSET


class OperationView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An operation in the published shape. What stands behind ``result`` is ours and appears only when asked for."""

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
    mode: str | UnsetType = UNSET
    action: str | UnsetType = UNSET
    group_ref: str | UnsetType = UNSET
    connection_id: str | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET
    fault: FaultKind | UnsetType = UNSET
    """Of the last attempt."""
    doubtful: bool | UnsetType = UNSET
    """Whether an attempt ended without anybody knowing what it did."""
    on_ambiguous: OnAmbiguous | UnsetType = UNSET
    crashes: int | UnsetType = UNSET
    gathered: int | UnsetType = UNSET
    """How many records an auto-batch holds."""
    next_attempt_time: datetime | UnsetType = UNSET
    """While it is queued; of an auto-batch that still gathers, when it goes."""
    deadline: datetime | UnsetType = UNSET
    """When trying ends; absent once it has."""
    look_up_time: datetime | UnsetType = UNSET
    """While it is unknown: when it is looked up at the provider next; absent where only a person can tell."""
    replay_of: str | UnsetType = UNSET
    replay_of_records: tuple[int, ...] | UnsetType = UNSET
    """Of a replay of some records: at which places they stand in the other operation. Not in lists."""
    replayed_by: str | UnsetType = UNSET
    results: tuple[Result, ...] | UnsetType = UNSET
    """What came of each record so far, as in a detailed answer to a write. Not in lists."""


class Pagination(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Whether there is more, and how to ask for it."""

    done: bool
    next_page_token: str | UnsetType = UNSET


class OperationPage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A page of operations, newest first."""

    results: tuple[OperationView, ...]
    pagination: Pagination


def page_view(page: Page, *, finer: bool) -> OperationPage:
    """Build a page."""
    token = page.next_page_token
    return OperationPage(
        results=tuple(
            finer_view(one, tries=tries) if finer else view(one, tries=tries)
            for one, tries in zip(page.results, page.tries, strict=True)
        ),
        pagination=Pagination(done=token is None, next_page_token=UNSET if token is None else token),
    )


def view(operation: Operation, attempts: Sequence[Attempt] = (), *, tries: Tries | None = None) -> OperationView:
    """Build the published shape of an operation. ``tries`` sums the ``attempts`` up, where those are not at hand."""
    made = tries or Tries(count=len(attempts), last=attempts[-1].started_at if attempts else None)
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
            # The one under way has no row yet.
            retry=RetryView(
                attempts=made.count + (operation.state in IN_FLIGHT), last_attempt=_last_attempt(operation, made)
            ),
            successful_record_ids=operation.successful_record_ids or UNSET,
        ),
        result=operation.summary or UNSET,
    )


def finer_view(operation: Operation, attempts: Sequence[Attempt] = (), *, tries: Tries | None = None) -> OperationView:
    """Build the published shape with all that is known beyond it, but for what came of each record."""
    waits = public_status(operation.state) == "in_progress"
    return msgspec.structs.replace(
        view(operation, attempts, tries=tries),
        state=operation.state,
        mode=operation.mode,
        action=operation.action,
        group_ref=operation.group_ref,
        connection_id=operation.connection_id or UNSET,
        reason=operation.reason or UNSET,
        fault=UNSET if operation.fault_kind is None else operation.fault_kind,
        doubtful=operation.doubtful or UNSET,
        on_ambiguous=operation.on_ambiguous,
        crashes=operation.crashes,
        gathered=operation.gathered or UNSET,
        next_attempt_time=operation.run_at if operation.state == "queued" else UNSET,
        deadline=operation.deadline_at if waits and operation.mode == "asynchronous" else UNSET,
        look_up_time=UNSET if operation.look_at is None else operation.look_at,
        replay_of=operation.replay_of or UNSET,
        replayed_by=operation.replayed_by or UNSET,
    )


def full_view(operation: Operation, attempts: Sequence[Attempt]) -> OperationView:
    """Build the finer view with what came of each record so far."""
    outcome = stored_outcome(operation)
    results = UNSET if outcome is None else record_results(operation, outcome, detailed=True)
    places = stored(operation).places if operation.replay_of and operation.payload else ()
    return msgspec.structs.replace(finer_view(operation, attempts), results=results, replay_of_records=places or UNSET)


def _last_attempt(operation: Operation, made: Tries) -> datetime | UnsetType:
    if operation.state in IN_FLIGHT:
        # The attempt under way has no row yet; the operation was changed last when it began.
        return operation.update_time
    return UNSET if made.last is None else made.last
