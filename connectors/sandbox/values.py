"""Whether the values of one record fit its object's fields; finds everything that is wrong, not the first thing.

Knows nothing of other records: uniqueness and references are the workspace's.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from connectors.sandbox.fields import Field
from connectors.sandbox.refusals import FieldError

Complaint = tuple[str, str]
"""A code and a sentence."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_DATE_LENGTH = 10
_INT64 = 2**63


def check_record(fields: Mapping[str, Field], values: Mapping[str, Any], *, new: bool) -> tuple[FieldError, ...]:
    """Answer everything wrong with the values; a new record must have its required fields too.

    ``None`` clears a field, so it is refused for required ones only.
    """
    errors = [
        FieldError(field=name, code=code, message=message)
        for name, code, message in _complaints(fields, values, prefix="")
    ]
    if new:
        errors += [_missing(field) for field in fields.values() if field.required and field.name not in values]
    return tuple(errors)


def parse_filter(field: Field, text: str) -> Any:
    """Read a filter's text as a value of the field's type; unreadable text stays text, so that it matches nothing."""
    if field.type == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if field.type in {"integer", "float"}:
        try:
            return float(text)
        except ValueError:
            return text
    return text


def _missing(field: Field) -> FieldError:
    return FieldError(field=field.name, code="required", message=f"{field.label} is required.")


def _complaints(
    fields: Mapping[str, Field], values: Mapping[str, Any], *, prefix: str
) -> Iterator[tuple[str, str, str]]:
    for name, value in values.items():
        path = f"{prefix}{name}"
        field = fields.get(name)
        if field is None:
            yield path[:300], "unknown_field", "There is no such field."
        elif field.type == "object" and isinstance(value, dict):
            yield from _complaints({each.name: each for each in field.fields}, value, prefix=f"{path}.")
        else:
            complaint = _complaint(field, value)
            if complaint:
                yield path, *complaint


def _complaint(field: Field, value: Any) -> Complaint | None:
    if field.read_only:
        return "read_only", f"{field.label} is set by the system."
    if value is None:
        return ("required", f"{field.label} cannot be empty.") if field.required else None
    return _CHECKS[field.type](field, value)


def _text(field: Field, value: Any) -> Complaint | None:
    if not isinstance(value, str):
        return "wrong_type", f"{field.label} must be a string."
    if "\0" in value:
        return "invalid_format", f"{field.label} must not contain a NUL character."
    if field.required and not value.strip():
        return "required", f"{field.label} cannot be empty."
    if len(value) > field.max_length:
        return "too_long", f"{field.label} takes at most {field.max_length} characters, not {len(value)}."
    return None


def _email(field: Field, value: Any) -> Complaint | None:
    complaint = _text(field, value)
    if complaint or _EMAIL.fullmatch(value):
        return complaint
    return "invalid_format", f"{field.label} must be an e-mail address."


def _integer(field: Field, value: Any) -> Complaint | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return "wrong_type", f"{field.label} must be an integer."
    if not -_INT64 <= value < _INT64:
        return "out_of_range", f"{field.label} must fit into 64 bits."
    return None


def _float(field: Field, value: Any) -> Complaint | None:
    if isinstance(value, float):
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        return "wrong_type", f"{field.label} must be a number."
    return _integer(field, value)


def _boolean(field: Field, value: Any) -> Complaint | None:
    return None if isinstance(value, bool) else ("wrong_type", f"{field.label} must be true or false.")


def _date(field: Field, value: Any) -> Complaint | None:
    try:
        if isinstance(value, str) and len(value) == _DATE_LENGTH and date.fromisoformat(value):
            return None
    except ValueError:
        pass
    return "wrong_type", f"{field.label} must be a date such as 2026-01-31."


def _datetime(field: Field, value: Any) -> Complaint | None:
    try:
        if isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None:
            return None
    except ValueError:
        pass
    return "wrong_type", f"{field.label} must be a date-time with an offset, such as 2026-01-31T09:30:00Z."


def _select(field: Field, value: Any) -> Complaint | None:
    if not isinstance(value, str):
        return "wrong_type", f"{field.label} must be a string."
    known = [option.value for option in field.values]
    if value in known:
        return None
    return "not_in_picklist", f"{field.label} must be one of {', '.join(known)}."


def _multi_select(field: Field, value: Any) -> Complaint | None:
    if not isinstance(value, list):
        return "wrong_type", f"{field.label} must be a list of strings."
    return next(filter(None, (_select(field, item) for item in value)), None)


def _object(field: Field, value: Any) -> Complaint | None:
    return None if isinstance(value, dict) else ("wrong_type", f"{field.label} must be an object.")


_CHECKS: Mapping[str, Callable[[Field, Any], Complaint | None]] = {
    "string": _text,
    "email": _email,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "select": _select,
    "multi_select": _multi_select,
    "reference": _text,
    "object": _object,
}
