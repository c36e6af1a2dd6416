"""Disk full: SQLite on a file system of a few megabytes that is filled up and freed again, while operations come in."""

import asyncio
import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
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
MEGABYTES = 24
BLOCK = 4096
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
    plan = Plan(operations=options.operations, seed=options.seed)
    handing_in = asyncio.create_task(callers.hand_in(workload(plan, plant=put_up.provider.plant)))
    recoveries: list[float] = []
    step = options.operations // (options.times + 1)
    for number in range(1, options.times + 1):
        await callers.accepted(number * step)
        recoveries.append(await _full(callers, mount, seconds=options.seconds))
    await handing_in
    ended = await all_ended(put_up)
    made = await report(NAME, put_up, callers, ended)
    await put_up.fleet.stop()
    return replace(
        made,
        figures={**made.figures, "times full": str(options.times), "accepting again after s": f"{max(recoveries):.2f}"},
        broken=[*made.broken, *_late(recoveries), *_damage(put_up)],
    )


async def _full(callers: Callers, mount: Path, *, seconds: float) -> float:
    """Leave no room for a while; answers how long it then took until an operation was accepted."""
    ballast = mount / "ballast"
    refused = callers.refused
    await asyncio.to_thread(_fill, ballast)
    began = time.monotonic()
    # What is there already may serve for a while: it is full when somebody is told so.
    while time.monotonic() - began < seconds or (
        callers.refused == refused and time.monotonic() - began < 10 * seconds
    ):
        await asyncio.sleep(0.05)
        await asyncio.to_thread(_fill, ballast)
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
