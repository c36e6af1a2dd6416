"""What of an operation is still to be sent, and how what came of it joins what was settled before. Pure.

A call at the provider carries one operation or several; each has its share of the call's records.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from installations.operation import Operation
from installations.outlook import judge
from installations.pipeline import Plan
from installations.record import Change, Fault, Outcome, RecordOutcome
from installations.repetition import Reaction
from server.delivering.attempts import Tried, effect_of_outcome, first_fault
from server.delivering.payloads import stored_outcome

TO_BE_SENT: frozenset[Reaction] = frozenset({"retry", "wait", "park"})
"""What is sent again when its operation is."""


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One operation's part of a call."""

    operation: Operation
    plan: Plan
    """All of it."""
    known: tuple[RecordOutcome | None, ...]
    """What came of each record so far."""
    open: tuple[int, ...]
    """Which of the records may still be sent."""
    due: tuple[int, ...]
    """Which of them go out now: all but those that wait for an earlier write to the same record."""


def share_of(operation: Operation, plan: Plan) -> Share:
    """Tell what of an operation is still to be sent: resent is only what may be."""
    known = known_outcomes(operation, plan)
    still = tuple(_open(operation, known))
    return Share(operation=operation, plan=plan, known=known, open=still, due=tuple(_first_of_each(plan, still)))


def known_outcomes(operation: Operation, plan: Plan) -> tuple[RecordOutcome | None, ...]:
    """List what came of each record so far."""
    before = stored_outcome(operation)
    return (None,) * len(plan.records) if before is None else before.records


def _open(operation: Operation, known: Sequence[RecordOutcome | None]) -> Iterator[int]:
    """List the records that may be sent: those never tried, and those whose last try may be repeated."""
    for index, record in enumerate(known):
        if record is None or _may_go(operation, record):
            yield index


def _may_go(operation: Operation, record: RecordOutcome) -> bool:
    # How the effect reads matters only for what never left, and that has been judged.
    (reaction,) = judge((record,), effect="rejected", repeat=operation.repeat, operation=operation)
    if reaction == "reconcile":
        # It is ``queued`` without a doubt only if it is proved not to have happened, or a person said so.
        return not operation.doubtful
    return reaction in TO_BE_SENT


def _first_of_each(plan: Plan, indexes: Sequence[int]) -> Iterator[int]:
    """Keep writes to one record in order: the second one of a batch waits for the first one's end."""
    seen: set[str] = set()
    for index in indexes:
        record_id = plan.records[index].id
        if record_id is None or record_id not in seen:
            yield index
        if record_id is not None:
            seen.add(record_id)


def key_of(operation_id: str, index: int, *, batch: bool) -> str:
    """Name a record for the provider, the same at every attempt."""
    return f"{operation_id}/{index}" if batch else operation_id


def keys_of(shares: Sequence[Share]) -> tuple[str, ...]:
    """List the keys of everything that goes out."""
    return tuple(key_of(share.operation.id, index, batch=share.plan.batch) for share in shares for index in share.due)


def joined(shares: Sequence[Share]) -> Plan:
    """Put what goes out into one plan. Several shares have the same batch key, so that all but records is alike."""
    records = tuple(share.plan.records[index] for share in shares for index in share.due)
    first = shares[0].plan
    return replace(first, records=records, batch=first.batch or len(shares) > 1)


def changes_of(shares: Sequence[Share], change: Change) -> list[Change]:
    """Give each share its part of the change that goes out."""
    if len(shares) == 1:
        return [change]
    start, parts = 0, list[Change]()
    for share in shares:
        end = start + len(share.due)
        parts.append(replace(change, records=change.records[start:end], keys=change.keys[start:end]))
        start = end
    return parts


def parted(shares: Sequence[Share], tried: Tried) -> Iterator[Tried]:
    """Give each share what came of its own records."""
    if len(shares) == 1:
        yield tried
        return
    answered = iter(tried.outcome.records)
    for share in shares:
        records = tuple(next(answered) for _ in share.due)
        yield _part_of(tried, records)


def _part_of(tried: Tried, records: tuple[RecordOutcome, ...]) -> Tried:
    outcome = replace(tried.outcome, records=records)
    # What met the request as a whole met each; else each is judged by its own records.
    whole = tried.refused_whole or tried.effect == "not_sent"
    effect = tried.effect if whole else effect_of_outcome(outcome)
    return Tried(outcome=outcome, effect=effect, fault=first_fault(outcome), refused_whole=tried.refused_whole)


def merged(share: Share, outcome: Outcome) -> Outcome:
    """Put what came of this attempt beside what was known, a record at each index of the plan."""
    records: list[RecordOutcome | None] = list(share.known)
    for index, record in zip(share.due, outcome.records, strict=True):
        records[index] = record
    return replace(outcome, records=tuple(_NEVER if record is None else record for record in records))


_NEVER = RecordOutcome(success=False, fault=Fault(kind="not_sent", message="not sent yet"))
