import httpx
import msgspec
import pytest

from connectors.answers import (
    REFUSED,
    UNCLEAR,
    clip,
    complete,
    decode_body,
    failure,
    provider_message,
    raw_text,
    require_success,
    retry_after_seconds,
    status_fault,
    unmatched,
)
from connectors.errors import Ambiguous, Refused, Unreadable
from installations.record import RecordOutcome

# status, error class, kind: docs of every cell are in `connectors/answers.py`.
CELLS = [
    (300, Refused, "unrecognised"),
    (301, Refused, "unrecognised"),
    (302, Refused, "unrecognised"),
    (303, Refused, "unrecognised"),
    (304, Refused, "unrecognised"),
    (307, Refused, "unrecognised"),
    (308, Refused, "unrecognised"),
    (305, Ambiguous, "ambiguous"),
    (399, Ambiguous, "ambiguous"),
    (400, Refused, "invalid"),
    (401, Refused, "auth"),
    (402, Refused, "forbidden"),
    (403, Refused, "forbidden"),
    (404, Refused, "not_found"),
    (405, Refused, "invalid"),
    (406, Refused, "invalid"),
    (407, Ambiguous, "ambiguous"),
    (408, Ambiguous, "ambiguous"),
    (409, Refused, "conflict"),
    (410, Refused, "not_found"),
    (411, Refused, "invalid"),
    (412, Refused, "conflict"),
    (413, Refused, "invalid"),
    (414, Refused, "invalid"),
    (415, Refused, "invalid"),
    (416, Refused, "invalid"),
    (417, Refused, "invalid"),
    (418, Ambiguous, "ambiguous"),
    (421, Refused, "invalid"),
    (422, Refused, "invalid"),
    (423, Refused, "locked"),
    (424, Refused, "invalid"),
    (425, Ambiguous, "ambiguous"),
    (426, Refused, "invalid"),
    (428, Refused, "invalid"),
    (429, Refused, "rate_limited"),
    (431, Refused, "invalid"),
    (451, Refused, "forbidden"),
    (499, Ambiguous, "ambiguous"),
    (500, Ambiguous, "ambiguous"),
    (501, Refused, "invalid"),
    (502, Ambiguous, "ambiguous"),
    (503, Ambiguous, "ambiguous"),
    (504, Ambiguous, "ambiguous"),
    (507, Ambiguous, "ambiguous"),
    (520, Ambiguous, "ambiguous"),
    (599, Ambiguous, "ambiguous"),
    (600, Ambiguous, "ambiguous"),
    (999, Ambiguous, "ambiguous"),
    (100, Ambiguous, "ambiguous"),
]


@pytest.mark.parametrize(("status", "error", "kind"), CELLS)
def test_a_status_means(status: int, error: type[Exception], kind: str) -> None:
    made = failure(httpx.Response(status))
    assert (type(made), made.fault.kind, made.fault.status) == (error, kind, status)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(408, "provider"), (425, "provider"), (500, "provider"), (504, "provider"), (418, "unrecognised")],
)
def test_a_read_that_was_not_answered_may_be_repeated_where_time_mends_it(status: int, kind: str) -> None:
    assert status_fault(httpx.Response(status)).kind == kind


def test_every_cell_of_the_tables_has_a_case() -> None:
    assert {*REFUSED, *UNCLEAR} <= {status for status, _, _ in CELLS}


def test_a_connector_overrides_a_cell_and_thereby_says_that_nothing_happened() -> None:
    made = failure(httpx.Response(503), overrides={503: "rate_limited"})
    assert (type(made), made.fault.kind) == (Refused, "rate_limited")


@pytest.mark.parametrize("status", [200, 201, 204, 207, 299])
def test_a_success_passes(status: int) -> None:
    require_success(httpx.Response(status))


DATE = "Sun, 06 Nov 1994 08:49:37 GMT"

