"""Looks up at the provider what an operation of unknown outcome may have made, by the marker that it was sent with."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from connectors.dispatch import capabilities
from connectors.errors import ConnectorError
from installations.errors import NotFound
from installations.operation import Operation
from installations.outlook import Move, looked_up
from installations.pipeline import Plan, settle
from installations.record import Change, Fault, Outcome, RecordOutcome
from installations.repetition import is_pending, is_settled
from server import logs
from server.clock import Clock
from server.delivering.calls import CallStore
from server.delivering.look_ups import Perform, Place
from server.delivering.payloads import stored, with_gathered
from server.delivering.recognising import recognition_of, safety_of
from server.delivering.settlements import settlement
from server.delivering.shares import key_of, known_outcomes
from server.directory import Directory
from server.store.contract import Missing, Settlement, Unavailable

_CREATING = frozenset({"create", "upsert"})
Found = Mapping[int, Sequence[RecordOutcome]]
"""By index in the plan: the records with the marker of that one."""


class Looking:
    """Looks up unknown operations."""

    def __init__(self, store: CallStore, directory: Directory, *, perform: Perform, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._perform = perform
        self._clock = clock

    async def look(self, operation: Operation) -> tuple[tuple[Operation, Settlement], ...]:
        """Look one up and answer the move to make; none where the provider could not be asked, so that it comes up
        again. Raises nothing but cancellation.
        """  # noqa: D205
        try:
            return await self._look(operation)
        except (ConnectorError, Unavailable) as error:
            logs.event("operation.look_up_failed", operation_id=operation.id, error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 -- the rim: what cannot be looked up harms no other
            logs.failed("operation.look_up_failed", error, operation_id=operation.id)
        return ()

    async def can_look_up(self, operation: Operation) -> bool:
        """Whether the provider can be asked for what a create in doubt may have made.

        Credentials that are refused now do not matter: it is looked up as soon as they are mended.
        """
        if operation.action not in _CREATING or not (operation.doubtful or operation.state == "sent"):
            return False
        try:
            connector = await self._directory.connector(operation)
            return safety_of(connector, settle(await self._plan(operation))).can_look_up
        except (Missing, NotFound):
            return False
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- the rim: what cannot be read shall not keep others from being settled
            logs.failed("operation.unreadable", error, operation_id=operation.id)
            return False

    async def _plan(self, operation: Operation) -> Plan:
        kept = stored(operation)
        if operation.gathered:
            kept = with_gathered(kept, await self._store.gathered(operation.project_id, operation.id))
        return kept.plan

    async def _look(self, operation: Operation) -> tuple[tuple[Operation, Settlement], ...]:
        try:
            place = await self._directory.opened(operation)
        except (Missing, NotFound):
            return (self._blind(operation),)
        plan = await self._plan(operation)
        known = known_outcomes(operation, plan)
        change = settle(plan)
        found: dict[int, Sequence[RecordOutcome]] = {}
        exact = True
        for index, record in enumerate(known):
            if record is not None and is_settled(record):
                continue
            field, surely = marker(place, change, index)
            if not field:
                return (self._blind(operation),)
            # A create that the provider has yet to carry out is not absent for not being there.
            exact = exact and surely and not (record is not None and is_pending(record))
            key = key_of(operation.id, index, batch=plan.batch)
            found[index] = await self._find(place, change, index=index, field=field, key=key)
        return ((operation, self._told(operation, known, found, exact=exact)),)

    async def _find(self, place: Place, change: Change, *, index: int, field: str, key: str) -> list[RecordOutcome]:
        finder = capabilities(place.connector).finder
        if finder is None:
            raise TypeError(f"{place.connector.provider.name} cannot find")
        fields = tuple(change.records[index].fields)
        flow = finder.find(place.account, change.object_name, field=field, value=key, fields=fields)
        records = await self._perform(flow, auth=place.auth, origin=place.account.base_url)
        return [
            RecordOutcome(success=True, record_id=each, data=record | {"id": each}) for each, record in records.items()
        ]

    def _blind(self, operation: Operation) -> tuple[Operation, Settlement]:
        """Leave it to a person."""
        move = Move(to_state="unknown", reason=operation.reason, looks=operation.looks, doubtful=True)
        return operation, settlement(operation, move, now=self._clock())

    def _told(
        self, operation: Operation, known: Sequence[RecordOutcome | None], found: Found, *, exact: bool
    ) -> Settlement:
        now, counts = self._clock(), [len(each) for each in found.values()]
        most, fewest = max(counts, default=0), min(counts, default=0)
        move = looked_up(operation, found=most if most > 1 else fewest, exact=exact, now=now)
        absent = ABSENT if move.to_state in {"queued", "failure"} else DOUBT
        records = tuple(_record(known[index], found.get(index), absent) for index in range(len(known)))
        if move.to_state == "failure" and any(record.success for record in records):
            move = replace(move, to_state="success")
        logs.event("operation.looked_up", operation_id=operation.id, found=sum(counts), state=move.to_state)
        return settlement(operation, move, now=now, outcome=Outcome(records=records))


def marker(place: Place, change: Change, index: int) -> tuple[str, bool]:
    """Name the field by which a created record is found, and tell whether what is not found does not exist."""
    known = recognition_of(place.connector, change.object_name, change.records[index].fields)
    if known is None or known.kind != "marker" or capabilities(place.connector).finder is None:
        return "", False
    return known.field, known.exact


def _record(known: RecordOutcome | None, found: Sequence[RecordOutcome] | None, absent: RecordOutcome) -> RecordOutcome:
    if found is None:
        return absent if known is None else known
    if len(found) == 1:
        return found[0]
    return absent if known is None or (not found and not is_pending(known)) else known


DOUBT = RecordOutcome(success=False, fault=Fault(kind="ambiguous", message="nobody knows whether it was written"))
ABSENT = RecordOutcome(
    success=False, fault=Fault(kind="not_sent", message="a look-up proved that an earlier attempt did not write it")
)
