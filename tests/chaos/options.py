"""The runs that there are: what each is called, how big it is in full and in short, and the command line."""

import argparse
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tests.chaos.databases import StoreKind
from tests.chaos.faults import SMOOTH, Mix
from tests.chaos.runs import clocks, disk, drain, fairness, main
from tests.chaos.schedule import Wounds
from tests.chaos.stage import Size
from tests.chaos.telling import Report
from tests.chaos.workload import CREATES, Kind, Plan


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run that can be called, once."""

    name: str
    """As ``--only`` knows it: what is done, and on which store."""
    begin: Callable[[], Awaitable[Report]]

    async def __call__(self) -> Report:
        """Do it; answers what came of it and how long it took."""
        started = time.monotonic()
        made = await self.begin()
        return replace(made, figures={**made.figures, "seconds": f"{time.monotonic() - started:.0f}"})


STORES: tuple[StoreKind, ...] = ("sqlite", "postgres")
RUNS = ("main", "retry", "accept", "crash", "pause", "disk", "clocks", "drain", "fairness")
CALLERS: dict[StoreKind, int] = {"sqlite": 2, "postgres": 8}
"""A kill makes unknown whatever bare create is on its way just then. One process with everything in it, killed twice
a second, is not filled to its brim, so that the share of the unknown tells of the product and not of the load."""
BACKLOG: dict[StoreKind, int] = {"sqlite": 20, "postgres": 400}
"""On PostgreSQL the customers of a dead worker wait until it is known to be dead; the others go on meanwhile."""
HANGING = Mix(hang=1)
"""The full runs also have calls that nobody ever answers: each costs its caller the whole deadline."""


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    made = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    made.add_argument("run", nargs="?", default="main", choices=(*RUNS, "full", "short"))
    names = [run.name for run in full(Path())]
    known = sorted({*names, *(name.partition("-")[0] for name in names)})
    made.add_argument("--only", action="append", choices=known, help="of the full runs", metavar="NAME")
    made.add_argument("--store", choices=STORES, action="append", help="both unless one is named")
    made.add_argument("--operations", type=int, default=2000)
    made.add_argument("--kills", type=int, default=40, help="kills, crashes, drains or times the disk is full")
    made.add_argument("--sigstop", type=int, default=0, help="processes that are paused, on PostgreSQL")
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--servers", type=int, default=2, help="on PostgreSQL")
    made.add_argument("--workers", type=int, default=3, help="on PostgreSQL")
    made.add_argument("--customers", type=int, default=8)
    made.add_argument("--callers", type=int, help="who hand operations in at once")
    made.add_argument("--backlog", type=int, help="accepted operations that may wait for a first try")
    made.add_argument("--kind", choices=("mixed", *CREATES), default="mixed", help="what creates are made of")
    made.add_argument("--on-ambiguous", choices=("park", "retry"), default="park")
    made.add_argument("--smooth", action="store_true", help="let the provider do as it is told")
    made.add_argument("--waiting", type=float, default=0.0, help="share of the dead whose silence is waited for")
    made.add_argument("--durable", action="store_true", help="let PostgreSQL wait for the disk")
    return made


def asked(given: argparse.Namespace, folder: Path) -> Iterator[Run]:
    """List the runs that a command line asks for."""
    stores: list[StoreKind] = given.store or list(STORES)
    if given.run == "full":
        yield from _only(full(folder, seed=given.seed, stores=stores), names=given.only)
    elif given.run == "short":
        yield from short(seed=given.seed, stores=stores)
    else:
        for store in stores:
            yield from _single(given, store, folder)


def _only(runs: Iterator[Run], *, names: list[str] | None) -> Iterator[Run]:
    """Leave out what was not named, each in full or by what is done."""
    return (run for run in runs if not names or run.name in names or run.name.partition("-")[0] in names)


def short(*, seed: int = 1, stores: list[StoreKind] | None = None, folder: Path | None = None) -> Iterator[Run]:
    """List the runs for every change: 2,000 operations and 40 kills in all, a crash or two, a few drains."""
    for store in stores or STORES:
        options = main.Options(
            name=f"main {store}",
            size=Size(store=store, servers=2, workers=2),
            plan=Plan(operations=1000, seed=seed),
            wounds=Wounds(kill=20, crash=2 if store == "postgres" else 0),
            folder=folder,
            # At a load of 30 on two cores it took 2.2 s (2026-11-22).
            back_seconds=15,
            callers=CALLERS[store],
            backlog=BACKLOG[store],
        )
        yield _run_of(options)


def _run_of(options: main.Options) -> Run:
    return Run(name=options.name.replace(" ", "-"), begin=partial(main.run, options))


def full(folder: Path, *, seed: int = 1, stores: list[StoreKind] | None = None) -> Iterator[Run]:
    """List the runs for every night, the longest first."""
    named = stores or STORES
    runs = [_full_main(store, seed) for store in reversed(named)]
    for alike in zip(*runs, strict=True):
        yield from map(_run_of, alike)
    if "postgres" in named:
        yield _run_of(_crashes(2000, 20, seed))
        yield _run_of(_pauses(1500, 20, seed))
    if "sqlite" in named:
        yield Run(name="disk", begin=partial(disk.run, disk.Options(seed=seed)))
    for store in named:
        clock, draining = clocks.Options(store=store, seed=seed), drain.Options(store=store, seed=seed)
        yield Run(name=f"clocks-{store}", begin=partial(clocks.run, clock, folder))
        yield Run(name=f"drain-{store}", begin=partial(drain.run, draining))
        mountain = fairness.Options(store=store, queued=100_000 if store == "sqlite" else 20_000)
        yield Run(name=f"fairness-{store}", begin=partial(fairness.run, mountain))


def _full_main(store: StoreKind, seed: int) -> list[main.Options]:
    first = main.Options(
        name=f"main {store}",
        size=Size(store=store, servers=2, workers=3, customers=12),
        plan=Plan(operations=10_000, customers=12, seed=seed),
        mix=HANGING,
        wounds=Wounds(kill=200),
        waiting_share=0.05,
        callers=CALLERS[store],
        backlog=BACKLOG[store],
    )
    retrying = replace(
        first,
        name=f"retry {store}",
        plan=Plan(operations=3000, customers=12, seed=seed, on_ambiguous="retry"),
        mix=Mix(),
        wounds=Wounds(kill=60),
    )
    return [first, retrying, _accepts(store, 3000, 100, seed)]


def _accepts(store: StoreKind, operations: int, kills: int, seed: int) -> main.Options:
    """Nothing but accepts and kills: no backlog is too long, and the provider does as it is told."""
    return main.Options(
        name=f"accept {store}",
        size=Size(store=store, servers=2, workers=0),
        plan=Plan(operations=operations, seed=seed, create_share=1),
        mix=SMOOTH,
        wounds=Wounds(kill=kills),
        backlog=operations,
        # A kill for every thirty operations, and hundreds waiting: more creates are on their way when one comes.
        most_unknown=0.1,
        # At a load of 38 a process lived four seconds and a call took two: one of 1,100 was alone at three deaths.
        most_poison=max(1, operations // 500),
    )


def _crashes(operations: int, crashes: int, seed: int) -> main.Options:
    return main.Options(
        name="crash postgres",
        size=Size(store="postgres", servers=2, workers=2, durable=True),
        plan=Plan(operations=operations, seed=seed),
        wounds=Wounds(crash=crashes),
    )


def _pauses(operations: int, stops: int, seed: int) -> main.Options:
    return main.Options(
        name="pause postgres",
        size=Size(store="postgres", servers=2, workers=3),
        plan=Plan(operations=operations, seed=seed),
        wounds=Wounds(stop=stops),
    )


def _single(given: argparse.Namespace, store: StoreKind, folder: Path) -> Iterator[Run]:
    """List the one run of a name, as big as was asked for; nothing where it is not for this database."""
    operations, kills, seed = given.operations, given.kills, given.seed
    runs: dict[str, Callable[[], Awaitable[Report]]] = {
        "main": partial(main.run, _main(given, store)),
        "retry": partial(main.run, _main(given, store)),
        "accept": partial(main.run, _accepts(store, operations, kills, seed)),
        "clocks": partial(clocks.run, clocks.Options(store=store, operations=operations, seed=seed), folder),
        "drain": partial(drain.run, drain.Options(store=store, times=kills, seed=seed)),
        "fairness": partial(fairness.run, fairness.Options(store=store, queued=operations)),
    }
    if store == "postgres":
        runs["crash"] = partial(main.run, _crashes(operations, kills, seed))
        runs["pause"] = partial(main.run, _pauses(operations, kills, seed))
    else:
        runs["disk"] = partial(disk.run, disk.Options(operations=operations, times=kills, seed=seed))
    if given.run in runs:
        yield Run(name=f"{given.run}-{store}", begin=runs[given.run])


def _main(given: argparse.Namespace, store: StoreKind) -> main.Options:
    creates: tuple[Kind, ...] = CREATES if given.kind == "mixed" else (given.kind,)
    retrying = given.run == "retry" or given.on_ambiguous == "retry"
    return main.Options(
        name=f"{given.run} {store}",
        size=Size(
            store=store,
            servers=given.servers,
            workers=given.workers,
            customers=given.customers,
            durable=given.durable,
        ),
        plan=Plan(
            operations=given.operations,
            customers=given.customers,
            creates=creates,
            on_ambiguous="retry" if retrying else "park",
            seed=given.seed,
        ),
        mix=SMOOTH if given.smooth else Mix(),
        wounds=Wounds(kill=given.kills, stop=given.sigstop if store == "postgres" else 0),
        waiting_share=given.waiting,
        callers=given.callers or CALLERS[store],
        backlog=given.backlog or BACKLOG[store],
    )
