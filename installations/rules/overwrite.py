"""Overwrite rules: whether a field may be written at all, sent or filled in, on create and on update.

``ifEmpty`` is the one rule that must see the record as it is now. It opens a `Gate`, and `judge` closes it.
"""

from functools import partial
from typing import Any, Literal

import msgspec

from installations.record import Action
from installations.rules.draft import Draft, Pass
from installations.rules.policy import Policy
from installations.rules.settings import FieldRules
from installations.rules.trace import Gate, Ruling, Step

Verdict = Literal["written", "dropped"]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The gates of one object for one action."""

    noted: tuple[tuple[str, Step], ...] = ()
    """Fields always dropped, or let through by a setting that overrides another."""
    gates: tuple[tuple[str, Gate], ...] = ()
    """Fields that wait for the record as it is now."""


def prepare(policy: Policy, action: Action) -> Pass | None:
    """Compile the overwrite rules for one action."""
    if action == "delete":
        return None
    gates = [(rules.field, _gate(rules)) for rules in policy.fields]
    table = Table(
        noted=tuple((field, step) for field, gate in gates if (step := _settled(gate, action)) is not None),
        gates=tuple((field, gate) for field, gate in gates if _waits(gate, action)),
    )
    return None if table == Table() else partial(apply, table)


def _gate(rules: FieldRules) -> Gate:
    return Gate(field=rules.field, rule="overwrite", on_create=rules.on_create, on_update=rules.on_update)


def _waits(gate: Gate, action: Action) -> bool:
    if action == "upsert":
        return gate.on_create.value != gate.on_update.value
    return action == "update" and gate.on_update.value == "ifEmpty"


def _settled(gate: Gate, action: Action) -> Step | None:
    if _waits(gate, action):
        return None
    ruling = gate.on_create if action == "create" else gate.on_update
    if ruling.value == "always" and not ruling.instead_of:
        return None
    return note(gate, ruling, "dropped" if ruling.value == "never" else "written")


def note(gate: Gate, ruling: Ruling, deed: Literal["written", "dropped", "pending"]) -> Step:
    """Build the step that tells what a gate did."""
    return Step(rule=gate.rule, deed=deed, field=gate.field, setting=ruling.setting, instead_of=ruling.instead_of)


def apply(table: Table, draft: Draft) -> None:
    """Drop the fields that may not be written, and note those that must wait."""
    fields = draft.fields
    for field, step in table.noted:
        if field in fields and field != draft.key:
            draft.steps.append(step)
            if step.deed == "dropped":
                del fields[field]
    for field, gate in table.gates:
        if field in fields and field != draft.key:
            draft.pending.append(gate)


def judge(gate: Gate, *, exists: bool, value: Any) -> Verdict:
    """Close a gate, given whether the record exists and the value it has now."""
    ruling = gate.on_update if exists else gate.on_create
    if ruling.value == "ifEmpty":
        return "written" if is_empty(value) else "dropped"
    return "written" if ruling.value == "always" else "dropped"


def is_empty(value: Any) -> bool:
    """Tell whether a provider's value counts as empty: unset, ``null``, ``""`` or an empty list."""
    return value is None or value in ("", [])
