"""What customers' own accounts have, as their providers described it: asked once, and kept for a while.

A description is the customer's, so it is kept for one connection as it stands: whatever changes a connection (new
credentials, another workspace, a verdict of its provider) makes another value of it, and what was kept for the earlier
value is not found any more. Nobody has to announce that, and other processes need no telling.
"""

import asyncio
import functools
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol
from weakref import WeakValueDictionary

import httpx
import msgspec

from connectors.connector import Account, Connector, Describer
from connectors.errors import ConnectorError
from installations.errors import InvalidInput, invalid
from installations.installation import Connection
from installations.schema import Absent, ObjectMetadata
from server.delivering.look_ups import Perform
from server.rates import Buckets, Rate

AT_ONCE = 4
"""How many objects of one account are asked for at the same time; the customer waits, and the provider counts."""
FRESH_SECONDS = 600.0
"""How long a description is taken for true. Accounts change by hand, and who changes one can ask for a fresh look."""
FAILED_SECONDS = 10.0
"""How long it is taken for true that an object cannot be described: long enough for the pages that ask together."""
LONGEST_FAILED_SECONDS = 60.0
"""The same where the provider asked to be left alone."""
PATIENCE_SECONDS = 30.0
"""How long one caller waits for everything asked; what comes later is kept for the next."""
MOST_BYTES = 16_000_000
"""Of descriptions as JSON; in memory they take about three times as much. 20 objects of 500 fields are 2.9 MB."""
REFRESHES = Rate(count=1, seconds=5, burst=5)
"""How often one object of a connection is asked for anew: browsers may ask, and the account's quota is not ours."""

Failure = ConnectorError | InvalidInput
Found = ObjectMetadata | Failure
Key = tuple[str, str, str]
"""Project, connection, object."""
Opened = tuple[Connector, Account, httpx.Auth]
_OVERHEAD_BYTES = 1000
"""What an entry counts beside its description and its connection."""


class Accounts(Protocol):
    """Opens a connection for use."""

    async def open(self, connection: Connection) -> Opened:
        """Find the connector, fill in the base URL, decrypt the credentials."""
        ...


class Denied(str):
    """A sentence about why an object could not be described: the provider refuses the credential."""

    __slots__ = ()


