"""What the store promises about schema checks: what was last found in each installation's account, and what is due."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from installations.errors import Issue
from server.store.contract.connections import Event


class SchemaCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What was found when an installation was last compared with its account."""

    project_id: str
    installation_id: str
    config_id: str
    """The config that was compared."""
    broken: bool
    issues: tuple[Issue, ...]
    check_time: datetime
    broken_since: datetime | None = None


Decide = Callable[[SchemaCheck | None], tuple[SchemaCheck, Event | None]]
"""From what was found last to what is kept now, and what is told of it."""


class SchemaChecks(Protocol):
    """The findings; each goes with its installation."""

    async def schema_check(self, project_id: str, installation_id: str) -> SchemaCheck | None:
        """Find the last one, if the installation was ever checked."""

    async def schema_checks(self, project_id: str, *, broken: bool | None = None) -> list[SchemaCheck]:
        """List the last ones by installation id, those that are broken, those that are not, or all."""

    async def keep_schema_check(self, project_id: str, installation_id: str, decide: Decide) -> SchemaCheck:
        """Keep a finding and store its event, in one transaction; of two that come at once, one sees the other's.

        Raises `Missing` if the installation is gone.
        """

    async def due_schema_checks(self, *, before: datetime, now: datetime, limit: int) -> list[tuple[str, str]]:
        """List project and id of installations that were last checked ``before``, the oldest first.

        One that was never checked counts from when it was saved, for saving compares too. One that was broken is due
        as soon as its config changes, and one that was checked after ``now``, by a clock that was wrong. Those whose
        connection is ``bad_credentials`` are left out.
        """
