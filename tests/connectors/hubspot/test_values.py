"""Every property value is a string; what has no words is refused with its field."""

from typing import Any

import pytest

from connectors.errors import Refused
from connectors.hubspot.values import build_properties
from installations.record import RecordChange

WORDS: tuple[tuple[str, Any, str], ...] = (
    ("a string stays as it is", " Ada ", " Ada "),
    ("an integer", 17, "17"),
    ("zero is a value", 0, "0"),
    ("a long integer keeps its digits", 10**30, "1" + "0" * 30),
    ("a fraction", 17.5, "17.5"),
    ("a whole float has no fraction", 17.0, "17"),
    ("a large float has no exponent", 1e20, "1" + "0" * 20),
    ("a small float has no exponent", 1.5e-7, "0.00000015"),
    ("true", True, "true"),
    ("false", False, "false"),
    ("null clears", None, ""),
    ("an empty string clears", "", ""),
    ("a list is joined", ["mint", "lemon"], "mint;lemon"),
    ("a list of one", ["mint"], "mint"),
    ("a list of other scalars", [1, True, 2.5], "1;true;2.5"),
    ("an empty list clears", [], ""),
)


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS])
def test_a_value_becomes_a_string(value: Any, expected: str) -> None:
    assert build_properties(RecordChange(fields={"field": value})) == {"field": expected}


WORDLESS: tuple[tuple[str, Any, str], ...] = (
    ("a nested object", {"street": "x"}, "HubSpot has no nested objects"),
    ("a list of objects", [{"a": 1}], "a list may hold strings, numbers and booleans only"),
    ("a list of lists", [["a"]], "a list may hold strings, numbers and booleans only"),
    ("a list with null", ["a", None], "a list may hold strings, numbers and booleans only"),
    ("an item that holds the separator", ["a;b"], "an item holds ';', by which HubSpot separates items"),
    ("infinity", float("inf"), "is not a finite number"),
    ("not a number in a list", [float("nan")], "is not a finite number"),
)


@pytest.mark.parametrize(("value", "problem"), [row[1:] for row in WORDLESS], ids=[row[0] for row in WORDLESS])
def test_a_value_without_words_is_refused_with_its_field(value: Any, problem: str) -> None:
    with pytest.raises(Refused) as caught:
        build_properties(RecordChange(fields={"good": "x", "bad": value}))
    fault = caught.value.fault
    assert (fault.kind, fault.fields, fault.message) == ("invalid", ("bad",), f"bad: {problem}")


def test_every_field_without_words_is_named() -> None:
    with pytest.raises(Refused) as caught:
        build_properties(RecordChange(fields={"a": {}, "b": [{}]}))
    assert caught.value.fault.fields == ("a", "b")
