"""What a person does to operations: settle open questions, take them back, hurry them.

Every act is one guarded move. Where an operation moved on meanwhile, the act is judged anew by what it is now.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from installations.operation import Operation
from installations.outlook import Verdict
from server import logs
from server.clock import Clock
from server.delivering.completion import Completion
from server.delivering.verdicts import cancellation, hurrying, resolution
from server.store.contract import OperationFilter, Settlement, Superseded

TRIES = 3
"""How often an act is judged anew where the operation moved on in the middle of it."""
MOST = 10_000
"""How many operations one call treats."""
PAGE = 200


class Handled(msgspec.Struct, frozen=True, kw_only=True):
    """What one call that treats many operations came to."""

    operation_ids: tuple[str, ...]
    more: bool
    """There are more than one call takes."""


class Line(Protocol):
    """The part of the store that lists operations as they were accepted."""

    async def earliest(self, project_id: str, which: OperationFilter, *, after: int = 0, limit: int) -> list[Operation]:
        """List in the order of acceptance."""
        ...


class OperationStore(Line, Protocol):
    """The part of the store that interventions use."""

    async def operation(self, project_id: str, operation_id: str) -> Operation:
        """Find one."""
        ...

    async def count_operations(self, project_id: str, which: OperationFilter) -> int:
        """Count them."""
        ...

    async def settle_all(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Make several moves."""
        ...


class Waking(Protocol):
    """Who is told that a lane has work."""

    async def submit(self, lane_id: str) -> None:
        """Have it attended to. Raises nothing."""
        ...


class Looking(Protocol):
    """Who knows whether a provider can be asked (`server/delivering/looking.py`)."""

    async def can_look_up(self, operation: Operation) -> bool:
        """Whether it can, for what a create in doubt may have made."""
        ...


class Interventions:
    """The acts. ``ring`` is called when the builder has been told something."""

    def __init__(
        self,
        store: OperationStore,
        *,
        waking: Waking,
        completion: Completion,
        looking: Looking,
        clock: Clock,
        ring: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._waking = waking
        self._completion = completion
        self._looking = looking
        self._clock = clock
        self._ring = ring

    async def resolve(
        self, project_id: str, operation_id: str, *, verdict: Verdict, record_id: str | None = None
    ) -> Operation:
        """Settle an unknown operation by a person's word; answer it as it is then.

        ``record_id`` is the provider's id of the record that was written, where somebody knows it. Raises `Missing`,
        `Unfit`, and `InvalidInput` for an id that cannot be told whose it is.
        """

        async def decide(one: Operation) -> Settlement:
            return resolution(one, verdict=verdict, record_id=record_id, now=self._clock())

        resolved = await self._move(project_id, operation_id, decide)
        logs.event("operation.resolved", project_id=project_id, operation_id=operation_id, verdict=verdict)
        return resolved

    async def resolve_all(self, project_id: str, which: OperationFilter, *, verdict: Verdict) -> Handled:
        """Settle unknown operations alike, the earliest first, up to `MOST` of them."""
        ids: list[str] = []
        lanes: set[str] = set()
        async for page in pages(self._store, project_id, which):
            now = self._clock()
            moves = [await self._completion.told(one, resolution(one, verdict=verdict, now=now)) for one in page]
            moved = await self._store.settle_all(moves)
            done = [one for one, is_moved in zip(page, moved, strict=True) if is_moved]
            if any(move.event for move in moves):
                self._ring()
            ids += [one.id for one in done]
            lanes |= {one.connection_id for one in done if verdict == "retry"}
        await self._wake(lanes)
        logs.event("operations.resolved", project_id=project_id, count=len(ids), verdict=verdict)
        more = len(ids) >= MOST and await self._store.count_operations(project_id, which) > 0
        return Handled(operation_ids=tuple(ids), more=more)

    async def cancel(self, project_id: str, operation_id: str) -> Operation:
        """Take a waiting operation back; answer it as it is then. Raises `Missing`, `Unfit`."""

        async def decide(one: Operation) -> Settlement:
            return cancellation(one, now=self._clock(), can_look_up=await self._looking.can_look_up(one))

        cancelled = await self._move(project_id, operation_id, decide)
        logs.event("operation.cancelled", project_id=project_id, operation_id=operation_id, state=cancelled.state)
        return cancelled

    async def hurry(self, project_id: str, operation_id: str) -> Operation:
        """Have a waiting operation tried now; answer it as it is then. Raises `Missing`, `Unfit`."""

        async def decide(one: Operation) -> Settlement:
            return hurrying(one, now=self._clock())

        hurried = await self._move(project_id, operation_id, decide)
        logs.event("operation.hurried", project_id=project_id, operation_id=operation_id)
        return hurried

    async def _move(
        self, project_id: str, operation_id: str, decide: Callable[[Operation], Awaitable[Settlement]]
    ) -> Operation:
        for _ in range(TRIES):
            operation = await self._store.operation(project_id, operation_id)
            settlement = await self._completion.told(operation, await decide(operation))
            (moved,) = await self._store.settle_all([settlement])
            if not moved:
                continue
            if settlement.to_state == "queued":
                await self._wake({operation.connection_id})
            if settlement.event is not None:
                self._ring()
            return await self._store.operation(project_id, operation_id)
        raise Superseded("The operation moves on by itself just now; try again.")

    async def _wake(self, lanes: set[str]) -> None:
        for lane_id in sorted(lanes):
            await self._waking.submit(lane_id)


async def pages(store: Line, project_id: str, which: OperationFilter) -> AsyncIterator[list[Operation]]:
    """Walk up to `MOST` operations in the order of their acceptance, each once, though they change on the way."""
    after, left = 0, MOST
    while left and (page := await store.earliest(project_id, which, after=after, limit=min(PAGE, left))):
        yield page
        after, left = page[-1].sequence, left - len(page)
