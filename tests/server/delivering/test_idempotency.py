"""What makes two bodies the same request."""

import json

import pytest

from installations.errors import InvalidInput
from server.delivering.idempotency import RETENTION, fingerprint, idempotency_key
from tests.server.store.samples import NOW

SAME = [
    pytest.param(b'{"a": 1, "b": 2}', b'{"b":2,"a":1}', id="order and white space"),
    pytest.param(b'{"a": {"x": 1, "y": 2}}', b'{"a": {"y": 2, "x": 1}}', id="order inside"),
    pytest.param(b'{"a": "\\u00e9"}', '{"a": "é"}'.encode(), id="an escape"),
    pytest.param(b'{"a": "\\/"}', b'{"a": "/"}', id="an escape that need not be"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spelling_does_not_matter(one: bytes, other: bytes) -> None:
    assert fingerprint(one) == fingerprint(other)


DIFFERENT = [
    pytest.param(b"[1, 2]", b"[2, 1]", id="the order of a list"),
    pytest.param(b'{"a": 1}', b'{"a": 1.0}', id="1 and 1.0"),
    pytest.param(b'{"a": 1}', b'{"a": "1"}', id="a number and a text"),
    pytest.param(b'{"a": 1}', b'{"a": true}', id="a number and a boolean"),
    pytest.param(b'{"a": 1}', b'{"a": {"": "1"}}', id="a number and an object"),
    pytest.param(b'{"a": 1}', b'{"a": ["number", "1"]}', id="a number and a list"),
    pytest.param(b'{"a": 0}', b'{"a": -0}', id="0 and -0"),
    pytest.param(b'{"a": 1e2}', b'{"a": 100.0}', id="an exponent"),
    pytest.param(b'{"a": 12345678901234567890.1}', b'{"a": 12345678901234567890.2}', id="a digit a float would lose"),
    pytest.param(b'{"a": null}', b"{}", id="null and absent"),
    pytest.param(b'{"a": []}', b'{"a": {}}', id="a list and an object"),
    pytest.param('{"a": "é"}'.encode(), '{"a": "e\u0301"}'.encode(), id="two ways to compose a letter"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_everything_else_does(one: bytes, other: bytes) -> None:
    assert json.loads(one) is not None
    assert fingerprint(one) != fingerprint(other)


def test_a_key_is_kept_for_a_day() -> None:
    made = idempotency_key("k" * 255, route="/r", body=b"{}", now=NOW)
    assert (made.key, made.route, made.expire_time) == ("k" * 255, "/r", NOW + RETENTION)


@pytest.mark.parametrize("key", ["", "k" * 256, "a\nb", "\x7f", "é"])
def test_a_key_we_cannot_keep_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        idempotency_key(key, route="/r", body=b"{}", now=NOW)
    assert [issue.path for issue in caught.value.issues] == ["header.Idempotency-Key"]
