"""Reads at the provider where only the record itself can tell what a conflict means.

An update that was refused for a conflict has succeeded if the record holds what was wanted. A create that is refused
because its record exists already may be our own: an earlier attempt's, whose answer was lost.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from connectors.connector import Flow
from connectors.dispatch import capabilities
from connectors.errors import ConnectorError
from installations.record import Change, Outcome, Record, RecordChange, RecordOutcome
from installations.repetition import Reaction, holds
from server.delivering.look_ups import Perform, Place
from server.delivering.recognising import recognition_of

_READS: frozenset[Reaction] = frozenset({"compare", "look_up"})


async def reconciled(
    perform: Perform, place: Place, change: Change, *, outcome: Outcome, reactions: Sequence[Reaction]
) -> tuple[Outcome, tuple[Reaction, ...]]:
    """Replace ``compare`` and ``look_up`` by what the records say; all three have one entry for each record.

    Where the provider cannot be asked now, an update is sent again, and so is a create that it would recognise: it
    refuses that once more. Where it can never be asked, ``look_up`` stays a doubt.
    """
    if _READS.isdisjoint(reactions):
        return outcome, tuple(reactions)
    records, decided = list(outcome.records), list(reactions)
    for index, reaction in enumerate(reactions):
        if reaction in _READS:
            records[index], decided[index] = await _read(
                perform, place, change, index=index, record=records[index], reaction=reaction
            )
    return replace(outcome, records=tuple(records)), tuple(decided)


async def _read(
    perform: Perform, place: Place, change: Change, *, index: int, record: RecordOutcome, reaction: Reaction
) -> tuple[RecordOutcome, Reaction]:
    wanted = change.records[index]
    key = change.keys[index] if change.keys else ""
    existing = record.fault.existing_id if record.fault is not None else None
    flow, proves = (
        (_by_id(place, change, wanted, wanted.id), False)
        if reaction == "compare"
        else _by_recognition(place, change, wanted, key=key, existing=existing)
    )
    if flow is None:
        return record, "fail" if reaction == "compare" else reaction
    try:
        found = await perform(flow, auth=place.auth, origin=place.account.base_url)
    except ConnectorError:
        harmless = reaction == "compare" or _recognised(place, change, wanted)
        return (_in_doubt(record), "retry") if harmless else (record, reaction)
    if len(found) != 1:
        return record, "fail" if reaction == "compare" else reaction
    ((record_id, now),) = found.items()
    if not proves and not holds(now, wanted.fields):
        return record, "fail"
    return RecordOutcome(success=True, record_id=record_id, data=now | {"id": record_id}), "succeed"


def _in_doubt(record: RecordOutcome) -> RecordOutcome:
    """Say of a conflict that nobody knows yet what it means, so that it is not taken for a last word."""
    return record if record.fault is None else replace(record, fault=replace(record.fault, kind="ambiguous"))


def _recognised(place: Place, change: Change, wanted: RecordChange) -> bool:
    known = recognition_of(place.connector, change.object_name, wanted.fields)
    return known is not None and known.kind != "marker"


def _by_id(place: Place, change: Change, wanted: RecordChange, record_id: str | None) -> Flow[dict[str, Record]] | None:
    fetcher = capabilities(place.connector).fetcher
    if fetcher is None or record_id is None:
        return None
    return fetcher.fetch(place.account, change.object_name, ids=[record_id], fields=tuple(wanted.fields))


def _by_recognition(
    place: Place, change: Change, wanted: RecordChange, *, key: str, existing: str | None
) -> tuple[Flow[dict[str, Record]] | None, bool]:
    """Find the record that a create ran into, and tell whether being found proves that it is ours."""
    known, finder = (
        recognition_of(place.connector, change.object_name, wanted.fields),
        capabilities(place.connector).finder,
    )
    if known is None or known.kind == "key" or finder is None:
        return _by_id(place, change, wanted, existing), False
    marker = known.kind == "marker"
    value = key if marker else wanted.fields.get(known.field)
    fields = tuple(wanted.fields)
    return finder.find(place.account, change.object_name, field=known.field, value=value, fields=fields), marker
