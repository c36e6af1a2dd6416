"""Whether a value that a customer fixed fits a field of the account: its type, and the choices of a picklist.

Judged is what is certain. A text that reads as the number it should be is a warning, for Salesforce and HubSpot take
it, and the published config has no other word for a fraction or a date.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.errors import Severity
from installations.live_fields import LiveObject, choices
from installations.rules.values import as_text
from installations.schema import FieldMetadata, ValueType
from installations.setting_checks import is_date

SEPARATOR = ";"
"""Between the values of a picklist with many, where they are given as one text: Salesforce and HubSpot both say so.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/field_types.htm
https://developers.hubspot.com/docs/api-reference/crm-properties-v3/guide
"""

_INTEGER = re.compile(r"[+-]?\d{1,400}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,400}(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_DAY = len("2026-01-31")
_MOST_NAMED = 5


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """Why a value does not fit."""

    code: str
    message: str
    severity: Severity = "error"
    remedy: str | UnsetType = UNSET


Verdict = Misfit | None


def misfit(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    """Compare a value, as it would be sent, with its field; ``None`` if it fits or the account does not say enough."""
    check = _CHECKS.get(field.value_type) if field.value_type is not UNSET else None
    return check(value, field, live) if check else None


def not_a_choice(text: str, field: FieldMetadata, live: LiveObject) -> Verdict:
    """Compare a text with the choices of a picklist."""
    known = choices(live, field)
    if not field.values or text in known.values:
        return None
    meant = known.meant.get(text.casefold())
    listed = ", ".join(repr(each.value) for each in field.values[:_MOST_NAMED])
    more = ", ..." if len(field.values) > _MOST_NAMED else ""
    other_case = meant is not None and meant.casefold() == text.casefold()
    taken = field.any_value is True or (other_case and live.ignores_case)
    return Misfit(
        code="other-choice" if taken else "not-a-choice",
        severity="warning" if taken else "error",
        message=f"{text!r} is none of the choices of {_title(field)}",
        remedy=f"did you mean {meant!r}?" if meant is not None else f"choose one of {listed}{more}",
    )


def _title(field: FieldMetadata) -> str:
    return repr(field.display_name or field.field_name)


def _wrong(field: FieldMetadata, wanted: str) -> Misfit:
    return Misfit(code="wrong-type", message=f"{_title(field)} takes {wanted}")


def _converted(field: FieldMetadata, live: LiveObject, wanted: str) -> Verdict:
    """Answer for a value that reads as what is wanted, but is of another type."""
    if live.values_are_text:
        return None
    message = f"{_title(field)} takes {wanted}; the provider may refuse the same written otherwise"
    return Misfit(code="converted", severity="warning", message=message)


def _text(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    fits = isinstance(value, str) or (live.values_are_text and as_text(value) is not None)
    return None if fits else _wrong(field, "a text")


def _boolean(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    if isinstance(value, bool):
        return None
    reads = isinstance(value, str) and value.casefold() in {"true", "false"}
    return _converted(field, live, "true or false") if reads else _wrong(field, "true or false")


def _integer(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    reads = _INTEGER.fullmatch(value) if isinstance(value, str) else isinstance(value, float) and value.is_integer()
    return _converted(field, live, "a whole number") if reads else _wrong(field, "a whole number")


def _number(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None
    reads = isinstance(value, str) and _NUMBER.fullmatch(value)
    return _converted(field, live, "a number") if reads else _wrong(field, "a number")


def _date(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    return _moment(value, field, live, wanted="a date such as 2026-01-31", day=True)


def _datetime(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    return _moment(value, field, live, wanted="a date-time such as 2026-01-31T09:00:00Z", day=False)


def _moment(value: Any, field: FieldMetadata, live: LiveObject, *, wanted: str, day: bool) -> Verdict:
    """Judge a date. A number may be milliseconds since 1970, as HubSpot takes them."""
    if isinstance(value, str) and is_date(value):
        return None if (len(value) == _DAY) is day else _converted(field, live, wanted)
    milliseconds = isinstance(value, int) and not isinstance(value, bool)
    if live.values_are_text and (milliseconds or (isinstance(value, str) and _INTEGER.fullmatch(value))):
        return None
    return _wrong(field, wanted)


def _single(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    text = _choice_text(value, live)
    if text is None:
        return _wrong(field, "one of its choices")
    outside = not_a_choice(text, field, live) if text else None
    return outside or (None if isinstance(value, str) else _converted(field, live, "a text"))


def _many(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    """Judge several choices: a list, or one text as the provider writes it. HubSpot adds to a field by ``;new``."""
    found: Verdict = None
    for each in value if isinstance(value, list) else _split(value, field, live):
        text = _choice_text(each, live)
        if text is None:
            return _wrong(field, "a list of its choices")
        found = (not_a_choice(text, field, live) if text else None) or found
        if found is not None and found.severity == "error":
            break
    return found


def _split(value: Any, field: FieldMetadata, live: LiveObject) -> Iterator[Any]:
    whole = not isinstance(value, str) or value in choices(live, field).values
    yield from [value] if whole else value.split(SEPARATOR)


def _choice_text(value: Any, live: LiveObject) -> str | None:
    if live.values_are_text and isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else as_text(value)


def _reference(value: Any, field: FieldMetadata, live: LiveObject) -> Verdict:
    if isinstance(value, str):
        return None
    number = isinstance(value, int) and not isinstance(value, bool)
    return _converted(field, live, "the id of a record") if number else _wrong(field, "the id of a record")


_CHECKS: Mapping[ValueType, Callable[[Any, FieldMetadata, LiveObject], Verdict]] = {
    "string": _text,
    "boolean": _boolean,
    "singleSelect": _single,
    "multiSelect": _many,
    "date": _date,
    "datetime": _datetime,
    "int": _integer,
    "float": _number,
    "reference": _reference,
}
