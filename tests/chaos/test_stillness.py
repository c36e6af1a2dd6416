"""How long work stood still is read from the calls: what waited, from when to when, and whose it was."""

import pytest

from tests.chaos.provider import Call
from tests.chaos.stillness import Accepted, Stall, longest_gap, longest_stall, longest_take_over, waiting_since
from tests.chaos.workload import Kind, ask


def accepted(number: int, at: float, *, customer: str = "one", kind: Kind = "unique") -> Accepted:
    return Accepted(ask=ask(f"chaos-{number:06}", kind, customer=customer, record="r1"), at=at)


def call(at: float, *numbers: int, customer: str = "one", fault: bool = False) -> Call:
    tags = tuple(f"chaos-{number:06}" for number in numbers)
    made = Call(number=1, at=at, workspace=customer, line="POST /", tags=tags, status=201, ended=at + 0.1)
    made.fault = "throttle" if fault else None
    return made


@pytest.mark.parametrize(
    ("taken", "calls", "expected"),
    [
        ([], [], 0.0),
        ([accepted(1, 5.0)], [call(5.5, 1)], 0.5),
        # What was called before its caller had the answer waited for nothing.
        ([accepted(1, 5.0)], [call(4.9, 1)], 0.0),
        # A customer whose other calls come in stands not still.
        ([accepted(1, 0.0), accepted(2, 0.0)], [call(3.0, 1), call(5.0, 2)], 3.0),
        ([accepted(1, 0.0), accepted(2, 0.0, customer="two")], [call(1.0, 1), call(7.0, 2, customer="two")], 7.0),
        # Deletions and look-ups bear no tags.
        ([accepted(1, 0.0)], [call(4.0), call(5.0, 1)], 5.0),
        ([accepted(1, 0.0)], [call(4.0)], 0.0),
        # A change waits for the one before it.
        ([accepted(1, 0.0, kind="update")], [call(5.0, 1)], 0.0),
        # A create in doubt waits for a look-up.
        ([accepted(1, 0.0, kind="marker")], [call(5.0, 1)], 0.0),
    ],
)
def test_a_customer_stands_still_from_the_last_call_to_the_next(
    taken: list[Accepted], calls: list[Call], expected: float
) -> None:
    assert longest_stall(taken, calls).seconds == expected


def test_a_gap_is_nobodys_call() -> None:
    taken = [accepted(1, 0.0), accepted(2, 0.0, customer="two")]
    calls = [call(3.0, 1), call(7.0, 2, customer="two")]
    assert longest_gap(taken, calls) == Stall(seconds=4.0, began=3.0, tag="chaos-000002", customer="two")


@pytest.mark.parametrize(
    ("kind", "calls", "expected"),
    [
        ("unique", [call(1.0, 1), call(16.0, 1)], 15.0),
        ("unique", [call(1.0, 1, fault=True), call(16.0, 1)], 0.0),
        ("unique", [call(1.0, 1)], 0.0),
        # It is looked up first, some time later.
        ("marker", [call(1.0, 1), call(16.0, 1)], 0.0),
    ],
)
def test_a_take_over_is_read_from_calls_that_were_made_again_without_need(
    kind: Kind, calls: list[Call], expected: float
) -> None:
    assert longest_take_over([accepted(1, 0.0, kind=kind)], calls).seconds == expected


def test_whoever_waits_now_is_told_since_when() -> None:
    taken = [accepted(1, 1.0), accepted(2, 2.0), accepted(3, 4.0, customer="two"), accepted(4, 5.0, customer="two")]
    since = waiting_since(taken, seen={"chaos-000001"}, called_at={"one": 3.0})
    assert since == {"one": 3.0, "two": 4.0}
