"""What becomes of operations whose process died: nobody is silent about them, and nobody guesses.

What was only claimed never left and is queued again. What was ``sent`` is sent again where that does no harm, looked
up where the provider can be asked, and else unknown. Each death counts: an operation that takes its process down again
and again is stopped (`installations.outlook.lost`).
"""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from msgspec import UNSET

from installations.operation import Attempt, Operation
from installations.outlook import lost
from server import logs
from server.clock import Clock
from server.delivering.looking import Looking
from server.delivering.settlements import settlement
from server.delivering.settling import Teller
from server.store.claiming import ALONE_AFTER_CRASHES
from server.store.contract import Settlement, Unavailable

BATCH = 500


class Orphanage(Protocol):
    """The part of the store that recovery uses."""

    async def orphans(self, *, living: Sequence[str], limit: int) -> list[Operation]:
        """List operations whose owner is dead, by owner."""
        ...

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Move several."""
        ...


class Recovery:
    """Settles what dead processes left."""

    def __init__(self, store: Orphanage, looking: Looking, completion: Teller, *, clock: Clock) -> None:
        self._store = store
        self._looking = looking
        self._completion = completion
        self._clock = clock

    async def recover(self, *, living: Sequence[str]) -> int:
        """Move every operation whose owner is not among the living; answer how many. Safe to run twice at once."""
        count = 0
        while orphans := await self._store.orphans(living=living, limit=BATCH):
            # A page that is full may have cut an owner's operations off; then nobody is blamed alone.
            held = Counter(each.owner for each in orphans)
            last = orphans[-1].owner if len(orphans) == BATCH else ""
            settlements = [
                settled
                for each in orphans
                if (settled := await self._possible(each, alone=held[each.owner] == 1 and each.owner != last))
            ]
            made = await self._store.settle_all(settlements)
            count += sum(made)
            if not any(made):
                # Somebody else is at it.
                break
        if count:
            logs.event("operations.recovered", count=count)
        return count

    async def _possible(self, operation: Operation, *, alone: bool) -> Settlement | None:
        try:
            return await self._settlement(operation, alone=alone)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 -- the rim: one that cannot be judged keeps no other from being so
            logs.failed("operation.unrecovered", error, operation_id=operation.id)
            return None

    async def _settlement(self, operation: Operation, *, alone: bool) -> Settlement:
        now, sent = self._clock(), operation.state == "sent"
        can_look_up = operation.repeat == "bare" and await self._looking.can_look_up(operation)
        move = lost(operation, now=now, alone=alone, can_look_up=can_look_up)
        message = "the process that was sending it died" if sent else "the process that held it died before sending"
        crashes = operation.crashes + 1
        attempt = Attempt(
            operation_id=operation.id,
            number=operation.attempts,
            started_at=operation.update_time,
            finished_at=now,
            effect="ambiguous" if sent else "not_sent",
            fault_kind="ambiguous" if sent else "not_sent",
            message=message,
        )
        moving = settlement(
            operation,
            move,
            now=now,
            attempt=attempt,
            said=f"{'Outcome unknown' if sent else 'Not sent'}: {message}",
            crashes=crashes,
            lone_crashes=operation.lone_crashes + alone,
            fault_kind=attempt.fault_kind,
            batch_key="" if crashes >= ALONE_AFTER_CRASHES else UNSET,
        )
        return await self._completion.told(operation, moving)
