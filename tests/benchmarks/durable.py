"""Asynchronous writes through whole servers: accepting, how soon they are sent, coalescing, finishing, and idling.

    python -m tests.benchmarks.durable [accepts|latency|coalescing|completion|scale|fairness|idle] [sqlite|postgres]

Servers and workers are processes of their own; the load and the provider run in this one. Every figure stands beside a
baseline measured in the same run. Counts and times are bounded.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp
import msgspec

from tests.benchmarks import raw, slower
from tests.benchmarks.houses import House, opened
from tests.benchmarks.loads import load, post
from tests.benchmarks.providers import Provider, hubspot, sandbox, throttling

CONNECTIONS = 32
ROUNDS = 5
ACCEPTS = 2_000
"""Of one round."""
RAW_SECONDS = 1.0
COALESCED = 10_000
BATCH = 100
LANES = 16
COMPLETED = 3_000
IDLE_SECONDS = 20.0
CALL_SECONDS = 0.25
"""What a batch of a hundred takes at the coalescing provider."""
BACKLOG = 100_000
OTHERS = 10


def record(number: int) -> dict[str, Any]:
    """Build a contact."""
    return {"email": f"p{number}@example.test", "firstname": "Ada", "lastname": f"Number {number}", "phone": "1"}


def asynchronous(house: House, number: int, *, group: str = "g0", **rest: Any) -> bytes:
    """Build the bytes of one asynchronous create."""
    body = {"groupRef": group, "type": "create", "mode": "asynchronous", "record": record(number), **rest}
    path = "/v1/projects/bench/integrations/bench/objects/contacts"
    return post(path, msgspec.json.encode(body), headers={"X-Api-Key": house.api_key})


def alone(number: int) -> dict[str, Any]:
    """Build what keeps an operation out of every batch: a header that no other has."""
    return {"headers": [{"key": "X-Number", "value": str(number)}]}


async def accepts(kind: str) -> None:
    """Durable accepts a second, in turns with raw commits of one row each on the same disk.

    Then once more where every sync takes a millisecond longer: on a disk that answers from memory the processor is the
    limit, and a commit for each row costs next to nothing.
    """
    await accepting(kind)
    if not slower.is_slower():
        await asyncio.to_thread(slower.again, "tests.benchmarks.durable", "accepts", kind)


async def accepting(kind: str) -> None:
    """Measure and print it for the disk as it is."""
    async with Provider(throttling(3600), seconds=0.0) as provider, opened(kind, provider, name="sandbox") as house:
        await send(house, lambda number: asynchronous(house, number), count=500)  # the first is refused: a lane on hold
        ratios, waits, costs = [], [], []
        for part in range(1, ROUNDS + 1):
            baseline, used = await raw_rate(kind, house), house.server_cpu_seconds()
            told = await load(
                house.port,
                lambda number, part=part: asynchronous(house, part * ACCEPTS + number),  # type: ignore[misc]
                count=ACCEPTS,
                connections=CONNECTIONS,
            )
            assert told.failures == 0, told.failures
            costs.append((house.server_cpu_seconds() - used) / ACCEPTS * 1e6)
            synced = await asyncio.to_thread(raw.sync_microseconds, house.folder)
            print(
                f"  {told.per_second:.0f} accepts/s; raw single-row commits {baseline:.0f}/s; fdatasync {synced:.0f} us"
            )
            ratios.append(told.per_second / baseline)
            waits += told.latencies
        print(
            f"{kind}: accepts on {CONNECTIONS} connections, {statistics.median(ratios):.2f} of raw commits "
            f"({min(ratios):.2f} to {max(ratios):.2f}), p99 {sorted(waits)[int(len(waits) * 0.99)] * 1000:.1f} ms, "
            f"{statistics.median(costs):.0f} us CPU of the server each"
        )


async def raw_rate(kind: str, house: House) -> float:
    """Measure the baseline: on PostgreSQL with as many connections as the load has."""
    if kind == "postgres":
        return await raw.postgres_rate(house.database_url, connections=CONNECTIONS, seconds=RAW_SECONDS)
    return await asyncio.to_thread(raw.sqlite_rate, house.folder, seconds=RAW_SECONDS)


async def send(house: House, request: Callable[[int], bytes], *, count: int) -> float:
    """Put a load of accepts on; answer the seconds."""
    told = await load(house.port, request, count=count, connections=CONNECTIONS)
    assert told.failures == 0, f"{told.failures} of {count} were not accepted"
    return told.seconds


async def latency(kind: str) -> None:
    """Milliseconds from sending an accept to the provider's hearing of it, on an idle system."""
    async with Provider(sandbox(), seconds=0.0) as provider, opened(kind, provider, name="sandbox") as house:
        waits = []
        for number in range(60):
            provider.reset()
            await asyncio.sleep(0.1 if number % 3 else 0.9)
            started = time.perf_counter()
            await load(house.port, lambda _, number=number: asynchronous(house, number), count=1, connections=1)  # type: ignore[misc]
            await asyncio.wait_for(provider.came.wait(), 10)
            waits.append((provider.first_call - started) * 1000)
        waits.sort()
        print(
            f"{kind}: accept to provider call, idle: median {waits[30]:.1f} ms, p95 {waits[56]:.1f}, "
            f"worst {waits[-1]:.1f}"
        )


