"""The fate of every field of a write, in words and as data.

It is told from the very plan that is sent, and from nothing else: there is no second logic that could disagree.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from installations.pipeline import Current, Plan, PlannedRecord, settle, verdict
from installations.record import Action, Change
from installations.rules import overwrite
from installations.rules.address import BY_ID
from installations.rules.trace import Deed, RuleName, Step

Fate = Literal["sent", "pending", "dropped", "address"]
"""``pending``: depends on the record as it is now. ``address``: tells which record is meant, and is no field."""


class Reason(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One thing that one rule did."""

    rule: RuleName
    deed: Deed
    words: str
    setting: str = ""
    """The path of the setting that decided, in ``manifest`` or ``config``."""
    instead_of: str = ""
    """The path of the setting that it overrides."""
    choice: str = ""
    """What an overwrite rule says: ``always``, ``never`` or ``ifEmpty``."""


class InputExplanation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What became of one field of the request."""

    name: str
    fate: Fate
    because: tuple[Reason, ...]
    field: str = ""
    """The provider field it reached."""


class FieldExplanation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How one provider field came about."""

    field: str
    fate: Fate
    because: tuple[Reason, ...]
    inputs: tuple[str, ...] = ()
    """The fields of the request that it was sent as; empty for a default."""
    value: Any = UNSET
    """What is sent, or would be; absent if dropped."""


