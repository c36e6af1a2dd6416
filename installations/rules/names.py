"""Which of the product's names stands for which provider field, and which setting says so.

A mapping for writing alone stands before an inherited one, and a customer's choice before the manifest.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from installations import paths
from installations.manifest import ManifestField
from installations.rules import sources as origins
from installations.rules.sources import Sources


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One mapping: ``source`` in a request is ``field`` at the provider."""

    source: str
    field: str
    setting: str
    instead_of: str = ""


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """All the names of one object."""

    links: dict[str, Link]
    """By the product's name."""
    open: dict[str, str]
    """Names that are declared, but that this customer left without a field; with the path of the declaration."""
    selected: frozenset[str]
    """Provider fields that are declared or selected by their own name."""
    all_selected: bool
    """The customer selected every field there is."""
    spellings: dict[str, str]
    """Where the provider ignores case: every field that anything names, by its folded name. Else empty."""

    def field(self, name: str) -> str | None:
        """Tell the provider field of a mapped or provider name; ``None`` if it is a mapping left open."""
        name = paths.canonical(name)
        link = self.links.get(name)
        if link is not None:
            return link.field
        return None if name in self.open else self.spell(name)

    def spell(self, field: str) -> str:
        """Spell a provider field as it was first named."""
        return self.spellings.get(field.casefold(), field) if self.spellings else field


def native_first(names: Names, name: str) -> str | None:
    """Tell the provider field where provider names are meant: one that is known as such wins over a mapped name."""
    field = names.spell(paths.canonical(name))
    known = field in names.selected or any(link.field == field for link in names.links.values())
    return field if known else names.field(name)


def gather(sources: Sources, *, ignores_case: bool = False) -> Names:
    """Collect the names of one object."""
    spellings = _spellings(sources) if ignores_case else {}
    links: dict[str, Link] = {}
    for given in _links(sources):
        link = msgspec.structs.replace(given, field=spellings.get(given.field.casefold(), given.field))
        first = links.setdefault(link.source, link)
        if first.field != link.field and not first.instead_of:
            links[link.source] = msgspec.structs.replace(first, instead_of=link.setting)
    selected = frozenset(spellings.get(name.casefold(), name) for name in _selected(sources))
    declared = dict(_declared(sources))
    return Names(
        links=links,
        open={name: path for name, path in declared.items() if name not in links and name not in selected},
        selected=selected,
        all_selected=sources.read_config.selected_fields_auto == "all",
        spellings=spellings,
    )


def _spellings(sources: Sources) -> dict[str, str]:
    """Collect one spelling for each provider field; the product's own names are no such fields."""
    write, config = sources.write, sources.write_config
    settings = (config.selected_field_settings, config.selected_value_defaults, config.selected_value_mappings)
    named = [name for each in settings for name in each or {}]
    named += [*write.field_settings, *write.upsert_keys, *(sources.read_config.selected_value_mappings or {})]
    links = list(_links(sources))
    own = {link.source for link in links} | {name for name, _ in _declared(sources)}
    fields = [*(link.field for link in links), *_selected(sources)]
    fields += [name for name in map(paths.canonical, named) if name not in own]
    found: dict[str, str] = {}
    for field in fields:
        found.setdefault(field.casefold(), field)
    return found


def _links(sources: Sources) -> Iterator[Link]:
    own = sources.write_config.selected_field_mappings or {}
    yield from _chosen(own, origins.join(sources.write_config_path, "selectedFieldMappings"))
    yield from _predefined(_own_fields(sources))
    if sources.inherits:
        chosen = sources.read_config.selected_field_mappings
        yield from _chosen(chosen, origins.join(sources.read_config_path, "selectedFieldMappings"))
        yield from _predefined(sources.inherited_fields())
        yield from _offered(sources)
    yield from _preselected(sources, own)


def _own_fields(sources: Sources) -> Iterator[tuple[str, ManifestField]]:
    return origins.indexed(origins.join(sources.write_path, "fieldMappings"), sources.write.field_mappings)


def _preselected(sources: Sources, own: Mapping[str, str]) -> Iterator[Link]:
    """List the defaults of mappings for writing alone; a customer who chose, or chose nothing, has the last word."""
    for path, field in _own_fields(sources):
        if field.map_to_name and field.default and not field.field_name and field.map_to_name not in own:
            yield _link(field.map_to_name, field.default, origins.join(path, "default"))


def _chosen(mappings: dict[str, str], path: str) -> Iterator[Link]:
    for name, field in mappings.items():
        if field:
            yield _link(name, field, origins.join(path, name))


def _predefined(fields: Iterable[tuple[str, ManifestField]]) -> Iterator[Link]:
    for path, field in fields:
        if field.field_name and field.map_to_name:
            yield _link(field.map_to_name, field.field_name, path)


def _offered(sources: Sources) -> Iterator[Link]:
    path = origins.join(sources.read_config_path, "dynamicMappingsInput")
    for index, offer in enumerate(sources.read_config.dynamic_mappings_input or ()):
        if offer.map_to_name and offer.field_name:
            yield _link(offer.map_to_name, offer.field_name, f"{path}[{index}]")


def _link(source: str, field: str, setting: str) -> Link:
    return Link(source=paths.canonical(source), field=paths.canonical(field), setting=setting)


def _declared(sources: Sources) -> Iterator[tuple[str, str]]:
    fields = list(_own_fields(sources))
    offers = origins.join(sources.read_config_path, "dynamicMappingsInput")
    if sources.inherits:
        fields += sources.inherited_fields()
        for index, offer in enumerate(sources.read_config.dynamic_mappings_input or ()):
            if offer.map_to_name:
                yield paths.canonical(offer.map_to_name), f"{offers}[{index}]"
    for path, field in fields:
        if field.map_to_name and not field.field_name:
            yield paths.canonical(field.map_to_name), path


def _selected(sources: Sources) -> Iterator[str]:
    always = [*sources.read.required_fields, *sources.write.field_mappings]
    yield from (paths.canonical(field.field_name) for field in always if field.field_name)
    yield from (paths.canonical(name) for name, chosen in sources.read_config.selected_fields.items() if chosen)
