"""Everything decided about writing one object, gathered once for each config: what every rule prepares itself from."""

import msgspec

from installations import paths
from installations.rules import names as naming
from installations.rules import settings as setting
from installations.rules.names import Names
from installations.rules.settings import FieldRules
from installations.rules.sources import Sources


class Nested(msgspec.Struct, frozen=True, kw_only=True):
    """A provider field that lives inside another."""

    name: str
    segments: paths.Segments
    homes: tuple[tuple[str, paths.Segments], ...]
    """The fields that may hold it, the innermost first, with the way from there: ``(address, (city,))``."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions about one object."""

    sources: Sources
    names: Names
    fields: tuple[FieldRules, ...]
    nested: tuple[Nested, ...]
    """Every nested provider field that anything names, the deepest first."""


def gather(sources: Sources, *, ignores_case: bool = False) -> Policy:
    """Collect the decisions about one object. ``ignores_case``: the provider takes field names in any case."""
    names = naming.gather(sources, ignores_case=ignores_case)
    fields = setting.gather(sources, names)
    named = {link.field for link in names.links.values()} | names.selected | {rules.field for rules in fields}
    return Policy(sources=sources, names=names, fields=fields, nested=_nested(named))


def _nested(named: set[str]) -> tuple[Nested, ...]:
    parsed = {name: segments for name in named if (segments := paths.parse(name)) and paths.WILDCARD not in segments}
    found = [
        Nested(name=name, segments=segments, homes=tuple(_homes(segments, parsed)))
        for name, segments in parsed.items()
        if len(segments) > 1
    ]
    return tuple(sorted(found, key=lambda nested: (-len(nested.segments), nested.name)))


def _homes(segments: paths.Segments, parsed: dict[str, paths.Segments]) -> list[tuple[str, paths.Segments]]:
    inner = [
        (paths.render(segments[:length]), segments[length:])
        for length in range(len(segments) - 1, 1, -1)
        if paths.render(segments[:length]) in parsed
    ]
    return [*inner, (str(segments[0]), segments[1:])]
