"""What makes a config impossible under its manifest: judged when it is saved, every finding at once, with its path.

It is given a config that `install.build_config` made, so what a client may leave out is already there. Whether the
customer's account has the fields is another matter; it needs the account's schema.
"""

from collections.abc import Collection, Iterator, Mapping

from msgspec import UNSET, UnsetType

from installations.capabilities import ProviderFacts
from installations.config import (
    BackfillConfig,
    ConfigContent,
    DynamicMapping,
    FieldFilter,
    ReadObjectConfig,
    SubscribeObjectConfig,
    WriteObjectConfig,
)
from installations.cron import READ_GAP, schedule_problem
from installations.errors import Issue, at
from installations.install import CONTENT_PATH
from installations.manifest import IntegrationSpec, ReadObject
from installations.object_checks import period_issues, watch_issues
from installations.rules import names, sources
from installations.setting_checks import contradictions, name_issues, repeated, setting_issues


def check_config(
    spec: IntegrationSpec,
    content: ConfigContent,
    *,
    provider: ProviderFacts | None = None,
    destinations: Collection[str] | None = None,
    path: str = CONTENT_PATH,
) -> list[Issue]:
    """List everything that keeps this config from being saved.

    ``provider`` is that of the connection, ``destinations`` the names that exist; each ``None`` leaves its checks out.
    """
    return [
        *_provider_issues(spec, content, provider, path),
        *_read_issues(spec, content, f"{path}.read"),
        *_write_issues(spec, content, provider, f"{path}.write"),
        *_subscribe_issues(spec, content, f"{path}.subscribe"),
        *_destination_issues(content, destinations, path),
    ]


def _provider_issues(
    spec: IntegrationSpec, content: ConfigContent, provider: ProviderFacts | None, path: str
) -> Iterator[Issue]:
    if content.provider != spec.provider:
        message = f"must be {spec.provider!r}, the provider of this integration"
        yield Issue(path=at(path, "provider"), code="wrong-provider", message=message)
    if provider is not None and provider.name != spec.provider:
        message = f"is a connection to {provider.name}, but this integration is for {spec.provider}"
        yield Issue(path="connectionId", code="wrong-provider", message=message)
    if content.proxy and content.proxy.enabled and not (spec.proxy and spec.proxy.enabled):
        message = "the integration does not offer proxy calls"
        yield Issue(path=f"{path}.proxy.enabled", code="not-in-manifest", message=message)


def _placed_issues(name: str, repeats: str, path: str, *, known: bool, action: str) -> Iterator[Issue]:
    """Check that an object stands under its own name, and in the manifest."""
    if repeats != name:
        message = f"must be {name!r}, the name it stands under, not {repeats!r}"
        yield Issue(path=at(path, "objectName"), code="not-allowed", message=message)
    if not known:
        message = f"{name!r} is no object that this integration can {action}"
        yield Issue(path=path, code="not-in-manifest", message=message)


def _read_issues(spec: IntegrationSpec, content: ConfigContent, path: str) -> Iterator[Issue]:
    for name, each in (content.read.objects if content.read else {}).items():
        declared, where = spec.read_object(name), at(f"{path}.objects", name)
        yield from _placed_issues(name, each.object_name, where, known=declared is not None, action="read")
        yield from _selection_issues(each, where)
        yield from _mapping_issues(each.selected_field_mappings, at(where, "selectedFieldMappings"))
        yield from _value_mapping_issues(each.selected_value_mappings, at(where, "selectedValueMappings"))
        yield from _dynamic_issues(each.dynamic_mappings_input or (), at(where, "dynamicMappingsInput"))
        yield from _timing_issues(each, where)
        if declared is not None:
            yield from _choice_issues(each, declared, at(where, "selectedFieldMappings"))


def _selection_issues(each: ReadObjectConfig, path: str) -> Iterator[Issue]:
    for name in each.selected_fields:
        yield from name_issues(name, at(at(path, "selectedFields"), name))
    if not (any(each.selected_fields.values()) or each.selected_field_mappings or each.selected_fields_auto):
        message = "selects no field: choose fields, map one, or read all of them (selectedFieldsAuto)"
        yield Issue(path=path, code="required", message=message)


def _mapping_issues(mappings: Mapping[str, str], path: str) -> Iterator[Issue]:
    for name, field in mappings.items():
        yield from name_issues(name, at(path, name))
        yield from name_issues(field, at(path, name))


def _value_mapping_issues(mappings: Mapping[str, Mapping[str, str]] | UnsetType, path: str) -> Iterator[Issue]:
    for field, values in (mappings or {}).items():
        where = at(path, field)
        yield from name_issues(field, where)
        own = list(values)
        for index, value in repeated(values.values()):
            message = f"{value!r} already stands for another value; a mapping must be one to one, to be read both ways"
            yield Issue(path=at(where, own[index]), code="not-one-to-one", message=message)


def _dynamic_issues(offers: tuple[DynamicMapping, ...], path: str) -> Iterator[Issue]:
    for index, offer in enumerate(offers):
        where = f"{path}[{index}]"
        if not (offer.map_to_name or offer.field_name):
            yield Issue(path=where, code="required", message="needs a mapToName or a fieldName")
        for member, name in (("mapToName", offer.map_to_name), ("fieldName", offer.field_name)):
            yield from name_issues(name, at(where, member)) if name else ()
        for position, value in repeated(each.mapped_value for each in (offer.mapped_values or ())):
            message = f"{value!r} is listed twice"
            yield Issue(path=f"{where}.mappedValues[{position}]", code="duplicate-name", message=message)
    named = [(index, offer.map_to_name) for index, offer in enumerate(offers) if offer.map_to_name]
    for position, name in repeated(str(name) for _, name in named):
        where = f"{path}[{named[position][0]}].mapToName"
        yield Issue(path=where, code="duplicate-name", message=f"{name!r} is offered twice")


