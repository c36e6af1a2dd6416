"""What a write becomes: the rules of one customer, in order, from what the caller asked to what the provider gets.

`compile_rules` runs once for each config revision, `plan` for each request, and `settle` when the current values that
the plan asks for are known. All three are pure, and none changes what it is given.
"""

from collections.abc import Sequence
from itertools import repeat
from typing import Any, Protocol, get_args

import msgspec
from msgspec import UNSET, UnsetType

from installations import paths
from installations.config import ConfigContent
from installations.errors import InvalidInput, Issue
from installations.manifest import IntegrationSpec
from installations.record import Action, Change, Header, Record, RecordChange, WriteRequest
from installations.rules import (
    address,
    defaults,
    deletion,
    mapping,
    objects,
    overwrite,
    policy,
    sources,
    spelling,
    unmapped,
    values,
)
from installations.rules import request as whole
from installations.rules.draft import Draft, Pass
from installations.rules.policy import Nested, Policy
from installations.rules.trace import Gate, Ruling, Step


class Rule(Protocol):
    """What each module of the order is."""

    def prepare(self, policy: Policy, action: Action) -> Pass | None:
        """Compile the rule for one action; ``None`` where it has nothing to do."""
        ...


ORDER: tuple[Rule, ...] = (mapping, spelling, values, defaults, overwrite, unmapped)
"""Names and spellings first, so that every later rule knows a field by one name. Defaults after value mappings, because
a default is already in the provider's words; before overwrite rules, because these gate the field however it was
filled."""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One object's rules for one customer, compiled."""

    object_name: str
    """The provider's name."""
    policy: Policy
    passes: dict[Action, tuple[Pass, ...]]
    deletion: Ruling


class PlannedRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record with every rule applied that needs no look at the provider."""

    fields: Record
    """By provider name, flat: nested fields stand under their nested names."""
    id: str | None = None
    associations: list[dict[str, Any]] | UnsetType = UNSET
    nested: tuple[str, ...] = ()
    """Which of the fields are nested, the outermost first."""
    pending: tuple[Gate, ...] = ()
    """Fields whose fate depends on the record as it is now."""
    steps: tuple[Step, ...] = ()
    """What the rules did. A field that no step names passed unchanged."""


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A write, all but settled. It is stored with its operation, and never made anew on a retry."""

    action: Action
    object_name: str
    records: tuple[PlannedRecord, ...]
    batch: bool = False
    all_or_none: bool = False
    headers: tuple[Header, ...] = ()
    match_field: str | None = None
    needs: tuple[str, ...] = ()
    """The provider fields whose current values `settle` must know; for a nested one, the member it lives in."""


