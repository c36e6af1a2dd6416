"""What becomes of operations whose process died: nobody is silent about them, and nobody guesses.

A synchronous write that was ``sent`` when its process died has an unknown outcome: its caller got no answer, and
sending it again could do it twice. One that was only claimed never left.
"""

from typing import Protocol

from installations.operation import Attempt, Operation, State
from server import logs
from server.clock import Clock
from server.store.contract import Settlement, Superseded

BATCH = 500


class Orphanage(Protocol):
    """The part of the store that recovery uses."""

    async def orphans(self, *, living: list[str], limit: int) -> list[Operation]:
        """List operations whose owner is dead."""
        ...

    async def settle(self, settlement: Settlement) -> None:
        """Move one."""
        ...

    async def living(self, *, within_seconds: float) -> list[str]:
        """List the processes that live."""
        ...


async def recover(store: Orphanage, *, clock: Clock, living: list[str]) -> int:
    """Settle every operation whose owner is not among the living; answer how many. Safe to run twice at once."""
    count = 0
    while orphans := await store.orphans(living=living, limit=BATCH):
        for operation in orphans:
            count += await _settle(store, operation, clock=clock)
    if count:
        logs.event("operations.recovered", count=count)
    return count


async def _settle(store: Orphanage, operation: Operation, *, clock: Clock) -> bool:
    sent = operation.state == "sent"
    state: State = "unknown" if sent else "failure"
    message = "the process that was sending it died" if sent else "the process that held it died before sending"
    now = clock()
    settlement = Settlement(
        operation_id=operation.id,
        project_id=operation.project_id,
        from_state=operation.state,
        owner=operation.owner,
        to_state=state,
        now=now,
        attempt=Attempt(
            operation_id=operation.id,
            number=operation.attempts,
            started_at=operation.run_at,
            finished_at=now,
            effect="ambiguous" if sent else "not_sent",
            fault_kind="ambiguous" if sent else "not_sent",
            message=message,
        ),
        summary=f"[{operation.object_name}] {'Outcome unknown' if sent else 'Not sent'}: {message}",
        fault_kind="ambiguous" if sent else "not_sent",
    )
    try:
        await store.settle(settlement)
    except Superseded:
        return False
    return True
