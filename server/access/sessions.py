"""Session tokens: what a builder's backend would sign itself, signed by the server for whoever shows a full key.

Each project has a key for it, made when it is first needed and registered among its JWT keys like a builder's own: what
checks tokens knows no difference, and switching the key off ends every token it signed. Its private half never leaves
the store but to sign here.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from joserfc.jwk import RSAKey

from connectors.secret import Secret
from installations.installation import JwtKey
from server import logs
from server.access.remembered import Remembered
from server.access.signing import Pair, new_pair, sign, stored_key
from server.clock import Clock, NewId
from server.store.contract import SessionKey

LABEL = "Session tokens (signed by this server)"
"""By which people know the key in a list of JWT keys."""


class SessionKeys(Protocol):
    """The part of the store that this needs."""

    async def keep_session_key(self, key: JwtKey, *, private_key: bytes) -> SessionKey:
        """Store a key, unless there is one in use; answer the one that is in use then."""

    async def session_key(self, project_id: str) -> SessionKey | None:
        """Open the key in use."""


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """A token, and when its time is over."""

    token: Secret
    expire_time: datetime


class _Signer(msgspec.Struct, frozen=True, kw_only=True):
    kid: str
    key: RSAKey


class Sessions:
    """Issues session tokens. What it knows of keys it knows for a second at most, and not beyond a change."""

    def __init__(
        self,
        store: SessionKeys,
        *,
        clock: Clock,
        new_id: NewId,
        make_pair: Callable[[], Pair] = new_pair,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_id = new_id
        self._make_pair = make_pair
        self._signers = Remembered(self._signer, monotonic=monotonic)
        self._making = asyncio.Lock()

    def forget(self) -> None:
        """Look keys up again, because something changed."""
        self._signers.forget()

    async def issue(self, project_id: str, *, group_ref: str, consumer_ref: str, seconds: int) -> Issued:
        """Sign a token for one person. Raises `Missing` for a project that does not exist, and `BadSigner`."""
        signer = await self._signers.get(project_id)
        now = int(self._clock().timestamp())
        token = sign(
            signer.key, kid=signer.kid, group_ref=group_ref, consumer_ref=consumer_ref, now=now, seconds=seconds
        )
        return Issued(token=Secret(token), expire_time=datetime.fromtimestamp(now + seconds, UTC))

    async def _signer(self, project_id: str) -> _Signer:
        found = await self._store.session_key(project_id) or await self._made(project_id)
        return _Signer(kid=found.id, key=stored_key(found.private_key))

    async def _made(self, project_id: str) -> SessionKey:
        """Make the project's key. Where somebody else was faster, theirs is the one."""
        async with self._making:  # a pair keeps a core busy for up to half a second, and one core is enough
            pair = await asyncio.to_thread(self._make_pair)
        now = self._clock()
        key = JwtKey(
            id=self._new_id(),
            project_id=project_id,
            label=LABEL,
            public_key_pem=pair.public_pem,
            active=True,
            create_time=now,
            update_time=now,
        )
        kept = await self._store.keep_session_key(key, private_key=pair.private_pem)
        if kept.id == key.id:
            logs.event("session_key.made", project_id=project_id, key_id=key.id)
        return kept
