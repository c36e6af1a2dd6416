"""Disk full: SQLite on a file system of a few megabytes that is filled up and freed again, while operations come in."""

import asyncio
import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tests.chaos.callers import Callers
from tests.chaos.faults import SMOOTH
from tests.chaos.judge import Broken
from tests.chaos.runs.main import report
from tests.chaos.stage import Size, Stage, stage
from tests.chaos.telling import Report
from tests.chaos.watching import all_ended
from tests.chaos.workload import Plan, workload

NAME = "disk full"
MEGABYTES = 48
BLOCK = 4096
CALLERS = 4
RECOVERY_SECONDS = 10.0
"""How soon operations are accepted again when there is room."""
NEVER = "mounting a small file system needs root, and a kernel that allows it"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How often, and for how long."""

    operations: int = 3000
    times: int = 10
    seconds: float = 3.0
    seed: int = 1


async def run(options: Options) -> Report:
    """Fill and free, and look whether anything that was acknowledged is missing."""
    with small_disk() as mount:
        if mount is None:
            return Report(name=NAME, figures={}, skipped=NEVER)
        async with stage(Size(store="sqlite"), mix=SMOOTH, seed=options.seed, files=mount) as put_up:
            return await _filled(put_up, options, mount)


@contextlib.contextmanager
def small_disk() -> Iterator[Path | None]:
    """Mount a file system of a few megabytes; ``None`` where that is not allowed."""
    with tempfile.TemporaryDirectory(prefix="isthmus-chaos-disk-") as name:
        mounting = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", name]
        try:
            made = os.geteuid() == 0 and subprocess.run(mounting, check=False, capture_output=True).returncode == 0  # noqa: S603 -- a fixed program
        except FileNotFoundError:
            made = False
        try:
            yield Path(name) if made else None
        finally:
            if made:
                subprocess.run(["umount", "--lazy", name], check=True)  # noqa: S603, S607 -- a fixed program


async def _filled(put_up: Stage, options: Options, mount: Path) -> Report:
    callers = Callers(put_up.fleet, put_up.town, may_go_on=lambda _: True)
    # As many operations as it takes: there are always more to hand in until it has been full often enough.
    plan = Plan(operations=options.operations * 1000, seed=options.seed)
    enough = asyncio.Event()
    asks = takewhile(lambda _: not enough.is_set(), workload(plan, plant=put_up.provider.plant))
    handing_in = asyncio.create_task(callers.hand_in(asks, callers=CALLERS))
    step = options.operations // (options.times + 1)
    recoveries = [await _full(callers, mount, step=step, seconds=options.seconds) for _ in range(options.times)]
    enough.set()
    await handing_in
    ended = await all_ended(put_up)
    made = await report(NAME, put_up, callers, ended)
    await put_up.fleet.stop()
    return replace(
        made,
        figures={**made.figures, "times full": str(options.times), "accepting again after s": f"{max(recoveries):.2f}"},
        broken=[*made.broken, *_late(recoveries), *_damage(put_up)],
    )


async def _full(callers: Callers, mount: Path, *, step: int, seconds: float) -> float:
    """Let some be accepted, then leave no room for a while; answers how long it then took until one was again."""
    await callers.accepted(len(callers.asked) + step)
    ballast, refused, began = mount / "ballast", callers.refused, time.monotonic()
    # What is there already may serve for a while: it is full when somebody is told so.
    while callers.refused == refused or time.monotonic() - began < seconds:
        await asyncio.to_thread(_fill, ballast)
        await asyncio.sleep(0.05)
    before = len(callers.asked)
    ballast.unlink()
    freed = time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(RECOVERY_SECONDS * 3):
            await callers.accepted(before + 1)
    return time.monotonic() - freed


def _fill(ballast: Path) -> None:
    with contextlib.suppress(OSError), ballast.open("ab", buffering=0) as file:
        while file.write(bytes(BLOCK)):
            pass


def _late(recoveries: list[float]) -> list[Broken]:
    late = [seconds for seconds in recoveries if seconds > RECOVERY_SECONDS]
    said = "accepted again {:.1f} s after there was room"
    return [Broken(promise="work goes on soon", tag="", said=said.format(seconds)) for seconds in late]


def _damage(put_up: Stage) -> list[Broken]:
    found = put_up.database.check()
    return [Broken(promise="the database is whole", tag="", said=found)] if found else []
