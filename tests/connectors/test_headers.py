import pytest

from connectors.connector import Account
from connectors.errors import NotSent
from connectors.headers import RESERVED, caller_headers, header_problem
from connectors.urls import path_segment, resource_url
from installations.record import Header


@pytest.mark.parametrize(
    ("name", "value", "sound"),
    [
        (b"X-A", b"visible ASCII, with spaces\tand tabs inside", True),
        (b"X-A", b"", True),
        (b"x!#$%&'*+-.^_`|~9", b"~", True),
        (b"X-A", b"x" * 8192, True),
        (b"X-A", b"x" * 8193, False),
        (b"", b"x", False),
        (b"X A", b"x", False),
        (b"X-A:", b"x", False),
        (b"X-\xc3\xa9", b"x", False),
        (b"x" * 257, b"x", False),
        (b"X-A", b" x", False),
        (b"X-A", b"x ", False),
        (b"X-A", b"a\rb", False),
        (b"X-A", b"a\nb", False),
        (b"X-A", b"a\r\nb", False),
        (b"X-A", b"a\x00b", False),
        (b"X-A", b"a\x7fb", False),
        (b"X-A", b"\xe9", False),
        (b"X-A", "é".encode(), False),
    ],
)
def test_a_header_leaves_only_as_token_and_visible_ascii(name: bytes, value: bytes, *, sound: bool) -> None:
    assert (header_problem([(name, value)]) is None) is sound


def test_at_most_a_hundred_headers_leave() -> None:
    assert header_problem([(b"X-A", b"b")] * 100) is None
    assert header_problem([(b"X-A", b"b")] * 101) is not None


@pytest.mark.parametrize("name", [*sorted(RESERVED), "X-Forwarded-For", "x-forwarded-host", "AUTHORIZATION"])
def test_some_headers_are_not_the_caller_s(name: str) -> None:
    with pytest.raises(NotSent) as caught:
        caller_headers([Header(key=name, value="value")])
    assert caught.value.fault.kind == "invalid"


@pytest.mark.parametrize(
    ("segment", "quoted"),
    [("a", "a"), ("a/b", "a%2Fb"), ("a?b#c", "a%3Fb%23c"), ("%2e%2e", "%252e%252e"), ("é", "%C3%A9"), ("...", "...")],
)
def test_a_segment_is_quoted(segment: str, quoted: str) -> None:
    assert path_segment(segment) == quoted
    assert resource_url(Account(base_url="https://a.test/b"), "/c/", segment) == f"https://a.test/b/c/{quoted}"


@pytest.mark.parametrize("segment", ["", ".", "..", "a\x00", "\ud800"])
def test_a_segment_that_climbs_is_refused(segment: str) -> None:
    with pytest.raises(NotSent):
        path_segment(segment)
