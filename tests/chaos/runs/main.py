"""The main run: thousands of operations, a provider that misbehaves, processes killed or paused at random."""

import asyncio
import statistics
import time
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

from tests.chaos.callers import Callers
from tests.chaos.faults import Mix
from tests.chaos.judge import Broken, Ended, Story, Verdict, effect_of, judge
from tests.chaos.provider import TAG
from tests.chaos.schedule import schedule
from tests.chaos.stage import Size, Stage, stage
from tests.chaos.telling import Report, evidence
from tests.chaos.watching import logs, settled
from tests.chaos.workload import Plan, workload
from tests.chaos.wounding import Wounding

BACKLOG = 150
"""Accepted operations that have not been tried yet: more are accepted only when some of these have."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the main run does."""

    name: str
    size: Size
    plan: Plan
    mix: Mix = Mix()
    kills: int = 0
    stops: int = 0
    waiting_share: float = 0.0
    """Of the killed on PostgreSQL, whose silence is waited for."""
    backlog: int = BACKLOG
    folder: Path | None = None


async def run(options: Options) -> Report:
    """Do it, and hold the ledger against the operations."""
    seed = options.plan.seed
    async with stage(options.size, mix=options.mix, seed=seed, folder=options.folder) as put_up:
        callers = Callers(put_up.fleet, put_up.town, may_go_on=_pace(put_up, options.backlog))
        wounding = Wounding(put_up.fleet, waiting_share=options.waiting_share, seed=seed)
        kills = schedule(
            operations=options.plan.operations,
            kills=options.kills,
            stops=options.stops,
            seats=len(put_up.fleet.seats),
            seed=seed,
        )
        started = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(callers.hand_in(workload(options.plan, plant=put_up.provider.plant)))
            tasks.create_task(wounding.carry_out(kills, callers))
        handed_in = time.monotonic()
        ended = await settled(put_up)
        seconds = (handed_in - started, time.monotonic() - handed_in)
        verdict = await verdict_on(put_up, callers, ended, on_ambiguous=options.plan.on_ambiguous)
        broken = [*verdict.broken, *_strange(callers)]
        return Report(
            name=options.name,
            figures={**_figures(put_up, callers, verdict, seconds=seconds), "stops": str(wounding.stops)},
            broken=broken,
            evidence=await evidence(put_up, broken),
        )


async def verdict_on(
    put_up: Stage, callers: Callers, ended: dict[str, Ended], *, on_ambiguous: Literal["park", "retry"] = "park"
) -> Verdict:
    """Judge a run. Where duplicates were allowed, the log of each has to say that nobody knew."""
    effects = [effect_of(entry, tag=_tag(entry.fields)) for entry in put_up.provider.ledger()]
    story = Story(asked=callers.asked, operations=ended, effects=effects, on_ambiguous=on_ambiguous)
    verdict = judge(story)
    twice = {each.operation_id for each in verdict.broken if each.promise == "nothing happens twice"}
    if on_ambiguous == "park" or not twice:
        return verdict
    doubted = [name for name in twice if any("effect=ambiguous" in line for line in await logs(put_up, name))]
    return judge(replace(story, doubted=frozenset(doubted)))


def _pace(put_up: Stage, backlog: int) -> "Pace":
    return Pace(put_up, backlog)


class Pace:
    """Lets callers go on while few enough accepted operations wait for their first try."""

    def __init__(self, put_up: Stage, backlog: int) -> None:
        self._seen = put_up.provider.seen
        self._backlog = backlog

    def __call__(self, accepted: int) -> bool:
        """Tell whether another operation may be handed in. Deletions bear no tag; they are few, and never wait."""
        return accepted * _TAGGED - len(self._seen) < self._backlog


_TAGGED = 0.95


def _tag(fields: object) -> str:
    found = TAG.search(msgspec.json.encode(fields))
    return found.group().decode() if found is not None else ""


def _strange(callers: Callers) -> list[Broken]:
    return [
        Broken(promise="accepted means stored", tag=each.tag, said=f"was answered {each.status}: {each.body}")
        for each in callers.strange
    ]


def _figures(put_up: Stage, callers: Callers, verdict: Verdict, *, seconds: tuple[float, float]) -> dict[str, str]:
    quantiles = statistics.quantiles(callers.seconds, n=100)
    return {
        "kills": str(put_up.fleet.kills),
        **{name: str(count) for name, count in verdict.figures.items()},
        "provider calls": str(len(put_up.provider.calls)),
        "faults": str(sum(call.fault is not None for call in put_up.provider.calls)),
        "early calls": str(put_up.provider.early),
        "requests cut": str(callers.cut),
        "requests put off (503)": str(callers.refused),
        "accept p50 / p99 ms": f"{quantiles[49] * 1000:.0f} / {quantiles[98] * 1000:.0f}",
        "seconds accepting": f"{seconds[0]:.1f}",
        "seconds ending": f"{seconds[1]:.1f}",
    }
