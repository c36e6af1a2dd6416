"""The API for up to a hundred records at once: partial by default, all or none on demand."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from connectors.sandbox.calls import Answer, Call, read_body, refuse_readers
from connectors.sandbox.creating import create_once
from connectors.sandbox.records import narrow
from connectors.sandbox.refusals import FieldError, Refusal
from connectors.sandbox.table import Association, StoredRecord, Unit
from connectors.sandbox.workspace import RecordWrite, Workspace

BATCH_LIMIT = 100


class BatchRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One record of a batch; updates, deletes and reads name its id."""

    id: str = ""
    key: str | None = None
    """For a create: its idempotency key."""
    fields: dict[str, Any] = msgspec.field(default_factory=dict)
    associations: tuple[Association, ...] = ()


class BatchBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What to do with which records. ``fields`` narrows what a read answers."""

    action: Literal["create", "update", "upsert", "delete", "read"]
    records: Annotated[tuple[BatchRecord, ...], Meta(min_length=1, max_length=BATCH_LIMIT)]
    all_or_none: bool = False
    match_field: str = ""
    fields: tuple[str, ...] = ()


class BatchResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of one record, at the index it was sent at."""

    index: int
    success: bool
    status: int
    """The status a request for this record alone would have had."""
    record: StoredRecord | None = None
    id: str | None = None
    code: str | None = None
    message: str | None = None
    errors: tuple[FieldError, ...] = ()


def run_batch(call: Call) -> Answer:
    """Do one thing with many records: 200, with a result for each; 422 if all or none became none."""
    body = read_body(call.body, BatchBody)
    if body.action != "read":
        refuse_readers(call)
    call.workspace.table(call.path["object"])
    step = _STEPS[body.action]
    results = [_attempt(call, body, index, step=step) for index in range(len(body.records))]
    if body.all_or_none and not all(result.success for result in results):
        call.unit.roll_back()
        return Answer(status=422, body={"results": [_taken_back(result) for result in results]})
    return Answer(body={"results": results})


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    call: Call
    workspace: Workspace
    object_name: str
    batch: BatchBody
    item: BatchRecord
    unit: Unit

    @property
    def write(self) -> RecordWrite:
        return RecordWrite(fields=self.item.fields, associations=self.item.associations)


_Doing = Callable[[_Step], tuple[int, StoredRecord | None]]


def _attempt(call: Call, body: BatchBody, index: int, *, step: _Doing) -> BatchResult:
    item = body.records[index]
    try:
        status, record = step(
            _Step(
                call=call,
                workspace=call.workspace,
                object_name=call.path["object"],
                batch=body,
                item=item,
                unit=call.unit,
            )
        )
    except Refusal as refusal:
        said = refusal.body
        return BatchResult(
            index=index,
            success=False,
            status=refusal.status,
            code=said.code,
            message=said.message,
            errors=said.errors,
        )
    return BatchResult(index=index, success=True, status=status, record=record, id=record.id if record else item.id)


def _taken_back(result: BatchResult) -> BatchResult:
    if not result.success:
        return result
    message = "Not done: another record of this all-or-none batch was refused."
    return BatchResult(index=result.index, success=False, status=422, code="not_applied", message=message)


def _create(step: _Step) -> tuple[int, StoredRecord]:
    said = create_once(step.call, step.object_name, step.write, key=step.item.key).said
    if not isinstance(said.body, StoredRecord):
        raise Refusal(said.status, said.body.code, said.body.message)
    return said.status, said.body


def _update(step: _Step) -> tuple[int, StoredRecord]:
    return 200, step.workspace.update(step.object_name, step.item.id, step.write, unit=step.unit)


def _upsert(step: _Step) -> tuple[int, StoredRecord]:
    record, created = step.workspace.upsert(step.object_name, step.batch.match_field, step.write, unit=step.unit)
    return (201 if created else 200), record


def _delete(step: _Step) -> tuple[int, None]:
    step.workspace.delete(step.object_name, step.item.id, unit=step.unit)
    return 204, None


def _read(step: _Step) -> tuple[int, StoredRecord]:
    return 200, narrow(step.workspace.get(step.object_name, step.item.id), step.batch.fields)


_STEPS: dict[str, _Doing] = {
    "create": _create,
    "update": _update,
    "upsert": _upsert,
    "delete": _delete,
    "read": _read,
}
