"""Tells the builder that an asynchronous operation is over, or that nobody knows: the event goes with the move itself.

``write.async.done`` with the last move, ``write.async.unknown`` with the one that leaves a question; a look-up that
found nothing asks no new one.
"""

from typing import Protocol

from msgspec import UNSET
from msgspec.structs import replace

from installations.installation import Installation, Integration
from installations.operation import FINAL, Operation
from server.clock import NewId
from server.delivering.payloads import stored_outcome
from server.events import operation_event
from server.store.contract import Missing, Settlement


class Names(Protocol):
    """The part of the store that knows whose operation it is."""

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        """Find one."""
        ...

    async def integration(self, project_id: str, id_or_name: str) -> Integration:
        """Find one."""
        ...


class Completion:
    """Adds the event to moves that end an operation or leave it unknown."""

    def __init__(self, store: Names, *, new_id: NewId) -> None:
        self._store = store
        self._new_id = new_id

    async def told(self, operation: Operation, settlement: Settlement) -> Settlement:
        """Answer the move as it is to be stored."""
        if operation.mode != "asynchronous" or not _is_told(settlement):
            return settlement
        over = replace(
            operation,
            state=settlement.to_state,
            reason=settlement.reason,
            summary=operation.summary if settlement.summary is UNSET else settlement.summary,
            outcome=operation.outcome if settlement.outcome is UNSET else settlement.outcome,
            successful_record_ids=operation.successful_record_ids
            if settlement.successful_record_ids is UNSET
            else settlement.successful_record_ids,
        )
        try:
            installation = await self._store.installation(operation.project_id, operation.installation_id)
        except Missing:
            installation = None
        event = operation_event(
            over,
            stored_outcome(over),
            installation=installation,
            integration_name=await self._integration_name(operation),
            event_id=self._new_id(),
            now=settlement.now,
        )
        return replace(settlement, event=event)

    async def _integration_name(self, operation: Operation) -> str:
        try:
            return (await self._store.integration(operation.project_id, operation.integration_id)).name
        except Missing:
            return ""


def _is_told(settlement: Settlement) -> bool:
    asked = settlement.to_state == "unknown" and settlement.from_state != "unknown"
    return asked or settlement.to_state in FINAL
