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
    decided = ruling(gate, exists=action != "create")
    if decided.value == "always" and not decided.instead_of:
        return None
    return note(gate, decided, "dropped" if decided.value == "never" else "written")


def note(gate: Gate, decided: Ruling, deed: Literal["written", "dropped", "pending"]) -> Step:
    """Build the step that tells what a gate did."""
    return Step(
        rule=gate.rule,
        deed=deed,
        field=gate.field,
        setting=decided.setting,
        instead_of=decided.instead_of,
        choice=decided.value,
    )


def apply(table: Table, draft: Draft) -> None:
    """Drop the fields that may not be written, and note those that must wait."""
    fields = draft.fields
    for field, step in table.noted:
        if field in fields and field != draft.key:
            draft.steps.append(step)
            if step.deed == "dropped":
                del fields[field]
                draft.pending = [gate for gate in draft.pending if gate.field != field]
    for field, gate in table.gates:
        if field in fields and field != draft.key:
            draft.pending.append(gate)


def judge(gate: Gate, *, exists: bool, value: Any) -> Verdict:
    """Close a gate, given whether the record exists and the value it has now."""
    choice = ruling(gate, exists=exists).value
    if choice == "ifEmpty":
        return "written" if is_empty(value) else "dropped"
    return "written" if choice == "always" else "dropped"


def ruling(gate: Gate, *, exists: bool) -> Ruling:
    """Tell which side of a gate holds."""
    return gate.on_update if exists else gate.on_create


def foremost(gate: Gate) -> Ruling:
    """Tell which side of an open gate to name: the one for updates, unless nobody has set it."""
    return gate.on_update if gate.on_update.setting else gate.on_create


def is_empty(value: Any) -> bool:
    """Tell whether a provider's value counts as empty: unset, ``null``, ``""`` or an empty list."""
    return value is None or value in ("", [])
