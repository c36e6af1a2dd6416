"""Which engine the settings mean. PGQueuer, and the libraries that come with it, are imported for PostgreSQL only."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from server.clock import Clock
from server.engine.embedded import EmbeddedEngine
from server.engine.port import Engine
from server.settings import Settings

Announce = Callable[[Any, Sequence[str]], Awaitable[None]]
"""Submits lanes inside the transaction that is open on a driver's connection."""


def is_distributed(settings: Settings) -> bool:
    """Whether several processes may share the work."""
    return not settings.database_url.startswith("sqlite")


def open_engine(settings: Settings, *, clock: Clock) -> Engine:
    """Choose the engine for ``ISTHMUS_DATABASE_URL``; it connects when it runs."""
    if not is_distributed(settings):
        return EmbeddedEngine(clock=clock)
    from server.engine.pgqueuer import PgqueuerEngine  # noqa: PLC0415 -- a sixth of a second, and 18 MB

    return PgqueuerEngine(settings.database_url, clock=clock)


def announcing(settings: Settings) -> Announce | None:
    """Choose how the store tells the engine of work in the transaction that brings it: nohow where nobody listens."""
    if not is_distributed(settings):
        return None
    from server.engine.pgqueuer import announce  # noqa: PLC0415 -- as above

    return announce
