"""What the store promises to processes that share it: who lives, who holds what, and what is on its way through."""

from datetime import datetime
from typing import Protocol

import msgspec


class Heartbeats(Protocol):
    """Which processes live. Time is the database's own where processes share one."""

    async def beat(self, owner: str, *, kind: str) -> None:
        """Say that this process lives."""

    async def living(self, *, within_seconds: float) -> list[str]:
        """List the processes heard of lately."""

    async def time(self) -> datetime:
        """Tell the database's own time (UTC), which processes that share it agree on."""

    async def epoch(self) -> int:
        """Tell a number that grows with every change of configuration, so that caches know when to forget."""

    async def sweep(self, *, now: datetime) -> None:
        """Forget idempotency keys, uploads and connect sessions whose time is over."""


class Leases(Protocol):
    """Who alone may do something for a while. Time is the database's own, so that processes agree."""

    async def take_lease(self, name: str, *, owner: str, seconds: float, dead_after_seconds: float) -> bool:
        """Take a lease that is free, over, held by ``owner`` itself, or held by a process that has not been heard of.

        To take one is to be heard of. Who was never heard of otherwise counts as alive until the lease is over.
        """

    async def release_lease(self, name: str, *, owner: str) -> None:
        """Give a lease back; one that somebody else has taken meanwhile is left alone."""

    async def abandoned_leases(self, prefix: str, *, dead_after_seconds: float, limit: int) -> list[str]:
        """List leases that nobody gave back: they are over, or their holder has not been heard of for so long.

        What they guarded was broken off. The oldest come first; taking one and giving it back strikes it off the list.
        """


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A place where a manifest archive may be put once."""

    id: str
    project_id: str
    md5: str
    """Base64, as announced; empty where the client did not say."""
    expire_time: datetime
    content: bytes = b""


class Uploads(Protocol):
    """Archives on their way to a deployment. Short-lived, single use."""

    async def create_upload(self, upload: Upload) -> None:
        """Open a place."""

    async def fill_upload(self, upload_id: str, content: bytes, *, now: datetime) -> None:
        """Put the archive there. Raises `Missing` when unknown or expired, `Taken` when filled already."""

    async def upload(self, upload_id: str, *, now: datetime) -> Upload:
        """Look at it without taking it; the project is not known yet. Raises `Missing`."""

    async def take_upload(self, project_id: str, upload_id: str, *, now: datetime) -> Upload:
        """Take a filled one out, once. Raises `Missing`."""