class Current(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the provider has it now, with the fields that the plan needs."""

    id: str
    fields: Record


def compile_rules(
    spec: IntegrationSpec, content: ConfigContent, object_name: str, *, ignores_case: bool = False
) -> Rules:
    """Prepare the rules for writing one object, named by the provider's name or by the product's.

    ``ignores_case`` says that the provider takes field names in any case, so that a rule holds for every spelling.

    Raises `NotFound` if the integration writes no such object or this customer has not enabled it.
    """
    origin = sources.gather(spec, content, objects.resolve(spec, content, object_name))
    decided = policy.gather(origin, ignores_case=ignores_case)
    return Rules(
        object_name=origin.object_name,
        policy=decided,
        passes={action: _prepare(decided, action) for action in get_args(Action)},
        deletion=deletion.ruling(origin),
    )


def _prepare(decided: Policy, action: Action) -> tuple[Pass, ...]:
    return tuple(ready for rule in ORDER if (ready := rule.prepare(decided, action)) is not None)


def plan(request: WriteRequest, rules: Rules) -> Plan:
    """Apply the rules to a request. Raises `InvalidInput` with every issue of every record."""
    issues = whole.judge(request)
    key, faults = address.key_field(rules.policy, request.match_key) if request.type == "upsert" else (None, ())
    issues += faults
    if request.type == "delete":
        issues += deletion.judge(rules.deletion)
    drafts = _drafts(request, issues, key)
    for draft in drafts:
        _apply(draft, request.type, rules)
    if len(drafts) > 1 and (key is not None or request.type in address.BY_ID):
        address.check_distinct(drafts, key)
    if issues:
        raise InvalidInput(issues)
    return _planned(request, rules, drafts, key)


def _drafts(request: WriteRequest, issues: list[Issue], key: str | None) -> list[Draft]:
    if request.batch is not UNSET:
        items = enumerate(request.batch[: whole.MOST_RECORDS])
        return [Draft(item.record, f"batch[{index}].record", issues, key, item.associations) for index, item in items]
    return [] if request.record is UNSET else [Draft(request.record, "record", issues, key, request.associations)]


def _apply(draft: Draft, action: Action, rules: Rules) -> None:
    if action in address.BY_ID:
        address.take_id(draft, rules.policy.names)
    for ready in rules.passes[action]:
        ready(draft)
    if action == "update" and "id" in draft.fields:
        address.keep_id_out(draft)
    if action == "delete":
        deletion.apply(rules.deletion, draft)
    if draft.key is not None:
        address.check_key(draft, draft.key)


def _planned(request: WriteRequest, rules: Rules, drafts: list[Draft], key: str | None) -> Plan:
    batch, nested = request.batch is not UNSET, rules.policy.nested
    return Plan(
        action=request.type,
        object_name=rules.object_name,
        records=tuple([_planned_record(draft, nested) for draft in drafts]),
        batch=batch,
        all_or_none=batch and request.batch_policy is not UNSET and request.batch_policy.all_or_none,
        headers=() if request.headers is UNSET else tuple(request.headers),
        match_field=key,
        needs=_needs(drafts),
    )


def _planned_record(draft: Draft, nested: tuple[Nested, ...]) -> PlannedRecord:
    return PlannedRecord(
        fields=draft.fields,
        id=draft.address,
        associations=draft.associations,
        nested=tuple([each.name for each in reversed(nested) if each.name in draft.fields]) if nested else (),
        pending=tuple(draft.pending),
        steps=tuple(draft.steps),
    )


def _needs(drafts: list[Draft]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for draft in drafts:
        for gate in draft.pending:
            found[paths.member(gate.field)] = None
    return tuple(found)


def settle(plan: Plan, current: Sequence[Current | None] = ()) -> Change:
    """Finish a plan.

    ``current`` has one entry for each record, in order; ``None`` where there is no such record, or where nothing was
    needed. Without a record there is nothing that could be overwritten: an update sends what it has, and the provider
    says that there is no such record. Raises `ValueError` if the entries are not one for each record.
    """
    known: Sequence[Current | None] = current or [None] * len(plan.records)
    if len(known) != len(plan.records):
        raise ValueError(f"The plan has {len(plan.records)} records, and {len(known)} current ones were given.")
    return Change(
        action=plan.action,
        object_name=plan.object_name,
        records=tuple(map(_settle_record, plan.records, known, repeat(plan.action))),
        batch=plan.batch,
        all_or_none=plan.all_or_none,
        headers=plan.headers,
        match_field=plan.match_field,
    )


def _settle_record(record: PlannedRecord, now: Current | None, action: Action) -> RecordChange:
    fields = _finish(record, action, now) if record.pending or record.nested else record.fields
    record_id = now.id if now is not None and record.id is None else record.id
    return RecordChange(fields=fields, id=record_id, associations=record.associations)


def _finish(record: PlannedRecord, action: Action, current: Current | None) -> Record:
    fields = record.fields.copy()
    for gate in record.pending:
        if verdict(gate, action, current) == "dropped":
            fields.pop(gate.field, None)
    for name in record.nested:
        if name in fields:
            value, segments = fields.pop(name), paths.parse(name) or (name,)
            fields = paths.put(fields, segments, value)
    return fields


def verdict(gate: Gate, action: Action, current: Current | None) -> overwrite.Verdict:
    """Close one gate of a plan, given the record as it is now."""
    now = None if current is None else paths.look(current.fields, gate.field)
    exists = current is not None or action == "update"
    return overwrite.judge(gate, exists=exists, value=None if isinstance(now, paths.Missing) else now)
