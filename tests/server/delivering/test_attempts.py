"""What one attempt leaves behind: rows of outcome or error, effect and state."""

import pytest

from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused, Unreadable
from installations.record import Fault, FaultKind, Outcome, RecordOutcome
from server.delivering.attempts import effect_of, effect_of_outcome, failed, first_fault, state_of, written_ids


def fault(kind: FaultKind) -> Fault:
    return Fault(kind=kind, message="m")


def refused(kind: FaultKind) -> RecordOutcome:
    return RecordOutcome(success=False, fault=fault(kind))


DONE = RecordOutcome(success=True, record_id="7")

ERRORS = [
    (NotSent(fault("not_sent")), "not_sent", "failure"),
    (Refused(fault("invalid")), "rejected", "failure"),
    (Refused(fault("rate_limited")), "rejected", "failure"),
    (Ambiguous(fault("provider")), "ambiguous", "unknown"),
    (Unreadable(fault("unrecognised")), "done", "success"),
]


@pytest.mark.parametrize(("error", "effect", "state"), ERRORS, ids=lambda part: str(part)[:30])
def test_an_error_tells_what_was_done(error: ConnectorError, effect: str, state: str) -> None:
    outcome = failed(3, error)
    assert (effect_of(error), state_of(outcome), len(outcome.records)) == (effect, state, 3)
    assert first_fault(outcome) == error.fault
    assert bool(outcome.warnings) is isinstance(error, Unreadable)


OUTCOMES = [
    ((DONE,), "done", "success"),
    ((DONE, refused("invalid")), "done", "success"),
    ((refused("invalid"), refused("not_found")), "rejected", "failure"),
    ((DONE, refused("ambiguous")), "ambiguous", "unknown"),
    ((refused("ambiguous"),), "ambiguous", "unknown"),
]


@pytest.mark.parametrize(("records", "effect", "state"), OUTCOMES)
def test_one_record_whose_fate_is_unknown_leaves_the_whole_unknown(
    records: tuple[RecordOutcome, ...], effect: str, state: str
) -> None:
    outcome = Outcome(records=records)
    assert (effect_of_outcome(outcome), state_of(outcome)) == (effect, state)


def test_only_written_records_with_an_id_are_listed() -> None:
    lost = RecordOutcome(success=True)
    refusal = RecordOutcome(success=False, record_id="9", fault=fault("locked"))
    assert written_ids(Outcome(records=(DONE, lost, refusal))) == ("7",)
