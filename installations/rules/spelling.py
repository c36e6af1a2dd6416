"""Spelling: where a provider ignores case, ``phone`` is the field ``Phone``, and its rules hold for both."""

from functools import partial

from installations.record import Action
from installations.rules.draft import Draft, Pass
from installations.rules.mapping import same
from installations.rules.policy import Policy
from installations.rules.trace import Step


def prepare(policy: Policy, action: Action) -> Pass | None:
    """Compile the spellings of the fields that anything names; others have no rule that could be missed."""
    spellings = policy.names.spellings
    return partial(apply, spellings, frozenset(spellings.values())) if spellings and action != "delete" else None


def apply(spellings: dict[str, str], known: frozenset[str], draft: Draft) -> None:
    """Give the fields of the draft the spelling that the rules know."""
    fields = draft.fields
    for name in [name for name in fields if name not in known]:
        field = spellings.get(name.casefold(), name)
        if field == name:
            continue
        value = fields.pop(name)
        if not same(fields.setdefault(field, value), value):
            message = f"{name!r} is the provider field {field!r} once more, with another value."
            draft.refuse(name, message, code="conflict")
        draft.steps.append(Step(rule="mapping", deed="respelled", source=name, field=field))
