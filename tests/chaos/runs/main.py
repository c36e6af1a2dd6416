"""The main run: thousands of operations, a provider that misbehaves, processes killed or paused at random."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from tests.chaos.callers import Callers
from tests.chaos.faults import Mix
from tests.chaos.judge import MOST_UNKNOWN, Broken, Ended, Story, Verdict, effect_of, judge
from tests.chaos.provider import TAG
from tests.chaos.schedule import Wounds, schedule
from tests.chaos.sentry import watched
from tests.chaos.stage import Size, Stage, stage
from tests.chaos.stillness import longest_gap, longest_stall, longest_take_over
from tests.chaos.telling import Report, evidence
from tests.chaos.watching import logs, settled
from tests.chaos.workload import Plan, workload
from tests.chaos.wounding import Wounding

BACKLOG = 60
"""Accepted operations that have not been tried yet: more are accepted only when some of these have."""
STILL_SECONDS = 1.0
"""When nothing more has been tried for so long, whatever waits is not waited for: a kill may have taken it for good."""
BACK_SECONDS = 5.0
"""How soon operations are accepted again after a crashed database is there, beside what the slowest accepts of the run
take: where a hundredth of them takes 8 s, the machine is to blame for as much."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the main run does."""

    name: str
    size: Size
    plan: Plan
    mix: Mix = Mix()
    wounds: Wounds = Wounds()
    waiting_share: float = 0.0
    """Of the killed on PostgreSQL, whose silence is waited for."""
    callers: int = 12
    backlog: int = BACKLOG
    most_unknown: float = MOST_UNKNOWN
    most_poison: int = 0
    back_seconds: float = BACK_SECONDS
    """Longer where the machine is shared with other tests."""
    folder: Path | None = None


class Pace:
    """Lets callers go on while few enough accepted operations wait for their first try."""

    def __init__(self, put_up: Stage, backlog: int) -> None:
        self._seen = put_up.provider.seen
        self._backlog = backlog
        self._last = (0, time.monotonic())

    def __call__(self, accepted: int) -> bool:
        """Tell whether another operation may be handed in, after so many that go out later."""
        now = time.monotonic()
        if len(self._seen) != self._last[0]:
            self._last = (len(self._seen), now)
        return accepted - len(self._seen) < self._backlog or now - self._last[1] > STILL_SECONDS


async def run(options: Options) -> Report:
    """Do it, and hold the ledger against the operations."""
    seed = options.plan.seed
    async with stage(options.size, mix=options.mix, seed=seed, folder=options.folder) as put_up:
        callers = Callers(put_up.fleet, put_up.town, may_go_on=Pace(put_up, options.backlog))
        wounding = Wounding(put_up.fleet, waiting_share=options.waiting_share, seed=seed)
        seats = len(put_up.fleet.seats)
        wounds = schedule(options.wounds, operations=options.plan.operations, seats=seats, seed=seed)
        started = time.monotonic()
        async with watched(put_up, callers):
            async with asyncio.TaskGroup() as tasks:
                asks = workload(options.plan, plant=put_up.provider.plant)
                tasks.create_task(callers.hand_in(asks, callers=options.callers))
                tasks.create_task(wounding.carry_out(wounds, callers))
            handed_in = time.monotonic()
            ended = await settled(put_up)
        figures = {
            **({"stops": str(wounding.stops)} if wounding.stops else {}),
            **_crashes(wounding),
            "seconds accepting": f"{handed_in - started:.1f}",
            "seconds ending": f"{time.monotonic() - handed_in:.1f}",
        }
        made = await report(
            options.name,
            put_up,
            callers,
            ended,
            on_ambiguous=options.plan.on_ambiguous,
            most_unknown=options.most_unknown,
            most_poison=options.most_poison,
        )
        return replace(
            made, figures={**made.figures, **figures}, broken=[*made.broken, *_slow(wounding, callers, options)]
        )


