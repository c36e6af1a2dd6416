"""Mapping: a field of the request under the product's own name becomes the provider's field.

All names are taken out before any is put in, so that ``email`` and ``phone`` may change places. Two names that reach
one field must agree; which of them would win is never left to chance.
"""

from functools import partial
from typing import Any

import msgspec

from installations import paths
from installations.record import Action, Record
from installations.rules.draft import Draft, Pass
from installations.rules.names import Link
from installations.rules.policy import Nested, Policy
from installations.rules.trace import Step


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """A nested name of the product: found inside an object of the request."""

    home: str
    segments: paths.Segments
    step: Step


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The mappings of one object."""

    moves: tuple[tuple[str, str, Step], ...] = ()
    """Name in the request, provider field, and the step to note."""
    crossings: tuple[tuple[str, str, Step], ...] = ()
    """Moves from a name that is also the provider field of another: taken out before any is put in."""
    takes: tuple[Take, ...] = ()
    """The deepest first."""
    open: tuple[tuple[str, Step], ...] = ()
    """Declared names without a field."""
    nested: tuple[Nested, ...] = ()
    unwritable: tuple[str, ...] = ()
    """Names mapped to a field with ``[*]``, which can be read and not written."""


def prepare(policy: Policy, action: Action) -> Pass | None:
    """Compile the mappings; the same for every action but delete."""
    links = policy.names.links.values()
    mapped = [_mapped(link) for link in links if not _wild(link.field)]
    stripped = [
        Step(rule="mapping", deed="stripped", source=name, setting=path) for name, path in policy.names.open.items()
    ]
    moves = [(step.source, step.field, step) for step in mapped if step.source != step.field]
    targets = {field for _, field, _ in moves}
    table = Table(
        moves=tuple(move for move in moves if move[0] not in targets),
        crossings=tuple(move for move in moves if move[0] in targets),
        takes=_takes([*mapped, *stripped]),
        open=tuple((step.source, step) for step in stripped),
        nested=policy.nested,
        unwritable=tuple(link.source for link in links if _wild(link.field)),
    )
    return None if action == "delete" or table == Table() else partial(apply, table)


def _wild(name: str) -> bool:
    return paths.WILDCARD in (paths.parse(name) or ())


def _mapped(link: Link) -> Step:
    names = {"source": link.source, "field": link.field}
    return Step(rule="mapping", deed="mapped", setting=link.setting, instead_of=link.instead_of, **names)


def _takes(steps: list[Step]) -> tuple[Take, ...]:
    parsed = [(paths.parse(step.source) or (), step) for step in steps if not _wild(step.source)]
    takes = [Take(home=str(way[0]), segments=way[1:], step=step) for way, step in parsed if len(way) > 1]
    return tuple(sorted(takes, key=lambda take: (-len(take.segments), take.step.source)))


def apply(table: Table, draft: Draft) -> None:
    """Give every field of the draft its provider's name."""
    fields, steps = draft.fields, draft.steps
    arrivals = _take_out(table, fields) if table.crossings or table.takes else []
    for name, step in table.open:
        if name in fields:
            del fields[name]
            steps.append(step)
    for source, field, step in table.moves:
        if source in fields:
            if field in fields:
                arrivals.append((fields.pop(source), step))
            else:
                fields[field] = fields.pop(source)
                steps.append(step)
    if arrivals:
        _arrive(draft, arrivals)
    if table.unwritable or table.nested:
        _place(table, draft)


def _arrive(draft: Draft, arrivals: list[tuple[Any, Step]]) -> None:
    for value, step in arrivals:
        if step.field in draft.fields:
            _agree(draft, value, step)
        elif step.field:
            draft.fields[step.field] = value
        draft.steps.append(step)


def _place(table: Table, draft: Draft) -> None:
    for name in table.unwritable:
        if name in draft.fields:
            message = f"{name!r} is mapped to a list of values, which cannot be written."
            draft.refuse(name, message, code="not-writable")
    for nested in table.nested:
        _lift(draft, nested)


def _take_out(table: Table, fields: Record) -> list[tuple[Any, Step]]:
    taken = [(fields.pop(source), step) for source, _, step in table.crossings if source in fields]
    for take in table.takes:
        if take.home in fields:
            value, left = paths.extract(fields[take.home], take.segments)
            if not isinstance(value, paths.Missing):
                taken.append((value, take.step))
                _leave(fields, take.home, left)
    return taken


def _leave(fields: Record, home: str, left: Record) -> None:
    if left:
        fields[home] = left
    else:
        del fields[home]


def _lift(draft: Draft, nested: Nested) -> None:
    """Lay a nested field beside its home, so that every rule meets it under its own name."""
    fields, name = draft.fields, nested.name
    for home, way in nested.homes:
        if home not in fields:
            continue
        value, left = paths.extract(fields[home], way)
        if value is paths.BLOCKED and name in fields:
            source = _source(draft, name)
            draft.refuse(source, f"{source!r} belongs inside {home!r}, which is no object here.", code="conflict")
        elif not isinstance(value, paths.Missing):
            _leave(fields, home, left)
            step = Step(rule="mapping", deed="found", source=name, field=name)
            if name in fields:
                _agree(draft, value, step)
            fields.setdefault(name, value)
            draft.steps.append(step)


def _agree(draft: Draft, value: Any, step: Step) -> None:
    """Let a second name for a field pass if it says the same; refuse it if not."""
    first = _source(draft, step.field)
    if not same(draft.fields[step.field], value):
        draft.refuse(
            step.source,
            f"{first!r} and {step.source!r} are both the provider field {step.field!r}, with different values.",
            code="conflict",
        )
    elif first == step.field:
        draft.steps.append(Step(rule="mapping", deed="agreed", source=first, field=first))


def _source(draft: Draft, field: str) -> str:
    return next((step.source for step in draft.steps if step.field == field), field)


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same; ``1``, ``1.0`` and ``true`` are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)
