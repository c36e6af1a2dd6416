"""The classifier: every cell, kind of fault, status and family of errors; a cell that is flipped is noticed."""

import importlib.util
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any, get_args

import aiohttp
import httpx
import pytest

from connectors.answers import failure
from connectors.departure import Blocked, Departure, Withdrawn, name_failure, name_unreadable
from connectors.errors import ConnectorError, NotSent, Unreadable
from connectors.wire import CLASSES, translate
from installations import repetition
from installations.operation import Attempt, Repeat
from installations.record import Fault, FaultKind, Outcome, Record, RecordOutcome
from installations.repetition import (
    Event,
    already_gone,
    credited,
    event_of,
    holds,
    in_doubt,
    is_settled,
    react,
    repeat_at,
    replays_failure,
)
from tests.installations.classifier import (
    CASES,
    EVENTS,
    KINDS,
    KINDS_NEVER_SENT,
    REACTIONS,
    REPEATS,
    STATUSES,
    Case,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
REQUEST = httpx.Request("POST", "https://crm.test/contacts?key=secret")


def refused(kind: FaultKind, **members: Any) -> RecordOutcome:
    return RecordOutcome(success=False, fault=Fault(kind=kind, message="no", **members))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_cell_says_what_was_decided(case: Case) -> None:
    assert react(case.event, case.repeat, doubtful=case.doubtful) == case.reaction
    if not case.doubtful:
        assert react(case.event, case.repeat) == case.reaction, "without a word there is no doubt"


def test_the_table_has_a_case_for_every_cell_there_can_be() -> None:
    assert len({case[:3] for case in CASES}) == len(EVENTS) * len(REPEATS) * 2 == 88
    assert set(repetition.CLASSIFIER) == set(EVENTS)
    assert all(set(row) == set(REPEATS) for row in repetition.CLASSIFIER.values())


@pytest.fixture
def copied() -> ModuleType:
    """Load the module once more, to be spoilt."""
    spec = importlib.util.spec_from_file_location("flipped_repetition", repetition.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def broken_cases(module: ModuleType) -> list[str]:
    """Run the whole table against a classifier, and name what fails."""
    cells = [c.name for c in CASES if module.react(c.event, c.repeat, doubtful=c.doubtful) != c.reaction]
    kinds = [kind for kind, event in KINDS.items() if module.event_of(refused(kind), effect="rejected") != event]
    return cells + kinds


def flips(module: ModuleType) -> Iterator[str]:
    """Spoil one cell after another, in every way there is, and put it right again."""
    for table in (module.CLASSIFIER, module.DOUBTED):
        for event, row in table.items():
            for repeat, reaction in list(row.items()):
                for other in REACTIONS:
                    if other != reaction:
                        row[repeat] = other
                        yield f"{event}, {repeat}: {other} instead of {reaction}"
                row[repeat] = reaction
    for kind, event in list(module.EVENT_OF_KIND.items()):
        for another in EVENTS:
            if another != event:
                module.EVENT_OF_KIND[kind] = another
                yield f"{kind}: {another} instead of {event}"
        module.EVENT_OF_KIND[kind] = event


def test_the_table_notices_every_flipped_cell(copied: ModuleType) -> None:
    assert broken_cases(copied) == []
    tried = {flip: broken_cases(copied) for flip in flips(copied)}
    assert len(tried) == (44 + 6) * (len(REACTIONS) - 1) + 13 * (len(EVENTS) - 1)
    assert [flip for flip, noticed in tried.items() if not noticed] == []
    assert broken_cases(copied) == []


def test_no_cell_sends_a_bare_create_again_that_may_have_happened() -> None:
    again = {"retry", "wait"}
    assert {case.event for case in CASES if case.repeat == "bare" and case.reaction in again} == {
        "not_sent",
        "throttled",
    }


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_every_kind_of_fault_is_an_event(kind: FaultKind) -> None:
    assert event_of(refused(kind), effect="rejected") == KINDS[kind]
    assert event_of(refused(kind), effect="not_sent") == KINDS_NEVER_SENT[kind]


@pytest.mark.parametrize(
    ("record", "event"),
    [
        pytest.param(RecordOutcome(success=True, record_id="1"), "done", id="written"),
        pytest.param(
            RecordOutcome(success=True, fault=Fault(kind="unrecognised", message="?")), "unreadable", id="unreadable"
        ),
        pytest.param(RecordOutcome(success=False), "ambiguous", id="missing from the answer"),
        pytest.param(refused("unrecognised", status=302), "refused", id="a redirect"),
        pytest.param(refused("unrecognised", status=500), "ambiguous", id="a record's own 500"),
        pytest.param(refused("unrecognised"), "ambiguous", id="words that nobody knows"),
        pytest.param(refused("ambiguous", status=202), "pending", id="taken, and not done yet"),
    ],
)
def test_a_record_says_what_happened(record: RecordOutcome, event: Event) -> None:
    assert event_of(record, effect="rejected") == event
    assert in_doubt(record) == (event in {"ambiguous", "pending"})


def test_what_an_earlier_attempt_left_open_stays_open_though_this_one_sent_nothing() -> None:
    assert event_of(refused("ambiguous"), effect="not_sent") == "ambiguous"


def told(error: ConnectorError) -> Event:
    """Read an error as a delivery does."""
    record = RecordOutcome(success=isinstance(error, Unreadable), fault=error.fault)
    return event_of(record, effect="not_sent" if isinstance(error, NotSent) else "rejected")


@pytest.mark.parametrize("status", [100, 101, 199, *range(300, 600), 600, 777, 999])
def test_every_status_is_an_event(status: int) -> None:
    expected = next((event for event, statuses in STATUSES.items() if status in statuses), "ambiguous")
    for body in (b"", b"<html>", b'{"message": "no"}', b"\xff"):
        assert told(failure(httpx.Response(status, content=body, request=REQUEST))) == expected


def descendants(root: type[Exception]) -> list[type[Exception]]:
    found = [root]
    for each in found:
        found += [child for child in each.__subclasses__() if child not in found]
    return found


SENDING = [
    each
    for root in (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, TimeoutError, ssl.SSLError)
    for each in descendants(root)
    if each.__module__ in {"httpx", "builtins", "socket", "ssl"}
]


@pytest.mark.parametrize("kind", SENDING, ids=lambda kind: kind.__name__)
def test_every_error_of_sending_is_in_doubt_unless_the_transport_vouches(kind: type[Exception]) -> None:
    error = kind.__new__(kind)
    departure = Departure()
    assert told(name_failure(error, REQUEST, departure)) == "ambiguous"
    departure.vouch()
    never = issubclass(kind, httpx.InvalidURL | httpx.UnsupportedProtocol)
    assert told(name_failure(error, REQUEST, departure)) == ("blocked" if never else "not_sent")
    departure.depart()
    assert told(name_failure(error, REQUEST, departure)) == "ambiguous"


@pytest.mark.parametrize(
    ("error", "event"),
    [(Blocked("127.0.0.1 is denied"), "blocked"), (Withdrawn("stopped for too long"), "not_sent")],
    ids=["forbidden address", "withdrawn permit"],
)
def test_what_we_stop_ourselves_never_left(error: Exception, event: Event) -> None:
    assert told(name_failure(error, REQUEST, Departure())) == event


@pytest.mark.parametrize("kind", descendants(aiohttp.ClientError), ids=lambda kind: kind.__name__)
def test_every_error_of_aiohttp_has_a_name_of_httpx(kind: type[Exception]) -> None:
    assert next(ours for theirs, ours in CLASSES if issubclass(kind, theirs)) in descendants(httpx.TransportError)


def test_an_error_of_aiohttp_after_the_first_byte_is_in_doubt() -> None:
    for error in (aiohttp.ServerDisconnectedError(), aiohttp.ClientPayloadError(), ConnectionResetError()):
        assert told(name_failure(translate(error, REQUEST), REQUEST, Departure())) == "ambiguous"


def test_an_answer_that_breaks_off_after_its_status_was_done() -> None:
    assert told(name_unreadable(httpx.ReadError("cut"), 201, b"", REQUEST)) == "unreadable"


@pytest.mark.parametrize(
    ("action", "doubtful", "kind", "gone"),
    [
        ("delete", True, "not_found", True),
        ("delete", False, "not_found", False),
        ("delete", True, "forbidden", False),
        ("update", True, "not_found", False),
    ],
)
def test_a_delete_that_finds_nothing_has_done_it_before_if_an_attempt_is_in_doubt(
    *, action: str, doubtful: bool, kind: FaultKind, gone: bool
) -> None:
    assert already_gone(Fault(kind=kind, message="no"), action=action, doubtful=doubtful) is gone
    assert not already_gone(None, action=action, doubtful=doubtful)


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("repeat", "sent_ago", "window", "now_it_is"),
    [
        ("keyed", timedelta(hours=21.5), DAY, "keyed"),
        ("keyed", timedelta(hours=21.6), DAY, "keyed"),
        ("keyed", timedelta(hours=21.6, microseconds=1), DAY, "bare"),
        ("keyed", timedelta(days=400), None, "keyed"),
        ("keyed", None, DAY, "keyed"),
        ("safe", timedelta(days=400), DAY, "safe"),
        ("bare", timedelta(0), DAY, "bare"),
    ],
)
def test_a_key_protects_for_nine_tenths_of_its_window(
    repeat: Repeat, sent_ago: timedelta | None, window: timedelta | None, now_it_is: Repeat
) -> None:
    first = None if sent_ago is None else NOW - sent_ago
    assert repeat_at(repeat, first_sent_at=first, window=window, now=NOW) == now_it_is


def tried(status: int | None, message: str = "internal error") -> Attempt:
    return Attempt(
        operation_id="op",
        number=1,
        started_at=NOW,
        finished_at=NOW,
        effect="ambiguous",
        status=status,
        message=message,
    )


@pytest.mark.parametrize(
    ("attempts", "stuck"),
    [
        pytest.param([], False, id="none yet"),
        pytest.param([tried(500)] * 2, False, id="twice is an outage"),
        pytest.param([tried(500)] * 3, True, id="three times is a record being played"),
        pytest.param([tried(429), *[tried(500)] * 3], True, id="what came before does not count"),
        pytest.param([*[tried(500)] * 3, tried(429)], False, id="something else came after"),
        pytest.param([tried(500), tried(500), tried(500, "request 7")], False, id="in other words"),
        pytest.param([tried(503)] * 9, False, id="a gateway stores nothing"),
        pytest.param([tried(None)] * 9, False, id="no answer at all"),
    ],
)
def test_the_same_500_three_times_is_a_stored_failure(attempts: list[Attempt], *, stuck: bool) -> None:
    assert replays_failure(attempts) is stuck


def test_records_are_told_as_what_they_are_taken_for() -> None:
    gone, no = refused("not_found", status=404), refused("invalid", code="BAD")
    written = RecordOutcome(success=True, fault=Fault(kind="unrecognised", message="?"))
    lost = refused("ambiguous")
    outcome = credited(
        Outcome(records=(gone, no, written, no, lost)), ("succeed", "fail", "succeed", "reconcile", "reconcile")
    )
    message = "an earlier attempt may have written it; the last one was refused: no"
    doubt = RecordOutcome(success=False, fault=Fault(kind="ambiguous", message=message, code="BAD"))
    assert outcome.records == (RecordOutcome(success=True), no, written, doubt, lost)


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_only_what_was_written_or_refused_is_settled(kind: FaultKind) -> None:
    assert is_settled(RecordOutcome(success=True, record_id="1"))
    assert not is_settled(RecordOutcome(success=False))
    assert is_settled(refused(kind)) == (KINDS[kind] in {"refused", "conflict"})


@pytest.mark.parametrize(
    ("now", "wanted", "same"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": 1}, True, id="and more"),
        pytest.param({"a": "5", "b": "true", "c": "2"}, {"a": 5, "b": True, "c": 2.0}, True, id="as text"),
        pytest.param({"a": None}, {"a": ""}, True, id="nothing is nothing"),
        pytest.param({}, {"a": None}, True, id="absent is nothing"),
        pytest.param({}, {"a": 0}, False, id="zero is something"),
        pytest.param({"a": {"b": {"c": "x", "d": 1}}}, {"a": {"b": {"c": "x"}}}, True, id="nested"),
        pytest.param({"a": {"b": {"c": "y"}}}, {"a": {"b": {"c": "x"}}}, False, id="nested and other"),
        pytest.param({"a": [1, 2]}, {"a": [1, 2]}, True, id="a list"),
        pytest.param({"a": [2, 1]}, {"a": [1, 2]}, False, id="another list"),
        pytest.param({"a": {"x": 1}}, {"a": [1]}, False, id="of another shape"),
        pytest.param({"a": "x"}, {"a": "X"}, False, id="in another case"),
    ],
)
def test_a_record_holds_what_was_wanted_also_where_providers_turn_values_into_text(
    now: Record, wanted: Record, *, same: bool
) -> None:
    assert holds(now, wanted) is same
