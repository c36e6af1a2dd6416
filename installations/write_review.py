"""What is wrong with writing one object of the customer's account: names, settings, values, and what creating needs.

It is told from the same policy that the pipeline compiles, so that it cannot know another truth than a write does.
"""

from collections.abc import Iterator

import msgspec
from msgspec import UNSET

from installations import paths
from installations.config import FieldSetting
from installations.errors import Issue, at
from installations.field_review import Author, severity, writable, write_issues
from installations.live_fields import LiveObject, match
from installations.read_review import stray_names
from installations.rules.names import Link, native_first
from installations.rules.policy import Policy
from installations.rules.settings import FieldRules
from installations.rules.sources import join
from installations.schema import FieldMetadata
from installations.value_review import default_issues, translation_issues

NO_RULES = FieldRules(field="")


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """One object that this customer lets us write, and how the account describes it."""

    policy: Policy
    live: LiveObject
    path: str
    """Of the object in the config."""
    by_field: dict[str, FieldRules]
    """What was set, by provider field."""

    def setting(self, name: str) -> str:
        """Tell where the customer's settings of a field stand, or would stand."""
        return at(f"{self.path}.selectedFieldSettings", name)

    def rules(self, field: str) -> FieldRules:
        """Tell what was set for a provider field."""
        return self.by_field.get(field, NO_RULES)

    def placed(self, setting: str) -> str:
        """Turn a path of the pipeline's into one of the reviewed document.

        The manifest's settings stand where the customer would override them.
        """
        sources = self.policy.sources
        if setting.startswith("config."):
            content = self.path.removesuffix(join(".write.objects", sources.object_name))
            return content + setting.removeprefix("config")
        return f"{self.path}.selectedFieldSettings{setting.removeprefix(join(sources.write_path, 'fieldSettings'))}"


def write_object_issues(each: Writing) -> Iterator[Issue]:
    """Judge an object that is on."""
    yield from _mapping_issues(each)
    yield from _shared_issues(each)
    yield from _setting_issues(each)
    yield from _default_issues(each)
    yield from _value_issues(each)
    yield from _key_issues(each)


def _mapping_issues(each: Writing) -> Iterator[Issue]:
    """Check the mappings for writing alone; inherited ones are judged where they stand."""
    own = each.policy.sources.write_config.selected_field_mappings or {}
    where = f"{each.path}.selectedFieldMappings"
    for name, field in own.items():
        if field:
            yield from _written(each, field, at(where, name), author="customer")
    declared = each.policy.sources.write.field_mappings
    for given in declared:
        field = given.field_name or given.default or ""
        name = given.map_to_name or field
        if field and name not in own:
            yield from _written(each, field, at(where, name), author="product")
    for link in each.policy.names.links.values():
        if link.setting.startswith(f"{each.policy.sources.read_path}.requiredFields") and not _is_read(each, link):
            yield from write_issues(each.live, link.field, at(where, link.source), author="product")
    open_names = [str(given.map_to_name) for given in declared if given.map_to_name]
    for issue in stray_names(own, open_names, where, each.live.guesses):
        # A mapping of the customer's own making is allowed here, so only what looks like a slip is worth a word.
        if str(issue.remedy).startswith("did you mean"):
            yield issue


def _is_read(each: Writing, link: Link) -> bool:
    """Tell whether a field is judged among those that are read."""
    reading = each.policy.sources.read_config
    return reading.disabled is not True and reading.selected_fields.get(link.field) is True


def _written(each: Writing, field: str, path: str, *, author: Author) -> Iterator[Issue]:
    yield from write_issues(each.live, field, path, author=author)
    found = match(each.live, field).exact
    if paths.WILDCARD in (paths.parse(field) or ()):
        message = f"{field!r} is a list of values, which can be read and not written"
        yield Issue(path=path, code="not-writable", severity=severity(author), message=message)
    elif found is not None and not writable(found):
        yield _read_only(found, path, author=author)


def _read_only(field: FieldMetadata, path: str, *, author: Author) -> Issue:
    message = f"{field.display_name or field.field_name!r} is read-only in this account"
    return Issue(path=path, code="read-only", severity=severity(author), message=message)


