"""Every move that the decisions about an operation can come to, held against the moves that are allowed."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any, get_args

import pytest

from installations.operation import FINAL, MOVES, OnAmbiguous, Operation, Repeat, State
from installations.outlook import (
    MOST_CRASHES,
    Move,
    Verdict,
    cancelled,
    expired,
    gone,
    looked_up,
    lost,
    outlived,
    resolved,
)
from installations.record import FaultKind, RecordOutcome
from installations.retrying import LOOK_AFTER
from tests.installations.lives import HOUR, MISSING, NOW, WRITTEN, attempted, fault, sent


def every_operation(state: State) -> Iterator[Operation]:
    flags: Sequence[tuple[Any, ...]] = (
        get_args(Repeat),
        get_args(OnAmbiguous),
        (False, True),
        ("synchronous", "asynchronous"),
        (0, MOST_CRASHES - 1),
        (0, len(LOOK_AFTER) - 1),
        (NOW, NOW + HOUR),
    )
    for repeat, on_ambiguous, doubtful, mode, crashes, looks, deadline_at in product(*flags):
        yield sent(
            state=state,
            repeat=repeat,
            on_ambiguous=on_ambiguous,
            doubtful=doubtful,
            attempts=2 if doubtful else 1,
            mode=mode,
            crashes=crashes,
            lone_crashes=crashes,
            looks=looks,
            deadline_at=deadline_at,
        )


RECORDS: tuple[tuple[RecordOutcome, ...], ...] = (
    (WRITTEN,),
    (MISSING,),
    *((fault(kind),) for kind in get_args(FaultKind)),
    (WRITTEN, fault("rate_limited"), fault("ambiguous")),
)


def every_move(operation: Operation) -> Iterator[Move]:
    if operation.state in {"claimed", "sent"}:
        for alone, can_look_up in product((False, True), repeat=2):
            yield lost(operation, now=NOW, alone=alone, can_look_up=can_look_up)
        for records in RECORDS:
            yield attempted(operation, *records, repeat=operation.repeat)
    if operation.state in {"queued", "claimed", "parked"}:
        yield from (expired(operation), gone(operation), outlived(operation, now=NOW, can_look_up=False))
    if operation.state in {"queued", "parked"}:
        yield cancelled(operation)
    if operation.state == "unknown":
        for found, exact in product((0, 1, 2), (False, True)):
            yield looked_up(operation, found=found, exact=exact, now=NOW)
        for verdict in get_args(Verdict):
            yield resolved(operation, verdict, now=NOW)


OTHERS: dict[State, set[State]] = {
    "queued": {"claimed", "parked"},
    "claimed": {"sent"},
    "parked": {"queued"},
}
"""Moves that are not decided here: claiming, marking, parking a lane and letting it go on."""


@pytest.mark.parametrize("state", [state for state in get_args(State) if state not in FINAL])
def test_the_moves_are_what_can_happen_and_nothing_else(state: State) -> None:
    made = {move.to_state for operation in every_operation(state) for move in every_move(operation)}
    assert made <= MOVES[state]
    assert made | OTHERS.get(state, set()) == MOVES[state]


def test_final_states_are_never_left_and_all_others_have_a_way_out() -> None:
    assert set(MOVES) == set(get_args(State))
    for state, moves in MOVES.items():
        assert bool(moves - {state}) == (state not in FINAL)


@pytest.mark.parametrize("state", [state for state in get_args(State) if state not in FINAL])
def test_a_failure_always_says_why_and_an_unknown_create_may_have_happened(state: State) -> None:
    for operation in every_operation(state):
        for move in every_move(operation):
            if move.to_state in {"failure", "unknown", "parked"}:
                assert move.reason
            if move.to_state == "unknown":
                assert move.doubtful
            if move.to_state == "failure" and state != "unknown" and operation.repeat in {"bare", "keyed"}:
                assert not move.doubtful, "a create that may have happened is never called failed"
            if isinstance(move.run_at, type(NOW)):
                assert move.to_state == "queued"
            elif move.to_state == "queued":
                assert state in {"claimed", "sent"}, "only what has come up has a place that it can keep"