WAITS: list[tuple[str, str, float | None]] = [
    ("5", "", 5.0),
    ("5.5", "", 5.5),
    ("0", "", 1.0),
    ("3600", "", 3600.0),
    ("86400", "", 3600.0),
    ("1000000000", "", 3600.0),
    ("-5", "", None),
    ("", "", None),
    ("soon", "", None),
    ("1e9", "", None),
    ("5 seconds", "", None),
    ("9" * 400, "", None),
    ("Sun, 06 Nov 1994 08:50:37 GMT", DATE, 60.0),
    ("Sunday, 06-Nov-94 08:50:37 GMT", DATE, 60.0),
    ("Sun Nov  6 08:50:37 1994", DATE, 60.0),
    ("Sun, 06 Nov 1994 08:50:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", 60.0),
    ("Sun, 06 Nov 1994 08:50:37 GMT", "Sun Nov  6 08:49:37 1994", 60.0),
    ("Mon, 07 Nov 1994 08:49:37 GMT", DATE, 3600.0),
    ("Sun, 06 Nov 1994 08:49:37 GMT", DATE, None),
    ("Sun, 06 Nov 1994 08:48:37 GMT", DATE, None),
    ("Sun, 06 Nov 1994 08:50:37 GMT", "", None),
    ("Sun, 06 Nov 1994 08:50:37 GMT", "whenever", None),
    ("Sun, 06 Nov 1994 09:50:37 +0100", DATE, 60.0),
    ("Sun, 99 Nov 1994 08:50:37 GMT", DATE, None),
    ("Sun, 06 Nov 999999999999 08:50:37 GMT", DATE, None),
]


@pytest.mark.parametrize(("value", "date", "seconds"), WAITS)
def test_retry_after_is_read_and_clamped(value: str, date: str, seconds: float | None) -> None:
    response = httpx.Response(429, headers={"Retry-After": value, "Date": date})
    assert retry_after_seconds(response) == seconds
    assert failure(response).fault.retry_after_seconds == seconds


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b"[]", b"null", b"1", b'"x"', b'{"a": "\xff"}', b"[" * 100_000, b'{"a": "\\ud800"}'],
)
def test_a_success_without_a_usable_body_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        decode_body(httpx.Response(201, content=body), dict[str, int])
    assert caught.value.fault.status == 201
    assert len((caught.value.raw_response or "").encode()) <= 4096


class Answered(msgspec.Struct):
    id: int


def test_a_usable_body_is_decoded() -> None:
    assert decode_body(httpx.Response(200, content=b'{"id": 7, "more": 1}'), Answered).id == 7


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"message": "no"}', "no"),
        (b'{"error": {"message": "no"}}', "no"),
        (b'{"error": "invalid_grant", "error_description": "too old"}', "too old"),
        (b'{"errors": [{"detail": "one"}, {"message": "two"}]}', "one; two"),
        (b'[{"errorCode": "X", "message": "no"}]', "no"),
        (b'{"title": "Bad", "detail": "no"}', "no"),
        (b'"no"', "no"),
        (b"plain words", "plain words"),
        (b"<html>Sorry</html>", ""),
        (b"  <html>Sorry</html>", ""),
        (b'{"message": 7}', ""),
        (b'{"message": {"message": {"message": {"message": {"message": "deep"}}}}}', ""),
        (b"", ""),
        (b"17", ""),
    ],
)
def test_the_provider_s_words_are_found(body: bytes, words: str) -> None:
    assert provider_message(httpx.Response(400, content=body)) == words


def test_words_are_cut_at_4_kb_of_utf_8_between_characters() -> None:
    assert len(clip("x" * 9000)) == 4096
    assert len(clip("é" * 9000).encode()) == 4096
    assert len(clip("€" * 9000).encode()) == 4095
    assert len((raw_text(httpx.Response(400, content=b"\xff" * 9000)) or "").encode()) <= 4096
    assert raw_text(httpx.Response(400)) is None


def test_missing_entries_are_ambiguous_and_surplus_ones_make_all_so() -> None:
    done = RecordOutcome(success=True, record_id="1")
    nobody_knows = unmatched(200)
    assert nobody_knows.fault is not None
    assert nobody_knows.fault.kind == "ambiguous"
    assert complete([done], count=3, status=200) == (done, nobody_knows, nobody_knows)
    assert complete([done, done], count=2, status=200) == (done, done)
    assert complete([done, done], count=1, status=200) == (nobody_knows,)
