"""Until when a provider wants to be left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from server.proxying.errors import HeldBack
from server.proxying.throttle import LONGEST_WAIT_SECONDS, MOST_HELD, Throttle

START = datetime(2025, 3, 6, 22, 9, 44, tzinfo=UTC)


class Hands:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def throttle(hands: Hands) -> Throttle:
    return Throttle(hands)


def test_a_connection_is_held_back_until_its_time_is_over_and_no_other_is(throttle: Throttle, hands: Hands) -> None:
    throttle.limited("c1", after_seconds=5)
    throttle.require_open("c2")
    hands.tick(4.9)
    with pytest.raises(HeldBack) as caught:
        throttle.require_open("c1")
    assert caught.value.after_seconds == 1
    assert caught.value.headers == {
        "x-isthmus-outcome": "not-sent",
        "x-amp-retry-after": "Thu, 06 Mar 2025 22:09:49 UTC",
        "x-amp-retryable": "true",
    }
    hands.tick(0.1)
    throttle.require_open("c1")


def test_a_time_with_a_fraction_is_rounded_up_and_held_until_then(throttle: Throttle, hands: Hands) -> None:
    hands.tick(0.25)
    assert throttle.limited("c1", after_seconds=5) == START + timedelta(seconds=6)
    hands.tick(5.5)
    with pytest.raises(HeldBack):
        throttle.require_open("c1")


def test_without_a_word_the_wait_doubles_up_to_a_cap_and_begins_anew_after_a_success(
    throttle: Throttle, hands: Hands
) -> None:
    waits = []
    for _ in range(11):
        until = throttle.limited("c1", after_seconds=None)
        waits.append((until - hands.now).total_seconds())
        hands.now = until
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert waits[-1] == LONGEST_WAIT_SECONDS
    throttle.passed("c1")
    assert throttle.limited("c1", after_seconds=None) == hands.now + timedelta(seconds=1)


def test_a_shorter_word_does_not_shorten_a_longer_one(throttle: Throttle) -> None:
    throttle.limited("c1", after_seconds=60)
    assert throttle.limited("c1", after_seconds=1) == START + timedelta(seconds=60)


def test_a_success_of_a_call_that_was_under_way_does_not_end_the_wait(throttle: Throttle) -> None:
    throttle.limited("c1", after_seconds=60)
    throttle.passed("c1")
    with pytest.raises(HeldBack):
        throttle.require_open("c1")


def test_memory_is_bounded_and_the_longest_known_is_forgotten_first(throttle: Throttle) -> None:
    for number in range(MOST_HELD + 1):
        throttle.limited(str(number), after_seconds=60)
    throttle.require_open("0")
    with pytest.raises(HeldBack):
        throttle.require_open("1")
