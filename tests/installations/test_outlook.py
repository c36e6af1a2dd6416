"""What becomes of an operation: after every kind of attempt, a crash, a look-up, its deadline and a person's word."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from msgspec import UNSET

from installations.operation import MOVES, Operation, Reason, Repeat, State
from installations.outlook import (
    MOST_CRASHES,
    QUARANTINE_AFTER,
    Move,
    Verdict,
    after_attempt,
    cancelled,
    expired,
    forgotten,
    gone,
    judge,
    looked_up,
    lost,
    outlived,
    resolved,
    restored,
)
from installations.record import RecordOutcome
from installations.retrying import LOOK_AFTER
from tests.installations.lives import HOUR, MINUTE, MISSING, NOW, SENT, WRITTEN, attempted, fault, outcome, sent

UNREADABLE = RecordOutcome(success=True, fault=fault("unrecognised").fault)


DOUBTFUL = sent(doubtful=True, attempts=2)
RISKY = sent(on_ambiguous="retry")
SYNCHRONOUS = sent(mode="synchronous")

ATTEMPTS: list[tuple[str, Operation, Repeat, tuple[RecordOutcome, ...], State, Reason]] = [
    ("written", SENT, "bare", (WRITTEN,), "success", ""),
    ("written, the answer unreadable", SENT, "bare", (UNREADABLE,), "success", ""),
    ("throttled", SENT, "bare", (fault("rate_limited"),), "queued", ""),
    ("locked", SENT, "bare", (fault("locked"),), "queued", ""),
    ("not processed", SENT, "bare", (fault("provider"),), "queued", ""),
    ("never left", SENT, "bare", (fault("not_sent"),), "queued", ""),
    ("credentials refused", SENT, "bare", (fault("auth"),), "parked", "auth"),
    ("refused", SENT, "bare", (fault("invalid"),), "failure", "refused"),
    ("in conflict", SENT, "bare", (fault("conflict"),), "failure", "refused"),
    ("nobody knows, a bare create", SENT, "bare", (fault("ambiguous"),), "unknown", "ambiguous"),
    ("missing from the answer", SENT, "bare", (MISSING,), "unknown", "ambiguous"),
    ("nobody knows, a keyed create", SENT, "keyed", (fault("ambiguous"),), "queued", ""),
    ("nobody knows, an update", SENT, "safe", (fault("ambiguous"),), "queued", ""),
    ("nobody knows, but twice is allowed", RISKY, "bare", (fault("ambiguous"),), "queued", ""),
    # After a doubt, a refusal is not the whole truth.
    ("doubt, then written", DOUBTFUL, "keyed", (WRITTEN,), "success", ""),
    ("doubt, then throttled", DOUBTFUL, "keyed", (fault("rate_limited"),), "queued", ""),
    ("doubt, then refused, a bare create", DOUBTFUL, "bare", (fault("invalid"),), "unknown", "ambiguous"),
    ("doubt, then refused, a keyed create", DOUBTFUL, "keyed", (fault("forbidden"),), "unknown", "ambiguous"),
    ("doubt, then refused, an update", DOUBTFUL, "safe", (fault("forbidden"),), "failure", "refused"),
    ("doubt, then a conflict nobody looked into", DOUBTFUL, "keyed", (fault("conflict"),), "unknown", "ambiguous"),
    ("doubt, then refused, though twice is allowed", sent(doubtful=True, on_ambiguous="retry"), "bare",
     (fault("invalid"),), "unknown", "ambiguous"),
    ("doubt, then credentials refused", DOUBTFUL, "keyed", (fault("auth"),), "parked", "auth"),
    ("a delete that was done before", sent(doubtful=True, action="delete"), "safe", (fault("not_found"),),
     "success", ""),
    ("a delete of what never was", sent(action="delete"), "safe", (fault("not_found"),), "failure", "refused"),
    # Batches.
    ("some written, some refused", SENT, "bare", (WRITTEN, fault("invalid")), "success", ""),
    ("all refused", SENT, "bare", (fault("invalid"), fault("conflict")), "failure", "refused"),
    ("some written, some throttled", SENT, "bare", (WRITTEN, fault("rate_limited")), "queued", ""),
    ("some written, one in doubt", SENT, "bare", (WRITTEN, fault("ambiguous")), "unknown", "ambiguous"),
    ("some in doubt, some never reached", SENT, "bare", (fault("ambiguous"), fault("not_sent")), "queued", ""),
    ("some refused, one in doubt", SENT, "bare", (fault("invalid"), fault("ambiguous")), "unknown", "ambiguous"),
    ("some written, then credentials refused", SENT, "bare", (WRITTEN, fault("auth")), "parked", "auth"),
    ("throttled, and credentials refused", SENT, "bare", (fault("rate_limited"), fault("auth")), "parked", "auth"),
    # Synchronous: one attempt.
    ("synchronous, written", SYNCHRONOUS, "bare", (WRITTEN,), "success", ""),
    ("synchronous, throttled", SYNCHRONOUS, "bare", (fault("rate_limited"),), "failure", "abandoned"),
    ("synchronous, never left", SYNCHRONOUS, "bare", (fault("not_sent"),), "failure", "abandoned"),
    ("synchronous, credentials refused", SYNCHRONOUS, "bare", (fault("auth"),), "failure", "auth"),
    ("synchronous, refused", SYNCHRONOUS, "bare", (fault("invalid"),), "failure", "refused"),
    ("synchronous, some written", SYNCHRONOUS, "bare", (WRITTEN, fault("rate_limited")), "success", ""),
    ("synchronous, nobody knows", SYNCHRONOUS, "bare", (fault("ambiguous"),), "unknown", "ambiguous"),
    ("synchronous, nobody knows, an update", SYNCHRONOUS, "safe", (fault("ambiguous"),), "unknown", "ambiguous"),
    ("synchronous, sent again by a person, throttled", sent(mode="synchronous", attempts=2), "bare",
     (fault("rate_limited"),), "queued", ""),
    ("synchronous, nobody knows, twice is allowed", sent(mode="synchronous", on_ambiguous="retry"), "bare",
     (fault("ambiguous"),), "unknown", "ambiguous"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "repeat", "records", "state", "reason"),
    [row[1:] for row in ATTEMPTS],
    ids=[row[0] for row in ATTEMPTS],
)
def test_an_attempt_leads_where_its_records_need_it(
    operation: Operation, repeat: Repeat, records: tuple[RecordOutcome, ...], state: State, reason: Reason
) -> None:
    move = attempted(operation, *records, repeat=repeat)
    assert (move.to_state, move.reason) == (state, reason)
    assert isinstance(move.run_at, type(NOW)) == (state == "queued")
    assert move.look_at is None


def test_what_is_unknown_is_looked_up_after_a_minute_where_that_can_be_done() -> None:
    assert attempted(SENT, fault("ambiguous"), can_look_up=True).look_at == NOW + MINUTE
    assert attempted(DOUBTFUL, fault("invalid"), can_look_up=True).look_at == NOW + MINUTE
    assert attempted(SYNCHRONOUS, fault("ambiguous"), can_look_up=True).look_at == NOW + MINUTE
    assert attempted(sent(looks=2), fault("ambiguous"), can_look_up=True).looks == 0, "a new doubt, a new patience"


def test_a_doubt_is_remembered_until_it_is_settled() -> None:
    assert not attempted(SENT, fault("rate_limited")).doubtful
    assert attempted(SENT, fault("ambiguous"), repeat="safe").doubtful
    assert attempted(SENT, MISSING, repeat="safe").doubtful
    assert attempted(SENT, fault("unrecognised", status=500), repeat="safe").doubtful
    assert attempted(DOUBTFUL, fault("rate_limited"), repeat="keyed").doubtful
    assert attempted(RISKY, fault("ambiguous")).doubtful, "every such repetition is marked"


def test_a_stored_failure_is_not_asked_for_again() -> None:
    stuck = attempted(sent(attempts=3), fault("ambiguous", status=500), repeat="keyed", stuck=True, can_look_up=True)
    assert (stuck.to_state, stuck.reason, stuck.look_at) == ("unknown", "ambiguous", NOW + MINUTE)
    assert attempted(SENT, fault("ambiguous", status=500), repeat="safe", stuck=True).to_state == "queued"
    assert attempted(SENT, fault("rate_limited"), repeat="keyed", stuck=True).to_state == "queued"


@pytest.mark.parametrize(
    ("records", "all_or_none", "reactions"),
    [
        ((fault("locked"), fault("locked")), True, ("wait", "wait")),
        ((fault("locked"), fault("invalid")), True, ("fail", "fail")),
        ((fault("locked"), fault("invalid")), False, ("wait", "fail")),
        ((fault("not_sent"), fault("ambiguous")), True, ("reconcile", "reconcile")),
        ((fault("auth"), fault("invalid")), True, ("park", "park")),
        ((WRITTEN, fault("locked")), True, ("succeed", "wait")),
        ((WRITTEN, WRITTEN), True, ("succeed", "succeed")),
    ],
    ids=[
        "all may go again",
        "one is refused",
        "one is refused alone",
        "doubt",
        "credentials",
        "kept only in part",
        "all",
    ],
)
def test_records_that_go_together_share_their_fate(
    records: tuple[RecordOutcome, ...], *, all_or_none: bool, reactions: tuple[str, ...]
) -> None:
    assert judge(records, effect="rejected", repeat="bare", operation=SENT, all_or_none=all_or_none) == reactions


def test_records_of_earlier_attempts_keep_what_came_of_them() -> None:
    records = (WRITTEN, fault("conflict"), fault("ambiguous"), fault("conflict"), fault("rate_limited"))
    judged = judge(records, effect="rejected", repeat="bare", operation=DOUBTFUL, sent={3, 4})
    assert judged == ("succeed", "fail", "reconcile", "look_up", "wait")
    risky = sent(doubtful=True, on_ambiguous="retry")
    assert judge(records[2:], effect="rejected", repeat="bare", operation=risky, sent={0}) == ("retry", "fail", "fail")


@pytest.mark.parametrize(
    ("record", "repeat", "held_for"),
    [
        (fault("rate_limited", retry_after_seconds=30), "bare", 30),
        (fault("rate_limited", retry_after_seconds=1e9), "bare", 3600),
        (fault("rate_limited", retry_after_seconds=0.1), "bare", 1),
        (fault("rate_limited"), "bare", None),
        (fault("rate_limited", retry_after_seconds=0), "bare", None),
        (fault("provider", retry_after_seconds=30), "bare", 30),
        (fault("ambiguous", status=503, retry_after_seconds=30), "safe", 30),
        (fault("ambiguous", status=503, retry_after_seconds=30), "bare", 30),
        (fault("locked", retry_after_seconds=2), "bare", None),
        (fault("forbidden", retry_after_seconds=30), "bare", None),
    ],
    ids=["as asked", "an hour at most", "a second at least", "nothing asked", "nothing meant", "not processed",
         "an unclear 503", "an unclear 503 of a create", "a lock on one record", "a refusal"],
)  # fmt: skip
def test_the_connection_holds_still_for_as_long_as_the_provider_asks(
    record: RecordOutcome, repeat: Repeat, held_for: int | None
) -> None:
    held = attempted(SENT, record, repeat=repeat).hold_until
    assert held == (None if held_for is None else NOW + timedelta(seconds=held_for))


@pytest.mark.parametrize("others", [(), (fault("locked", retry_after_seconds=2),)], ids=["alone", "beside a lock"])
def test_a_write_is_never_due_before_its_connection_is_open(others: tuple[RecordOutcome, ...]) -> None:
    for seconds, jitter in product((0.01, 1, 7.3, 3600, 1e7), (0.0, 0.5, 1.0)):
        records = (fault("rate_limited", retry_after_seconds=seconds), *others)
        reactions = judge(records, effect="rejected", repeat="bare", operation=SENT)
        ours = sent(deadline_at=NOW + 48 * HOUR)
        move = after_attempt(ours, outcome(*records), reactions, now=NOW, can_look_up=False, jitter=jitter)
        assert move.hold_until is not None
        assert isinstance(move.run_at, type(NOW))
        assert move.run_at >= move.hold_until


def test_an_auto_batch_that_gathered_for_a_day_backs_off_as_a_young_one() -> None:
    old = sent(create_time=NOW - 24 * HOUR, first_sent_at=NOW - 2 * MINUTE, attempts=12)
    assert attempted(old, fault("not_sent")).run_at == NOW + 5 * MINUTE


ENDS: list[tuple[str, Operation, State]] = [
    ("never in doubt, a bare create", sent(state="queued"), "failure"),
    ("in doubt, a bare create", sent(state="queued", doubtful=True), "unknown"),
    ("in doubt, a keyed create", sent(state="queued", doubtful=True, repeat="keyed"), "unknown"),
    ("in doubt, an update", sent(state="queued", doubtful=True, repeat="safe"), "failure"),
    ("parked", sent(state="parked"), "failure"),
    ("parked in doubt", sent(state="parked", doubtful=True, repeat="keyed"), "unknown"),
]


@pytest.mark.parametrize(("operation", "state"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_an_end_without_a_refusal_is_a_failure_unless_a_create_may_have_happened(
    operation: Operation, state: State
) -> None:
    ends: dict[Reason, Move] = {
        "deadline": expired(operation, now=NOW, can_look_up=True),
        "cancelled": cancelled(operation, now=NOW, can_look_up=True),
        "gone": gone(operation),
        "window": outlived(operation, now=NOW, can_look_up=True),
    }
    for reason, move in ends.items():
        assert (move.to_state, move.reason, move.doubtful) == (state, reason, operation.doubtful)
        looked = state == "unknown" and reason != "gone"
        assert move.look_at == (NOW + LOOK_AFTER[0] if looked else None)
    assert expired(operation).look_at is None
    if state == "unknown":
        assert expired(operation, can_look_up=True).look_at == operation.update_time + LOOK_AFTER[0]
    assert cancelled(operation).look_at is None


def test_a_key_is_forgotten_only_where_an_attempt_is_in_doubt() -> None:
    ours = sent(repeat="keyed", doubtful=True, first_sent_at=NOW - 28 * MINUTE)
    window = timedelta(minutes=30)
    assert forgotten(ours, now=NOW, window=window)
    assert not forgotten(ours, now=NOW, window=None)
    assert not forgotten(ours, now=NOW - 2 * MINUTE, window=window)
    assert not forgotten(sent(repeat="keyed", first_sent_at=NOW - HOUR), now=NOW, window=window)
    assert not forgotten(sent(doubtful=True, first_sent_at=NOW - HOUR), now=NOW, window=window), "never was a key"


CLAIMED = sent(state="claimed", first_sent_at=None)
THIRD: Any = {"crashes": 2, "lone_crashes": 2}
"""It was alone twice before."""
CRASHES: list[tuple[str, Operation, bool, State, Reason]] = [
    ("claimed", CLAIMED, False, "queued", ""),
    ("claimed, alone", CLAIMED, True, "queued", ""),
    ("claimed, for the second time, alone", sent(state="claimed", crashes=1, lone_crashes=1), True, "queued", ""),
    ("claimed, for the third time", sent(state="claimed", **THIRD), True, "failure", "poison"),
    ("claimed, for the tenth time, never alone before", sent(state="claimed", crashes=9), True, "queued", ""),
    ("claimed, for the second time", sent(state="claimed", crashes=1), False, "queued", ""),
    ("claimed, for the third time, not alone", sent(state="claimed", **THIRD), False, "queued", ""),
    ("claimed, for the third time, in doubt", sent(state="claimed", **THIRD, doubtful=True), True, "unknown",
     "poison"),
    ("claimed, synchronous", sent(state="claimed", mode="synchronous"), False, "failure", "abandoned"),
    ("sent, a bare create", SENT, False, "unknown", "ambiguous"),
    ("sent, a keyed create", sent(repeat="keyed"), False, "queued", ""),
    ("sent, an update", sent(repeat="safe"), False, "queued", ""),
    ("sent, twice is allowed", RISKY, False, "queued", ""),
    ("claimed, too late", sent(state="claimed", deadline_at=NOW), False, "failure", "deadline"),
    ("sent, too late, a keyed create", sent(repeat="keyed", deadline_at=NOW), False, "unknown", "deadline"),
    ("sent, too late, an update", sent(repeat="safe", deadline_at=NOW), False, "failure", "deadline"),
    ("sent, synchronous", SYNCHRONOUS, False, "unknown", "ambiguous"),
    ("sent, synchronous, an update", sent(mode="synchronous", repeat="safe"), False, "unknown", "ambiguous"),
    ("sent, synchronous, again by a person, an update", sent(mode="synchronous", repeat="safe", attempts=2), False,
     "queued", ""),
    ("sent, for the third time, a bare create", sent(**THIRD), True, "unknown", "poison"),
    ("sent, for the third time, twice is allowed", sent(**THIRD, on_ambiguous="retry"), True, "unknown", "poison"),
    ("sent, for the third time, a keyed create", sent(**THIRD, repeat="keyed"), True, "unknown", "poison"),
    ("sent, for the third time, an update", sent(**THIRD, repeat="safe"), True, "failure", "poison"),
    ("sent, for the third time, not alone, an update", sent(**THIRD, repeat="safe"), False, "queued", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "alone", "state", "reason"), [row[1:] for row in CRASHES], ids=[row[0] for row in CRASHES]
)
def test_an_operation_outlives_its_process(operation: Operation, *, alone: bool, state: State, reason: Reason) -> None:
    move = lost(operation, now=NOW, alone=alone, can_look_up=True)
    assert (move.to_state, move.reason) == (state, reason)
    assert move.doubtful == (operation.state == "sent" or operation.doubtful)
    assert (move.look_at == NOW + LOOK_AFTER[0]) == (state == "unknown" and reason != "poison")
    assert (move.run_at == NOW) == (state == "queued" and operation.crashes > 0), "the first death costs no place"
    assert lost(operation, now=NOW, alone=alone, can_look_up=False).look_at is None


def test_three_crashes_alone_are_too_many_and_after_three_it_is_alone() -> None:
    assert (MOST_CRASHES, QUARANTINE_AFTER) == (3, 3)


UNKNOWN = sent(state="unknown", reason="ambiguous", doubtful=True, owner="")
LOOKS: list[tuple[str, Operation, int, bool, State, Reason]] = [
    ("found", UNKNOWN, 1, False, "success", "found"),
    ("found after the deadline", sent(state="unknown", deadline_at=NOW - HOUR), 1, True, "success", "found"),
    ("several, loudly", UNKNOWN, 2, True, "unknown", "ambiguous"),
    ("several at the last", sent(state="unknown", looks=2), 2, True, "unknown", "ambiguous"),
    ("not yet", UNKNOWN, 0, True, "unknown", "ambiguous"),
    ("not at the last, where everything shows", sent(state="unknown", looks=2), 0, True, "queued", ""),
    ("not at the last, where records show late", sent(state="unknown", looks=2), 0, False, "unknown", "ambiguous"),
    ("not at the last, its time is over", sent(state="unknown", looks=2, deadline_at=NOW), 0, True, "failure",
     "deadline"),
    ("not at the last, synchronous", sent(state="unknown", looks=2, mode="synchronous"), 0, True, "failure",
     "abandoned"),
    ("not at the last, cancelled", sent(state="unknown", looks=2, reason="cancelled"), 0, True, "failure",
     "cancelled"),
    ("not yet, cancelled", sent(state="unknown", reason="cancelled"), 0, True, "unknown", "cancelled"),
    ("not at the last, its key was forgotten", sent(state="unknown", looks=2, reason="window"), 0, True, "queued", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("operation", "found", "exact", "state", "reason"), [row[1:] for row in LOOKS], ids=[row[0] for row in LOOKS]
)
def test_a_look_up_is_the_only_proof(
    operation: Operation, found: int, *, exact: bool, state: State, reason: Reason
) -> None:
    move = looked_up(operation, found=found, exact=exact, now=NOW)
    assert (move.to_state, move.reason) == (state, reason)
    assert move.looks == (0 if state == "queued" else operation.looks + 1)
    assert (move.look_at is not None) == (found == 0 and operation.looks == 0), "a third look is the last"
    assert move.doubtful == (state in {"success", "unknown"}), "what is proved absent is sent as if for the first time"


def test_look_ups_are_one_five_and_thirty_minutes_after_the_attempt() -> None:
    looked, now = sent(state="unknown", looks=0), NOW + LOOK_AFTER[0]
    for after in LOOK_AFTER[1:]:
        move = looked_up(looked, found=0, exact=False, now=now)
        assert move.look_at == NOW + after
        looked, now = sent(state="unknown", looks=move.looks), move.look_at
    last = looked_up(looked, found=0, exact=False, now=now)
    assert (last.to_state, last.look_at) == ("unknown", None), "then a person must know"


@pytest.mark.parametrize(
    ("verdict", "late", "state", "reason", "doubtful"),
    [
        ("happened", False, "success", "resolved", True),
        ("happened", True, "success", "resolved", True),
        ("discard", False, "failure", "discarded", True),
        ("retry", False, "queued", "", False),
        ("retry", True, "failure", "deadline", False),
    ],
)
def test_a_persons_word_settles_what_is_unknown(
    verdict: Verdict, *, late: bool, state: State, reason: Reason, doubtful: bool
) -> None:
    ours = sent(state="unknown", doubtful=True, looks=3, deadline_at=NOW if late else NOW + HOUR)
    move = resolved(ours, verdict, now=NOW)
    assert (move.to_state, move.reason, move.doubtful) == (state, reason, doubtful)


@pytest.mark.parametrize(
    ("operation", "held"),
    [
        (sent(state="queued"), True),
        (sent(state="parked"), True),
        (sent(state="claimed"), True),
        (sent(repeat="keyed"), True),
        (sent(state="queued", action="upsert"), True),
        (sent(state="queued", action="upsert", repeat="safe"), False),
        (sent(state="queued", action="update"), False),
        (sent(state="queued", action="delete"), False),
        (sent(mode="synchronous"), False),
        (sent(state="unknown"), False),
        (sent(state="success"), False),
        (sent(state="failure"), False),
    ],
    ids=lambda value: f"{value.state} {value.action} {value.repeat}" if isinstance(value, Operation) else str(value),
)
def test_a_create_that_a_backup_brought_back_may_have_happened(operation: Operation, *, held: bool) -> None:
    move = restored(operation, now=NOW)
    assert (move is not None) == held
    if move is not None:
        assert (move.to_state, move.reason, move.look_at) == ("unknown", "ambiguous", NOW + MINUTE)
        assert move.to_state in MOVES[operation.state]


@pytest.mark.parametrize(
    ("operation", "repeat", "window", "state"),
    [
        (sent(state="queued"), "keyed", None, "queued"),
        (sent(state="claimed"), "keyed", None, "queued"),
        (sent(state="sent"), "keyed", None, "queued"),
        (sent(state="parked", reason="auth"), "keyed", None, "parked"),
        (sent(state="queued"), "keyed", HOUR, "queued"),
        (sent(state="queued", first_sent_at=NOW - HOUR), "keyed", HOUR, "unknown"),
        (sent(state="queued", first_sent_at=None, create_time=NOW - HOUR), "keyed", HOUR, "unknown"),
        (sent(state="queued", deadline_at=NOW), "keyed", None, "unknown"),
        (sent(state="queued"), "bare", None, "unknown"),
        (sent(state="queued", action="upsert"), "keyed", None, "queued"),
        (sent(state="queued", action="upsert"), "safe", None, None),
    ],
)
def test_a_create_that_a_backup_brought_back_goes_on_in_doubt_where_it_is_recognised(
    operation: Operation, repeat: Repeat, window: timedelta | None, state: State | None
) -> None:
    move = restored(operation, now=NOW, repeat=repeat, window=window)
    assert (None if move is None else move.to_state) == state
    if move is not None:
        assert move.doubtful
        assert move.run_at is UNSET, "it keeps its place"
        assert move.reason == ("ambiguous" if state == "unknown" else operation.reason)
