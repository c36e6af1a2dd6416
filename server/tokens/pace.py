"""How fast everything about a renewal goes. The figures depend on each other; tests inject the clockwork."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import msgspec


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, and what passes them."""

    deadline_seconds: float = 20.0
    """For one request to a token endpoint; shorter than the lease, so that nobody else begins meanwhile."""
    lease_seconds: float = 30.0
    dead_after_seconds: float = 6.0
    """A process not heard of for this long (three beats) loses its leases: providers forgive a second use of a
    refresh token for a short time only."""
    poll_seconds: tuple[float, float] = (0.1, 0.25)
    """How often the store is asked, at least and at most, by a process that waits for another one's renewal."""
    patience_seconds: float = 35.0
    """How long a request waits for a renewal, be it ours or another process's."""
    again_after_seconds: tuple[float, ...] = (1.0, 2.0)
    """When the same refresh token is tried again after its answer was lost: it may be spent, and soon too late."""
    first_pause_seconds: float = 1.0
    """How long the token endpoint is left alone after a failure; it doubles with each one."""
    longest_pause_seconds: float = 60.0
    save_seconds: float = 60.0
    """How long storing renewed tokens is tried while the database is away."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    random: Callable[[], float] = random.random
    """From 0 to 1."""

    def poll_pause(self) -> float:
        """Draw how long to wait before the store is asked again."""
        shortest, longest = self.poll_seconds
        return shortest + (longest - shortest) * self.random()