async def coalescing(kind: str) -> None:
    """10,000 creates of one account: how many calls, and how long against the same batches by a bare client."""
    async with Provider(throttling(25), seconds=0.0) as provider, opened(kind, provider, name="hubspot") as house:
        seconds = await send(house, lambda number: asynchronous(house, number), count=COALESCED)
        print(f"{kind}: {COALESCED} accepted in {seconds:.1f} s while the provider asked to wait")
        provider.handler, provider.seconds = hubspot(), CALL_SECONDS
        provider.reset()
        await all_done(house, COALESCED, within=120)
        ours = time.perf_counter() - provider.first_call
        calls, at_once = provider.calls, provider.most_under_way
        provider.reset()
        bare = await bare_batches(provider, at_once=at_once)
        print(
            f"{kind}: {calls} provider calls, {at_once} at once, {ours:.2f} s until all were finished; the same "
            f"{COALESCED // BATCH} batches by the bare client {bare:.2f} s; ratio {ours / bare:.2f}"
        )


async def bare_batches(provider: Provider, *, at_once: int) -> float:
    """Send the same batches, prepared, with the HTTP client below ours."""
    bodies = [
        msgspec.json.encode({"inputs": [{"properties": record(start + index)} for index in range(BATCH)]})
        for start in range(0, COALESCED, BATCH)
    ]
    turns = asyncio.Semaphore(at_once)
    async with aiohttp.ClientSession() as session:

        async def call(body: bytes) -> None:
            async with turns, session.post(f"{provider.url}/crm/v3/objects/contacts/batch/create", data=body) as answer:
                await answer.read()

        started = time.perf_counter()
        await asyncio.gather(*map(call, bodies))
        return time.perf_counter() - started


async def all_done(house: House, count: int, *, within: float) -> None:
    """Wait until so many operations have succeeded."""
    deadline = time.perf_counter() + within
    while (done := await house.succeeded()) < count:
        if time.perf_counter() > deadline:
            raise TimeoutError(f"{done} of {count} are done")
        await asyncio.sleep(0.1)


