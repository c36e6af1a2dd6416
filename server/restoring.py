"""What an operator does after a backup was restored: creates that may have been sent since are held back.

Those that their provider recognises go on, in doubt: sent again they are found to be there, and nothing is done twice.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from connectors.catalog import CATALOG
from connectors.connector import Connector
from installations.installation import Installation
from installations.operation import Operation, State
from installations.outlook import Move, restored
from installations.pipeline import settle
from server import logs
from server.clock import Clock, new_id, utc_now
from server.delivering.beat import DEAD_AFTER_SECONDS
from server.delivering.completion import Completion
from server.delivering.payloads import stored, with_gathered
from server.delivering.recognising import Safety, safety_of
from server.delivering.settlements import settlement
from server.settings import Settings
from server.store.contract import Missing, OperationFilter, Settlement, Store, Unavailable
from server.store.opening import open_store

PAGE = 500
GOING_ON: tuple[State, ...] = ("queued", "claimed", "sent", "parked")
SAID = "Outcome unknown: a backup was restored, and it may have been sent after that was made"
_BARE = Safety(repeat="bare")


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    unknown: int
    """Creates that somebody has to look at, or that a look-up settles."""
    going_on: int
    """Operations that are sent again, which harms nobody."""


async def hold_back(settings: Settings, *, connectors: Iterable[Connector] = CATALOG) -> HeldBack:
    """Make every create unknown that the backup says is still to be sent, and that would be done twice.

    Safe to be run twice. Raises `Unavailable` while a server or worker runs, which might be sending them just now, and
    `SettingsError`.
    """
    store = open_store(settings)
    await store.start()
    try:
        if living := await store.living(within_seconds=DEAD_AFTER_SECONDS):
            raise Unavailable(f"{len(living)} servers or workers run on this database; stop them first.")
        return await hold_back_in(store, connectors=connectors)
    finally:
        await store.close()


async def hold_back_in(store: Store, *, connectors: Iterable[Connector], clock: Clock = utc_now) -> HeldBack:
    """Do it in an open store on which no process works."""
    backup = _Backup(store, {each.provider.name: each for each in connectors}, clock=clock)
    counts = [await backup.hold_back(project.id) for project in await store.projects()]
    done = HeldBack(unknown=sum(each.unknown for each in counts), going_on=sum(each.going_on for each in counts))
    logs.event("operations.held_back", unknown=done.unknown, going_on=done.going_on)
    return done


class _Backup:
    """The operations that a backup brought back."""

    def __init__(self, store: Store, connectors: Mapping[str, Connector], *, clock: Clock) -> None:
        self._store = store
        self._connectors = connectors
        self._clock = clock
        self._completion = Completion(store, new_id=new_id)
        self._installations: dict[str, Installation] = {}

    async def hold_back(self, project_id: str) -> HeldBack:
        """Judge those of one project."""
        which, after, unknown, going_on = OperationFilter(states=GOING_ON), 0, 0, 0
        while page := await self._store.earliest(project_id, which, after=after, limit=PAGE):
            moves = await self._moves(page)
            made = await self._store.settle_all(moves)
            held = sum(move.to_state == "unknown" for move in moves)
            unknown += sum(done and move.to_state == "unknown" for done, move in zip(made, moves, strict=True))
            going_on += len(page) - held
            after = page[-1].sequence
        return HeldBack(unknown=unknown, going_on=going_on)

    async def _moves(self, operations: Sequence[Operation]) -> list[Settlement]:
        moves: list[Settlement] = []
        for each in operations:
            now, safety = self._clock(), await self._safety(each)
            move = restored(each, now=now, repeat=safety.repeat, window=safety.window)
            if move is not None:
                moves.append(await self._completion.told(each, _written(each, move, now=now)))
        return moves

    async def _safety(self, operation: Operation) -> Safety:
        """Tell what sending it again would do: what cannot be told may be done twice."""
        try:
            installation = await self._installation(operation)
            connector = self._connectors.get(installation.connection.provider)
            if connector is None:
                return _BARE
            kept = stored(operation)
            if operation.gathered:
                kept = with_gathered(kept, await self._store.gathered(operation.project_id, operation.id))
            return safety_of(connector, settle(kept.plan))
        except Missing:
            return _BARE
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- the rim: what cannot be read is held back, and keeps no other from being judged
            logs.failed("operation.unreadable", error, operation_id=operation.id)
            return _BARE

    async def _installation(self, operation: Operation) -> Installation:
        known = self._installations.get(operation.installation_id)
        if known is None:
            known = await self._store.installation(operation.project_id, operation.installation_id)
            self._installations[operation.installation_id] = known
        return known


def _written(operation: Operation, move: Move, *, now: datetime) -> Settlement:
    if move.to_state == "unknown":
        return settlement(operation, move, now=now, said=SAID, fault_kind="ambiguous")
    # The provider's memory of our key began no earlier.
    return settlement(operation, move, now=now, first_sent_at=operation.first_sent_at or operation.create_time)
