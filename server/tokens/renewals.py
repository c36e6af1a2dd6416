"""A renewal: alone among all processes, and the rotated token is stored before the new one is used.

Nothing of the database is held while the network is: a lease, which is a row with a time in it, says who is at it.
"""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from connectors.credentials import CredentialsError, Tokened, build_credentials, parse_credentials, tokened
from connectors.errors import Ambiguous, ConnectorError, NotSent, Refused, Unreadable
from connectors.grants import DEAD_GRANT, Granted
from connectors.provider import Provider
from installations.installation import Connection
from installations.record import Fault
from server import logs
from server.clock import Clock
from server.store.contract import Connections, Missing, StoredCredentials, StoreError, Superseded, Unavailable
from server.tokens.grants import Grants, holder_of
from server.tokens.held import keep_alive_at, with_granted
from server.tokens.learning import Learning
from server.tokens.pace import Pace
from server.tokens.solitude import NotAlone, Solitude, lease_name
from server.tokens.standing import Standing


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A connection and its credentials as the store has them."""

    connection: Connection
    credentials: Tokened
    version: int
    is_ours: bool = False
    """Renewed by this process just now, and not found."""


class Renewals:
    """Renews tokens for one process, which shares the store with others."""

    def __init__(
        self,
        store: Connections,
        *,
        providers: Mapping[str, Provider],
        grants: Grants,
        solitude: Solitude,
        standing: Standing,
        learning: Learning,
        clock: Clock,
        pace: Pace,
    ) -> None:
        self._store = store
        self._providers = providers
        self._grants = grants
        self._solitude = solitude
        self._standing = standing
        self._learning = learning
        self._clock = clock
        self._pace = pace
        self._unsaved: dict[str, tuple[int, Tokened]] = {}

    async def renew(self, project_id: str, connection_id: str, *, known: int) -> Stored:
        """Answer credentials of a later version than ``known``: another process's where it was faster, else our own.

        Raises what the grant raised; a connection whose grant is dead (`is_dead`) is marked by then. Raises `NotSent`
        where another process does not come to an end or the connection is gone, and `StoreError`.
        """
        before = await self.stored(project_id, connection_id)
        if before.version > known:
            return before

        async def moved() -> bool:
            return (await self._store.credentials(project_id, connection_id)).version > known

        name = lease_name(project_id, connection_id)
        try:
            async with self._solitude.alone(name, patience=self._pace.patience_seconds, until=moved):
                now = await self.stored(project_id, connection_id)
                if now.version > known:
                    return now
                if now.connection.status == "bad_credentials" != before.connection.status:
                    raise _dead_meanwhile()
                return await self._renew(now, lease=name)
        except NotAlone:
            message = "another process is getting a new access token and has not come to an end"
            raise NotSent(Fault(kind="not_sent", message=message)) from None
        except Missing as error:
            raise _gone() from error

    async def stored(self, project_id: str, connection_id: str) -> Stored:
        """Read a connection and its credentials. Raises `NotSent` where they hold no token any more, `StoreError`."""
        stored = await self.find(project_id, connection_id)
        if stored is None:
            message = "the connection authenticates in another way now; try again"
            raise NotSent(Fault(kind="not_sent", message=message))
        return stored

    async def find(self, project_id: str, connection_id: str) -> Stored | None:
        """Read a connection and its credentials; ``None`` if they are of a kind without tokens.

        Raises `NotSent` where there is no such connection, or its credentials cannot be used; and `StoreError`.
        """
        try:
            held, connection = await self._together(project_id, connection_id)
        except Missing as error:
            raise _gone() from error
        try:
            provider = self._providers[connection.provider]
            credentials = tokened(provider, parse_credentials(held.content))
        except CredentialsError as error:
            raise NotSent(Fault(kind="auth", message=str(error))) from error
        except KeyError:
            message = f"there is no provider {connection.provider!r} any more"
            raise NotSent(Fault(kind="not_found", message=message)) from None
        if credentials is None:
            return None
        return Stored(connection=connection, credentials=credentials, version=held.version)

    async def _together(self, project_id: str, connection_id: str) -> tuple[StoredCredentials, Connection]:
        """Read credentials and the connection as they stood at one moment.

        A change may replace both: credentials of before must not go to the address of after.
        """
        connection = await self._store.connection(project_id, connection_id)
        while True:
            before, held = connection, await self._store.credentials(project_id, connection_id)
            connection = await self._store.connection(project_id, connection_id)
            if connection == before:
                return held, connection

    async def _renew(self, stored: Stored, *, lease: str) -> Stored:
        version, renewed = self._unsaved.get(stored.connection.id, (0, None))
        if renewed is not None and version == stored.version:
            # Had before, while the database was away: the refresh token that is stored is spent.
            return await self._save(stored, renewed)
        granted = await self._ask(stored, lease=lease)
        renewed = with_granted(stored.credentials, granted, now=self._clock())
        self._unsaved[stored.connection.id] = stored.version, renewed
        saved = await self._save(stored, renewed)
        await self._learn(saved, granted)
        return saved

    async def _ask(self, stored: Stored, *, lease: str) -> Granted:
        """Ask the token endpoint, soon again where the answer was lost: the refresh token may be spent by then, and
        what providers forgive, they forgive for seconds.
        """  # noqa: D205
        holder = holder_of(stored.connection)
        for pause in (*self._pace.again_after_seconds, None):
            try:
                return await self._grants.next(holder, stored.credentials)
            except ConnectorError as error:
                if is_dead(error):
                    await self._standing.fell(stored.connection, version=stored.version, fault=error.fault)
                if pause is None or not _worth_another_try(error):
                    raise
                _record("token.renewal_unclear", stored, error)
            await self._pace.sleep(pause)
            if not await self._solitude.still(lease):
                raise NotAlone
        raise AssertionError("unreachable: the last try raises or returns")

    async def _save(self, stored: Stored, renewed: Tokened) -> Stored:
        """Store renewed tokens, whatever it takes: the old ones may be worth nothing."""
        connection = stored.connection
        provider = self._providers[connection.provider]
        waited = 0.0
        while True:
            now = self._clock()
            try:
                version = await self._store.renew_credentials(
                    connection.project_id,
                    connection.id,
                    if_version=stored.version,
                    credentials=build_credentials(renewed),
                    keep_alive_at=keep_alive_at(provider, renewed, now=now),
                    now=now,
                    event=self._standing.news(connection),
                    refreshed=self._standing.refreshed(connection),
                )
            except Missing:
                self._unsaved.pop(connection.id, None)
                raise
            except Superseded:
                # Connected again meanwhile; or stored indeed, by a try whose answer was lost.
                self._unsaved.pop(connection.id, None)
                return await self.stored(connection.project_id, connection.id)
            except Unavailable:
                if waited >= self._pace.save_seconds:
                    raise
                pause = self._pace.poll_pause()
                await self._pace.sleep(pause)
                waited += pause
                continue
            self._unsaved.pop(connection.id, None)
            _record("token.renewed", stored)
            return Stored(connection=_working(connection), credentials=renewed, version=version, is_ours=True)

    async def _learn(self, saved: Stored, granted: Granted) -> None:
        try:
            await self._learning.learn(saved.connection, granted, version=saved.version)
        except StoreError as error:
            # The next renewal tells the same facts.
            logs.failed("store.unavailable", error, connection_id=saved.connection.id)


def is_dead(error: Exception) -> bool:
    """Tell whether only the customer can mend it, by connecting again."""
    return isinstance(error, Refused) and error.fault.kind == "auth" and error.fault.code == DEAD_GRANT


def _working(connection: Connection) -> Connection:
    """Tell how a connection stands once renewed tokens are stored."""
    return replace(connection, status="working") if connection.status == "bad_credentials" else connection


def _worth_another_try(error: ConnectorError) -> bool:
    return isinstance(error, Ambiguous | Unreadable) or error.fault.kind == "locked"


def _dead_meanwhile() -> Refused:
    return Refused(Fault(kind="auth", message="the provider no longer accepts the grant", code=DEAD_GRANT))


def _gone() -> NotSent:
    return NotSent(Fault(kind="not_found", message="the connection was deleted"))


def _record(event: str, stored: Stored, error: ConnectorError | None = None) -> None:
    connection = stored.connection
    logs.event(
        event,
        project_id=connection.project_id,
        connection_id=connection.id,
        provider=connection.provider,
        fault=None if error is None else error.fault.kind,
    )
