"""How often each caller may come: by key, by address, and by the connection that is called."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from server.access.errors import TooManyRequests, Unauthenticated
from server.access.keyring import Access
from server.door.peers import client_address, neighbourhood
from server.rates import Buckets, Rate
from server.settings import Settings


class Limits:
    """Counts callers, and turns away who comes too often. What the settings leave unlimited costs nothing."""

    def __init__(self, settings: Settings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._keys, self._browsers, self._failures, self._connections = (
            None if rate is None else Buckets(rate, monotonic=monotonic) for rate in _rates(settings)
        )

    async def counted(self, authenticating: Awaitable[Access], scope: Any) -> Access:
        """Wait for a credential to be checked, and count the request as its holder's.

        Raises `Unauthenticated`, or `TooManyRequests` for it once an address has failed too often. A credential that
        is good is let in however often its neighbours failed: behind one address may be a whole office.
        """
        try:
            access = await authenticating
        except Unauthenticated:
            if self._failures is not None:
                _take(self._failures, neighbourhood(client_address(scope, self._settings)))
            raise
        if access.reach == "full":
            if self._keys is not None:
                _take(self._keys, access.key_id)
        elif self._browsers is not None:
            # A key that ships in browsers is everybody's, so one visitor must not use up what the others need.
            address = neighbourhood(client_address(scope, self._settings))
            _take(self._browsers, (access.key_id, address, access.group_ref))
        return access

    def connection(self, connection_id: str) -> None:
        """Count a call on behalf of a connection, before anything is sent or stored. Raises `TooManyRequests`."""
        if self._connections is not None:
            _take(self._connections, connection_id)

    def grant(self, connection_id: str, count: int) -> tuple[int, int]:
        """Count up to so many calls on behalf of a connection; answer how many it may make now.

        And if it is none, in how many seconds there will be one.
        """
        if self._connections is None:
            return count, 0
        for taken in range(count):
            if after_seconds := self._connections.take(connection_id):
                return taken, after_seconds
        return count, 0

    def give_back(self, connection_id: str, count: int) -> None:
        """Take calls off the count that were granted and not made."""
        if self._connections is not None:
            self._connections.give_back(connection_id, count)


def _rates(settings: Settings) -> tuple[Rate | None, ...]:
    return settings.key_rate, settings.browser_rate, settings.failure_rate, settings.connection_rate


def _take(buckets: Buckets, caller: Hashable) -> None:
    if after_seconds := buckets.take(caller):
        raise TooManyRequests(after_seconds)
