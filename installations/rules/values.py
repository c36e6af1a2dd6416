"""Value mapping: a value in the product's own words becomes the provider's. What no mapping names passes unchanged."""

from functools import partial
from typing import Any

from installations.record import Action
from installations.rules import names as naming
from installations.rules import sources as origins
from installations.rules.draft import Draft, Pass
from installations.rules.policy import Policy
from installations.rules.trace import Step

Translation = dict[str, tuple[str, Step]]
"""The caller's value, as text, to the provider's and the step to note."""
Table = tuple[tuple[str, Translation], ...]

_SAFE_DIGITS = 2**63


def prepare(policy: Policy, action: Action) -> Pass | None:
    """Compile the value mappings of each field; those for writing alone stand before inherited ones."""
    found = _gather(policy)
    return partial(apply, tuple(found.items())) if found and action != "delete" else None


def fields(policy: Policy) -> frozenset[str]:
    """Tell the provider fields that have a value mapping."""
    return frozenset(_gather(policy))


def _gather(policy: Policy) -> dict[str, Translation]:
    sources, found = policy.sources, dict[str, Translation]()
    own = sources.write_config.selected_value_mappings or {}
    _collect(found, policy, own, path=origins.join(sources.write_config_path, "selectedValueMappings"))
    if sources.inherits:
        inherited = sources.read_config.selected_value_mappings or {}
        _collect(found, policy, inherited, path=origins.join(sources.read_config_path, "selectedValueMappings"))
    return found


def _collect(found: dict[str, Translation], policy: Policy, mappings: dict[str, dict[str, str]], *, path: str) -> None:
    for name, pairs in mappings.items():
        field = naming.native_first(policy.names, name)
        for before, after in pairs.items() if field is not None else ():
            setting = origins.join(path, name, before)
            step = Step(rule="values", deed="translated", field=str(field), setting=setting, before=before, after=after)
            found.setdefault(str(field), {}).setdefault(before, (after, step))


def apply(table: Table, draft: Draft) -> None:
    """Translate the values of the draft; the elements of a list one by one."""
    fields = draft.fields
    for field, translation in table:
        if field in fields:
            value = fields[field]
            if type(value) is list:
                fields[field] = [_translate(translation, each, draft) for each in value]
            else:
                fields[field] = _translate(translation, value, draft)


def _translate(translation: Translation, value: Any, draft: Draft) -> Any:
    text = value if type(value) is str else as_text(value)
    found = None if text is None else translation.get(text)
    if found is None:
        return value
    if found[1] not in draft.steps:
        draft.steps.append(found[1])
    return found[0]


def as_text(value: Any) -> str | None:
    """Spell a number or a boolean as JSON does; other values have no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) or (isinstance(value, int) and abs(value) < _SAFE_DIGITS):
        return repr(value)
    return None
