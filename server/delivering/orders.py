"""The operation that a write becomes when it is accepted: its lane, its time, and with what it may go out. Pure."""

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.connector import Connector
from connectors.dispatch import capabilities
from installations.operation import OnAmbiguous, Operation
from installations.pipeline import Current, Plan
from installations.record import RetryPolicy, WriteRequest
from server.delivering.look_ups import looks
from server.delivering.payloads import Stored, encoded
from server.delivering.recognising import Safety
from server.directory import Target

COALESCED = frozenset({"create", "update"})
"""What goes out together with its like, where the provider takes batches."""
SYNCHRONOUS_HOURS = 1
MOST_GATHERED = 100
"""Records of an auto-batch."""


def synchronous(
    target: Target,
    plan: Plan,
    *,
    operation_id: str,
    owner: str,
    current: tuple[Current | None, ...],
    safety: Safety,
    now: datetime,
) -> Operation:
    """Build one that is sent at once."""
    return _operation(
        target,
        plan,
        id=operation_id,
        mode="synchronous",
        state="sent",
        payload=encoded(Stored(plan=plan, current=current)),
        attempts=1,
        owner=owner,
        repeat=safety.repeat,
        first_sent_at=now,
        run_at=now,
        deadline_at=now + timedelta(hours=SYNCHRONOUS_HOURS),
        create_time=now,
        update_time=now,
    )


def waiting(operation: Operation) -> Operation:
    """Build what a synchronous write becomes that finds others waiting for its record: it goes when they are done."""
    return replace(operation, state="queued", attempts=0, owner="", first_sent_at=None)


def queued(target: Target, plan: Plan, request: WriteRequest, *, operation_id: str, now: datetime) -> Operation:
    """Build one that is sent as soon as its lane comes to it, and again until its deadline."""
    policy = RetryPolicy() if request.retry_policy is UNSET else request.retry_policy
    return _operation(
        target,
        plan,
        id=operation_id,
        mode="asynchronous",
        state="queued",
        payload=encoded(Stored(plan=plan)),
        on_ambiguous=request.on_ambiguous,
        batch_key=batch_key(target.installation.id, target.connector, plan, on_ambiguous=request.on_ambiguous),
        run_at=now,
        deadline_at=now + timedelta(hours=policy.deadline_hours),
        create_time=now,
        update_time=now,
    )


def gathering(target: Target, plan: Plan, request: WriteRequest, *, operation_id: str, now: datetime) -> Operation:
    """Build an auto-batch for records like this one, to be sent when its first record has waited long enough.

    Its plan has no records: they are kept beside it. Raises `ValueError` for a request without ``autoBatchPolicy``.
    """
    policy = request.auto_batch_policy
    if policy is UNSET:
        raise ValueError("the request asks for no auto-batch")
    run_at = now + timedelta(minutes=policy.max_delay_minutes)
    shared = replace(plan, records=(), batch=True, needs=())
    return replace(
        _operation(
            target,
            plan,
            id=operation_id,
            mode="asynchronous",
            state="queued",
            payload=encoded(Stored(plan=shared)),
            on_ambiguous=request.on_ambiguous,
            gather_key=_digest("gather", target.installation.id, plan, request.on_ambiguous),
            gathered=1,
            run_at=run_at,
            deadline_at=run_at + timedelta(hours=policy.retry_deadline_hours),
            create_time=now,
            update_time=now,
        ),
        record_key="",
    )


def _operation(target: Target, plan: Plan, **rest: Any) -> Operation:
    installation = target.installation
    record_id = plan.records[0].id if len(plan.records) == 1 else None
    return Operation(
        project_id=installation.project_id,
        integration_id=installation.integration_id,
        installation_id=installation.id,
        config_id=installation.config.id,
        group_ref=installation.group.group_ref,
        connection_id=installation.connection.id,
        object_name=plan.object_name,
        action=plan.action,
        record_key="" if record_id is None else f"{plan.object_name}/{record_id}",
        **rest,
    )


def batch_key(installation_id: str, connector: Connector, plan: Plan, *, on_ambiguous: OnAmbiguous) -> str:
    """Name what this may go out with; empty where it goes alone."""
    takes_batches = capabilities(connector).batch_writer is not None
    if plan.batch or plan.action not in COALESCED or not takes_batches or looks(connector, plan):
        return ""
    return _digest("batch", installation_id, plan, on_ambiguous)


def _digest(what: str, installation_id: str, plan: Plan, on_ambiguous: OnAmbiguous) -> str:
    parts = (what, installation_id, plan.object_name, plan.action, plan.headers, on_ambiguous)
    return blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()
