"""What an operator does after a backup was restored: creates that may have been sent since are held back."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from installations.operation import Operation, State
from installations.outlook import restored
from server import logs
from server.clock import new_id, utc_now
from server.delivering.beat import DEAD_AFTER_SECONDS
from server.delivering.completion import Completion
from server.delivering.settlements import settlement
from server.settings import Settings
from server.store.contract import OperationFilter, Settlement, Store, Unavailable
from server.store.opening import open_store

PAGE = 500
GOING_ON: tuple[State, ...] = ("queued", "claimed", "sent", "parked")
SAID = "Outcome unknown: a backup was restored, and it may have been sent after that was made"


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """What was done."""

    unknown: int
    """Creates that somebody has to look at, or that a look-up settles."""
    going_on: int
    """Operations that are sent again, which harms nobody."""


async def hold_back(settings: Settings) -> HeldBack:
    """Make every create unknown that the backup says is still to be sent. Safe to be run twice.

    Raises `Unavailable` while a server or worker runs, which might be sending them just now, and `SettingsError`.
    """
    store = open_store(settings)
    await store.start()
    try:
        if living := await store.living(within_seconds=DEAD_AFTER_SECONDS):
            raise Unavailable(f"{len(living)} servers or workers run on this database; stop them first.")
        counts = [await _held_back(store, project.id) for project in await store.projects()]
    finally:
        await store.close()
    done = HeldBack(unknown=sum(each.unknown for each in counts), going_on=sum(each.going_on for each in counts))
    logs.event("operations.held_back", unknown=done.unknown, going_on=done.going_on)
    return done


async def _held_back(store: Store, project_id: str) -> HeldBack:
    completion = Completion(store, new_id=new_id)
    which, after, unknown, going_on = OperationFilter(states=GOING_ON), 0, 0, 0
    while page := await store.earliest(project_id, which, after=after, limit=PAGE):
        moves = [await completion.told(each, move) for each, move in _moves(page, now=utc_now())]
        unknown += sum(await store.settle_all(moves))
        going_on += len(page) - len(moves)
        after = page[-1].sequence
    return HeldBack(unknown=unknown, going_on=going_on)


def _moves(operations: Sequence[Operation], *, now: datetime) -> list[tuple[Operation, Settlement]]:
    decided = ((each, restored(each, now=now)) for each in operations)
    return [
        (each, settlement(each, move, now=now, said=SAID, fault_kind="ambiguous"))
        for each, move in decided
        if move is not None
    ]
