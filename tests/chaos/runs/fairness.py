"""One customer has a mountain of operations waiting; another's first one still goes out at once."""

import asyncio
import time
from itertools import count

import msgspec

from tests.chaos.callers import Callers
from tests.chaos.databases import StoreKind
from tests.chaos.faults import SMOOTH
from tests.chaos.judge import Broken
from tests.chaos.stage import Size, Stage, stage
from tests.chaos.telling import Report
from tests.chaos.workload import ask

LONGEST_SECONDS = 2.0
SLOW_SECONDS = 5.0
"""What a call of the busy customer takes, so that its mountain stays."""
CALLERS = 48


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How high the mountain is, and how many others come."""

    store: StoreKind
    queued: int = 100_000
    others: int = 7


async def run(options: Options) -> Report:
    """Pile up one customer's operations, then hand in one of each other."""
    size = Size(store=options.store, servers=1, workers=2, customers=options.others + 1)
    async with stage(size, mix=SMOOTH, seed=1) as put_up:
        put_up.provider.slow["customer-1"] = SLOW_SECONDS
        callers = Callers(put_up.fleet, put_up.town, may_go_on=lambda _: True)
        started = time.monotonic()
        mountain = (ask(f"chaos-{number:06}", "unique", customer="customer-1") for number in range(options.queued))
        await callers.hand_in(mountain, callers=CALLERS)
        piled = time.monotonic() - started
        waits = [await _first(put_up, callers, number) for number in range(2, options.others + 2)]
        waiting = len(callers.asked) - len(put_up.provider.seen)
        late = [seconds for seconds in waits if seconds > LONGEST_SECONDS]
        return Report(
            name=f"fairness {options.store}",
            figures={
                "queued for one": str(waiting),
                "accepts a second": f"{options.queued / piled:.0f}",
                "another's first after s": f"{max(waits):.2f}",
            },
            broken=[
                Broken(
                    promise="work goes on soon", tag="", said=f"another's first operation went out after {each:.1f} s"
                )
                for each in late
            ],
        )


async def _first(put_up: Stage, callers: Callers, number: int) -> float:
    """Hand in a customer's first operation; answers how many seconds it took to arrive at the provider."""
    tag = f"chaos-{999_000 + number:06}"
    started = time.monotonic()
    await callers.hand_in([ask(tag, "unique", customer=f"customer-{number}")], callers=1)
    for _ in count():
        if tag in put_up.provider.seen or time.monotonic() - started > LONGEST_SECONDS * 30:
            break
        await asyncio.sleep(0.01)
    return time.monotonic() - started
