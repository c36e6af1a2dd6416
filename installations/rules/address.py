"""Addresses: which record of the provider is meant. By its id for update and delete, by a match key for upsert.

``id`` is the record's address under exactly this name, whatever the mappings say, and never payload. Where it is
absent, ``Id`` and ``ID`` (as Salesforce and published examples spell it) stand in, unless a mapping has that name.
"""

from collections.abc import Iterable
from typing import Any

from msgspec import UNSET, UnsetType

from installations import paths
from installations.errors import Issue
from installations.record import Action
from installations.rules.draft import Draft
from installations.rules.mapping import same
from installations.rules.names import Names
from installations.rules.policy import Policy
from installations.rules.trace import Step

BY_ID: frozenset[Action] = frozenset({"update", "delete"})
_LARGEST = 2**63 - 1
_OTHER_SPELLINGS = ("Id", "ID")


def take_id(draft: Draft, names: Names) -> None:
    """Take the id out of the record."""
    if "id" not in draft.fields:
        _respell(draft, names)
    value = draft.fields.pop(draft.address_name, None)
    text = value if type(value) is str else as_id(value)
    if isinstance(text, str) and text.isprintable() and text.strip():
        draft.address = text
    else:
        message = "Update and delete need the provider's id of the record: a text or a whole number, not empty."
        draft.refuse(draft.address_name, message, code="id-required")


def _respell(draft: Draft, names: Names) -> None:
    for name in _OTHER_SPELLINGS:
        if name in draft.fields and name not in names.links and name not in names.open:
            draft.address_name = name
            draft.steps.append(Step(rule="address", deed="addressed", source=name))
            return


def keep_id_out(draft: Draft) -> None:
    """Drop a mapped field that turned out to be the id; refuse one that names another record."""
    step = next((step for step in draft.steps if step.field == "id"), Step(rule="address", deed="dropped", source="id"))
    value = draft.fields.pop("id")
    if draft.address is not None and not same(as_id(value), draft.address):
        given = draft.address_name
        message = f"{step.source!r} is mapped to the provider's id, and names another record than {given!r} does."
        draft.refuse(step.source, message, code="conflict")
    draft.steps.append(Step(rule="address", deed="dropped", field="id"))


def as_id(value: Any) -> Any:
    """Spell a whole number as an id; other values stay as they are."""
    return str(value) if type(value) is int and abs(value) <= _LARGEST else value


def key_field(policy: Policy, asked: str | UnsetType) -> tuple[str | None, list[Issue]]:
    """Tell the provider field to match by, or what is wrong with the one asked for."""
    declared, names = policy.sources.write.upsert_keys, policy.names
    if asked is UNSET and not declared:
        return None, [_issue("An upsert needs a field to match records by.", "match-key-required", "Give a matchKey.")]
    name = declared[0] if asked is UNSET else asked
    field, allowed = names.field(name), [names.field(each) for each in declared]
    if field is None or (allowed and field not in allowed):
        remedy = f"Match by one of: {', '.join(declared)}." if declared else "Give the name of a field."
        return None, [_issue(f"Records of this object cannot be matched by {name!r}.", "match-key-unknown", remedy)]
    if paths.parse(field) is not None:
        return None, [_issue(f"{name!r} is nested; records are matched by a field of their own.", "match-key-nested")]
    return field, []


def _issue(message: str, code: str, remedy: str | UnsetType = UNSET) -> Issue:
    return Issue(path="matchKey", message=message, code=code, remedy=remedy)


def check_key(draft: Draft, field: str) -> None:
    """Refuse a record that does not say which one it is."""
    value = draft.fields.get(field)
    if type(value) not in {str, int, float} or value == "":
        name = next((step.source for step in draft.steps if step.field == field and step.source), field)
        message = f"{name!r} is what records are matched by: a text or a number, not empty."
        draft.refuse(name, message, code="match-value-required")


def check_distinct(drafts: Iterable[Draft], key: str | None) -> None:
    """Refuse a batch that means the same record twice: which of the two would win is up to chance."""
    seen: dict[Any, str] = {}
    for draft in drafts:
        name = draft.address_name if key is None else key
        value = draft.address if key is None else as_id(draft.fields.get(key))
        if isinstance(value, str | float) and seen.setdefault(value, draft.where) != draft.where:
            message = f"This is the same record as {seen[value]}; a batch may name a record once."
            draft.refuse(name, message, code="duplicate-record")
