from typing import Any

import pytest

from installations import paths
from installations.paths import BLOCKED, MISSING, WILDCARD


@pytest.mark.parametrize(
    ("name", "segments"),
    [
        ("$['a']", ("a",)),
        ("$['a']['b c']", ("a", "b c")),
        ("$['a.b'][*]['c']", ("a.b", WILDCARD, "c")),
        ("$['*']", ("*",)),
        ("a", None),
        ("$", None),
        ("$[", None),
        ("$['']", None),
        ("$['a'", None),
        ("$['a']x", None),
        ("$['a']\n", None),
        ('$["a"]', None),
        ("$['a'b']", None),
        ("$.a", None),
        (" $['a']", None),
    ],
)
def test_a_nested_name_follows_the_grammar_to_the_letter(name: str, segments: Any) -> None:
    assert paths.parse(name) == segments
    if segments is not None:
        assert paths.render(segments) == name
    assert (paths.problem(name) is None) == (segments is not None or not name.startswith("$["))


@pytest.mark.parametrize(
    ("name", "canonical", "member"),
    [("a", "a", "a"), ("$['a']", "a", "a"), ("$['a']['b']", "$['a']['b']", "a"), ("$[*]", "$[*]", "$[*]")],
)
def test_a_name_lives_in_a_member(name: str, canonical: str, member: str) -> None:
    assert (paths.canonical(name), paths.member(name)) == (canonical, member)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("a", 1),
        ("A", 2),
        ("B", {"C": None}),
        ("$['b']['c']", None),
        ("$['b']['d']", MISSING),
        ("$['a']['c']", MISSING),
        ("$['b'][*]", MISSING),
        ("x", MISSING),
    ],
)
def test_looking_is_exact_then_without_case(name: str, value: Any) -> None:
    assert paths.look({"a": 1, "A": 2, "b": {"C": None}}, name) == value


@pytest.mark.parametrize(
    ("container", "segments", "expected"),
    [
        ({"a": 1}, ("a",), (1, {})),
        ({"a": 1, "b": 2}, ("a",), (1, {"b": 2})),
        ({"a": {"b": 1}}, ("a", "b"), (1, {})),
        ({"a": {"b": 1, "c": 2}, "d": 3}, ("a", "b"), (1, {"a": {"c": 2}, "d": 3})),
        ({"a": {}}, ("a", "b"), (MISSING, {"a": {}})),
        ({"a": "x"}, ("a", "b"), (BLOCKED, {"a": "x"})),
        ([1], ("a",), (BLOCKED, [1])),
    ],
)
def test_extracting_leaves_the_rest(container: Any, segments: Any, expected: Any) -> None:
    assert paths.extract(container, segments) == expected


def test_putting_makes_the_objects_between_and_changes_nothing_it_is_given() -> None:
    given = {"a": {"b": 1}}
    assert paths.put(given, ("a", "c", "d"), 2) == {"a": {"b": 1, "c": {"d": 2}}}
    assert given == {"a": {"b": 1}}
