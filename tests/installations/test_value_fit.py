"""Which values fit which fields: every type of a field against every kind of default."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from installations.live_fields import LiveObject, from_metadata
from installations.schema import FieldMetadata, ObjectMetadata
from installations.value_fit import misfit
from tests.installations.account import choices, field

VALUES: dict[str, Any] = {
    "text": "abc",
    "digits": "17",
    "fraction": "1.5",
    "yes": "true",
    "day": "2026-01-31",
    "moment": "2026-01-31T09:00:00Z",
    "choice": "red",
    "two": "red;green",
    "empty": "",
    "whole": 17,
    "float": 1.5,
    "even": 17.0,
    "bool": True,
    "list": ["red", "green"],
    "odd": {"a": 1},
    "null": None,
}
"""A default of each kind, and texts that read as something else."""
ALL = set(VALUES)
FITS: dict[str, set[str]] = {
    "string": {"text", "digits", "fraction", "yes", "day", "moment", "choice", "two", "empty"},
    "boolean": {"bool"},
    "int": {"whole"},
    "float": {"whole", "float", "even"},
    "date": {"day"},
    "datetime": {"moment"},
    "singleSelect": {"choice", "empty"},
    "multiSelect": {"choice", "two", "list", "empty"},
    "reference": {"text", "digits", "fraction", "yes", "day", "moment", "choice", "two", "empty"},
    "other": ALL,
}
DOUBTFUL: dict[str, set[str]] = {
    "boolean": {"yes"},
    "int": {"digits", "even"},
    "float": {"digits", "fraction"},
    "date": {"moment"},
    "datetime": {"day"},
    "reference": {"whole"},
}
NOT_CHOSEN = {"text", "digits", "fraction", "yes", "day", "moment", "two", "whole", "float", "even", "bool"}
AS_TEXT: dict[str, set[str]] = {
    "string": FITS["string"] | {"whole", "float", "even", "bool"},
    "boolean": {"bool", "yes"},
    "int": {"whole", "digits", "even"},
    "float": {"whole", "float", "even", "digits", "fraction"},
    "date": {"day", "moment", "whole", "digits"},
    "datetime": {"day", "moment", "whole", "digits"},
    "reference": FITS["reference"] | {"whole"},
}
"""What fits where the provider takes every value as text."""


def live(*, as_text: bool = False, ignores_case: bool = False) -> LiveObject:
    empty = ObjectMetadata(name="contacts", fields={})
    return from_metadata(empty, ignores_case=ignores_case, values_are_text=as_text)


def made(value_type: str, **members: Any) -> FieldMetadata:
    if value_type in {"singleSelect", "multiSelect"}:
        members.setdefault("values", choices("red", "green"))
    return msgspec.convert(field("colour", valueType=value_type, **members), FieldMetadata)


def verdict(value: Any, of: FieldMetadata, within: LiveObject | None = None) -> str:
    problem = misfit(value, of, within or live())
    return "" if problem is None else f"{problem.severity} {problem.code}"


@pytest.mark.parametrize("value_type", FITS)
@pytest.mark.parametrize("kind", VALUES)
def test_a_default_is_compared_with_the_type_of_its_field(value_type: str, kind: str) -> None:
    expected = "error wrong-type"
    if kind in FITS[value_type]:
        expected = ""
    elif kind in DOUBTFUL.get(value_type, ()):
        expected = "warning converted"
    elif value_type in {"singleSelect", "multiSelect"} and kind in NOT_CHOSEN:
        expected = "error not-a-choice"
    assert verdict(VALUES[kind], made(value_type)) == expected


@pytest.mark.parametrize("value_type", AS_TEXT)
@pytest.mark.parametrize("kind", VALUES)
def test_where_all_values_are_text_what_reads_right_is_right(value_type: str, kind: str) -> None:
    expected = "" if kind in AS_TEXT[value_type] else "error wrong-type"
    assert verdict(VALUES[kind], made(value_type), live(as_text=True)) == expected


@pytest.mark.parametrize(
    ("case", "value", "members", "expected"),
    [
        ("a list with another", ["red", "blue"], {"valueType": "multiSelect"}, "error not-a-choice"),
        ("a list of lists", [["red"]], {"valueType": "multiSelect"}, "error wrong-type"),
        ("added to what is there", ";red", {"valueType": "multiSelect"}, ""),
        ("a choice with the separator", "a;b", {"valueType": "multiSelect", "values": choices("a;b")}, ""),
        ("a list for one", ["red"], {"valueType": "singleSelect"}, "error wrong-type"),
        ("a number that is a choice", 1, {"valueType": "singleSelect", "values": choices("1")}, "warning converted"),
        ("choices nobody told", "blue", {"valueType": "singleSelect", "values": []}, ""),
        ("choices that only suggest", "blue", {"valueType": "singleSelect", "anyValue": True}, "warning other-choice"),
        ("in another case", "Red", {"valueType": "singleSelect"}, "error not-a-choice"),
        ("suggestions for a text", "blue", {"valueType": "string", "values": choices("red")}, ""),
        ("an endless number", "9" * 500, {"valueType": "int"}, "error wrong-type"),
        ("digits of another script", "\u0661\u0667", {"valueType": "int"}, "error wrong-type"),
        ("an underscore", "1_0", {"valueType": "float"}, "error wrong-type"),
    ],
)
def test_odd_cases(case: str, value: Any, members: dict[str, Any], expected: str) -> None:
    assert verdict(value, made(members.pop("valueType"), **members)) == expected, case


def test_a_field_without_a_type_takes_anything() -> None:
    assert verdict({"a": 1}, FieldMetadata(field_name="x", display_name="X")) == ""


def test_where_case_counts_for_nothing_a_choice_in_another_case_is_only_doubtful() -> None:
    assert verdict("Red", made("singleSelect"), live(ignores_case=True)) == "warning other-choice"


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        ("Red", "did you mean 'red'?"),
        ("Won Deal", "did you mean 'won'?"),
        ("x", "choose one of 'red', 'won', 'a', 'b', 'c', ..."),
    ],
)
def test_a_wrong_choice_is_answered_with_the_right_one(value: str, remedy: str) -> None:
    listed = [*choices("red"), {"value": "won", "displayValue": "Won deal"}, *choices("a", "b", "c", "d")]
    problem = misfit(value, made("singleSelect", values=listed), live())
    assert problem is not None
    assert problem.remedy == remedy


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(anything, st.sampled_from(list(FITS)), st.booleans(), st.booleans())
def test_no_value_is_too_odd_to_be_judged(value: Any, value_type: str, as_text: bool, ignores_case: bool) -> None:  # noqa: FBT001 -- drawn
    misfit(value, made(value_type), live(as_text=as_text, ignores_case=ignores_case))
