"""Which capability serves a change, and what stands in where a provider lacks one.

A stand-in is a flow made of other flows: a batch goes out record by record, and an upsert becomes an update of the
records that a look-up gave an id, and a create of the others. What no flow can stand in for is named by
`missing_capability`, before anything is sent.
"""

from collections.abc import Iterable, Sequence
from functools import cache

import httpx
import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from connectors.accepted import heard
from connectors.connector import (
    Account,
    BatchWriter,
    Connector,
    Deleter,
    Fetcher,
    Finder,
    Flow,
    Upserter,
    Writer,
)
from connectors.errors import ConnectorError, Unreadable
from installations.record import Action, Change, Fault, FaultKind, Outcome, RecordChange, RecordOutcome

STOPS_A_SERIES: frozenset[FaultKind] = frozenset({"auth", "rate_limited", "provider", "not_sent", "ambiguous"})
"""Kinds that would meet the next record of a series as well."""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """What a write asks of a connector."""

    action: Action
    object_name: str
    batch: bool
    all_or_none: bool
    current: bool
    """Rules need to see the records as they are now."""
    match_field: str | None = None


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector can do: itself, seen through each protocol that it implements."""

    writer: Writer | None
    batch_writer: BatchWriter | None
    upserter: Upserter | None
    deleter: Deleter | None
    fetcher: Fetcher | None
    finder: Finder | None


@cache
def capabilities(connector: Connector) -> Capabilities:
    """Look through every protocol, once for each connector: asking at run time costs microseconds each."""
    return Capabilities(
        writer=connector if isinstance(connector, Writer) else None,
        batch_writer=connector if isinstance(connector, BatchWriter) else None,
        upserter=connector if isinstance(connector, Upserter) else None,
        deleter=connector if isinstance(connector, Deleter) else None,
        fetcher=connector if isinstance(connector, Fetcher) else None,
        finder=connector if isinstance(connector, Finder) else None,
    )


def missing_capability(connector: Connector, need: Need) -> str | None:
    """Say in a sentence why this connector cannot serve the need, or ``None``."""
    can = capabilities(connector)
    if need.action == "upsert":
        lack = _upsert_lack(can, need)
    elif (can.deleter if need.action == "delete" else can.writer) is None:
        lack = f"does not support {need.action}"
    elif need.batch and need.all_or_none and need.action != "delete" and can.batch_writer is None:
        lack = "has no batches, so batchPolicy.allOrNone cannot be kept"
    else:
        lack = None
    if lack is None and need.current and (can.finder if need.action == "upsert" else can.fetcher) is None:
        lack = "cannot read records, which overwrite rules that look at the current record need"
    return None if lack is None else f"{connector.provider.display_name} {lack}"


def send(connector: Connector, account: Account, change: Change) -> Flow[Outcome]:
    """Make the flow that carries a change out. Call `missing_capability` first."""
    if change.action == "update" and not all(map(_says_something, change.records)):
        return _without_empty(connector, account, change)
    can = capabilities(connector)
    if change.action == "delete" and can.deleter is not None:
        return heard(can.deleter.delete(account, change), change)
    if change.action == "upsert":
        return _upsert(connector, account, change)
    if change.batch and can.batch_writer is not None:
        return _in_chunks(can.batch_writer, account, change)
    if can.writer is None:
        raise TypeError(f"{connector.provider.name} cannot serve {change.action}")
    if change.batch:
        return _one_by_one(can.writer, account, change)
    return heard(can.writer.write(account, change), change)


def some_of(change: Change, indexes: Sequence[int]) -> Change:
    """Keep the records at these indexes, each with its key."""
    keys = tuple(change.keys[index] for index in indexes) if change.keys else ()
    return replace(change, records=tuple(change.records[index] for index in indexes), keys=keys)


def _says_something(record: RecordChange) -> bool:
    return bool(record.fields) or (record.associations is not UNSET and bool(record.associations))


def _without_empty(connector: Connector, account: Account, change: Change) -> Flow[Outcome]:
    """Leave out the updates of which the rules left nothing: they are done as they are, and providers refuse them."""
    told = [index for index, record in enumerate(change.records) if _says_something(record)]
    outcome = (yield from send(connector, account, some_of(change, told))) if told else Outcome(records=())
    cause = next((record.fault for record in outcome.records if not record.success), None)
    undone = cause if change.all_or_none else None
    results = iter(outcome.records)
    records = tuple(
        next(results)
        if _says_something(record)
        else RecordOutcome(success=undone is None, record_id=record.id, fault=undone)
        for record in change.records
    )
    warning = f"{len(change.records) - len(told)} of {len(change.records)} updates had no field left to write"
    return replace(outcome, records=records, warnings=(*outcome.warnings, warning))


def upserts_natively(connector: Connector, object_name: str, match_field: str | None) -> bool:
    """Whether the provider does this upsert by itself. If not, look each record up and give it the id found."""
    return _native_upsert(capabilities(connector), object_name, match_field) is not None


def _upsert_lack(can: Capabilities, need: Need) -> str | None:
    if _native_upsert(can, need.object_name, need.match_field):
        return None
    if can.finder is None or can.writer is None:
        return "does not support upsert"
    if need.all_or_none:
        return "cannot upsert a batch as a whole; set batchPolicy.allOrNone to false"
    return None


def _native_upsert(can: Capabilities, object_name: str, match_field: str | None) -> Upserter | None:
    native = can.upserter is not None and can.upserter.can_upsert(object_name, match_field or "")
    return can.upserter if native else None


def _in_chunks(connector: BatchWriter, account: Account, change: Change) -> Flow[Outcome]:
    limit = connector.batch_limit
    if len(change.records) <= limit:
        return (yield from heard(connector.write_batch(account, change), change))
    done: list[RecordOutcome] = []
    warnings: list[str] = []
    for start in range(0, len(change.records), limit):
        part = some_of(change, range(start, min(start + limit, len(change.records))))
        try:
            outcome = yield from heard(connector.write_batch(account, part), part)
        except ConnectorError as error:
            if not done:
                raise
            outcome = Outcome(records=(_record_outcome(error),) * len(part.records))
        done.extend(outcome.records)
        warnings.extend(outcome.warnings)
    return Outcome(records=tuple(done), warnings=tuple(warnings))


def _one_by_one(connector: Writer, account: Account, change: Change) -> Flow[Outcome]:
    """Send a batch as single writes; a refusal of one leaves the others alone, a refusal of all stops the series."""
    results: list[RecordOutcome] = []
    for index in range(len(change.records)):
        single = replace(some_of(change, [index]), batch=False)
        try:
            outcome = yield from heard(connector.write(account, single), single)
        except ConnectorError as error:
            results.append(_record_outcome(error))
        else:
            results.extend(outcome.records)
        if _stopper(results[-1:]) is not None:
            break
    return Outcome(records=_filled(results, len(change.records)))


def _upsert(connector: Connector, account: Account, change: Change) -> Flow[Outcome]:
    native = _native_upsert(capabilities(connector), change.object_name, change.match_field)
    if native is None:
        return _as_found(connector, account, change)
    return heard(native.upsert(account, change), change)


def _as_found(connector: Connector, account: Account, change: Change) -> Flow[Outcome]:
    """Update the records that a look-up gave an id, create the others.

    Two of these at once may both create: whoever looks up and calls this makes others wait meanwhile.
    """
    results: dict[int, RecordOutcome] = {}
    warnings: list[str] = []
    raw_response: str | None = None
    for action in _FOUND_OR_NOT:
        part = [index for index, each in enumerate(change.records) if (each.id is None) == (action == "create")]
        if not part:
            continue
        if (cause := _stopper(results.values())) is not None:
            outcome = Outcome(records=(_unsent(cause),) * len(part))
        else:
            asked = replace(some_of(change, part), action=action, match_field=None)
            outcome = yield from _part(connector, account, asked)
        results |= {index: _told(each, action) for index, each in zip(part, outcome.records, strict=True)}
        warnings += outcome.warnings
        raw_response = raw_response or outcome.raw_response
    ordered = tuple(results[index] for index in range(len(change.records)))
    return Outcome(records=ordered, warnings=tuple(warnings), raw_response=raw_response)


_FOUND_OR_NOT: tuple[Action, ...] = ("update", "create")


def _part(connector: Connector, account: Account, change: Change) -> Flow[Outcome]:
    try:
        return (yield from send(connector, account, change))
    except ConnectorError as error:
        if not change.batch:
            raise
        return Outcome(records=(_record_outcome(error),) * len(change.records), raw_response=error.raw_response)


def _told(result: RecordOutcome, action: Action) -> RecordOutcome:
    return replace(result, created=action == "create") if result.success else result


def _stopper(results: Iterable[RecordOutcome]) -> Fault | None:
    return next((each.fault for each in results if each.fault is not None and _stops(each.fault)), None)


def _stops(fault: Fault) -> bool:
    return fault.kind in STOPS_A_SERIES and fault.status != httpx.codes.ACCEPTED


def _record_outcome(error: ConnectorError) -> RecordOutcome:
    if isinstance(error, Unreadable):
        return RecordOutcome(success=True, fault=error.fault)
    return RecordOutcome(success=False, fault=error.fault)


def _filled(results: list[RecordOutcome], count: int) -> tuple[RecordOutcome, ...]:
    """Say of the records that were never reached why."""
    if len(results) == count:
        return tuple(results)
    return (*results, *([_unsent(results[-1].fault)] * (count - len(results))))


def _unsent(cause: Fault | None) -> RecordOutcome:
    message = f"not sent, because an earlier record met: {cause.message if cause else 'a failure'}"
    return RecordOutcome(success=False, fault=Fault(kind="not_sent", message=message))
