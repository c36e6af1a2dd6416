"""How operations, settlements and attempts become rows and come back: sealed cells, encoded lists, storable words."""

import hashlib
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from installations.operation import UNOWNED, Attempt, Operation
from server.store.contract import Event, IdempotencyKey, Settlement
from server.store.engine import Row
from server.store.hot import INSERTED_COLUMNS, OPERATION_COLUMNS, Begin, Claim, Gather, Settle, Wake
from server.store.vault import Box

TABLE = "operations"
RECORDS_TABLE = "gathered_records"

_ids = msgspec.json.Decoder(tuple[str, ...])
_encode = msgspec.json.Encoder().encode
_values = attrgetter(*INSERTED_COLUMNS)
_STATUSES = range(100, 1000)
_PAYLOAD, _OUTCOME, _IDS = (INSERTED_COLUMNS.index(name) for name in ("payload", "outcome", "successful_record_ids"))


def build_begin(
    operation: Operation,
    box: Box,
    *,
    key: IdempotencyKey | None = None,
    turns: tuple[str, ...] = (),
    replay_of: str = "",
) -> Begin:
    """Make the move that stores an operation; with ``replay_of`` also marks the failed one."""
    return Begin(
        operation=_operation_row(operation, box),
        claim=_claim(operation, key) if key else None,
        wake=_wake(operation),
        turns=tuple(dict.fromkeys(turns)),
        replay_of=replay_of,
        sealed_by=box.sealing,
    )


def build_in_turn(
    operation: Operation, queued: Operation, box: Box, *, key: IdempotencyKey | None, turns: tuple[str, ...]
) -> Begin:
    """Make the move that stores an operation, or in its place ``queued``, which carries the same."""
    begin = build_begin(operation, box, key=key)
    values = list(_values(queued))
    for place in (_PAYLOAD, _OUTCOME, _IDS):
        values[place] = begin.operation[place]
    instead = Begin(
        operation=tuple(values),
        claim=begin.claim,
        wake=_wake(queued),
        turns=tuple(dict.fromkeys(turns)),
        sealed_by=box.sealing,
    )
    return msgspec.structs.replace(begin, instead=instead)


def build_gather(operation: Operation, record: bytes, box: Box, *, most: int, key: IdempotencyKey | None) -> Gather:
    """Make the move that puts a record into an auto-batch."""
    return Gather(
        begin=build_begin(operation, box, key=key),
        gather_key=operation.gather_key,
        lane_id=operation.connection_id,
        project_id=operation.project_id,
        record=box.seal(record, table=RECORDS_TABLE, column="content", row_id=operation.id),
        most=most,
        now=operation.create_time,
    )


def build_settle(settlement: Settlement, box: Box) -> Settle:
    """Make the guarded move."""
    attempt, event = settlement.attempt, settlement.event
    return Settle(
        operation_id=settlement.operation_id,
        project_id=settlement.project_id,
        from_state=settlement.from_state,
        owner=settlement.owner,
        from_attempts=settlement.from_attempts,
        settled=_settled(settlement, box),
        attempt=_attempt_row(attempt, settlement.project_id) if attempt else None,
        event=_event_row(event, settlement.project_id) if event else None,
        to_state=settlement.to_state,
        run_at=_or_none(settlement.run_at),
        look_at=settlement.look_at,
        now=settlement.now,
        gives_way=settlement.gives_way,
        hold_until=settlement.hold_until,
        sealed_by=box.sealing,
    )


def claim_id(project_id: str, key: IdempotencyKey) -> str:
    """Name a key among all projects' and routes'."""
    return hashlib.sha256(f"{project_id}\0{key.route}\0{key.key}".encode()).hexdigest()


def operation_from(row: Row, box: Box) -> Operation:
    """Open a row."""
    opened = {
        "payload": box.open(row["payload"], table=TABLE, column="payload", row_id=row["id"]),
        "outcome": box.open(row["outcome"], table=TABLE, column="outcome", row_id=row["id"]),
        "successful_record_ids": _ids.decode(row["successful_record_ids"]),
    }
    return Operation(**({name: row[name] for name in OPERATION_COLUMNS} | opened))


def attempt_from(row: Row) -> Attempt:
    """Read a row."""
    return Attempt(**{name: row[name] for name in Attempt.__struct_fields__})


def record_from(row: Row, box: Box) -> bytes:
    """Open what an auto-batch holds."""
    return box.open(row["content"], table=RECORDS_TABLE, column="content", row_id=row["id"])


def _operation_row(operation: Operation, box: Box) -> tuple[Any, ...]:
    values = list(_values(operation))
    values[_PAYLOAD] = box.seal(operation.payload, table=TABLE, column="payload", row_id=operation.id)
    values[_OUTCOME] = box.seal(operation.outcome, table=TABLE, column="outcome", row_id=operation.id)
    values[_IDS] = _encode(operation.successful_record_ids).decode()
    return tuple(values)


def _wake(operation: Operation) -> Wake | None:
    if operation.state != "queued" or not operation.connection_id:
        return None
    due = operation.run_at <= operation.create_time
    return Wake(lane_id=operation.connection_id, project_id=operation.project_id, at=operation.run_at, due=due)


def _claim(operation: Operation, key: IdempotencyKey) -> Claim:
    return Claim(
        id=claim_id(operation.project_id, key),
        project_id=operation.project_id,
        operation_id=operation.id,
        fingerprint=key.fingerprint,
        expire_time=key.expire_time,
        now=operation.create_time,
    )


def _settled(settlement: Settlement, box: Box) -> tuple[Any, ...]:
    """List what is written, in the order of `hot.SETTLED_COLUMNS`."""
    one, outcome, summary, ids = settlement, settlement.outcome, settlement.summary, settlement.successful_record_ids
    return (
        one.to_state,
        "" if one.to_state in UNOWNED else one.owner,
        one.reason,
        one.look_at,
        one.now,
        None if outcome is UNSET else box.seal(outcome, table=TABLE, column="outcome", row_id=one.operation_id),
        None if summary is UNSET else _storable(summary),
        None if ids is UNSET else _encode([_storable(each) for each in ids]).decode(),
        _or_none(one.run_at),
        _or_none(one.looks),
        _or_none(one.crashes),
        _or_none(one.doubtful),
        _or_none(one.repeat),
        _or_none(one.batch_key),
        _or_none(one.replayed_by),
        _or_none(one.deadline_at),
        _or_none(one.lone_crashes),
        one.attempt.number if one.attempt else None,
        _or_none(one.first_sent_at),
        one.fault_kind is not UNSET,
        _or_none(one.fault_kind),
    )


def _attempt_row(attempt: Attempt, project_id: str) -> tuple[Any, ...]:
    return (
        f"{attempt.operation_id}/{attempt.number}",
        project_id,
        attempt.operation_id,
        attempt.number,
        attempt.started_at,
        attempt.finished_at,
        attempt.effect,
        _status(attempt.status),
        attempt.fault_kind,
        _storable(attempt.message),
    )


def _event_row(event: Event, project_id: str) -> tuple[Any, ...]:
    return (event.id, project_id, event.type, event.data, event.create_time, 0)


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value


def _status(status: int | None) -> int | None:
    """Leave out what is no HTTP status: of a record in a batch it is what the provider's answer says."""
    # Whatever is no number would be compared with each one of a range.
    return None if status is None or status not in _STATUSES else status


def _storable(text: str) -> str:
    """Replace what no database keeps: the words are the provider's, and what it did must be written down."""
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
