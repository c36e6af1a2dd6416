"""What is wrong with naming a field: the account has none of this name, or it is none that can be written.

What the customer said is an error. What the manifest says is a warning: the customer can neither see nor mend it.
"""

from collections.abc import Iterator
from typing import Literal

from msgspec import UNSET
from msgspec.structs import replace

from installations.errors import Issue, Severity
from installations.live_fields import LiveObject, match, nearest
from installations.schema import FieldMetadata, ValueType

Author = Literal["customer", "product"]
_PLAIN: frozenset[ValueType] = frozenset(
    {"string", "boolean", "singleSelect", "multiSelect", "date", "datetime", "int", "float"}
)
MOST_GUESSES = 20
"""Guessing compares a name with every field there is; nobody reads more of it than this."""


def severity(author: Author) -> Severity:
    """Tell whether a finding is an error: only where the customer can do something about it."""
    return "error" if author == "customer" else "warning"


def read_issues(live: LiveObject, name: str, path: str, *, author: Author = "customer") -> Iterator[Issue]:
    """Check a field that is read. Records are searched without regard to case, so another case is no error."""
    found = match(live, name)
    if found.standing == "other_case" and found.field is not None:
        message = f"the field of {live.title} is spelt {found.field.field_name!r}; this provider may mind the case"
        yield Issue(path=path, code="other-case", severity="warning", message=message)
    elif not (found.standing == "absent" and name.casefold() == "id"):
        # Every record has an id, though not every provider lists it among the fields.
        yield from _missing(live, name, path, author=author)


def write_issues(live: LiveObject, name: str, path: str, *, author: Author = "customer") -> Iterator[Issue]:
    """Check a field that is written, whether it can be written or not."""
    yield from _missing(live, name, path, author=author)


def _missing(live: LiveObject, name: str, path: str, *, author: Author) -> Iterator[Issue]:
    found = match(live, name)
    if found.standing in {"absent", "other_case"}:
        yield Issue(
            path=path,
            code="unknown-field",
            severity=severity(author),
            message=f"{live.title} has no field {name!r} in this account",
            value=name,
        )
    elif found.standing == "unsaid":
        message = f"the account lists no fields inside of others, so {name!r} could not be checked"
        yield Issue(path=path, code="not-described", severity="warning", message=message)
    elif found.standing == "inside" and found.field is not None and found.field.value_type in _PLAIN:
        message = f"{_title(found.field)} holds a plain value, and no other fields"
        yield Issue(path=path, code="not-inside", severity="warning", message=message)


def writable(field: FieldMetadata | None) -> bool:
    """Tell whether a field may be written, as far as the account says."""
    return field is None or field.read_only is not True


def _title(field: FieldMetadata) -> str:
    return repr(field.display_name or field.field_name)


def with_guesses(live: LiveObject, issues: Iterator[Issue]) -> Iterator[Issue]:
    """Add to the first unknown fields what may have been meant."""
    left = MOST_GUESSES
    for issue in issues:
        if issue.code == "unknown-field" and issue.remedy is UNSET and left:
            left -= 1
            meant = nearest(live, str(issue.value))
            rest = "choose a field that is there" if issue.severity == "error" else "the integration names this field"
            yield replace(issue, remedy=f"did you mean {meant!r}?" if meant else rest)
        else:
            yield issue
