"""Heartbeats, leases and uploads in memory."""

import math
import time
from datetime import UTC, datetime

import msgspec

from server.store.contract import Missing, Taken, Upload
from server.store.memory.shelf import Shelf


class MemoryHeartbeats(Shelf):
    """Implements `contract.Heartbeats`."""

    async def beat(self, owner: str, *, kind: str) -> None:  # noqa: ARG002 -- kept for the operator where there is a table
        """Say that this process lives."""
        self.processes[owner] = time.monotonic()

    async def living(self, *, within_seconds: float) -> list[str]:
        """List the processes heard of lately."""
        since = time.monotonic() - within_seconds
        return sorted(owner for owner, seen in self.processes.items() if seen >= since)

    async def time(self) -> datetime:
        """Tell the system's time."""
        return datetime.now(UTC)

    async def epoch(self) -> int:
        """Tell a number that grows with every change of configuration."""
        return self.changes

    async def sweep(self, *, now: datetime) -> None:
        """Forget idempotency keys, uploads and connect sessions whose time is over."""
        self.idempotency = {place: held for place, held in self.idempotency.items() if held[0].expire_time > now}
        self.uploads = {key: upload for key, upload in self.uploads.items() if upload.expire_time > now}
        self.sessions = {key: session for key, session in self.sessions.items() if session.expire_time > now}


class MemoryLeases(Shelf):
    """Implements `contract.Leases`."""

    async def take_lease(self, name: str, *, owner: str, seconds: float, dead_after_seconds: float) -> bool:
        """Take a lease if nobody alive holds it."""
        now = time.monotonic()
        holder, over = self.leases.get(name, (owner, now))
        taken_lately = over - now > seconds - dead_after_seconds
        if holder != owner and over > now and (taken_lately or not self._is_dead(holder, now, dead_after_seconds)):
            return False
        self.leases[name] = (owner, now + seconds)
        return True

    async def release_lease(self, name: str, *, owner: str) -> None:
        """Give a lease back, if it is still ours."""
        if name in self.leases and self.leases[name][0] == owner:
            del self.leases[name]

    async def abandoned_leases(self, prefix: str, *, dead_after_seconds: float, limit: int) -> list[str]:
        """List leases that nobody gave back."""
        now = time.monotonic()
        left = [
            (over, name)
            for name, (holder, over) in self.leases.items()
            if name.startswith(prefix) and (over <= now or self._is_dead(holder, now, dead_after_seconds))
        ]
        return [name for _, name in sorted(left)[:limit]]

    def _is_dead(self, owner: str, now: float, after_seconds: float) -> bool:
        return now - self.processes.get(owner, math.inf) > after_seconds


class MemoryUploads(Shelf):
    """Implements `contract.Uploads`."""

    async def create_upload(self, upload: Upload) -> None:
        """Open a place."""
        self.require_project(upload.project_id)
        self.uploads[upload.id] = upload

    async def fill_upload(self, upload_id: str, content: bytes, *, now: datetime) -> None:
        """Put the archive there, once."""
        upload = await self.upload(upload_id, now=now)
        if upload.content:
            raise Taken("this upload is filled already", existing_id=upload_id)
        self.uploads[upload_id] = msgspec.structs.replace(upload, content=content)

    async def upload(self, upload_id: str, *, now: datetime) -> Upload:
        """Look at it without taking it."""
        upload = self.uploads.get(upload_id)
        if upload is None or upload.expire_time <= now:
            raise Missing(f"no upload {upload_id!r}")
        return upload

    async def take_upload(self, project_id: str, upload_id: str, *, now: datetime) -> Upload:
        """Take a filled one out, once."""
        upload = await self.upload(upload_id, now=now)
        if upload.project_id != project_id or not upload.content:
            raise Missing(f"no upload {upload_id!r}")
        return self.uploads.pop(upload_id)
