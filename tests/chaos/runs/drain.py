"""Ending as an operator does: SIGTERM under load, again and again. Nobody's request fails, and nothing is lost."""

import asyncio
import signal
import time
from collections.abc import Mapping
from datetime import datetime

import msgspec
from msgspec.structs import replace

from tests.chaos.callers import Callers
from tests.chaos.databases import StoreKind
from tests.chaos.faults import SMOOTH, Mix
from tests.chaos.judge import Broken, Ended
from tests.chaos.runs.main import Pace, report
from tests.chaos.stage import Size, Stage, stage
from tests.chaos.telling import Report
from tests.chaos.watching import all_ended
from tests.chaos.workload import Plan, workload

LONGEST_SECONDS = 35.0
SLOW: Mix = replace(SMOOTH, latency_seconds=(0.05, 0.3))
OPERATIONS_BETWEEN = 40


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How often."""

    store: StoreKind
    times: int = 20
    seed: int = 1


async def run(options: Options) -> Report:
    """End one process after the other, each while it has work under way."""
    size = Size(store=options.store, servers=2, workers=1)
    async with stage(size, mix=SLOW, seed=options.seed) as put_up:
        callers = Callers(put_up.fleet, put_up.town, may_go_on=Pace(put_up, 150), keep_alive=False)
        operations = (options.times + 1) * OPERATIONS_BETWEEN
        # Deletions are synchronous: their callers wait for the provider when the server is told to end.
        plan = Plan(operations=operations, seed=options.seed, create_share=0.5, changes=("update", "delete"))
        handing_in = asyncio.create_task(callers.hand_in(workload(plan, plant=put_up.provider.plant)))
        ends = []
        for number in range(1, options.times + 1):
            await callers.accepted(number * OPERATIONS_BETWEEN)
            ends.append(await _ended(put_up, number))
        await handing_in
        ended = await all_ended(put_up)
        made = await report(f"drain {options.store}", put_up, callers, ended)
        longest = max(seconds for seconds, _ in ends)
        return replace(
            made,
            figures={**made.figures, "drains": str(len(ends)), "longest drain s": f"{longest:.1f}"},
            broken=[*made.broken, *_faults(ends), *_broken_off(callers, ended)],
        )


async def _ended(put_up: Stage, number: int) -> tuple[float, int]:
    """End one process and start another; tells how long the end took, and the exit code."""
    seat = put_up.fleet.seats[number % len(put_up.fleet.seats)]
    started = time.monotonic()
    code = await put_up.fleet.empty(seat, signal.SIGTERM)
    seconds = time.monotonic() - started
    await put_up.fleet.fill(seat)
    return seconds, code


def _faults(ends: list[tuple[float, int]]) -> list[Broken]:
    bad = [(seconds, code) for seconds, code in ends if seconds > LONGEST_SECONDS or code]
    said = "ended after {:.1f} s with code {}"
    return [Broken(promise="a drain fails nobody", tag="", said=said.format(*each)) for each in bad]


def _broken_off(callers: Callers, ended: Mapping[str, Ended]) -> list[Broken]:
    """Find requests that were taken and got no answer: their operation was there before its caller came again.

    A request that waited in vain to be taken has none. How long it waited tells nothing on a loaded machine.
    """
    return [
        Broken(promise="a drain fails nobody", tag=asked.ask.tag, said="was taken, and broken off")
        for asked in callers.asked
        if asked.ask.tag in callers.cuts and _was_there(ended.get(asked.operation_id), callers.cuts[asked.ask.tag])
    ]


def _was_there(operation: Ended | None, moment: datetime) -> bool:
    return operation is not None and operation.created_at is not None and operation.created_at < moment
