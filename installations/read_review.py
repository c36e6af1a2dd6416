"""What is wrong with reading one object of an account: fields chosen, mapped, filtered by and translated."""

from collections.abc import Collection, Iterator, Mapping

from installations import paths
from installations.config import DynamicMapping, FieldFilter, ReadObjectConfig, UpdateEventConfig
from installations.errors import Issue, at
from installations.field_review import MOST_GUESSES, Author, read_issues
from installations.guesses import Guesses
from installations.live_fields import LiveObject
from installations.manifest import ManifestField, ReadObject
from installations.value_review import translation_issues


def read_object_issues(each: ReadObjectConfig, declared: ReadObject, live: LiveObject, path: str) -> Iterator[Issue]:
    """Judge an object that is on. Its mappings are judged by `mapping_issues`, which also serves writing."""
    required = {field.field_name for field in declared.required_fields if field.field_name}
    for name, chosen in each.selected_fields.items():
        if chosen:
            author: Author = "product" if name in required else "customer"
            yield from read_issues(live, name, at(at(path, "selectedFields"), name), author=author)
    yield from _filter_issues(each.field_filters or (), live, at(path, "fieldFilters"))
    if each.backfill and each.backfill.field_filters:
        yield from _filter_issues(each.backfill.field_filters, live, f"{path}.backfill.fieldFilters")
    yield from _offer_issues(each.dynamic_mappings_input or (), live, at(path, "dynamicMappingsInput"))


def mapping_issues(each: ReadObjectConfig, declared: ReadObject, live: LiveObject, path: str) -> Iterator[Issue]:
    """Judge the provider's side of each mapping: a choice of the customer's, unless the manifest had made it."""
    where = at(path, "selectedFieldMappings")
    predefined, preselected = _predefined(declared), _preselected(declared)
    for name, field in each.selected_field_mappings.items():
        if not field or (predefined.get(name) == field and each.selected_fields.get(field)):
            continue  # Told where the field is selected.
        given = predefined.get(name) == field or preselected.get(name) == field
        yield from read_issues(live, field, at(where, name), author="product" if given else "customer")


def _predefined(declared: ReadObject) -> dict[str, str]:
    return {f.map_to_name: f.field_name for f in _fields(declared) if f.map_to_name and f.field_name}


def _preselected(declared: ReadObject) -> dict[str, str]:
    """List the choices made for customers who make none; a required one they must make themselves if it fails."""
    optional = declared.optional_fields
    return {f.map_to_name: f.default for f in optional if f.map_to_name and f.default and not f.field_name}


def _fields(declared: ReadObject) -> tuple[ManifestField, ...]:
    return (*declared.required_fields, *declared.optional_fields)


def name_issues(each: ReadObjectConfig, declared: ReadObject, live: LiveObject, path: str) -> Iterator[Issue]:
    """Find mapped names that nobody offers: most often a slip of the pen, so that the name stays without a field."""
    offered = {str(field.map_to_name) for field in _fields(declared) if field.map_to_name}
    offered |= {str(offer.map_to_name) for offer in each.dynamic_mappings_input or () if offer.map_to_name}
    yield from stray_names(each.selected_field_mappings, offered, at(path, "selectedFieldMappings"), live.guesses)


def stray_names(chosen: Mapping[str, str], offered: Collection[str], path: str, guesses: Guesses) -> Iterator[Issue]:
    """List the names of mappings that are not offered, with the open one that may have been meant."""
    known = {paths.canonical(name) for name in offered}
    still = [name for name in offered if name not in chosen]
    stray = [name for name in chosen if paths.canonical(name) not in known]
    for index, name in enumerate(stray):
        close = guesses.similar(name, still) if index < MOST_GUESSES else None
        yield Issue(
            path=at(path, name),
            code="unknown-mapping",
            severity="warning",
            message=f"neither the integration nor the page offers a mapping {name!r}",
            remedy=f"did you mean {close!r}?" if close else "remove it if nothing uses it",
        )


def _filter_issues(filters: tuple[FieldFilter, ...], live: LiveObject, path: str) -> Iterator[Issue]:
    for index, each in enumerate(filters):
        yield from read_issues(live, each.field_name, f"{path}[{index}].fieldName")


def _offer_issues(offers: tuple[DynamicMapping, ...], live: LiveObject, path: str) -> Iterator[Issue]:
    """Check what the host page offered; it is the product's, whatever the customer chooses."""
    for index, offer in enumerate(offers):
        if offer.field_name:
            yield from read_issues(live, offer.field_name, f"{path}[{index}].fieldName", author="product")


def value_issues(
    each: ReadObjectConfig, live: LiveObject, path: str, *, names: Mapping[str, str], written: bool
) -> Iterator[Issue]:
    """Judge the value mappings. A value that is no choice breaks writing, and leaves reading as it is.

    ``names`` tells the provider field of the product's name, where it is used as a key.
    """
    where = at(path, "selectedValueMappings")
    for name, pairs in (each.selected_value_mappings or {}).items():
        yield from translation_issues(name, pairs, live, at(where, name), names=names, written=written)


def watch_issues(event: UpdateEventConfig, live: LiveObject, path: str) -> Iterator[Issue]:
    """Check the fields whose changes are watched; the customer has no say in them."""
    for index, name in enumerate(event.required_watch_fields or ()):
        where = f"{path}.updateEvent.requiredWatchFields[{index}]"
        yield from read_issues(live, name, where, author="product")
