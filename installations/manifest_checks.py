"""What makes a manifest impossible or doubtful: every finding at once, with its path and its line.

The rules are those of the published validator, made exact. Objects are judged one by one in `object_checks`; here
stands what concerns an integration as a whole and its provider.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from installations.capabilities import Capabilities, ProviderFacts
from installations.cron import WATCH_GAP, schedule_problem
from installations.errors import Issue, at
from installations.manifest import IntegrationSpec, ReadObject, SubscribeObject, WriteObject
from installations.object_checks import (
    has_standard_events,
    read_object_issues,
    subscribe_object_issues,
    write_object_issues,
)
from installations.setting_checks import repeated

_SALESFORCE_WATCHES = 5
_GOOGLE_BACKFILL_DAYS = 28
_LONGEST_NAME = 128


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a manifest may name."""

    providers: Mapping[str, ProviderFacts]
    destinations: Collection[str] | None = None
    """``None``: not known here, so not checked."""


def integration_issues(spec: IntegrationSpec, path: str, known: Known) -> Iterator[Issue]:
    """Judge an integration whose shape is sound."""
    yield from _name_issues(spec.name, at(path, "name"))
    if not (spec.read or spec.write or spec.subscribe or spec.proxy or spec.watch_schema):
        yield Issue(path=path, code="required", message="needs an action: read, write, subscribe or proxy")
    for action, where, objects in _sections(spec, path):
        yield from _section_issues(action, where, objects)
    yield from _inherit_issues(spec, path)
    yield from _subscribe_issues(spec, path)
    yield from _watch_schema_issues(spec, path)
    yield from _capability_issues(spec, path, known)
    yield from _provider_issues(spec, path)
    yield from _destination_issues(spec, path, known)


def object_issues(action: str, value: Any, path: str) -> Iterator[Issue]:
    """Judge one object of an action by itself."""
    if action == "read":
        yield from read_object_issues(value, path)
    elif action == "write":
        yield from write_object_issues(value, path)
    else:
        yield from subscribe_object_issues(value, path)


def _name_issues(name: str, path: str) -> Iterator[Issue]:
    if not name.strip() or len(name) > _LONGEST_NAME:
        yield Issue(path=path, code="out-of-range", message=f"must have 1 to {_LONGEST_NAME} characters")
    elif not name.isprintable() or set("/:\\") & set(name):
        message = "must not contain / : \\ or control characters, since it stands in addresses"
        yield Issue(path=path, code="invalid-text", message=message)


def _sections(
    spec: IntegrationSpec, path: str
) -> Iterator[tuple[str, str, tuple[ReadObject | WriteObject | SubscribeObject, ...]]]:
    if spec.read:
        yield "read", f"{path}.read.objects", spec.read.objects
    if spec.write:
        yield "write", f"{path}.write.objects", spec.write.objects
    if spec.subscribe:
        yield "subscribe", f"{path}.subscribe.objects", spec.subscribe.objects


def _section_issues(
    action: str, path: str, objects: tuple[ReadObject | WriteObject | SubscribeObject, ...]
) -> Iterator[Issue]:
    if not objects:
        yield Issue(path=path, code="required", message="needs at least one object")
    for index, each in enumerate(objects):
        yield from object_issues(action, each, f"{path}[{index}]")
    for index, name in repeated(each.object_name for each in objects):
        message = f"{name!r} is already an object of {action}"
        yield Issue(path=f"{path}[{index}].objectName", code="duplicate-name", message=message)
    named = [(i, o.map_to_name) for i, o in enumerate(objects) if not isinstance(o, SubscribeObject) and o.map_to_name]
    for index, mapped in repeated(str(name) for _, name in named):
        message = f"{mapped!r} is already the name of another object; the first one is meant by it"
        where = f"{path}[{named[index][0]}].mapToName"
        yield Issue(path=where, code="duplicate-name", severity="warning", message=message)


def _inherit_issues(spec: IntegrationSpec, path: str) -> Iterator[Issue]:
    for index, written in enumerate(spec.write.objects if spec.write else ()):
        if written.inherit_mapping and spec.read_object(written.object_name) is None:
            message = f"there is no read object {written.object_name!r} to inherit mappings from"
            where = f"{path}.write.objects[{index}].inheritMapping"
            yield Issue(path=where, code="nothing-to-inherit", severity="warning", message=message)


