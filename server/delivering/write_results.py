"""What a write's outcome reads like: one line for the operation, and the published answer bodies.

The published answers are closed: nothing is added to them unless the caller asks with ``X-Isthmus-Detail: true``.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.operation import Operation
from installations.record import Fault, FaultKind, Outcome, RecordOutcome

WORDS: dict[FaultKind, str] = {
    "auth": "unauthorized",
    "forbidden": "forbidden",
    "rate_limited": "rate limited",
    "invalid": "bad request",
    "conflict": "conflict",
    "locked": "record locked",
    "not_found": "not found",
    "unknown_field": "bad request",
    "unknown_object": "bad request",
    "provider": "provider error",
    "unrecognised": "unrecognised answer",
    "not_sent": "not sent",
    "ambiguous": "outcome unknown",
}
"""How each kind of fault reads in a message."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One error or warning of an answer."""

    message: str


class Result(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One record of an answer. The last four members appear only when asked for."""

    success: bool
    record_id: str | UnsetType = UNSET
    data: Any = UNSET
    index: int | UnsetType = UNSET
    error: Fault | UnsetType = UNSET
    message: str | UnsetType = UNSET
    created: bool | UnsetType = UNSET


class SingleAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a write of one record."""

    operation_id: str
    result: Result | UnsetType = UNSET
    errors: tuple[Message, ...] | UnsetType = UNSET
    warnings: tuple[Message, ...] | UnsetType = UNSET
    raw_response: str | UnsetType = UNSET


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer to a write of many: ``results`` has one entry for each record, in the order asked."""

    operation_id: str
    success_count: int
    failure_count: int
    results: tuple[Result, ...]
    errors: tuple[Message, ...] | UnsetType = UNSET


class AcceptedAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The answer while nobody knows more than that there is an operation."""

    operation_id: str


def single_answer(operation: Operation, outcome: Outcome, *, detailed: bool) -> SingleAnswer:
    """Build the body for one record."""
    record = outcome.records[0]
    result = _result(operation, record, index=0, detailed=detailed)
    if record.success:
        # A success has no place for warnings in the published shape.
        warnings = _messages(outcome.warnings) if detailed else UNSET
        return SingleAnswer(operation_id=operation.id, result=result, warnings=warnings)
    return SingleAnswer(
        operation_id=operation.id,
        result=result,
        errors=(Message(message=error_message(operation.object_name, record.fault)),),
        warnings=_messages(outcome.warnings),
        raw_response=UNSET if outcome.raw_response is None else outcome.raw_response,
    )


def batch_answer(operation: Operation, outcome: Outcome, *, detailed: bool) -> BatchAnswer:
    """Build the body for many records; equal messages are said once."""
    written = sum(record.success for record in outcome.records)
    messages = dict.fromkeys(
        error_message(operation.object_name, record.fault) for record in outcome.records if not record.success
    )
    return BatchAnswer(
        operation_id=operation.id,
        success_count=written,
        failure_count=len(outcome.records) - written,
        results=record_results(operation, outcome, detailed=detailed),
        errors=_messages(messages),
    )


def record_results(operation: Operation, outcome: Outcome, *, detailed: bool) -> tuple[Result, ...]:
    """Build the part of an answer that has one entry for each record."""
    return tuple(
        _result(operation, record, index=index, detailed=detailed) for index, record in enumerate(outcome.records)
    )


def error_message(object_name: str, fault: Fault | None) -> str:
    """Say ``error writing contact: bad request: <the provider's words>``, as the published server does."""
    if fault is None:
        return f"error writing {object_name}: no reason given"
    return f"error writing {object_name}: {WORDS[fault.kind]}: {fault.message}"


def summary(operation: Operation, outcome: Outcome) -> str:
    """Say what came of an operation in one line."""
    written = sum(record.success for record in outcome.records)
    if len(outcome.records) > 1:
        return f"Batch write completed ({written} succeeded, {len(outcome.records) - written} failed)"
    if written:
        return f"[{operation.object_name}] Write succeeded"
    return f"[{operation.object_name}] {error_message(operation.object_name, outcome.records[0].fault)}"


def _result(operation: Operation, record: RecordOutcome, *, index: int, detailed: bool) -> Result:
    record_id = UNSET if record.record_id is None else record.record_id
    # The published ``data`` is an object; a provider that answers anything else has no data to show.
    data = record.data if isinstance(record.data, dict) else UNSET
    if not detailed:
        return Result(success=record.success, record_id=record_id, data=data)
    fault = record.fault
    return Result(
        success=record.success,
        record_id=record_id,
        data=data,
        index=index,
        error=UNSET if fault is None else fault,
        message=UNSET if record.success else error_message(operation.object_name, fault),
        created=UNSET if record.created is None else record.created,
    )


def _messages(texts: Iterable[str]) -> tuple[Message, ...] | UnsetType:
    found = tuple(Message(message=text) for text in texts)
    return found or UNSET
