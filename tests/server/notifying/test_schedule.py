"""When a message is tried again, and when a receiver is given up."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from server.notifying.schedule import WAITS, Answer, Verdict, judge
from server.store.contract import Delivery, Destination
from tests.server.store.samples import NOW, destination

DELIVERY = Delivery(
    id="m1",
    project_id="p1",
    destination_id="d1",
    event_id="e1",
    event_type="connection.updated",
    data=b"{}",
    state="pending",
    attempts=1,
    run_at=NOW,
    create_time=NOW,
    update_time=NOW,
)
BUSY = Answer(status=503, error="the receiver answered 503")


def verdict(attempts: int = 1, answer: Answer = BUSY, *, jitter: float = 0, to: Destination | None = None) -> Verdict:
    delivery = replace(DELIVERY, attempts=attempts)
    return judge(delivery, to or destination(), answer, now=NOW, jitter=jitter)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 5), (2, 300), (3, 1800), (4, 7200), (5, 18000), (6, 36000), (7, 36000)]
)
def test_a_message_is_tried_again_at_growing_distances(attempts: int, seconds: float) -> None:
    assert verdict(attempts) == Verdict(state="pending", run_at=NOW + timedelta(seconds=seconds))
    for jitter in (-1, 1):
        moved = NOW + timedelta(seconds=seconds * (1 + 0.2 * jitter))
        assert verdict(attempts, jitter=jitter).run_at == moved


def test_after_eight_attempts_it_has_failed() -> None:
    assert len(WAITS) == 7
    assert verdict(8) == Verdict(state="failed", run_at=NOW)


def test_what_arrived_is_over() -> None:
    assert verdict(3, Answer(status=204)) == Verdict(state="delivered", run_at=NOW)


def test_a_receiver_that_says_that_it_is_gone_is_sent_nothing_more() -> None:
    gone = Answer(status=410, error="the receiver answered 410")
    assert verdict(1, gone) == Verdict(state="failed", run_at=NOW, disable="gone")


@pytest.mark.parametrize(
    ("days", "attempts", "disable"), [(5, 4, "failing"), (5, 3, ""), (4.99, 8, ""), (6, 8, "failing")]
)
def test_five_days_of_failure_are_enough_but_no_blip_after_them(days: float, attempts: int, disable: str) -> None:
    failing = destination(failing_since=NOW - timedelta(days=days))
    assert verdict(attempts, to=failing).disable == disable
