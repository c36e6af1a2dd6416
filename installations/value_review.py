"""What is wrong with values that a customer fixed: defaults, and the provider's side of value mappings."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from installations import paths
from installations.errors import Issue, at
from installations.field_review import Author, severity
from installations.live_fields import LiveObject, Match, match
from installations.schema import FieldMetadata
from installations.value_fit import Misfit, misfit, not_a_choice

_SELECTS = frozenset({"singleSelect", "multiSelect"})


def default_issues(
    value: Any, field: FieldMetadata, live: LiveObject, path: str, *, author: Author = "customer"
) -> Iterator[Issue]:
    """Check a default that would be sent."""
    problem = misfit(value, field, live)
    if problem is not None:
        found = _issue(problem, path)
        yield found if problem.severity == "warning" else replace(found, severity=severity(author))


def _issue(problem: Misfit, path: str) -> Issue:
    return Issue(
        path=path, code=problem.code, message=problem.message, severity=problem.severity, remedy=problem.remedy
    )


def translation_issues(
    name: str, pairs: Mapping[str, str], live: LiveObject, path: str, *, names: Mapping[str, str], written: bool
) -> Iterator[Issue]:
    """Check one field's value mapping. Provider names are meant, so a field of that name stands before a mapping.

    A value that is no choice is an error only where it is written.
    """
    found = _find(name, live, names)
    if found.standing == "absent":
        message = f"{live.title} has no field {name!r}, so these values are never translated"
        yield Issue(path=path, code="no-effect", severity="warning", message=message)
    elif found.standing in {"there", "other_case"} and found.field is not None:
        yield from _pair_issues(found.field, pairs, live, path, written=written)


def _find(name: str, live: LiveObject, names: Mapping[str, str]) -> Match:
    plain = paths.canonical(name)
    found = match(live, plain)
    return match(live, names.get(plain, plain)) if found.standing == "absent" else found


def _pair_issues(
    field: FieldMetadata, pairs: Mapping[str, str], live: LiveObject, path: str, *, written: bool
) -> Iterator[Issue]:
    if field.value_type is not UNSET and field.value_type not in _SELECTS:
        message = f"{field.display_name or field.field_name!r} is no picklist, so any other value passes as it is"
        yield Issue(path=path, code="no-picklist", severity="warning", message=message)
        return
    for own, theirs in pairs.items():
        problem = not_a_choice(theirs, field, live)
        if problem is not None:
            found = _issue(problem, at(path, own))
            yield found if written else replace(found, severity="warning", code="other-choice")
