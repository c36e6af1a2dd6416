"""Compares what an installation uses with what its account has now, and keeps and tells what that comes to.

It is told once that an installation breaks, and once that it is mended, whoever looked. An object that cannot be
described says nothing: what was found in it before stays found, so that an outage mends nothing.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import msgspec

from installations.errors import Issue, at
from installations.installation import Installation
from installations.review import breaks
from installations.schema import Absent, ObjectMetadata
from server import logs
from server.events import schema_event
from server.reviewing import compare, used_objects
from server.services import Services
from server.store.contract import Event, SchemaCheck

MOST_ISSUES = 200
"""How many findings are kept of one installation, those that break something first."""

Turn = Literal["broke", "mended", "same"]


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, and whether it is another answer than last time."""

    check: SchemaCheck
    turn: Turn


async def check_schema(services: Services, installation: Installation, *, anew: bool = False) -> Checked:
    """Check one installation, keep what was found, and tell if it broke or is mended.

    ``anew`` asks the account again; else what was described in the last minutes counts too.
    Raises `Missing` if the installation goes meanwhile, and `StoreError`.
    """
    revision = await services.store.revision(installation.project_id, installation.config.revision_id)
    integration = await services.store.integration(installation.project_id, installation.integration_id)
    content = installation.config.content
    names = used_objects(revision.content, content)
    described = await services.schemas.described(installation.connection, names, refresh=anew)
    # Nobody waits for this, and writes must not wait for it.
    issues = await asyncio.to_thread(compare, services, revision.content, content, described)
    now, event_id = services.clock(), services.new_id()
    turns: list[Turn] = []

    def decide(before: SchemaCheck | None) -> tuple[SchemaCheck, Event | None]:
        check = _check(installation, [*issues, *_still(before, issues, described)], before=before, now=now)
        turns.append(_turn(before, check))
        if turns[-1] == "same":
            return check, None
        told = schema_event(check, installation, integration_name=integration.name, event_id=event_id, now=now)
        return check, told

    check = await services.store.keep_schema_check(installation.project_id, installation.id, decide)
    if turns[-1] != "same":
        services.bell.ring()
        level = logging.WARNING if check.broken else logging.INFO
        logs.event(f"schema.{turns[-1]}", level=level, installation_id=installation.id, issues=len(check.issues))
    return Checked(check=check, turn=turns[-1])


def _check(
    installation: Installation, issues: list[Issue], *, before: SchemaCheck | None, now: datetime
) -> SchemaCheck:
    broken = any(breaks(issue) for issue in issues)
    since = before.broken_since if before is not None and before.broken else now
    return SchemaCheck(
        project_id=installation.project_id,
        installation_id=installation.id,
        config_id=installation.config.id,
        broken=broken,
        issues=tuple(sorted(issues, key=lambda issue: not breaks(issue))[:MOST_ISSUES]),
        check_time=now,
        broken_since=since if broken else None,
    )


def _still(
    before: SchemaCheck | None, issues: list[Issue], described: Mapping[str, ObjectMetadata | str]
) -> list[Issue]:
    """List what was found before in objects of which nothing is known now."""
    unknown = [name for name, found in described.items() if isinstance(found, str) and not isinstance(found, Absent)]
    places = tuple(at(f"config.content.{action}.objects", name) for name in unknown for action in ("read", "write"))
    old = () if before is None else before.issues
    return [each for each in old if breaks(each) and each not in issues and _lies_in(each.path, places)]


def _lies_in(path: str, places: tuple[str, ...]) -> bool:
    return any(path == place or path.startswith((f"{place}.", f"{place}[")) for place in places)


def _turn(before: SchemaCheck | None, check: SchemaCheck) -> Turn:
    was = before is not None and before.broken
    if was == check.broken:
        return "same"
    return "broke" if check.broken else "mended"
