from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installations.cron import READ_GAP, WATCH_GAP, schedule_problem, smallest_gap

GAPS: list[tuple[str, int | None]] = [
    ("*/10 * * * *", 10),
    ("*/9 * * * *", 6),
    ("*/7 * * * *", 4),
    ("0,5 9 * * *", 5),
    ("* * * * *", 1),
    ("0 * * * *", 60),
    ("0 */24 * * *", 1440),
    ("0 0,23 * * *", 60),
    ("0,59 0,23 * * *", 1),
    ("5,55 0,23 1 * *", 50),
    ("5,55 0,23 1,2 * *", 10),
    ("5,58 0,23 28,1 2,3 *", 7),
    ("5,58 0,23 * * MON", 53),
    ("5,58 0,23 * * SAT,SUN", 7),
    ("5,58 0,23 * * 0,6", 7),
    ("5,58 0,23 * * 7,1", 7),
    ("5,58 0,23 1 * MON", 7),
    ("0 0 29 2 *", 1440),
    ("0 9 * JUL MON-FRI", 1440),
]


@pytest.mark.parametrize(("schedule", "minutes"), GAPS, ids=[schedule for schedule, _ in GAPS])
def test_the_smallest_gap_is_found_over_the_whole_calendar(schedule: str, minutes: int) -> None:
    assert smallest_gap(schedule) == timedelta(minutes=minutes)


BAD = [
    "",
    "* * * *",
    "* * * * * *",
    "@daily",
    "a * * * *",
    "60 * * * *",
    "0 24 * * *",
    "0 0 31 2 *",
    "0 0 0 * *",
    "*/0 * * * *",
    "5-1 * * * *",
    "0 0 L * *",
    "0 0 * * 1#2",
    "0 0 LW * *",
    "0 0 * * ²",
    "0," * 200 + "0 * * * *",
]


@pytest.mark.parametrize("schedule", BAD)
def test_what_never_runs_or_is_no_schedule_is_told(schedule: str) -> None:
    assert schedule_problem(schedule, gap=READ_GAP)


def test_a_schedule_is_held_to_its_limit() -> None:
    assert schedule_problem("*/10 * * * *", gap=READ_GAP) is None
    assert schedule_problem("*/9 * * * *", gap=READ_GAP) == (
        "runs 6 minutes apart, but may not run more often than every 10 minutes"
    )
    assert schedule_problem("0 * * * *", gap=WATCH_GAP) is None
    assert schedule_problem("*/30 * * * *", gap=WATCH_GAP)


@given(st.text("0123456789*/,-LW# JANMO", max_size=30))
def test_any_text_has_an_answer(text: str) -> None:
    schedule_problem(text, gap=READ_GAP)
