"""What creating a record needs in the customer's account, and whether anything under this config can fill it.

The product may always send a field under the provider's own name, and nobody can know whether it does. So a required
field that nothing names is a warning, and an error only where the config itself keeps it from being sent.
"""

from collections.abc import Iterator

from installations import paths
from installations.errors import Issue
from installations.field_review import Author, severity
from installations.rules import unmapped
from installations.schema import FieldMetadata
from installations.write_review import NO_RULES, Writing


def creation_issues(each: Writing) -> Iterator[Issue]:
    """List the required fields that a create would not have."""
    filled, named, drops = _fillable(each), _named(each), _drops_unmapped(each)
    for field in each.live.fields.values():
        if not _required(field):
            continue
        name = each.policy.names.spell(field.field_name)
        gate = each.rules(name).on_create
        if gate.value == "never":
            author: Author = "customer" if gate.setting.startswith("config.") else "product"
            message = f"{_title(field)} is required to create {each.live.title}, and this keeps it from being written"
            where = each.placed(gate.setting)
            yield Issue(path=where, code="required-field", severity=severity(author), message=message)
        elif name not in filled and name not in named:
            yield _unfilled(each, field, drops=drops and each.rules(name) is NO_RULES)


def _unfilled(each: Writing, field: FieldMetadata, *, drops: bool) -> Issue:
    if drops:
        message = f"{_title(field)} is required to create {each.live.title}, and unmapped fields are removed"
        remedy = "give it a default, select it or map it"
    else:
        message = f"{_title(field)} is required to create {each.live.title}, and nothing here fills it"
        remedy = f"give it a default, unless the product sends it as {field.field_name!r}"
    return Issue(
        path=each.setting(field.field_name),
        code="required-field",
        severity="error" if drops else "warning",
        message=message,
        remedy=remedy,
    )


def _required(field: FieldMetadata) -> bool:
    """Tell whether every new record needs it; a field inside another is needed only where the other is sent."""
    return field.is_required is True and field.read_only is not True and paths.parse(field.field_name) is None


def _fillable(each: Writing) -> set[str]:
    """List the provider fields that a default fills or that the product has a name for."""
    policy = each.policy
    mapped = {link.field for link in policy.names.links.values()}
    defaults = {rules.field for rules in policy.fields if rules.default is not None}
    return {paths.member(name) for name in mapped | defaults}


def _named(each: Writing) -> set[str]:
    """List what the product sends under the provider's own name: it is selected, or records are matched by it."""
    keys = {each.policy.names.field(key) for key in each.policy.sources.write.upsert_keys}
    return {*each.policy.names.selected, *(key for key in keys if key)}


def _drops_unmapped(each: Writing) -> bool:
    return unmapped.prepare(each.policy, "create") is not None


def _title(field: FieldMetadata) -> str:
    return repr(field.display_name or field.field_name)
