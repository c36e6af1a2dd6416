"""Clocks that jump: an hour on, an hour back, five years on. Whatever they say, nothing is sent again.

libfaketime stands between the processes and the system's clock; the monotonic clock stays true, as it does when a real
clock is set. On PostgreSQL the processes' clocks jump and the database's does not.
"""

import asyncio
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tests.chaos.callers import Callers
from tests.chaos.databases import StoreKind
from tests.chaos.faults import Mix
from tests.chaos.runs.main import Pace, report
from tests.chaos.stage import Size, Stage, stage
from tests.chaos.telling import Report
from tests.chaos.watching import settled
from tests.chaos.workload import Plan, workload

LIBRARIES = (
    Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
    Path("/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"),
)
NEVER = "libfaketime is not installed (apt-get install faketime)"
JUMPS = ("+1h", "+0", "-1h", "+0", "+1h", "+5y")
"""Against the true time, one after the other. Forward comes last, so that nothing is left waiting for years."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How much happens between the jumps."""

    store: StoreKind
    operations: int = 1200
    seed: int = 1


async def run(options: Options, folder: Path) -> Report:
    """Hand operations in while the clocks jump."""
    name = f"clocks {options.store}"
    library = next((path for path in LIBRARIES if path.exists()), None)
    if library is None:
        return Report(name=name, figures={}, skipped=NEVER)
    dial = folder / f"clock-{options.store}"
    dial.write_text("+0\n")
    preloaded = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(dial),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # Its own mending of waits with a time-out lets threads spin (seen with 0.9.10, 2026-11-22).
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
    }
    size = Size(store=options.store)
    async with stage(size, mix=Mix(), seed=options.seed, preloaded=preloaded) as put_up:
        return await _jumped(put_up, options, dial, name=name)


async def _jumped(put_up: Stage, options: Options, dial: Path, *, name: str) -> Report:
    callers = Callers(put_up.fleet, put_up.town, may_go_on=Pace(put_up, 150))
    plan = Plan(operations=options.operations, seed=options.seed)
    handing_in = asyncio.create_task(callers.hand_in(workload(plan, plant=put_up.provider.plant)))
    step = options.operations // (len(JUMPS) + 1)
    for number, jump in enumerate(JUMPS, 1):
        await callers.accepted(number * step)
        await asyncio.to_thread(dial.write_text, f"{jump}\n")
    await handing_in
    ended = await settled(put_up)
    # Where the process's clock is the only one, operations are late when it says so.
    excused = frozenset({"deadline"}) if options.store == "sqlite" else frozenset[str]()
    made = await report(name, put_up, callers, ended, excused=excused)
    return replace(made, figures={**made.figures, "clock jumps": str(len(JUMPS))})