_SENTENCES: dict[str, type[str]] = {"unknown_object": Absent, "auth": Denied}


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, for whom, and until when it is believed."""

    connection: Connection
    found: Found
    until: float
    size: int


class _Flight(msgspec.Struct, frozen=True, kw_only=True):
    """A question under way."""

    connection: Connection
    answer: asyncio.Task[Found]
    since: float


class Schemas:
    """The described objects of one process."""

    def __init__(
        self, accounts: Accounts, *, perform: Perform, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._accounts = accounts
        self._perform = perform
        self._monotonic = monotonic
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._size = 0
        self._flights: dict[Key, _Flight] = {}
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._refreshes = Buckets(REFRESHES, monotonic=monotonic)

    @property
    def size(self) -> int:
        """How many bytes of JSON the kept descriptions would be."""
        return self._size

    async def described(
        self,
        connection: Connection,
        names: Iterable[str],
        *,
        refresh: bool = False,
        within_seconds: float = PATIENCE_SECONDS,
    ) -> dict[str, ObjectMetadata | str]:
        """Describe objects by their provider names; one that cannot be described is a sentence about why.

        The sentence is `Absent` where the account has no such object, and `Denied` where the provider refuses the
        credential. ``refresh`` asks the account again, unless it was
        asked very often lately. What has not come ``within_seconds`` of being asked for is a sentence too: who joins a
        question that somebody else has waited for that long waits no more. Raises `StoreError` where our own database
        is away.
        """
        asked = dict.fromkeys(names)
        anew = [name for name in asked if refresh and not self._refreshes.take((connection.id, name))]
        found = await self._find(connection, asked, anew=anew, within_seconds=within_seconds)
        return {name: _or_sentence(found.get(name), within_seconds) for name in asked}

    async def describe(self, connection: Connection, name: str, *, refresh: bool = False) -> ObjectMetadata:
        """Describe one object. Raises `ConnectorError` in the provider's words, and `InvalidInput` if none has it."""
        found = (await self._find(connection, [name], anew=[name] if refresh else [], within_seconds=None))[name]
        if isinstance(found, ObjectMetadata):
            return found
        raise found.with_traceback(None)

    async def close(self) -> None:
        """Break off what is under way: nobody waits for it any more."""
        flights = [flight.answer for flight in self._flights.values()]
        for answer in flights:
            answer.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _find(
        self, connection: Connection, names: Iterable[str], *, anew: Iterable[str], within_seconds: float | None
    ) -> dict[str, Found]:
        """Answer what is known, and what becomes known in time."""
        found, anew = {}, set(anew)
        for name in names:
            known = None if name in anew else self._known(connection, name)
            if known is not None:
                found[name] = known
        flights = self._depart(connection, [name for name in names if name not in found])
        if flights:
            # Unlike `gather` and `wait_for`, this leaves a question alone when one of those who wait for it goes.
            await asyncio.wait([each.answer for each in flights.values()], timeout=self._left(flights, within_seconds))
        return found | {name: each.answer.result() for name, each in flights.items() if each.answer.done()}

    def _left(self, flights: Mapping[str, _Flight], within_seconds: float | None) -> float | None:
        """Answer how long the latest of these questions may still take: saves that take turns wait once."""
        if within_seconds is None:
            return None
        return max(0.0, max(each.since for each in flights.values()) + within_seconds - self._monotonic())

    def _known(self, connection: Connection, name: str) -> Found | None:
        key = (connection.project_id, connection.id, name)
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.connection != connection or kept.until <= self._monotonic():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.found

    def _depart(self, connection: Connection, names: Iterable[str]) -> dict[str, _Flight]:
        """Ask for each, or join whoever asks already. The account is opened once for all."""
        flights: dict[str, _Flight] = {}
        opening: asyncio.Task[Opened] | None = None
        for name in names:
            key = (connection.project_id, connection.id, name)
            flight = self._flights.get(key)
            if flight is None or flight.connection != connection:
                opening = opening or asyncio.create_task(self._open(connection))
                answer = asyncio.create_task(self._ask(connection, name, opening))
                flight = _Flight(connection=connection, answer=answer, since=self._monotonic())
                self._flights[key] = flight
                answer.add_done_callback(functools.partial(self._landed, key))
            flights[name] = flight
        return flights

    async def _open(self, connection: Connection) -> Opened:
        return await self._accounts.open(connection)

    async def _ask(self, connection: Connection, name: str, opening: asyncio.Task[Opened]) -> Found:
        async with self._slots.setdefault(connection.id, asyncio.Semaphore(AT_ONCE)):
            try:
                connector, account, auth = await opening
                if not isinstance(connector, Describer):
                    message = f"{connector.provider.display_name} cannot describe its objects"
                    return invalid("provider", message, code="not-supported")
                return await self._perform(connector.describe(account, name), auth=auth, origin=account.base_url)
            except (ConnectorError, InvalidInput) as error:
                return error

    def _landed(self, key: Key, done: asyncio.Task[Found]) -> None:
        """Keep an answer, unless the connection has changed and another question is under way since."""
        flight = self._flights.get(key)
        # An exception is told to those who wait. Asking for it says that it was seen, should all of them be gone.
        told = not done.cancelled() and done.exception() is None
        if flight is None or flight.answer is not done:
            return
        del self._flights[key]
        if told:
            self._keep(key, flight.connection, done.result())

    def _keep(self, key: Key, connection: Connection, found: Found) -> None:
        """Remember a description; the one that nobody has looked at for longest makes room."""
        self._drop(key)
        described = found if isinstance(found, ObjectMetadata) else None
        # A customer may have said a megabyte about a connection, and it is kept to tell it from what it becomes.
        size = _OVERHEAD_BYTES + len(msgspec.json.encode((connection, described)))
        until = self._monotonic() + _lifetime(found)
        self._kept[key] = _Kept(connection=connection, found=found, until=until, size=size)
        self._size += size
        while self._size > MOST_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size


def _lifetime(found: Found) -> float:
    if isinstance(found, ObjectMetadata):
        return FRESH_SECONDS
    wait = found.fault.retry_after_seconds if isinstance(found, ConnectorError) else None
    return min(max(wait or 0.0, FAILED_SECONDS), LONGEST_FAILED_SECONDS)


def _or_sentence(found: Found | None, seconds: float) -> ObjectMetadata | str:
    if found is None:
        return f"The provider did not describe it within {seconds:g} seconds."
    if isinstance(found, ConnectorError):
        return _SENTENCES.get(found.fault.kind, str)(found.fault.message)
    if isinstance(found, InvalidInput):
        return "; ".join(issue.message for issue in found.issues)
    return found