async def report(
    name: str,
    put_up: Stage,
    callers: Callers,
    ended: dict[str, Ended],
    *,
    on_ambiguous: Literal["park", "retry"] = "park",
    excused: frozenset[str] = frozenset(),
    most_unknown: float = MOST_UNKNOWN,
    most_poison: int = 0,
) -> Report:
    """Judge a run and gather what it was like. ``excused`` are reasons for which operations may fail in it."""
    verdict = await verdict_on(
        put_up,
        callers,
        ended,
        on_ambiguous=on_ambiguous,
        excused=excused,
        most_unknown=most_unknown,
        most_poison=most_poison,
    )
    broken = [*verdict.broken, *_strange(callers)]
    return Report(
        name=name,
        figures=_figures(put_up, callers, verdict),
        broken=broken,
        evidence=await evidence(put_up, broken),
    )


async def verdict_on(
    put_up: Stage,
    callers: Callers,
    ended: dict[str, Ended],
    *,
    on_ambiguous: Literal["park", "retry"] = "park",
    excused: frozenset[str] = frozenset(),
    most_unknown: float = MOST_UNKNOWN,
    most_poison: int = 0,
) -> Verdict:
    """Judge a run. Where duplicates were allowed, the log of each has to say that nobody knew."""
    effects = [effect_of(entry, tag=_tag(entry.fields)) for entry in put_up.provider.ledger()]
    story = Story(
        asked=callers.asked,
        operations=ended,
        effects=effects,
        on_ambiguous=on_ambiguous,
        excused=excused,
        most_unknown=most_unknown,
        most_poison=most_poison,
    )
    verdict = judge(story)
    twice = {each.operation_id for each in verdict.broken if each.promise == "nothing happens twice"}
    if on_ambiguous == "park" or not twice:
        return verdict
    doubted = [name for name in twice if any("effect=ambiguous" in line for line in await logs(put_up, name))]
    return judge(replace(story, doubted=frozenset(doubted)))


def _tag(fields: object) -> str:
    found = TAG.search(msgspec.json.encode(fields))
    return found.group().decode() if found is not None else ""


def _strange(callers: Callers) -> list[Broken]:
    return [
        Broken(promise="answers are as published", tag=each.tag, said=f"was answered {each.status}: {each.body}")
        for each in callers.strange
    ]


def _slow(wounding: Wounding, callers: Callers, options: Options) -> list[Broken]:
    most = options.back_seconds + _cut(callers.seconds, 99)
    return [
        Broken(promise="work goes on soon", tag="", said=f"accepted again {seconds:.1f} s after the database was back")
        for seconds in wounding.back
        if seconds > most
    ]


def _crashes(wounding: Wounding) -> dict[str, str]:
    if not wounding.back:
        return {}
    return {"database crashes": str(len(wounding.back)), "accepting again after s": f"{max(wounding.back):.2f}"}


def _figures(put_up: Stage, callers: Callers, verdict: Verdict) -> dict[str, str]:
    calls = put_up.provider.calls
    return {
        "kills": str(put_up.fleet.kills),
        **{name: str(count) for name, count in verdict.figures.items()},
        "provider calls": str(len(calls)),
        "faults": str(sum(call.fault is not None for call in calls)),
        "early calls": str(put_up.provider.early),
        "requests cut": str(callers.cut),
        "requests put off": str(callers.refused),
        "keys still in use (409)": str(callers.statuses[409]),
        "accept p50 / p99 ms": _quantiles(callers.seconds),
        "longest take-over s": f"{longest_take_over(callers.later, calls).seconds:.1f}",
        "longest stall of one s": f"{longest_stall(callers.later, calls).seconds:.1f}",
        "longest gap s": f"{longest_gap(callers.later, calls).seconds:.1f}",
    }


def _quantiles(seconds: Sequence[float]) -> str:
    return f"{_cut(seconds, 50) * 1000:.0f} / {_cut(seconds, 99) * 1000:.0f}"


def _cut(seconds: Sequence[float], hundredth: int) -> float:
    return statistics.quantiles(seconds, n=100)[hundredth - 1] if len(seconds) > 1 else 0.0
