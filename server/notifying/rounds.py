"""One destination's messages: claimed a few at a time, handed over several at once, each one's fate written down."""

import asyncio
import random
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import httpx

from server import logs
from server.clock import Clock, NewId
from server.events import disabled_event
from server.notifying.ledger import Ledger, Settling
from server.notifying.messages import build_body, build_request
from server.notifying.schedule import Answer, Verdict, judge
from server.notifying.signing import SigningKey, parse_keys
from server.store.contract import Delivery, Destination, Event, Tried

AT_ONCE = 8
"""Messages on their way to one destination from one process."""
REFILL = 4
"""So many places must be free before more are claimed: a claim is a commit."""
CLAIM = timedelta(seconds=60)
"""A claimed message comes up again after this; four times as long as an attempt takes."""


class Messages(Settling, Protocol):
    """The part of the store that rounds use."""

    async def destination(self, project_id: str, id_or_name: str) -> Destination:
        """Find one. Raises `Missing`."""
        ...

    async def signing_keys(self, project_id: str, destination_id: str) -> bytes:
        """Open its signing keys."""
        ...

    async def claim_deliveries(
        self, project_id: str, destination_id: str, *, owner: str, now: datetime, until: datetime, limit: int
    ) -> list[Delivery]:
        """Take what is due there."""
        ...


class HandOver(Protocol):
    """`Courier.hand_over`."""

    async def __call__(self, request: httpx.Request) -> Answer:
        """Send once and tell what the receiver said."""
        ...


class Rounds:
    """Serves destinations, each by itself, so that a slow one holds up nobody else."""

    def __init__(
        self,
        store: Messages,
        hand_over: HandOver,
        *,
        clock: Clock,
        new_id: NewId,
        owner: str,
        jitter: Callable[[], float] = lambda: random.uniform(-1, 1),  # noqa: S311 -- spreads attempts, hides nothing
    ) -> None:
        self._store = store
        self._hand_over = hand_over
        self._clock = clock
        self._new_id = new_id
        self._owner = owner
        self._jitter = jitter
        self._ledger = Ledger(store)
        self._stopping = False

    async def serve(self, project_id: str, destination_id: str) -> None:
        """Send what is due at one destination until nothing is. Raises `StoreError`; what is on its way is finished."""
        running: set[asyncio.Task[None]] = set()
        try:
            while not self._stopping:
                free = AT_ONCE - len(running)
                claimed = await self._claim(project_id, destination_id, limit=free) if free >= REFILL else []
                if claimed:
                    place = await self._place(project_id, destination_id)
                    running |= {asyncio.create_task(self._carry(one, *place)) for one in claimed}
                if not running:
                    return
                if len(running) == AT_ONCE or not claimed:
                    _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            for task in running:
                task.cancel()
            raise
        finally:
            await asyncio.gather(*running, return_exceptions=True)

    def stop(self) -> None:
        """Claim nothing more."""
        self._stopping = True

    async def close(self) -> None:
        """Wait for what is being written down."""
        await self._ledger.close()

    async def _claim(self, project_id: str, destination_id: str, *, limit: int) -> list[Delivery]:
        now = self._clock()
        return await self._store.claim_deliveries(
            project_id, destination_id, owner=self._owner, now=now, until=now + CLAIM, limit=limit
        )

    async def _place(self, project_id: str, destination_id: str) -> tuple[Destination, Sequence[SigningKey]]:
        """Read where messages go as that is now: a change takes effect with the next claim."""
        destination = await self._store.destination(project_id, destination_id)
        return destination, parse_keys(await self._store.signing_keys(project_id, destination_id))

    async def _carry(self, delivery: Delivery, destination: Destination, keys: Sequence[SigningKey]) -> None:
        try:
            answer = await self._try(delivery, destination, keys)
        except asyncio.CancelledError:
            # The process stops: somebody else sends it again, with the same id.
            await self._ledger.enter(_given_back(delivery, now=self._clock()))
            raise
        now = self._clock()
        verdict = judge(delivery, destination, answer, now=now, jitter=self._jitter())
        _record(delivery, answer, verdict)
        await self._ledger.enter(
            Tried(
                delivery=delivery,
                state=verdict.state,
                now=now,
                run_at=verdict.run_at,
                status=answer.status,
                error=answer.error,
                disable=verdict.disable,
                event=self._news(destination, now=now) if verdict.disable else None,
            )
        )

    async def _try(self, delivery: Delivery, destination: Destination, keys: Sequence[SigningKey]) -> Answer:
        body = build_body(delivery.event_type, delivery.data)
        try:
            request = build_request(destination, body, message_id=delivery.event_id, keys=keys, now=self._clock())
        except httpx.InvalidURL:
            return Answer(error="the URL is not valid")
        return await self._hand_over(request)

    def _news(self, destination: Destination, *, now: datetime) -> Event:
        return disabled_event(destination, event_id=self._new_id(), now=now)


def _given_back(delivery: Delivery, *, now: datetime) -> Tried:
    error = "the process stopped before an answer came"
    return Tried(delivery=delivery, state="pending", now=now, run_at=now, error=error)


def _record(delivery: Delivery, answer: Answer, verdict: Verdict) -> None:
    if verdict.state == "delivered":
        return
    logs.event(
        "notification.not_delivered",
        project_id=delivery.project_id,
        destination_id=delivery.destination_id,
        delivery_id=delivery.id,
        attempts=delivery.attempts,
        status=answer.status,
        state=verdict.state,
        disabled=verdict.disable or None,
    )
