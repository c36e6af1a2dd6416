"""What goes wrong at the provider, and how often: drawn from a seed, so that a run can be repeated."""

import random
from typing import Literal, get_args

import msgspec

Fault = Literal[
    "throttle",
    "error_before",
    "error_after",
    "reset_before",
    "reset_after",
    "garbled",
    "stall",
    "hang",
]
"""What happens to one call.

``throttle``: 429 with Retry-After, nothing was done. ``error_before``, ``error_after``: a 5xx before or after the
effect. ``reset_before``, ``reset_after``: the connection is cut before or after it. ``garbled``: done, and the answer
is cut in half. ``stall``: done, a long silence, then the connection is cut. ``hang``: done, and nothing ever comes.
"""
ERRORS = (500, 502, 503, 504)


class Mix(msgspec.Struct, frozen=True, kw_only=True):
    """How many of a thousand calls meet each fault, and how long calls take."""

    throttle: int = 10
    error_before: int = 3
    error_after: int = 3
    reset_before: int = 2
    reset_after: int = 5
    garbled: int = 2
    stall: int = 2
    hang: int = 0
    latency_seconds: tuple[float, float] = (0.002, 0.02)
    stall_seconds: float = 1.0

    @property
    def ambiguous(self) -> float:
        """The share of calls after which nobody can know what happened."""
        named = (self.error_before, self.error_after, self.reset_before, self.reset_after, self.stall, self.hang)
        return sum(named) / 1000


SMOOTH = Mix(throttle=0, error_before=0, error_after=0, reset_before=0, reset_after=0, garbled=0, stall=0)
"""A provider that does as it is told."""


class Faults:
    """Draws the fates of calls, one after the other."""

    def __init__(self, mix: Mix, *, seed: int) -> None:
        self.mix = mix
        self._chance = random.Random(seed)  # noqa: S311 -- a schedule, no secrets

    def draw(self) -> Fault | None:
        """Decide the next call's fault."""
        rest = self._chance.randrange(1000)
        for fault in get_args(Fault):
            rest -= getattr(self.mix, fault)
            if rest < 0:
                return fault  # type: ignore[no-any-return]
        return None

    def latency(self) -> float:
        """Decide how many seconds the next call takes."""
        return self._chance.uniform(*self.mix.latency_seconds)

    def status(self) -> int:
        """Decide which 5xx it is."""
        return self._chance.choice(ERRORS)
