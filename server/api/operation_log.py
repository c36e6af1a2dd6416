"""The log of an operation: what happened to it, as far as its attempts and what it is now tell."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from installations.operation import Attempt, EffectClass, Operation, Reason

Severity = Literal["INFO", "WARNING", "ERROR"]


class LogMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What a log line says. ``operation_id`` is spelt as published."""

    msg: str
    operation_id: str
    error: str | UnsetType = UNSET
    details: dict[str, str] | UnsetType = UNSET


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an operation's log."""

    timestamp: datetime
    severity: Severity
    message: LogMessage


EFFECTS: dict[EffectClass, str] = {
    "done": "the provider did it",
    "rejected": "the provider refused, nothing was written",
    "not_sent": "nothing was sent",
    "ambiguous": "nobody can tell whether it was written",
}
"""How each effect reads in the log."""
REASONS: dict[Reason, tuple[Severity, str]] = {
    "auth": ("WARNING", "Parked: the connection's credentials are refused; it goes on once somebody connects again"),
    "deadline": ("ERROR", "Given up: the deadline for trying is over"),
    "cancelled": ("INFO", "Cancelled by a person"),
    "poison": ("ERROR", "Given up: the process that had it in flight died again and again"),
    "gone": ("ERROR", "Given up: its installation is gone"),
    "window": ("WARNING", "Not sent again: the provider may have forgotten its key"),
    "discarded": ("INFO", "Discarded by a person: nobody asks any more whether it happened"),
    "found": ("INFO", "Found at the provider: it happened"),
    "resolved": ("INFO", "Resolved by a person: it happened"),
    "abandoned": ("ERROR", "Not sent, and not tried again, because it was synchronous"),
}
"""What a reason says that no attempt does."""


def log_of(operation: Operation, attempts: Sequence[Attempt]) -> list[LogLine]:
    """Tell what happened to an operation, first to last."""
    tried = (_attempted(operation, attempt, number) for number, attempt in enumerate(attempts, start=1))
    return [_accepted(operation), *tried, *_since(operation)]


def _accepted(operation: Operation) -> LogLine:
    details = {"configId": operation.config_id}
    if operation.replay_of:
        details["replayOf"] = operation.replay_of
    message = f"Accepted: {operation.action} {operation.object_name}, {operation.mode}"
    return _line(operation, operation.create_time, "INFO", message, details=details)


def _attempted(operation: Operation, attempt: Attempt, number: int) -> LogLine:
    failed = attempt.effect != "done"
    seconds = (attempt.finished_at - attempt.started_at).total_seconds()
    details: dict[str, str] = {"effect": attempt.effect, "durationSeconds": f"{seconds:.3f}"}
    if attempt.status is not None:
        details["providerStatus"] = str(attempt.status)
    if attempt.fault_kind is not None:
        details["fault"] = attempt.fault_kind
    return _line(
        operation,
        attempt.finished_at,
        "ERROR" if failed else "INFO",
        f"Attempt {number}: {EFFECTS[attempt.effect]}",
        error=attempt.message if failed else "",
        details=details,
    )


def _since(operation: Operation) -> Iterator[LogLine]:
    """Tell what came behind the last attempt."""
    if operation.reason in REASONS:
        severity, message = REASONS[operation.reason]
        yield _line(operation, operation.update_time, severity, message)
    if operation.state == "queued" and operation.attempts:
        yield _line(operation, operation.update_time, "INFO", f"To be tried again at {_time(operation.run_at)}")
    if operation.state == "unknown":
        look = operation.look_at
        how = "only a person can tell, with :resolve" if look is None else f"to be looked up at {_time(look)}"
        yield _line(operation, operation.update_time, "WARNING", f"Unknown: {how}")


def _time(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _line(
    operation: Operation,
    timestamp: datetime,
    severity: Severity,
    message: str,
    *,
    error: str = "",
    details: dict[str, str] | None = None,
) -> LogLine:
    return LogLine(
        timestamp=timestamp,
        severity=severity,
        message=LogMessage(
            msg=message, operation_id=operation.id, error=error or UNSET, details=UNSET if details is None else details
        ),
    )
