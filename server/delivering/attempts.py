"""What one attempt at the provider came to: the outcome, its effect, and the state it leaves the operation in. Pure."""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from connectors.errors import Ambiguous, ConnectorError, NotSent, Unreadable
from installations.operation import EffectClass, State
from installations.record import Change, Fault, Outcome, RecordOutcome


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt came to."""

    outcome: Outcome
    effect: EffectClass
    fault: Fault | None
    refused_whole: bool = False
    """The provider refused the request as one, so that it says nothing of each record."""


def failed(count: int, error: ConnectorError) -> Outcome:
    """Build the outcome of a request that did not go through as a whole."""
    success = isinstance(error, Unreadable)
    record = RecordOutcome(success=success, fault=error.fault)
    warnings = (f"written, but the provider's answer could not be read: {error.fault.message}",) if success else ()
    return Outcome(records=(record,) * count, raw_response=error.raw_response, warnings=warnings)


def unsent(count: int, error: ConnectorError) -> Tried:
    """Tell what came of a write whose look-up failed: reading touches nothing, so it is known not to have happened.

    That holds for an answer nobody can read as well, which after a write would mean that it was done.
    """
    outcome = Outcome(
        records=(RecordOutcome(success=False, fault=error.fault),) * count, raw_response=error.raw_response
    )
    return Tried(outcome=outcome, effect="not_sent", fault=error.fault)


def unforeseen(count: int) -> Tried:
    """Tell what came of a write whose handling failed in a way that nobody foresaw, when it may have left."""
    fault = Fault(kind="ambiguous", message="an unforeseen error ended the attempt")
    outcome = Outcome(records=(RecordOutcome(success=False, fault=fault),) * count)
    return Tried(outcome=outcome, effect="ambiguous", fault=fault)


def without(change: Change, refused: Mapping[int, Fault]) -> Change:
    """Leave out the records that are refused already."""
    if not refused:
        return change
    left = [index for index in range(len(change.records)) if index not in refused]
    keys = tuple(change.keys[index] for index in left) if change.keys else ()
    return replace(change, records=tuple(change.records[index] for index in left), keys=keys)


def beside(tried: Tried, refused: Mapping[int, Fault]) -> Tried:
    """Put the records that were left out back in their places, each with its fault."""
    if not refused:
        return tried
    answered = iter(tried.outcome.records)
    records = tuple(
        RecordOutcome(success=False, fault=refused[index]) if index in refused else next(answered)
        for index in range(len(tried.outcome.records) + len(refused))
    )
    outcome = replace(tried.outcome, records=records)
    return replace(tried, outcome=outcome, fault=tried.fault or first_fault(outcome))


def effect_of(error: ConnectorError) -> EffectClass:
    """Tell what an attempt that ended so did at the provider."""
    if isinstance(error, NotSent):
        return "not_sent"
    if isinstance(error, Ambiguous):
        return "ambiguous"
    return "done" if isinstance(error, Unreadable) else "rejected"


def state_of(outcome: Outcome) -> State:
    """Tell where a synchronous operation ends: one record whose fate nobody knows leaves the whole unknown."""
    if any(record.fault is not None and record.fault.kind == "ambiguous" for record in outcome.records):
        return "unknown"
    return "success" if any(record.success for record in outcome.records) else "failure"


def effect_of_outcome(outcome: Outcome) -> EffectClass:
    """Tell what an attempt did, where the provider judged record by record."""
    if state_of(outcome) == "unknown":
        return "ambiguous"
    return "done" if any(record.success for record in outcome.records) else "rejected"


def first_fault(outcome: Outcome) -> Fault | None:
    """Answer the first fault among the records."""
    return next((record.fault for record in outcome.records if record.fault is not None), None)


def foremost_fault(outcome: Outcome) -> Fault | None:
    """Answer the first fault of a record that was not written, or of any."""
    unwritten = (record.fault for record in outcome.records if not record.success and record.fault is not None)
    return next(unwritten, None) or first_fault(outcome)


def written_ids(outcome: Outcome) -> tuple[str, ...]:
    """List the provider's ids of the records that were written."""
    return tuple(r.record_id for r in outcome.records if r.success and r.record_id is not None)
