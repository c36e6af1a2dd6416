"""Keeps the worker of a process going: the engine, the rounds, and a drain at the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from server import logs
from server.delivering.rounds import Rounds
from server.delivering.worker import Worker
from server.engine.port import Engine
from server.store.contract import Unavailable

SWEEP_SECONDS = 0.5
ROUND_SECONDS = 1.0
PRUNE_SECONDS = 600.0
DRAIN_SECONDS = 30.0
"""How long calls under way may take once the process is told to stop."""


async def nothing() -> None:
    """Wait for nothing."""


@asynccontextmanager
async def working(
    worker: Worker,
    engine: Engine,
    rounds: Rounds,
    *,
    after: Callable[[], Awaitable[None]] = nothing,
    drain_seconds: float = DRAIN_SECONDS,
) -> AsyncIterator[None]:
    """Carry out what is accepted while the block lasts, from when ``after`` has ended on; then finish what has begun.

    What has not left by then is given back at once, and what is under way may take ``drain_seconds`` from when the
    worker was first stopped.
    """
    attending = asyncio.create_task(_attend(engine, worker, after))
    repeating = [
        asyncio.create_task(_every(SWEEP_SECONDS, rounds.sweep)),
        asyncio.create_task(_every(ROUND_SECONDS, rounds.expire)),
        asyncio.create_task(_every(ROUND_SECONDS, rounds.release)),
        asyncio.create_task(_every(PRUNE_SECONDS, rounds.prune)),
    ]
    try:
        yield
    finally:
        worker.stop()
        for task in repeating:
            task.cancel()
        await asyncio.gather(*repeating, return_exceptions=True)
        try:
            await asyncio.wait_for(engine.close(), max(0.1, drain_seconds - worker.stopping_seconds))
        except TimeoutError:
            logs.event("worker.cut_off", seconds=drain_seconds)
        attending.cancel()
        await asyncio.gather(attending, return_exceptions=True)


async def _attend(engine: Engine, worker: Worker, after: Callable[[], Awaitable[None]]) -> None:
    await after()
    await engine.run(worker.attend)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Unavailable as error:
            logs.failed("store.unavailable", error)
        except Exception as error:  # noqa: BLE001 -- the rim: a round that fails is tried again
            logs.failed("round.failed", error)
        await asyncio.sleep(seconds)
