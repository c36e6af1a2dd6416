"""Who presents this key: the look-up, remembered for at most a second."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from installations.installation import ApiKey, Project
from server.access.errors import Forbidden, Unauthenticated
from server.access.keys import digest, is_well_formed
from server.store.contract import Missing

REMEMBER_SECONDS = 1.0
"""Revocation reaches every process within this time, even when no change was announced."""
REMEMBER_KEYS = 10_000


class KeyStore(Protocol):
    """The part of the store a key ring needs."""

    async def api_key(self, digest: bytes) -> ApiKey | None:
        """Find a key."""

    async def project(self, id_or_name: str) -> Project:
        """Find a project."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a credential opens: one project, fully or for a browser."""

    project_id: str
    project_name: str
    key_id: str
    full: bool
    """False for a key that ships in browsers."""

    def enter(self, project_id_or_name: str) -> str:
        """Answer the project's id. Raises `Missing` for any other project, just as for one that does not exist."""
        if project_id_or_name in (self.project_id, self.project_name):
            return self.project_id
        raise Missing("There is no such project.")

    def require_full(self) -> None:
        """Raises `Forbidden` for a key that ships in browsers."""
        if not self.full:
            raise Forbidden("A frontend key may not do this; use a key with the scope full.")


class Keyring:
    """Answers who presents a key. A few microseconds when it was presented a moment ago."""

    def __init__(self, store: KeyStore, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Access]] = {}
        self._asked: dict[str, asyncio.Task[Access]] = {}
        self._age = 0

    def forget(self) -> None:
        """Drop everything remembered, because something changed. A look-up under way is not remembered either."""
        self._known.clear()
        self._asked.clear()
        self._age += 1

    async def authenticate(self, presented: str | None) -> Access:
        """Answer what the value of the ``X-Api-Key`` header opens. Raises `Unauthenticated`."""
        if presented is None:
            raise Unauthenticated("Send an API key in the header X-Api-Key.")
        known = self._known.get(presented)
        if known is not None and known[0] > self._monotonic():
            return known[1]
        # Under load a key's time is over for many requests at once: one of them asks, all wait for it.
        asked = self._asked.get(presented)
        if asked is None:
            asked = self._asked[presented] = asyncio.create_task(self._look_up(presented))
            asked.add_done_callback(lambda _: self._asked.pop(presented, None))
        return await asyncio.shield(asked)

    async def _look_up(self, presented: str) -> Access:
        age = self._age
        key = await self._store.api_key(digest(presented)) if is_well_formed(presented) else None
        if key is None or not key.active:
            raise Unauthenticated("The API key is unknown or was switched off.")
        project = await self._store.project(key.project_id)
        access = Access(project_id=project.id, project_name=project.name, key_id=key.id, full="full" in key.scopes)
        if age == self._age:
            self._remember(presented, access)
        return access

    def _remember(self, presented: str, access: Access) -> None:
        if len(self._known) >= REMEMBER_KEYS:
            self._known.clear()
        self._known[presented] = (self._monotonic() + REMEMBER_SECONDS, access)
