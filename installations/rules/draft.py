"""One record while the rules are at work on it. Nothing outside the pipeline ever sees a draft.

A rule has two halves. ``prepare(policy, action)`` runs once for each config and answers a `Pass`, or ``None`` where
the settings give it nothing to do. The pass runs for each record: it reads and writes the draft it is given and nothing
else, so that equal drafts always come out equal.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

from msgspec import UNSET, UnsetType

from installations.errors import Issue, at
from installations.record import Record
from installations.rules.trace import Gate, Step


class Draft:
    """A record on its way through the rules."""

    __slots__ = ("address", "address_name", "associations", "fields", "issues", "key", "pending", "steps", "where")

    def __init__(
        self,
        record: Record,
        where: str,
        issues: list[Issue],
        key: str | None = None,
        associations: list[dict[str, Any]] | UnsetType = UNSET,
    ) -> None:
        self.fields: Record = record.copy()
        """By provider name once mapped, nested ones under their nested names."""
        self.steps: list[Step] = []
        self.pending: list[Gate] = []
        self.issues = issues
        """Shared by all the records of a request."""
        self.where = where
        """``record`` or ``batch[3].record``."""
        self.key = key
        """For upsert, the field to match by. No rule may fill or drop it."""
        self.associations = associations
        """Passed on untouched."""
        self.address: str | None = None
        """The provider's id."""
        self.address_name = "id"
        """What the request calls it."""

    def refuse(self, name: str, message: str, *, code: str) -> None:
        """Note what is wrong with one field of the request."""
        self.issues.append(Issue(path=at(self.where, name), message=message, code=code))


Pass: TypeAlias = Callable[[Draft], None]
