"""Defaults: a field that the request leaves out is filled in. ``0``, ``false``, ``""`` and ``null`` count as given."""

from functools import partial
from typing import Any, TypeAlias

import msgspec

from installations import paths
from installations.record import Action
from installations.rules.draft import Draft, Pass
from installations.rules.policy import Nested, Policy
from installations.rules.settings import Default
from installations.rules.trace import Gate, Ruling, Step


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """What is unusual about a default, where anything is."""

    withheld: bool = False
    gate: Gate | None = None
    """For upsert: whether the default stays is known only once it is known whether the record exists."""
    homes: tuple[tuple[str, paths.Segments], ...] = ()
    """Where a nested field may live; no default is put inside what is no object."""
    inmates: tuple[str, ...] = ()
    """The nested fields that live inside; a default never takes their place."""


Fill: TypeAlias = tuple[str, Any, Step, Odd | None]
"""Provider field, value, the step to note, and what is unusual."""


def prepare(policy: Policy, action: Action) -> Pass | None:
    """Compile the defaults for one action."""
    if action == "delete":
        return None
    table = tuple(
        _fill(rules.field, rules.default, policy.nested, action)
        for rules in policy.fields
        if rules.default is not None and not (action == "update" and rules.field == "id")
    )
    return partial(apply, table) if table else None


def _fill(field: str, default: Default, nested: tuple[Nested, ...], action: Action) -> Fill:
    gated = default.on_update.value != "always"
    odd = Odd(
        withheld=gated and action == "update",
        gate=_gate(field, default) if gated and action == "upsert" else None,
        homes=next((each.homes for each in nested if each.name == field), ()),
        inmates=tuple(each.name for each in nested if any(home == field for home, _ in each.homes)),
    )
    step = Step(
        rule="defaults",
        deed="withheld" if odd.withheld else "filled",
        field=field,
        setting=default.on_update.setting if odd.withheld else default.setting,
        instead_of=default.instead_of,
    )
    return field, default.value, step, None if odd == Odd() else odd


def _gate(field: str, default: Default) -> Gate:
    return Gate(field=field, rule="defaults", on_create=Ruling(), on_update=default.on_update)


def apply(table: tuple[Fill, ...], draft: Draft) -> None:
    """Fill in the fields that are absent."""
    fields, steps, key = draft.fields, draft.steps, draft.key
    for field, value, step, odd in table:
        if field in fields or field == key:
            continue
        if odd is None or _fits(odd, draft):
            fields[field] = value
            steps.append(step)
        elif odd.withheld:
            steps.append(step)


def _fits(odd: Odd, draft: Draft) -> bool:
    fields = draft.fields
    if odd.withheld or any(inmate in fields for inmate in odd.inmates):
        return False
    if any(home in fields and paths.extract(fields[home], way)[0] is paths.BLOCKED for home, way in odd.homes):
        return False
    if odd.gate is not None:
        draft.pending.append(odd.gate)
    return True
