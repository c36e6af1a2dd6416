"""What can be wrong with what people send us, said with paths.

InstallationsError
└── InvalidInput       it cannot be understood, or is not allowed; carries every issue, never just the first
    └── NotFound       it names something that does not exist or is not enabled
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Severity = Literal["error", "warning"]


class Issue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One finding: where, what, and what would mend it. Warnings never block."""

    path: str
    """``integrations[0].read.objects[1].schedule``; ``""`` is the whole document."""
    message: str
    """A sentence for a person."""
    code: str
    """Stable, kebab-case: ``unknown-field``, ``wrong-type``, ``required``."""
    severity: Severity = "error"
    line: int | UnsetType = UNSET
    """1-based line of the YAML source, where there is one."""
    value: Any = UNSET
    remedy: str | UnsetType = UNSET


class InstallationsError(Exception):
    """The root of this package's errors."""


class InvalidInput(InstallationsError):
    """Something sent to us cannot be understood or is not allowed; every issue is listed."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues = tuple(issues)
        super().__init__(
            "; ".join(f"{issue.path}: {issue.message}" if issue.path else issue.message for issue in self.issues)
        )


class NotFound(InvalidInput):
    """The request names something that does not exist or is not enabled for this customer."""


def invalid(path: str, message: str, *, code: str, remedy: str | UnsetType = UNSET) -> InvalidInput:
    """Build the error for a single issue."""
    return InvalidInput([Issue(path=path, message=message, code=code, remedy=remedy)])


def at(path: str, step: str | int) -> str:
    """Extend an issue's path by an index or a member; a name with marks of its own stands in brackets and quotes."""
    if isinstance(step, int):
        return f"{path}[{step}]"
    if not step.replace("_", "").replace("-", "").isalnum():
        return f'{path}["{step}"]'
    return f"{path}.{step}" if path else step
