from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installations.amp_yaml import MAX_BYTES, MAX_NODES, parse_yaml
from installations.errors import InvalidInput

SCALARS: list[tuple[str, Any]] = [
    ("no", "no"),
    ("yes", "yes"),
    ("on", "on"),
    ("true", True),
    ("FALSE", False),
    ("null", None),
    ("~", None),
    ("", None),
    ("1:30", "1:30"),
    ("2020-01-01", "2020-01-01"),
    ("2020-01-01T10:00:00Z", "2020-01-01T10:00:00Z"),
    ("017", 17),
    ("0o17", 15),
    ("0x1f", 31),
    ("-5", -5),
    ("1_000", "1_000"),
    ("1.0.0", "1.0.0"),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    (".5", 0.5),
    ("'5'", "5"),
    ('"a\\u00e9"', "aé"),
    ("9" * 5000, "9" * 5000),
    ("*/10 * * * *".replace("*/", "'*/") + "'", "*/10 * * * *"),
]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[text[:12] for text, _ in SCALARS])
def test_scalars_follow_yaml_1_2(text: str, value: Any) -> None:
    data = parse_yaml(f"a: {text}\n").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


BOMB = "a: &a [x, x]\n" + "\n".join(f"b{i}: &b{i} [*a, *a, *a, *a, *a, *a, *a, *a, *a]" for i in range(9))

REFUSED: list[tuple[str, str | bytes, str, int | None]] = [
    ("nothing", "", "invalid-yaml", None),
    ("only a comment", "# nothing\n", "invalid-yaml", None),
    ("no YAML", "a: 1\nb: c: d\n", "invalid-yaml", 2),
    ("an open list", "a: [1, 2\n", "invalid-yaml", 2),
    ("a tab", "a:\n\tb: 1\n", "invalid-yaml", 2),
    ("two documents", "a: 1\n---\nb: 1\n", "invalid-yaml", 2),
    ("a control character", "a: '\x01'\n", "invalid-yaml", None),
    ("an anchor", "a: 1\nb: &x 1\n", "refused-yaml", 2),
    ("an alias", "a: *x\n", "refused-yaml", 1),
    ("a bomb of aliases", BOMB, "refused-yaml", 1),
    ("a merge key", "a:\n  <<: {b: 1}\n", "refused-yaml", 2),
    ("a tag", "a: !!python/object:os.system 1\n", "refused-yaml", 1),
    ("a name that is a list", "? [a]\n: b\n", "refused-yaml", 1),
    ("one name twice", "a: 1\nb: 2\na: 3\n", "duplicate-key", 3),
    ("infinity", "a: .inf\n", "out-of-range", 1),
    ("not a number", "a: 1\nb: .NaN\n", "out-of-range", 2),
    ("33 levels", "[" * 33 + "]" * 33, "too-deep", 1),
    ("2000 levels", "[" * 2000 + "]" * 2000, "too-deep", 1),
    ("2000 open levels", "- " * 2000 + "a", "too-deep", 1),
    ("too many values", "- 1\n" * MAX_NODES, "too-large", MAX_NODES),
    ("too many bytes", "a: " + "x" * MAX_BYTES, "too-large", None),
    ("NUL", "a: \0", "invalid-text", None),
    ("no UTF-8", b"a: \xff", "invalid-text", None),
    ("half a character", "a: \ud800", "invalid-text", None),
]


@pytest.mark.parametrize(("case", "text", "code", "line"), REFUSED, ids=[case for case, *_ in REFUSED])
def test_what_is_no_plain_yaml_is_refused_with_its_line(
    case: str, text: str | bytes, code: str, line: int | None
) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_yaml(text)
    first = refused.value.issues[0]
    assert (first.code, first.line or None) == (code, line), case


def test_every_refusal_is_told() -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_yaml("a: &x 1\nb: *x\nc: !!str 1\nc: 2\n")
    assert [(issue.path, issue.line) for issue in refused.value.issues] == [("a", 1), ("b", 2), ("c", 3), ("c", 4)]


def test_32_levels_are_allowed() -> None:
    assert parse_yaml("[" * 32 + "]" * 32).data


def test_everything_knows_its_line() -> None:
    source = parse_yaml(
        "integrations:\n  - name: a\n    Read:\n      objects:\n        - objectName: x\n          $['a']: 1\n"
    )
    lines = {
        "integrations": 1,
        "integrations[0]": 2,
        "integrations[0].name": 2,
        "integrations[0].read": 3,
        "integrations[0].read.objects[0]": 5,
        "integrations[0].read.objects[0].missing.deeper": 5,
        "integrations[0].read.objects[0][\"$['a']\"]": 6,
        "integrations[7].name": 1,
    }
    assert {path: source.line(path) for path in lines} == lines


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(InvalidInput):
        parse_yaml(text)
