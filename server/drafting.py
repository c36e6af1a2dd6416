"""The use case of a draft: a config that nobody has saved, judged as saving would judge it, and tried on a record."""

import asyncio
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from connectors.connector import CaseBlind, Connector
from headless.answers import Reviewed
from installations.config import ConfigContent
from installations.errors import InvalidInput, NotFound
from installations.explain import Explanation, explain
from installations.installation import Connection, Integration, Revision
from installations.pipeline import Current, Plan, Rules, compile_rules, plan
from installations.record import Action, Record, WriteRequest
from server.delivering.attempting import require_possible
from server.delivering.look_ups import looks
from server.installing import found_connection
from server.reviewing import Judged, Look, check, judge
from server.revising import revisions_for
from server.services import Services

replace = msgspec.structs.replace


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is about to save, for a group."""

    integration: Integration
    group_ref: str
    content: dict[str, Any]
    connection_id: str | UnsetType = UNSET


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """A write that a draft is tried on."""

    object_name: str
    type: Action
    record: Record
    match_key: str | UnsetType = UNSET
    current: Record | UnsetType | None = UNSET
    """What the provider has, in its own names: nothing if `None`, and not known if `UNSET`."""


async def review_draft(services: Services, draft: Draft, *, look: Look = "live") -> Reviewed:
    """List everything that saving a draft would say, and its shape's faults too; nothing is saved.

    Raises `InvalidInput` for a connection that is not the group's.
    """
    ground = await _ground(services, draft)
    try:
        judged = await judge(
            services,
            ground.revisions,
            draft.content,
            connection=ground.connection,
            standing=ground.standing,
            look=look,
        )
    except InvalidInput as error:
        return Reviewed(issues=error.issues)
    return Reviewed(issues=judged.issues, content=judged.content)


async def preview(services: Services, draft: Draft, trial: Trial) -> Explanation:
    """Explain what a write would send if a draft were saved. No provider is called, and nothing is saved.

    A draft that cannot be saved yet is tried all the same, unless its shape makes no config. Raises `InvalidInput` with
    every issue, and `NotFound` for an object that the draft does not have on.
    """
    ground = await _ground(services, draft)
    return await asyncio.to_thread(_previewed, services, ground, draft, trial)


class _Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft is judged by."""

    revisions: tuple[Revision, ...]
    connection: Connection | None
    """`None` where the group has none yet."""
    standing: ConfigContent | None
    """What it would replace, on the same account."""


async def _ground(services: Services, draft: Draft) -> _Ground:
    integration = draft.integration
    installations = await services.store.installations(
        integration.project_id, integration_id=integration.id, group_ref=draft.group_ref
    )
    there = installations[0] if installations else None
    if there is not None and draft.connection_id in {UNSET, there.connection.id}:
        revisions = await revisions_for(services, integration, there)
        return _Ground(revisions=revisions, connection=there.connection, standing=there.config.content)
    connection = await found_connection(
        services, integration, group_ref=draft.group_ref, connection_id=draft.connection_id
    )
    revisions = (integration.latest_revision,) if there is None else await revisions_for(services, integration, there)
    return _Ground(revisions=revisions, connection=connection, standing=None)


def _previewed(services: Services, ground: _Ground, draft: Draft, trial: Trial) -> Explanation:
    judged = check(services, ground.revisions, draft.content, connection=ground.connection)
    connector = services.accounts.connector(judged.revision.content.provider)
    made = plan(_request(draft, trial), _rules(judged, trial, connector))
    require_possible(connector, made)
    return _told(made, trial, connector)


def _rules(judged: Judged, trial: Trial, connector: Connector) -> Rules:
    spec, ignores_case = judged.revision.content, isinstance(connector, CaseBlind)
    try:
        return compile_rules(spec, judged.content, trial.object_name, ignores_case=ignores_case)
    except NotFound as error:
        raise NotFound(replace(issue, path="objectName") for issue in error.issues) from error


def _request(draft: Draft, trial: Trial) -> WriteRequest:
    return WriteRequest(group_ref=draft.group_ref, type=trial.type, record=trial.record, match_key=trial.match_key)


def _told(made: Plan, trial: Trial, connector: Connector) -> Explanation:
    if trial.current is UNSET or not looks(connector, made):
        return explain(made)
    if trial.current is None:
        return explain(made, [None])
    known = trial.current.get("id", made.records[0].id)
    told = explain(made, [Current(id="" if known is None else str(known), fields=trial.current)])
    if known is not None:
        return told
    # A match whose id nobody has said.
    records = tuple(replace(each, id=None) for each in told.change.records)
    return replace(told, change=replace(told.change, records=records))
