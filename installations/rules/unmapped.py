"""Unmapped fields: where the switch is on, what no mapping, no selected field and no setting names is dropped."""

from functools import partial

import msgspec
from msgspec import UNSET

from installations.record import Action
from installations.rules import sources as origins
from installations.rules import values
from installations.rules.draft import Draft, Pass
from installations.rules.policy import Policy
from installations.rules.sources import Sources
from installations.rules.trace import Ruling, Step


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """What may stay, and which setting says that the rest must go."""

    named: frozenset[str]
    switch: Ruling


def prepare(policy: Policy, action: Action) -> Pass | None:
    """Compile the switch. A customer who selected every field has named them all."""
    switch = _switch(policy.sources)
    if switch is None or action == "delete" or policy.names.all_selected:
        return None
    mapped = {link.field for link in policy.names.links.values()}
    named = policy.names.selected | mapped | {rules.field for rules in policy.fields} | values.fields(policy)
    return partial(apply, Table(named=frozenset(named), switch=switch))


def _switch(sources: Sources) -> Ruling | None:
    declared, chosen = sources.write.remove_unmapped_fields, sources.write_config.remove_unmapped_fields
    manifest = origins.join(sources.write_path, "removeUnmappedFields")
    if chosen is UNSET:
        return Ruling(setting=manifest) if declared else None
    setting = origins.join(sources.write_config_path, "removeUnmappedFields")
    return Ruling(setting=setting, instead_of=manifest if declared else "") if chosen else None


def apply(table: Table, draft: Draft) -> None:
    """Drop the fields that nothing names."""
    for field in sorted(draft.fields.keys() - table.named):
        if field != draft.key:
            del draft.fields[field]
            draft.steps.append(_dropped(field, table.switch))


def _dropped(field: str, switch: Ruling) -> Step:
    named = {"source": field, "field": field}
    return Step(rule="unmapped", deed="dropped", setting=switch.setting, instead_of=switch.instead_of, **named)
