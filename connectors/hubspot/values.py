"""How HubSpot writes values: every property value is a string.

https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from connectors.errors import Refused
from installations.record import Fault, RecordChange

SEPARATOR = ";"
"""Between the values of a property with many."""


def build_properties(record: RecordChange) -> dict[str, str]:
    """Encode the fields of one record; raises `Refused` that names every field HubSpot has no words for."""
    encoded: dict[str, str] = {}
    problems: dict[str, str] = {}
    for name, value in record.fields.items():
        problem = _problem(value)
        if problem is None:
            encoded[name] = _encode(value)
        else:
            problems[name] = problem
    if problems:
        raise Refused(_invalid(problems))
    return encoded


def build_value(value: Any, *, field: str) -> str:
    """Encode the value of one field, for a look-up; raises `Refused` as `build_properties` does."""
    return build_properties(RecordChange(fields={field: value}))[field]


def _problem(value: Any) -> str | None:
    if isinstance(value, Mapping):
        return "HubSpot has no nested objects"
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return next((problem for item in value if (problem := _item_problem(item)) is not None), None)
    return None


def _item_problem(item: Any) -> str | None:
    if item is None or isinstance(item, Mapping | list | tuple):
        return "a list may hold strings, numbers and booleans only"
    if SEPARATOR in _encode(item):
        return f"an item holds {SEPARATOR!r}, by which HubSpot separates items"
    return _problem(item)


def _encode(value: Any) -> str:
    if value is None:
        return ""  # An empty string clears a property.
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _encode_float(value)
    if isinstance(value, Sequence):
        return SEPARATOR.join(_encode(item) for item in value)
    return str(value)


def _encode_float(value: float) -> str:
    """Write it without an exponent and without an empty fraction, so that 17.0 fits a choice named "17"."""
    if not math.isfinite(value):
        return str(value)
    return str(int(value)) if value.is_integer() else format(Decimal(repr(value)), "f")


def _invalid(problems: Mapping[str, str]) -> Fault:
    return Fault(
        kind="invalid",
        message="; ".join(f"{name}: {problem}" for name, problem in problems.items()),
        fields=tuple(problems),
    )
