"""What makes one object of a manifest impossible or doubtful, judged by itself alone."""

from collections.abc import Iterable, Iterator

from msgspec import UNSET

from installations.cron import READ_GAP, schedule_problem
from installations.errors import Issue, at
from installations.manifest import (
    Backfill,
    Delivery,
    ManifestField,
    ReadObject,
    SubscribeObject,
    UpdateEvent,
    WriteObject,
)
from installations.setting_checks import name_issues, repeated, setting_issues

_PAGE_SIZES = range(50, 501)
_LONG_BACKFILL_DAYS = 180


def read_object_issues(read: ReadObject, path: str) -> Iterator[Issue]:
    """Judge an object to read."""
    yield from object_name_issues(read.object_name, at(path, "objectName"))
    if read.schedule is not UNSET:
        problem = schedule_problem(read.schedule, gap=READ_GAP)
        if problem:
            yield Issue(path=at(path, "schedule"), code="invalid-schedule", message=problem)
    if read.backfill is not UNSET:
        yield from _backfill_issues(read.backfill, f"{path}.backfill.defaultPeriod")
    if read.delivery is not UNSET:
        yield from _delivery_issues(read.delivery, at(path, "delivery"))
    lists = ((at(path, "requiredFields"), read.required_fields), (at(path, "optionalFields"), read.optional_fields))
    yield from field_issues([(f"{where}[{i}]", field) for where, fields in lists for i, field in enumerate(fields)])
    if read.enabled is not UNSET:
        yield from _always_issues(read, path)


def object_name_issues(name: str, path: str) -> Iterator[Issue]:
    """Check that a name of an object is one."""
    if not name.strip():
        yield Issue(path=path, code="required", message="must not be empty")
    elif not name.isprintable():
        yield Issue(path=path, code="invalid-text", message="must not contain control characters")


def _backfill_issues(backfill: Backfill, path: str) -> Iterator[Issue]:
    period = backfill.default_period
    yield from period_issues(path, days=period.days, full_history=period.full_history)
    days = period.days or 0
    if period.full_history is True or days > _LONG_BACKFILL_DAYS:
        yield Issue(
            path=path,
            code="long-backfill",
            severity="warning",
            message=f"reaches back more than {_LONG_BACKFILL_DAYS} days; the first read may take long",
        )


def period_issues(path: str, *, days: object, full_history: object) -> Iterator[Issue]:
    """Check that a period says one thing: a number of days, or everything."""
    if (days is UNSET) == (full_history is not True):
        said = "neither days nor fullHistory: true" if days is UNSET else "both days and fullHistory"
        yield Issue(path=path, code="one-of", message=f"must give days or fullHistory: true, but gives {said}")
    if isinstance(days, int) and days < 0:
        yield Issue(path=at(path, "days"), code="out-of-range", message="must not be negative")


def _delivery_issues(delivery: Delivery, path: str) -> Iterator[Issue]:
    where = at(path, "pageSize")
    if delivery.mode == "auto":
        if delivery.page_size is not UNSET:
            yield Issue(path=where, code="not-allowed", message="is only for mode onRequest")
    elif delivery.page_size is UNSET:
        yield Issue(path=where, code="required", message="is required with mode onRequest")
    elif delivery.page_size not in _PAGE_SIZES:
        yield Issue(path=where, code="out-of-range", message="must be 50 to 500")


def field_issues(fields: Iterable[tuple[str, ManifestField]]) -> Iterator[Issue]:
    """Judge the fields of one object; each comes with its path."""
    listed = list(fields)
    for path, field in listed:
        if field.field_name is UNSET and field.map_to_name is UNSET:
            yield Issue(path=path, code="required", message="needs a fieldName, a mapToName or both")
        names = (("fieldName", field.field_name), ("mapToName", field.map_to_name), ("default", field.default))
        for member, name in names:
            if name is not UNSET:
                yield from name_issues(name, at(path, member))
    mapped = [(path, field.map_to_name) for path, field in listed if field.map_to_name is not UNSET]
    for index, name in repeated(name for _, name in mapped):
        message = f"{name!r} is already the name of another field of this object"
        yield Issue(path=at(mapped[index][0], "mapToName"), code="duplicate-name", message=message)
    plain = [(path, field.field_name) for path, field in listed if field.field_name and not field.map_to_name]
    for index, name in repeated(str(name) for _, name in plain):
        where = at(plain[index][0], "fieldName")
        yield Issue(path=where, code="duplicate-name", severity="warning", message=f"{name!r} is listed twice")


def _always_issues(read: ReadObject, path: str) -> Iterator[Issue]:
    for member, given in (("requiredFields", read.required_fields), ("schedule", read.schedule)):
        if not given:
            message = f"enabled: always without {member}: nothing is read unless asked"
            yield Issue(path=at(path, member), code="incomplete", severity="warning", message=message)
    for index, field in enumerate(read.required_fields):
        where = at(f"{path}.requiredFields[{index}]", "mapToName")
        if field.field_name and field.map_to_name:
            yield Issue(
                path=where, code="not-allowed", message="must not be mapped in an object that is always enabled"
            )
        elif not field.field_name and not field.default:
            message = "a customer must choose this field, so the object is not read before that"
            yield Issue(path=where, code="incomplete", severity="warning", message=message)


def write_object_issues(write: WriteObject, path: str) -> Iterator[Issue]:
    """Judge an object to write."""
    yield from object_name_issues(write.object_name, at(path, "objectName"))
    mappings = at(path, "fieldMappings")
    yield from field_issues((f"{mappings}[{index}]", field) for index, field in enumerate(write.field_mappings))
    yield from setting_issues(write.field_settings, at(path, "fieldSettings"))
    keys = at(path, "upsertKeys")
    for index, key in enumerate(write.upsert_keys):
        yield from name_issues(key, f"{keys}[{index}]")
    for index, key in repeated(write.upsert_keys):
        yield Issue(path=f"{keys}[{index}]", code="duplicate-name", message=f"{key!r} is listed twice")


def subscribe_object_issues(watched: SubscribeObject, path: str) -> Iterator[Issue]:
    """Judge an object to watch."""
    yield from object_name_issues(watched.object_name, at(path, "objectName"))
    if watched.update_event is not UNSET:
        yield from _update_event_issues(watched.update_event, at(path, "updateEvent"))
    if not (has_standard_events(watched) or watched.association_change_event or watched.other_events):
        yield Issue(path=path, code="no-event", severity="warning", message="no event is enabled")


def has_standard_events(watched: SubscribeObject) -> bool:
    """Tell whether creating, updating or deleting a record is an event."""
    return any(event is not UNSET for event in (watched.create_event, watched.update_event, watched.delete_event))


def _update_event_issues(event: UpdateEvent, path: str) -> Iterator[Issue]:
    fields = event.required_watch_fields or ()
    yield from watch_issues(path, auto=event.watch_fields_auto is not UNSET, fields=fields)


def watch_issues(path: str, *, auto: bool, fields: tuple[str, ...]) -> Iterator[Issue]:
    """Check that changes of fields are watched one way, and that the fields are plain ones."""
    if auto == bool(fields):
        said = "both" if auto else "neither"
        yield Issue(
            path=path, code="one-of", message=f"must give watchFieldsAuto or requiredWatchFields, but gives {said}"
        )
    for index, field in enumerate(fields):
        if set(".[]") & set(field) or not field.strip():
            where = f"{at(path, 'requiredWatchFields')}[{index}]"
            yield Issue(path=where, code="invalid-path", message="only plain fields can be watched, without . [ or ]")