def inherited_issues(each: Writing, read_path: str) -> Iterator[Issue]:
    """Warn of mappings chosen for reading that the product cannot use for writing."""
    chosen = each.policy.sources.read_config.selected_field_mappings
    given = {field.map_to_name: field.field_name for _, field in each.policy.sources.inherited_fields()}
    for name, field in chosen.items():
        found = match(each.live, field).exact if field else None
        if found is not None and not writable(found) and given.get(name) != field:
            message = f"{found.display_name or field!r} is read-only in this account: it can be read, but not written"
            path = at(f"{read_path}.selectedFieldMappings", name)
            yield Issue(path=path, code="not-writable", severity="warning", message=message)


def _shared_issues(each: Writing) -> Iterator[Issue]:
    """Find two names of the product's for one field: a write that gives both differently is refused."""
    first: dict[str, Link] = {}
    for link in each.policy.names.links.values():
        earlier = first.setdefault(link.field, link)
        chosen = next((one for one in (link, earlier) if one.setting.startswith("config.")), None)
        if earlier is link or chosen is None:
            continue
        other = earlier if chosen is link else link
        message = f"{link.field!r} is mapped to {other.source!r} too; writes that give both must give one value"
        yield Issue(path=each.placed(chosen.setting), code="same-field", severity="warning", message=message)


def _setting_issues(each: Writing) -> Iterator[Issue]:
    """Check the fields that settings name; the manifest's stand where the customer would override them."""
    sources = each.policy.sources
    settings = sources.write_config.selected_field_settings or {}
    for name, setting in settings.items():
        yield from _named_issues(each, name, each.setting(name), setting=setting)
    for name in sources.write_config.selected_value_defaults or {}:
        where = at(f"{each.path}.selectedValueDefaults", name)
        yield from _named_issues(each, name, where, setting=FieldSetting())
    for name in sources.write.field_settings:
        if name not in settings:
            field = each.policy.names.field(name)
            if field is not None:
                yield from write_issues(each.live, field, each.setting(name), author="product")


def _named_issues(each: Writing, name: str, path: str, *, setting: FieldSetting) -> Iterator[Issue]:
    field = each.policy.names.field(name)
    if field is None:
        message = f"no field is chosen for {name!r}, so this does nothing"
        yield Issue(path=path, code="no-effect", severity="warning", message=message)
        return
    if name in each.policy.names.links:
        return  # The field comes from a mapping, and is judged there.
    yield from write_issues(each.live, field, path)
    found = match(each.live, field).exact
    if found is not None and not writable(found) and setting.default is UNSET and _ever_written(each, field):
        message = f"{found.display_name or field!r} is read-only in this account, so rules have nothing to hold"
        yield Issue(path=path, code="no-effect", severity="warning", message=message)


def _ever_written(each: Writing, field: str) -> bool:
    rules = each.rules(field)
    return not rules.on_create.value == rules.on_update.value == "never"


def _default_issues(each: Writing) -> Iterator[Issue]:
    """Check the default that counts for each field, where any rule lets it out."""
    for rules in each.policy.fields:
        found = match(each.live, rules.field).exact
        if rules.default is None or found is None or not _ever_written(each, rules.field):
            continue
        author: Author = "customer" if rules.default.setting.startswith("config.") else "product"
        path = each.placed(rules.default.setting)
        if writable(found):
            yield from default_issues(rules.default.value, found, each.live, path, author=author)
        else:
            yield _read_only(found, path, author=author)


def _value_issues(each: Writing) -> Iterator[Issue]:
    where = f"{each.path}.selectedValueMappings"
    names = {link.source: link.field for link in each.policy.names.links.values()}
    for name, pairs in (each.policy.sources.write_config.selected_value_mappings or {}).items():
        field = native_first(each.policy.names, name)
        if field is not None:
            yield from translation_issues(field, pairs, each.live, at(where, name), names=names, written=True)


def _key_issues(each: Writing) -> Iterator[Issue]:
    for key in each.policy.sources.write.upsert_keys:
        field = each.policy.names.field(key)
        if field is not None:
            yield from write_issues(each.live, field, each.path, author="product")
