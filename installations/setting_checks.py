"""What makes field settings and names impossible, wherever they stand: in a manifest or in a config."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

import msgspec
from msgspec import UNSET

from installations import paths
from installations.config import FieldDefault, FieldSetting
from installations.errors import Issue, at


def name_issues(name: str, path: str) -> Iterator[Issue]:
    """Check a field's name, plain or nested."""
    if not name.strip():
        yield Issue(path=path, code="required", message="must not be empty")
    problem = paths.problem(name)
    if problem:
        yield Issue(path=path, code="invalid-path", message=problem)


def setting_issues(settings: Mapping[str, FieldSetting], path: str) -> Iterator[Issue]:
    """Check default values and overwrite rules, each by itself."""
    for name, setting in settings.items():
        where = at(path, name)
        yield from name_issues(name, where)
        if setting.default is not UNSET:
            yield from default_issues(setting.default, at(where, "default"))


def default_issues(default: FieldDefault, path: str) -> Iterator[Issue]:
    """Check that a default gives exactly one value, and that a date is one."""
    given = [
        field.encode_name for field in msgspec.structs.fields(default) if getattr(default, field.name) is not UNSET
    ]
    if len(given) != 1:
        said = f"gives {' and '.join(given)}" if given else "gives no value"
        yield Issue(
            path=path,
            code="one-of",
            message=f"must give exactly one value, but {said}",
            remedy="give one of stringValue, integerValue, booleanValue, floatValue, listValue, dateValue",
        )
    if default.value is not UNSET and not isinstance(default.value, str | int | float | list):
        yield Issue(
            path=at(path, "value"), code="wrong-type", message="must be a string, a number, true, false or a list"
        )
    if default.date_value is not UNSET and not is_date(default.date_value):
        yield Issue(
            path=at(path, "dateValue"),
            code="invalid-date",
            message="must be a date or a date-time with a zone, as in RFC 3339",
            remedy="write it like 2026-01-31 or 2026-01-31T09:00:00Z",
        )


def is_date(text: str) -> bool:
    """Tell whether a text is an RFC 3339 date or date-time (https://www.rfc-editor.org/rfc/rfc3339#section-5.6)."""
    try:
        if len(text) == len("2026-01-31"):
            return date.fromisoformat(text).isoformat() == text
        return text[10] in "Tt " and datetime.fromisoformat(text).tzinfo is not None
    except (ValueError, IndexError):
        return False


def contradictions(settings: Mapping[str, FieldSetting], path: str, fields: Mapping[str, str]) -> Iterator[Issue]:
    """Find two settings for one field, made under its two names, that do not agree.

    ``fields`` tells the provider field of each name; a name that it lacks stands for itself.
    """
    first: dict[str, str] = {}
    for name, setting in settings.items():
        earlier = first.setdefault(fields.get(name, paths.canonical(name)), name)
        for member in _disagreements(settings[earlier], setting):
            yield Issue(
                path=at(at(path, name), member),
                code="contradiction",
                message=f"disagrees with the same setting under {earlier!r}, another name of this field",
                remedy="set it under one name",
            )


def _disagreements(one: FieldSetting, other: FieldSetting) -> Iterator[str]:
    for field in msgspec.structs.fields(FieldSetting):
        left, right = getattr(one, field.name), getattr(other, field.name)
        if left is not UNSET and right is not UNSET and left != right:
            yield field.encode_name


def repeated(names: Iterable[str]) -> Iterator[tuple[int, str]]:
    """List the entries that came before, with their index."""
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield index, name
        seen.add(name)
