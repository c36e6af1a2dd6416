"""When which process is killed: drawn from a seed, told in accepted operations and not in seconds."""

import random
from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

Wound = Literal["kill", "stop", "crash"]
"""``kill``: SIGKILL, and another takes its place. ``stop``: SIGSTOP, and SIGCONT when it is long taken for dead.

``crash``: the database ends at once, and is started again.
"""
LONGEST_PAUSE = 0.05
YOUNG_SHARE = 0.1
"""Of the kills that hit the same place again while its new process is still starting."""


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """One kill."""

    after_accepts: int
    """It is due when so many operations have been accepted ..."""
    pause_seconds: float
    """... and this long after."""
    seat: int
    """Which of the processes."""
    wound: Wound = "kill"
    young_seconds: float | None = None
    """Where it is not ``None``, whoever takes the place is killed after so many seconds; that is one of the kills."""


class Wounds(msgspec.Struct, frozen=True, kw_only=True):
    """How many of each."""

    kill: int = 0
    stop: int = 0
    crash: int = 0


def schedule(wounds: Wounds, *, operations: int, seats: int, seed: int) -> list[Kill]:
    """Spread the wounds over the run, the last ones shortly before its end."""
    chance = random.Random(seed)  # noqa: S311 -- a schedule, no secrets
    drawn = _shuffled(wounds, chance)
    made: list[Kill] = []
    young = [chance.random() < YOUNG_SHARE and wound == "kill" for wound in drawn]
    step = operations / (len(drawn) + 1)
    for index, wound in enumerate(drawn):
        if index and young[index] and made[-1].young_seconds is None and made[-1].wound == "kill":
            made[-1] = msgspec.structs.replace(made[-1], young_seconds=chance.uniform(0, 0.4))
            continue
        after = (index + 1) * step + chance.uniform(-step / 2, step / 2)
        seat, pause = chance.randrange(seats), chance.uniform(0, LONGEST_PAUSE)
        made.append(Kill(after_accepts=max(1, int(after)), pause_seconds=pause, seat=seat, wound=wound))
    return sorted(made, key=lambda kill: kill.after_accepts)


def _shuffled(wounds: Wounds, chance: random.Random) -> list[Wound]:
    made: list[Wound] = [wound for wound in get_args(Wound) for _ in range(getattr(wounds, wound))]
    chance.shuffle(made)
    return made


def count(plan: Sequence[Kill]) -> int:
    """Count the processes that are killed."""
    return sum((kill.wound == "kill") + (kill.young_seconds is not None) for kill in plan)
