"""What connections have to live through: many requests at once in two processes, kills in the middle, endless rounds.

Each ordeal answers figures. `tests/server/tokens/test_ordeals.py` runs them briefly, `tests/benchmarks/refreshes.py` in
full.
"""

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from server.settings import Settings
from server.store.opening import open_store
from server.tokens.pace import Pace
from tests.server.store.samples import MASTER_KEY
from tests.server.tokens.rig import RealTime, rigged
from tests.server.tokens.token_server import TokenServer, serving
from tests.server.tokens.workers import HASTY, PACE, STEADY, Call, Worker

_owners = (f"worker-{number}" for number in itertools.count())
GRACE_SECONDS = 30.0
PAUSE_SECONDS = 1.5
"""Longer than the first pause after a rejection."""
MOMENTS_SECONDS = 0.02
"""A kill comes so long, at most, after a token request has come in; answers take as long on their way."""


class Stampede(msgspec.Struct, frozen=True, kw_only=True):
    """What came of many requests with refused tokens."""

    connections: int
    requests: int
    refused: int
    """Requests answered with a 401."""
    refreshes: int
    most_refreshes: int
    """Of one connection."""
    sent_again: int
    """The most times that any request was refused: 1 is one repetition."""
    failed: int


class Survival(msgspec.Struct, frozen=True, kw_only=True):
    """What came of kills."""

    kills: int
    connections: int
    lost: tuple[str, ...]
    """Calls that came to nothing, and again a while later: what they were answered with."""
    refreshes: int
    reuses: int
    """How often a refresh token had been spent by a process that did not live to store the next one."""
    seconds: float


@asynccontextmanager
async def provider(connections: list[str], database_url: str, **screws: object) -> AsyncIterator[TokenServer]:
    """Run a provider, and put connections to it into a database."""
    server = TokenServer(monotonic=time.monotonic, **screws)  # type: ignore[arg-type]
    async with serving(server):
        store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
        await store.start()
        async with rigged(store, server, RealTime()) as rig:
            for name in connections:
                await rig.connect(name=name)
        await store.close()
        yield server


@asynccontextmanager
async def workers(
    count: int, database_url: str, server: TokenServer, *, pace: Pace = PACE
) -> AsyncIterator[list[Worker]]:
    """Run processes that are stopped at the end."""
    made = [Worker(database_url, server.url, owner=next(_owners), pace=pace) for _ in range(count)]
    for one in made:
        await one.ready()
    yield made
    for one in made:
        await one.stop()


async def stampede(database_url: str, *, connections: int, each: int) -> Stampede:
    """In each of two processes, have ``each`` requests for every connection refused at the same moment."""
    names = [f"c{number}" for number in range(connections)]
    async with provider(names, database_url) as server, workers(2, database_url, server, pace=STEADY) as two:
        for one in two:
            assert not any(map(failed, await one.call([(name, "before") for name in names])))
        server.expire()
        server.gather_refused = connections * each * len(two)
        answers = await asyncio.gather(*(one.call(_calls(names, each, of=index)) for index, one in enumerate(two)))
    return Stampede(
        connections=connections,
        requests=sum(map(len, answers)),
        refused=server.refused.total(),
        refreshes=server.refreshes.total(),
        most_refreshes=max(server.refreshes.values(), default=0),
        sent_again=max(server.refused.values(), default=0),
        failed=sum(map(failed, itertools.chain(*answers))),
    )


async def endless(database_url: str, *, rounds: int) -> Survival:
    """Rounds of refused requests in two processes at a provider that takes everything back when a token is reused."""
    names, begun = ["c0", "c1"], time.monotonic()
    async with provider(names, database_url) as server, workers(2, database_url, server, pace=STEADY) as two:
        answers: list[str] = []
        for _ in range(rounds):
            server.expire()
            for told in await asyncio.gather(*(one.call(_calls(names, 2, of=at)) for at, one in enumerate(two))):
                answers += told
    return _survival(server, kills=0, connections=len(names), answers=answers, begun=begun)


async def killed_alone(database_url: str, *, kills: int, connections: int = 8) -> Survival:
    """Kill the only process again and again while it renews; the next one takes up what it left."""
    names, begun = [f"c{number}" for number in range(connections)], time.monotonic()
    async with provider(names, database_url, **_perils()) as server:
        for _ in range(kills):
            one = Worker(database_url, server.url, owner=next(_owners))
            await one.ready()
            await _die(one, names, server)
        async with workers(1, database_url, server) as (last,):
            answers = await _alive(last, names)
    return _survival(server, kills=kills, connections=connections, answers=answers, begun=begun)


async def killed_among_others(database_url: str, *, kills: int, lanes: int = 4) -> Survival:
    """Kill one of two processes while it renews; the other one has the same connections to serve at once."""
    names, begun = [[f"c{lane}-{number}" for number in range(3)] for lane in range(lanes)], time.monotonic()
    async with provider(list(itertools.chain(*names)), database_url, **_perils()) as server:
        shares = [kills // lanes + (lane < kills % lanes) for lane in range(lanes)]
        told = await asyncio.gather(
            *(_lane(database_url, server, mine, kills=share) for mine, share in zip(names, shares, strict=True))
        )
    answers = list(itertools.chain(*told))
    return _survival(server, kills=kills, connections=3 * lanes, answers=answers, begun=begun)


async def _lane(database_url: str, server: TokenServer, names: list[str], *, kills: int) -> list[str]:
    answers: list[str] = []
    survivor = Worker(database_url, server.url, owner=next(_owners), pace=HASTY)
    await survivor.ready()
    for _ in range(kills):
        victim = Worker(database_url, server.url, owner=next(_owners), pace=HASTY)
        await victim.ready()
        await _die(victim, names, server)
        answers += await _alive(survivor, names)
    await survivor.stop()
    return answers


async def _alive(worker: Worker, names: list[str]) -> list[str]:
    """Call each connection; once more where the provider took all tokens back in the very moment of a renewal."""
    answers = dict(zip(names, await worker.call([(name, "after") for name in names]), strict=True))
    again = [name for name, answer in answers.items() if failed(answer)]
    if again:
        await asyncio.sleep(PAUSE_SECONDS)
        answers |= zip(again, await worker.call([(name, "again") for name in again]), strict=True)
    return list(answers.values())


async def _die(victim: Worker, names: list[str], server: TokenServer) -> None:
    server.expire(*names)
    server.arrived.clear()
    calls = asyncio.create_task(victim.call([(name, "last") for name in names]))
    await server.arrived.wait()
    await asyncio.sleep(_chance.uniform(0, 2 * MOMENTS_SECONDS))
    await victim.kill()
    await calls


def failed(answer: str) -> bool:
    """Tell whether a call came to nothing."""
    return not answer.startswith("access-")


_chance = random.Random(20261122)  # noqa: S311 -- moments, no secrets


def _perils() -> dict[str, object]:
    return {"grace_seconds": GRACE_SECONDS, "answer_after": lambda: _chance.uniform(0, MOMENTS_SECONDS)}


def _calls(names: list[str], each: int, *, of: int) -> list[Call]:
    return [(name, f"{of}/{name}/{number}") for number in range(each) for name in names]


def _survival(server: TokenServer, *, kills: int, connections: int, answers: list[str], begun: float) -> Survival:
    return Survival(
        kills=kills,
        connections=connections,
        lost=tuple(filter(failed, answers)),
        refreshes=server.refreshes.total(),
        reuses=server.reuses,
        seconds=round(time.monotonic() - begun, 1),
    )
