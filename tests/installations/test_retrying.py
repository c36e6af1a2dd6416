"""When to try again, on a virtual clock: two days of failures, ten thousand throttles, and every edge of a deadline."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest

from installations.retrying import (
    LAST_BEFORE,
    LATEST,
    LONGEST_WAIT,
    LOOK_AFTER,
    SHORTEST_WAIT,
    asked,
    next_attempt,
    pause,
    wait,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
RUNS = 3_000
THROTTLES = 10_000


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 -- chance that can be repeated


def attempts_until(deadline: timedelta, *, rng: random.Random) -> list[timedelta]:
    """Fail every time, at once, and list when: ages of the operation."""
    age, ages = timedelta(0), []
    while age < deadline:
        ages.append(age)
        due = next_attempt(
            now=NOW + age,
            since=NOW,
            deadline_at=NOW + deadline,
            failures=len(ages),
            retry_after_seconds=None,
            jitter=rng.random(),
        )
        assert due > NOW + age, "time goes on"
        age = due - NOW
    assert age == deadline, "it ends at the deadline, not later"
    return ages


def test_two_days_of_failures_are_69_to_76_attempts_and_a_last_one_five_minutes_before_the_end() -> None:
    rng = seeded(4)
    deadline = timedelta(hours=48)
    counts = set()
    for _ in range(RUNS):
        ages = attempts_until(deadline, rng=rng)
        assert ages[-1] == deadline - LAST_BEFORE
        assert deadline - ages[-1] <= timedelta(minutes=10)
        counts.add(len(ages) - 1)
    assert min(counts) >= 69
    assert max(counts) <= 76


@pytest.mark.parametrize("hours", [1, 2, 6, 24, 48])
def test_every_deadline_has_its_last_attempt_and_ends_exactly(hours: int) -> None:
    for seed in range(50):
        ages = attempts_until(timedelta(hours=hours), rng=seeded(seed))
        assert ages[-1] == timedelta(hours=hours) - LAST_BEFORE
        assert ages == sorted(ages)
        assert 15 <= len(ages) <= 77


def test_ten_thousand_throttles_are_never_early_and_at_most_two_seconds_late() -> None:
    rng = seeded(12)
    early = late = 0
    for _ in range(THROTTLES):
        seconds = math.exp(rng.uniform(math.log(0.5), math.log(5_000)))
        least = timedelta(seconds=min(max(seconds, 1), 3600))
        due = next_attempt(
            now=NOW,
            since=NOW - HOUR * rng.random(),
            deadline_at=NOW + 48 * HOUR,
            failures=rng.randint(1, 80),
            retry_after_seconds=seconds,
            jitter=rng.random(),
        )
        early += due - NOW < least
        late += due - NOW > least + 2 * SECOND
        assert asked(seconds) == least, "the connection is held for as long as that, and open by then"
    assert (early, late) == (0, 0)


@pytest.mark.parametrize(
    ("failures", "age", "longest"),
    [
        (0, timedelta(0), SECOND),
        (1, timedelta(0), SECOND),
        (2, timedelta(0), 2 * SECOND),
        (9, timedelta(0), 256 * SECOND),
        (10, timedelta(0), 5 * MINUTE),
        (50, HOUR - SECOND, 5 * MINUTE),
        (50, HOUR, 30 * MINUTE),
        (50, 6 * HOUR - SECOND, 30 * MINUTE),
        (50, 6 * HOUR, HOUR),
        (10_000, 47 * HOUR, HOUR),
    ],
)
def test_a_pause_doubles_up_to_the_cap_of_its_age(failures: int, age: timedelta, longest: timedelta) -> None:
    assert pause(failures, age=age, jitter=0.5) == longest
    assert pause(failures, age=age, jitter=0.0) == longest * 0.8
    assert pause(failures, age=age, jitter=1.0) == longest * 1.2


@pytest.mark.parametrize(
    ("seconds", "least"),
    [
        (-5, SHORTEST_WAIT),
        (0.001, SHORTEST_WAIT),
        (1, SECOND),
        (30.5, timedelta(seconds=30.5)),
        (3600, LONGEST_WAIT),
        (1e9, LONGEST_WAIT),
        (1e300, LONGEST_WAIT),
        (math.inf, LONGEST_WAIT),
    ],
)
def test_the_wait_that_was_asked_for_is_clamped_and_only_ever_longer(seconds: float, least: timedelta) -> None:
    assert asked(seconds) == least
    assert wait(seconds, jitter=0.0) == least
    assert least <= wait(seconds, jitter=1.0) <= least + min(least * 0.2, LATEST)


@pytest.mark.parametrize(
    ("left", "retry_after", "due_in"),
    [
        pytest.param(HOUR, None, SECOND, id="in good time"),
        pytest.param(5 * MINUTE + SECOND, None, SECOND, id="the pause ends where the last attempt is"),
        pytest.param(5 * MINUTE + SECOND / 2, None, SECOND / 2, id="the pause would end later: the last attempt"),
        pytest.param(5 * MINUTE, None, 5 * MINUTE, id="that was the last: the end"),
        pytest.param(MINUTE, None, MINUTE, id="after the last: the end"),
        pytest.param(HOUR, 60.0, MINUTE, id="the provider's word"),
        pytest.param(10 * MINUTE, 480.0, 8 * MINUTE, id="the provider's word, past the last attempt"),
        pytest.param(2 * MINUTE, 5.0, 5 * SECOND, id="the provider's word, after the last attempt"),
        pytest.param(HOUR, 3600.0, HOUR, id="the provider's word ends with the time: the end"),
        pytest.param(10 * MINUTE, 86_400.0, 10 * MINUTE, id="the provider wants longer than there is: the end"),
        pytest.param(-SECOND, None, -SECOND, id="too late already: the end"),
        pytest.param(-SECOND, 5.0, -SECOND, id="too late already, whatever the provider says"),
    ],
)
def test_the_next_attempt_keeps_the_deadline(left: timedelta, retry_after: float | None, due_in: timedelta) -> None:
    due = next_attempt(
        now=NOW,
        since=NOW - MINUTE,
        deadline_at=NOW + left,
        failures=1,
        retry_after_seconds=retry_after,
        jitter=0.5 if retry_after is None else 0.0,
    )
    assert due == NOW + due_in


def test_a_short_deadline_and_a_long_pause_leave_room_for_the_last_attempt() -> None:
    due = next_attempt(
        now=NOW,
        since=NOW - 40 * HOUR,
        deadline_at=NOW + 20 * MINUTE,
        failures=60,
        retry_after_seconds=None,
        jitter=1.0,
    )
    assert due == NOW + 15 * MINUTE


def test_look_ups_wait_for_what_providers_show_late() -> None:
    assert LOOK_AFTER == (MINUTE, 5 * MINUTE, 30 * MINUTE)
    assert LOOK_AFTER[0] >= 45 * SECOND, "the longest call may still be under way before that"