def _subscribe_issues(spec: IntegrationSpec, path: str) -> Iterator[Issue]:
    watched = spec.subscribe.objects if spec.subscribe else ()
    standard = [(index, each) for index, each in enumerate(watched) if has_standard_events(each)]
    if standard and not spec.read:
        message = "needs a read action with the same objects, since events carry the fields that read selects"
        yield Issue(path=f"{path}.subscribe", code="read-missing", message=message)
    for index, each in standard:
        where = f"{path}.subscribe.objects[{index}]"
        if spec.read and spec.read_object(each.object_name) is None:
            message = f"create, update and delete events need a read object {each.object_name!r}"
            yield Issue(path=at(where, "objectName"), code="read-missing", message=message)
        if not each.inherit_fields_and_mapping:
            message = "must be true for create, update and delete events"
            yield Issue(path=at(where, "inheritFieldsAndMapping"), code="required", message=message)


def _watch_schema_issues(spec: IntegrationSpec, path: str) -> Iterator[Issue]:
    watch = spec.watch_schema
    if watch is UNSET:
        return
    where = at(path, "watchSchema")
    problem = schedule_problem(watch.schedule, gap=WATCH_GAP)
    if problem:
        yield Issue(path=at(where, "schedule"), code="invalid-schedule", message=problem)
    events = watch.all_objects
    if events is UNSET or not (events.field_created or events.field_changed or events.field_deleted):
        yield Issue(path=where, code="no-event", severity="warning", message="no event is enabled")


def _capability_issues(spec: IntegrationSpec, path: str, known: Known) -> Iterator[Issue]:
    facts = known.providers.get(spec.provider)
    if facts is None:
        message = f"{spec.provider!r} is no provider of the catalog; names are case-sensitive"
        yield Issue(path=at(path, "provider"), code="unknown-provider", message=message)
        return
    support: Capabilities | None = facts.support
    if spec.module:
        support = facts.modules.get(spec.module)
        if support is None:
            message = f"{spec.module!r} is no module of {facts.name}"
            remedy: str | UnsetType = f"one of: {', '.join(facts.modules)}" if facts.modules else "leave it out"
            yield Issue(path=at(path, "module"), code="unknown-module", message=message, remedy=remedy)
            return
    for action in ("read", "write", "subscribe", "proxy"):
        if getattr(spec, action) and not getattr(support, action):
            message = f"{facts.name}{f' {spec.module}' if spec.module else ''} does not support {action}"
            yield Issue(path=at(path, action), code="not-supported", message=message)


def _provider_issues(spec: IntegrationSpec, path: str) -> Iterator[Issue]:
    """Check the limits that belong to one provider; the published validator knows these three."""
    if spec.provider == "salesforce" and spec.subscribe and len(spec.subscribe.objects) > _SALESFORCE_WATCHES:
        message = f"Salesforce takes at most {_SALESFORCE_WATCHES} objects to watch"
        yield Issue(path=f"{path}.subscribe.objects", code="out-of-range", message=message)
    for index, each in enumerate(spec.read.objects if spec.read else ()):
        if each.backfill is UNSET:
            continue
        period, where = each.backfill.default_period, f"{path}.read.objects[{index}].backfill.defaultPeriod"
        too_long = period.full_history is True or (period.days or 0) > _GOOGLE_BACKFILL_DAYS
        if spec.provider == "google" and spec.module == "calendar" and each.object_name == "events" and too_long:
            message = f"Google Calendar events reach back at most {_GOOGLE_BACKFILL_DAYS} days"
            yield Issue(path=where, code="out-of-range", message=message)
        if spec.provider == "snowflake" and period.days is not UNSET:
            message = "Snowflake cannot reach back a number of days; give fullHistory"
            yield Issue(path=at(where, "days"), code="not-supported", message=message)


def _destination_issues(spec: IntegrationSpec, path: str, known: Known) -> Iterator[Issue]:
    if known.destinations is None:
        return
    named: list[tuple[str, Any]] = [(f"{path}.watchSchema", spec.watch_schema.destination)] if spec.watch_schema else []
    for action, where, objects in _sections(spec, path):
        if action != "write":
            named += [(f"{where}[{i}]", getattr(each, "destination", UNSET)) for i, each in enumerate(objects)]
    for where, name in named:
        if name is not UNSET and name not in known.destinations:
            message = f"there is no destination {name!r}"
            yield Issue(path=at(where, "destination"), code="unknown-destination", message=message)
