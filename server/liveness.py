"""What a process does unasked: it says that it lives, settles what dead ones left, keeps tokens alive, and tells."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Protocol

from server import logs
from server.changes import follow
from server.clock import Clock
from server.delivering.beat import DEAD_AFTER_SECONDS, Beat
from server.delivering.running import working
from server.notifying.notifier import Notifier
from server.notifying.rounds import Rounds
from server.schema_checks import check_schema
from server.schema_rounds import SchemaRounds
from server.services import Services
from server.store.contract import Unavailable
from server.tokens.keep_alive import KeepAlive

BEAT_SECONDS = 2.0
SETTLE_SECONDS = 1.0
"""How often what could not be written down is tried again."""
LAST_SECONDS = 2.0
"""How long the last try may take, when the process ends."""
SWEEP_SECONDS = 600.0
"""How often what has expired is forgotten; the first time is at the start."""


class Recover(Protocol):
    """Settles what dead processes left."""

    async def __call__(self, *, living: Sequence[str]) -> int:
        """Move every operation whose owner is not among the living."""
        ...


class Pulse(Protocol):
    """The part of the store that knows processes."""

    async def living(self, *, within_seconds: float) -> list[str]:
        """List the processes heard of lately."""
        ...

    async def sweep(self, *, now: datetime) -> None:
        """Forget what has expired."""
        ...

    async def beat(self, owner: str, *, kind: str) -> None:
        """Say that a process lives."""
        ...


@asynccontextmanager
async def living(services: Services, *, kind: str, works: bool = True) -> AsyncIterator[None]:
    """Do all of it while the block lasts; ``kind`` is shown to the operator.

    With ``works`` it also carries out what was accepted asynchronously.
    """
    store, tokens, clock = services.store, services.tokens, services.clock
    companions = [
        asyncio.create_task(follow(services.changes, store=store)),
        asyncio.create_task(
            stay_alive(
                store,
                owner=services.owner,
                kind=kind,
                clock=clock,
                beat=services.beat,
                recover=services.recovery.recover,
            )
        ),
        asyncio.create_task(KeepAlive(tokens, store, clock=clock, pace=tokens.pace).run()),
        asyncio.create_task(_notifier(services).run()),
        asyncio.create_task(_every(SETTLE_SECONDS, services.deliveries.settle_late, owner=services.owner)),
    ]
    if works and services.settings.schema_check_hours:
        companions.append(asyncio.create_task(schema_rounds(services).run()))
    try:
        async with labour(services) if works else nullcontext():
            yield
    finally:
        for companion in companions:
            companion.cancel()
        await asyncio.gather(*companions, return_exceptions=True)
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await services.deliveries.settle_late()
        await services.schemas.close()
        await tokens.close()


def labour(services: Services) -> AbstractAsyncContextManager[None]:
    """Carry out what is accepted while the block lasts, once this process is known to live."""
    return working(services.worker, services.engine, services.rounds, after=services.beat.known)


def schema_rounds(services: Services) -> SchemaRounds:
    """Compare installations with their accounts, as often as the settings say."""
    return SchemaRounds(
        services.store,
        lambda installation: check_schema(services, installation),
        every=timedelta(hours=services.settings.schema_check_hours),
        clock=services.clock,
        owner=services.owner,
    )


def _notifier(services: Services) -> Notifier:
    rounds = Rounds(
        services.store,
        services.courier.hand_over,
        clock=services.clock,
        new_id=services.new_id,
        owner=services.owner,
    )
    return Notifier(
        services.store, rounds, bell=services.bell, clock=services.clock, dead_after_seconds=DEAD_AFTER_SECONDS
    )


async def stay_alive(
    store: Pulse,
    *,
    owner: str,
    kind: str,
    clock: Clock,
    beat: Beat,
    recover: Recover,
    beat_seconds: float = BEAT_SECONDS,
) -> None:
    """Beat, settle the operations of dead processes and forget what has expired, until cancelled.

    A database that is away is tried again. The beat waits for nothing else: whoever is not heard of for some seconds
    is taken for dead, and others then do again what it has under way.
    """
    sweep_at = time.monotonic()

    async def tidy() -> None:
        nonlocal sweep_at
        living = await store.living(within_seconds=DEAD_AFTER_SECONDS)
        if beat.may_judge():
            await recover(living=[*living, owner])
        if time.monotonic() >= sweep_at:
            await store.sweep(now=clock())
            sweep_at = time.monotonic() + SWEEP_SECONDS

    async def pulse() -> None:
        sent_at = beat.now()
        await store.beat(owner, kind=kind)
        beat.taken(sent_at)

    async with asyncio.TaskGroup() as loops:
        loops.create_task(_every(beat_seconds, pulse, owner=owner))
        loops.create_task(_every(beat_seconds, tidy, owner=owner))


async def _every(seconds: float, work: Callable[[], Awaitable[None]], *, owner: str) -> None:
    while True:
        try:
            await work()
        except Unavailable as error:
            logs.failed("store.unavailable", error, owner=owner)
        except Exception as error:  # noqa: BLE001 -- the rim: a process that stops beating is taken for dead
            logs.failed("liveness.failed", error, owner=owner)
        await asyncio.sleep(seconds)