def _timing_issues(each: ReadObjectConfig, path: str) -> Iterator[Issue]:
    problem = schedule_problem(each.schedule, gap=READ_GAP) if each.schedule else None
    if problem:
        yield Issue(path=at(path, "schedule"), code="invalid-schedule", message=problem)
    yield from _filter_issues(each.field_filters or (), at(path, "fieldFilters"))
    if each.backfill is not UNSET:
        yield from _backfill_issues(each.backfill, at(path, "backfill"))


def _backfill_issues(backfill: BackfillConfig, path: str) -> Iterator[Issue]:
    period = backfill.default_period
    yield from period_issues(at(path, "defaultPeriod"), days=period.days, full_history=period.full_history)
    yield from _filter_issues(backfill.field_filters or (), at(path, "fieldFilters"))


def _filter_issues(filters: tuple[FieldFilter, ...], path: str) -> Iterator[Issue]:
    for index, name in repeated(each.field_name for each in filters):
        message = f"there is already a filter on {name!r}, and filters are combined by and"
        yield Issue(path=f"{path}[{index}].fieldName", code="duplicate-name", message=message)


def _choice_issues(each: ReadObjectConfig, declared: ReadObject, path: str) -> Iterator[Issue]:
    """Check that required mappings are chosen, and that predefined ones are not taken by another field."""
    chosen = each.selected_field_mappings
    for field in declared.required_fields:
        if field.map_to_name and not field.field_name and not chosen.get(field.map_to_name):
            message = "is required: choose a field for it"
            yield Issue(path=at(path, field.map_to_name), code="required", message=message)
    for field in (*declared.required_fields, *declared.optional_fields):
        if not (field.field_name and field.map_to_name):
            continue
        read = field in declared.required_fields or each.selected_fields.get(field.field_name)
        if (read or each.selected_fields_auto) and chosen.get(field.map_to_name, field.field_name) != field.field_name:
            message = f"two fields for one name: the manifest maps {field.field_name!r} to it"
            yield Issue(path=at(path, field.map_to_name), code="duplicate-name", message=message)


def _write_issues(
    spec: IntegrationSpec, content: ConfigContent, provider: ProviderFacts | None, path: str
) -> Iterator[Issue]:
    for name, each in (content.write.objects if content.write else {}).items():
        declared, where = spec.write_object(name), at(f"{path}.objects", name)
        yield from _placed_issues(name, each.object_name, where, known=declared is not None, action="write")
        yield from _write_setting_issues(each, where)
        yield from _mapping_issues(each.selected_field_mappings or {}, at(where, "selectedFieldMappings"))
        yield from _value_mapping_issues(each.selected_value_mappings, at(where, "selectedValueMappings"))
        if each.deletion_settings and each.deletion_settings.enabled and provider and not _can_delete(spec, provider):
            message = f"{provider.name} records cannot be deleted through this connector"
            yield Issue(path=f"{where}.deletionSettings.enabled", code="not-supported", message=message)
        if declared is not None:
            links = names.gather(sources.gather(spec, content, declared)).links
            fields = {link.source: link.field for link in links.values()}
            settings = each.selected_field_settings or {}
            yield from contradictions(settings, at(where, "selectedFieldSettings"), fields)


def _can_delete(spec: IntegrationSpec, provider: ProviderFacts) -> bool:
    return provider.within(spec.module or "").delete


def _write_setting_issues(each: WriteObjectConfig, path: str) -> Iterator[Issue]:
    yield from setting_issues(each.selected_field_settings or {}, at(path, "selectedFieldSettings"))
    for name in each.selected_value_defaults or {}:
        yield from name_issues(name, at(at(path, "selectedValueDefaults"), name))


def _subscribe_issues(spec: IntegrationSpec, content: ConfigContent, path: str) -> Iterator[Issue]:
    declared = {each.object_name for each in (spec.subscribe.objects if spec.subscribe else ())}
    for name, each in (content.subscribe.objects if content.subscribe else {}).items():
        where = at(f"{path}.objects", name)
        yield from _placed_issues(name, each.object_name, where, known=name in declared, action="subscribe to")
        if not each.destination:
            yield Issue(path=at(where, "destination"), code="required", message="is required")
        yield from _event_issues(each, where)


def _event_issues(each: SubscribeObjectConfig, path: str) -> Iterator[Issue]:
    update = each.update_event
    events = [event for event in (each.create_event, update, each.delete_event) if event and event.enabled == "always"]
    if events and not each.inherit_fields_and_mappings:
        message = "must be true for create, update and delete events"
        yield Issue(path=at(path, "inheritFieldsAndMappings"), code="required", message=message)
    if update and update.enabled == "always":
        fields, auto = update.required_watch_fields or (), update.watch_fields_auto is not UNSET
        yield from watch_issues(at(path, "updateEvent"), auto=auto, fields=fields)


def _destination_issues(content: ConfigContent, known: Collection[str] | None, path: str) -> Iterator[Issue]:
    if known is None:
        return
    read = (content.read.objects if content.read else {}).items()
    subscribe = (content.subscribe.objects if content.subscribe else {}).items()
    named = [(at(f"{path}.read.objects", name), each.destination) for name, each in read]
    named += [(at(f"{path}.subscribe.objects", name), each.destination) for name, each in subscribe]
    for where, destination in named:
        if destination and destination not in known:
            message = f"there is no destination {destination!r}"
            yield Issue(path=at(where, "destination"), code="unknown-destination", message=message)