class RecordExplanation(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One record."""

    path: str
    """``record`` or ``batch[3].record``."""
    inputs: tuple[InputExplanation, ...]
    fields: tuple[FieldExplanation, ...]
    id: str | UnsetType = UNSET


class Explanation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A write, explained. While fields are pending, ``change`` is what is sent if the provider has nothing there."""

    object_name: str
    action: Action
    records: tuple[RecordExplanation, ...]
    change: Change


def explain(plan: Plan, current: Sequence[Current | None] = ()) -> Explanation:
    """Tell what each rule did to each field.

    ``current`` is what `settle` takes. If the plan needs it and it is not given, what depends on it is ``pending``.
    """
    known: Sequence[Current | None] = current or [None] * len(plan.records)
    change = settle(plan, current)
    told = []
    for index, (record, now) in enumerate(zip(plan.records, known, strict=True)):
        closing = _opened(record) if not current else _closed(record, plan.action, now)
        path = f"batch[{index}].record" if plan.batch else "record"
        told.append(_explain_record(record, [*record.steps, *closing, *_address(record, plan)], path=path))
    return Explanation(object_name=plan.object_name, action=plan.action, records=tuple(told), change=change)


def _opened(record: PlannedRecord) -> list[Step]:
    return [overwrite.note(gate, overwrite.foremost(gate), "pending") for gate in record.pending]


def _closed(record: PlannedRecord, action: Action, now: Current | None) -> list[Step]:
    exists = now is not None or action == "update"
    return [
        overwrite.note(gate, overwrite.ruling(gate, exists=exists), verdict(gate, action, now))
        for gate in record.pending
    ]


def _address(record: PlannedRecord, plan: Plan) -> list[Step]:
    if record.id is not None and plan.action in BY_ID:
        if any(step.deed == "addressed" for step in record.steps):
            return []
        return [Step(rule="address", deed="addressed", source="id")]
    if plan.match_field is not None:
        return [Step(rule="address", deed="matched", field=plan.match_field)]
    return []


def _explain_record(record: PlannedRecord, steps: list[Step], *, path: str) -> RecordExplanation:
    at_field: dict[str, list[Step]] = {name: [] for name in record.fields}
    at_source: dict[str, list[Step]] = {}
    for step in steps:
        if step.field:
            at_field.setdefault(step.field, []).append(step)
        if step.source:
            at_source.setdefault(step.source, []).append(step)
    astray = dict.fromkeys(step.source for step in steps if step.source and not step.field)
    fields = [_explain_field(name, record, found) for name, found in at_field.items()]
    inputs = [_explain_input(name, each, at_field[each.field]) for each in fields for name in each.inputs]
    inputs += [_explain_astray(name, at_source[name]) for name in astray]
    return RecordExplanation(
        path=path, inputs=tuple(inputs), fields=tuple(fields), id=UNSET if record.id is None else record.id
    )


def _explain_field(name: str, record: PlannedRecord, steps: list[Step]) -> FieldExplanation:
    fate = _fate(name, record, steps)
    sources = tuple(dict.fromkeys(step.source for step in steps if step.source))
    own = not sources and not any(step.rule == "defaults" for step in steps)
    return FieldExplanation(
        field=name,
        fate=fate,
        because=_because(steps),
        inputs=(name,) if own else sources,
        value=UNSET if fate in {"dropped", "address"} else record.fields[name],
    )


def _fate(name: str, record: PlannedRecord, steps: list[Step]) -> Fate:
    deeds = {step.deed for step in steps}
    if "pending" in deeds:
        return "pending"
    if name not in record.fields or "dropped" in deeds:
        return "address" if any(step.rule == "address" for step in steps) else "dropped"
    return "sent"


def _explain_input(name: str, field: FieldExplanation, steps: list[Step]) -> InputExplanation:
    mine = [step for step in steps if step.source in {"", name}]
    return InputExplanation(name=name, fate=field.fate, because=_because(mine), field=field.field)


def _explain_astray(name: str, steps: list[Step]) -> InputExplanation:
    """Explain what reached no provider field: a mapping left open, or the id."""
    address = any(step.rule == "address" for step in steps)
    return InputExplanation(name=name, fate="address" if address else "dropped", because=_because(steps))


def _because(steps: Iterable[Step]) -> tuple[Reason, ...]:
    return tuple(map(_reason, steps)) or (_reason(Step(rule="mapping", deed="unchanged")),)


def _reason(step: Step) -> Reason:
    return Reason(
        rule=step.rule,
        deed=step.deed,
        words=words(step),
        setting=step.setting,
        instead_of=step.instead_of,
        choice=step.choice,
    )


_WORDS: dict[tuple[RuleName, Deed], str] = {
    ("mapping", "unchanged"): "No mapping and no setting names it, so it is sent as it came.",
    ("mapping", "mapped"): "{source!r} is mapped to the provider field {field!r}.",
    ("mapping", "found"): "It came inside an object, under the provider's own name {field!r}.",
    ("mapping", "respelled"): "It is the provider field {field!r}; the provider ignores upper and lower case.",
    ("mapping", "agreed"): "It was sent under the provider's own name too, with the same value.",
    (
        "mapping",
        "stripped",
    ): "{source!r} is declared as a mapping, and this customer has chosen no field for it: it is left out.",
    ("values", "translated"): "The value {before!r} is {after!r} at the provider.",
    ("defaults", "filled"): "The request leaves it out, so its default is filled in.",
    ("defaults", "withheld"): "The request leaves it out, and its default is for new records only.",
    ("defaults", "written"): "The record is new, so its default is sent.",
    ("defaults", "dropped"): "The record exists already, and its default is for new records only.",
    ("defaults", "pending"): "Its default is for new records only, and whether this is one is not known yet.",
    ("unmapped", "dropped"): "No mapping, no selected field and no setting names it, and such fields are left out.",
    ("deletion", "allowed"): "Deleting is enabled for this customer.",
    ("deletion", "dropped"): "A delete sends the id alone.",
    ("address", "dropped"): "It is the record's id, which is sent as its address and not as a field.",
    ("address", "addressed"): "It tells which record is meant; it is not sent as a field.",
    ("address", "matched"): "Records are matched by it, so no rule fills it in or drops it.",
}

_OVERWRITE: dict[tuple[str, Deed], str] = {
    ("always", "written"): "The rule is 'always', so it is sent.",
    ("always", "pending"): "The rule for updates is 'always': it is sent if the record exists already.",
    ("never", "pending"): "The rule is 'never'; whether it applies depends on whether the record exists.",
    ("ifEmpty", "pending"): "The rule is 'ifEmpty': it is sent if the record has no value there.",
    ("never", "dropped"): "The rule is 'never', so it is not sent.",
    ("ifEmpty", "written"): "The rule is 'ifEmpty', and the record has no value there.",
    ("ifEmpty", "dropped"): "The rule is 'ifEmpty', and the record has a value there.",
}


def words(step: Step) -> str:
    """Say what a step did, in one sentence or two."""
    template = _WORDS.get((step.rule, step.deed)) or _overwriting(step)
    said = template.format(source=step.source, field=step.field, before=step.before, after=step.after)
    return f"{said} {step.setting} overrides {step.instead_of}." if step.instead_of else said


def _overwriting(step: Step) -> str:
    if not step.setting and step.deed == "written":
        return "No rule keeps it back, so it is sent."
    return _OVERWRITE[step.choice, step.deed]