async def completion(kind: str, *, workers: int = 1) -> float:
    """Operations finished a second against a provider of 10 ms, none of them in a batch."""
    async with (
        Provider(sandbox(), seconds=0.01) as provider,
        opened(kind, provider, name="sandbox", groups=LANES, workers=workers) as house,
    ):
        provider.reset()
        started = time.perf_counter()
        await send(house, lambda n: asynchronous(house, n, group=f"g{n % LANES}", **alone(n)), count=COMPLETED)
        accepted = time.perf_counter() - started
        await all_done(house, COMPLETED, within=120)
        seconds = time.perf_counter() - started
        cpu = house.cpu_seconds() / COMPLETED * 1e6
        print(
            f"{kind}: {COMPLETED} operations accepted in {accepted:.1f} s and finished in {seconds:.1f} s: "
            f"{COMPLETED / seconds:.0f}/s with {workers} worker(s), {provider.calls} calls, {cpu:.0f} us CPU each"
        )
        return COMPLETED / seconds


async def scale(kind: str) -> None:
    """The same with 1, 2 and 4 worker processes on one PostgreSQL."""
    del kind
    rates = {workers: await completion("postgres", workers=workers) for workers in (1, 2, 4)}
    print("  ".join(f"{workers} workers {rate / rates[1]:.2f}x" for workers, rate in rates.items()))


async def fairness(kind: str) -> None:
    """Milliseconds from the accept to the call of a customer's first operation, behind another's 100,000."""
    heard: dict[bytes, float] = {}
    answer = sandbox()

    def hearing(path: bytes, body: bytes) -> tuple[bytes, bytes]:
        if (at := body.find(b"other")) >= 0:
            heard.setdefault(body[at : at + 7], time.perf_counter())
        return answer(path, body)

    async with (
        Provider(hearing, seconds=0.01) as provider,
        opened(kind, provider, name="sandbox", groups=OTHERS + 1) as house,
    ):
        seconds = await send(house, lambda number: asynchronous(house, number, **alone(number)), count=BACKLOG)
        waiting, waits = BACKLOG - await house.succeeded(), []
        for number in range(OTHERS):
            name = f"other{number:02}"
            body = asynchronous(house, 0, group=f"g{number + 1}", record={"email": f"{name}@example.test"})
            started = time.perf_counter()
            await load(house.port, lambda _, body=body: body, count=1, connections=1)  # type: ignore[misc]
            while name.encode() not in heard:
                assert time.perf_counter() < started + 30, f"{name} was not heard of"
                await asyncio.sleep(0.002)
            waits.append((heard[name.encode()] - started) * 1000)
        print(
            f"{kind}: {BACKLOG} of one customer accepted in {seconds:.0f} s; behind the {waiting} that waited, the "
            f"first operations of {OTHERS} others were heard of after a median of {statistics.median(waits):.0f} ms, "
            f"at worst {max(waits):.0f}"
        )


async def idle(kind: str) -> None:
    """What a server costs that has nothing to do."""
    async with Provider(sandbox(), seconds=0.0) as provider, opened(kind, provider, name="sandbox") as house:
        await send(house, lambda number: asynchronous(house, number), count=200)
        await all_done(house, 200, within=30)
        await asyncio.sleep(3)
        before = house.cpu_seconds()
        await asyncio.sleep(IDLE_SECONDS)
        share = (house.cpu_seconds() - before) / IDLE_SECONDS * 100
        print(
            f"{kind}: idle {share:.2f} % of a core in {len(house.pids)} process(es), {house.memory_megabytes():.0f} MB"
        )


BENCHMARKS: dict[str, Callable[[str], Coroutine[Any, Any, object]]] = {
    "accepts": accepts,
    "latency": latency,
    "coalescing": coalescing,
    "completion": completion,
    "scale": scale,
    "fairness": fairness,
    "idle": idle,
}


def main() -> None:
    """Run what is asked for; without arguments everything, on both stores."""
    asked = [name for name in BENCHMARKS if name in sys.argv[1:]] or list(BENCHMARKS)
    kinds = [kind for kind in ("sqlite", "postgres") if kind in sys.argv[1:]] or ["sqlite", "postgres"]
    for name in asked:
        for kind in kinds if name != "scale" else ["postgres"]:
            asyncio.run(BENCHMARKS[name](kind))


if __name__ == "__main__":
    main()
