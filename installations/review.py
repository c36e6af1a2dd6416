"""What is wrong with a config in the customer's own account: config, manifest and live schema, compared.

Errors keep a config from being saved, warnings do not. What the customer chose and the account cannot do is an error.
What the manifest says and the account lacks is a warning: the customer cannot mend it, and everything else works. Such
a warning may still mean that nothing goes through; `breaks` tells.

It is given a config that `install.build_config` made and that `config_checks` has judged. Everything is found at once,
each issue at the place in the config where it would be mended.
"""

from collections.abc import Iterator, Mapping

import msgspec

from installations import paths
from installations.capabilities import ProviderFacts
from installations.config import ConfigContent
from installations.creation_review import creation_issues
from installations.errors import Issue, at
from installations.field_review import Author, severity, with_guesses
from installations.guesses import Guesses
from installations.install import CONTENT_PATH
from installations.live_fields import LiveObject, from_metadata
from installations.manifest import IntegrationSpec
from installations.read_review import mapping_issues, name_issues, read_object_issues, value_issues, watch_issues
from installations.rules import policy, sources
from installations.rules.objects import is_enabled
from installations.schema import Absent, ObjectMetadata
from installations.write_review import Writing, inherited_issues, write_object_issues

BREAKING = frozenset({"unknown-object", "unknown-field", "read-only", "not-writable", "wrong-type", "not-a-choice"})
"""What keeps something from working, whoever could mend it."""


def review(
    spec: IntegrationSpec,
    content: ConfigContent,
    described: Mapping[str, ObjectMetadata | str],
    *,
    provider: ProviderFacts | None = None,
    ignores_case: bool = False,
    values_are_text: bool = False,
    path: str = CONTENT_PATH,
) -> list[Issue]:
    """List everything in a config that does not fit the account.

    ``described`` is what `hydration.objects_of` asks for; an object that could not be described gives one warning, and
    one without a single field says nothing. Objects that are off are left alone. ``ignores_case`` and
    ``values_are_text`` say that the provider takes names in any case, and values of any type as text. Never raises.
    """
    if provider is not None and provider.name != spec.provider:
        return []  # An account of another provider: `config_checks` says so, and comparing would only add noise.
    found = [_undescribed(each, described.get(each.name)) for each in _used(spec, content, path)]
    issues = [issue for issue in found if issue is not None]
    guesses = Guesses()
    for name, metadata in described.items():
        if isinstance(metadata, ObjectMetadata) and metadata.fields:
            live = from_metadata(metadata, ignores_case=ignores_case, values_are_text=values_are_text, guesses=guesses)
            place = _Place(spec=spec, content=content, name=name, live=live, path=path)
            issues += with_guesses(live, _object_issues(place))
    return issues


def breaks(issue: Issue) -> bool:
    """Tell whether an issue keeps something from working; it may be a warning all the same."""
    return issue.severity == "error" or issue.code in BREAKING


class _Used(msgspec.Struct, frozen=True, kw_only=True):
    """An object that this customer has on, and where that is said."""

    name: str
    path: str
    author: Author


def _used(spec: IntegrationSpec, content: ConfigContent, path: str) -> list[_Used]:
    """List each object once: where it is read, else where it is written."""
    found: dict[str, _Used] = {}
    for name, each in (content.read.objects if content.read else {}).items():
        declared = spec.read_object(name)
        if declared is not None and each.disabled is not True:
            author: Author = "product" if declared.enabled else "customer"
            found[name] = _Used(name=name, path=at(f"{path}.read.objects", name), author=author)
    for written in spec.write.objects if spec.write else ():
        if is_enabled(written, content):
            name, author = written.object_name, "customer" if content.write else "product"
            found.setdefault(name, _Used(name=name, path=at(f"{path}.write.objects", name), author=author))
    return list(found.values())


def _undescribed(used: _Used, found: ObjectMetadata | str | None) -> Issue | None:
    if not isinstance(found, str):
        return None
    if isinstance(found, Absent):
        message = f"the account has no object {used.name!r}: {found}"
        return Issue(path=used.path, code="unknown-object", severity=severity(used.author), message=message)
    message = f"could not be compared with the account: {found}"
    return Issue(path=used.path, code="not-described", severity="warning", message=message)


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """One described object, and everything said about it."""

    spec: IntegrationSpec
    content: ConfigContent
    name: str
    live: LiveObject
    path: str

    def of(self, action: str) -> str:
        """Tell the object's place in the config."""
        return at(f"{self.path}.{action}.objects", self.name)


def _object_issues(place: _Place) -> Iterator[Issue]:
    writing = _writing(place)
    yield from _read_issues(place, writing)
    if writing is not None:
        yield from write_object_issues(writing)
        yield from creation_issues(writing)
    watched = place.content.subscribe.objects.get(place.name) if place.content.subscribe else None
    if watched is not None and watched.update_event:
        yield from watch_issues(watched.update_event, place.live, place.of("subscribe"))


def _writing(place: _Place) -> Writing | None:
    written = place.spec.write_object(place.name)
    if written is None or not is_enabled(written, place.content):
        return None
    origin = sources.gather(place.spec, place.content, written)
    decided = policy.gather(origin, ignores_case=place.live.ignores_case)
    by_field = {rules.field: rules for rules in decided.fields}
    return Writing(policy=decided, live=place.live, path=place.of("write"), by_field=by_field)


def _read_issues(place: _Place, writing: Writing | None) -> Iterator[Issue]:
    each = place.content.read.objects.get(place.name) if place.content.read else None
    if each is None:
        return
    declared, path = place.spec.read_object(place.name), place.of("read")
    inherits = writing is not None and writing.policy.sources.inherits
    if each.disabled is not True and declared is not None:
        yield from read_object_issues(each, declared, place.live, path)
    if declared is None or (each.disabled is True and not inherits):
        return
    yield from mapping_issues(each, declared, place.live, path)
    yield from name_issues(each, declared, place.live, path)
    names = {paths.canonical(name): field for name, field in each.selected_field_mappings.items()}
    yield from value_issues(each, place.live, path, names=names, written=inherits)
    if writing is not None and inherits:
        yield from inherited_issues(writing, path)
