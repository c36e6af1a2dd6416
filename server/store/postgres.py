"""PostgreSQL as this store needs it: a pool, durable commits, time limits, and errors in the contract's words."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal
from urllib.parse import urlsplit

import asyncpg

from installations.errors import invalid
from server import logs
from server.store.contract import StoreError, Unavailable
from server.store.engine import SESSION, Dialect, Row

CONNECTIONS = 10
ACQUIRE_SECONDS = 10.0
COMMAND_SECONDS = 60.0
SERVER_SETTINGS = {
    "application_name": "isthmus",
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    # A process that was stopped in the middle of a transaction keeps its locks: for less than others wait for them, and
    # than it takes until it is taken for dead.
    "idle_in_transaction_session_timeout": "8s",
}

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""The connection, not the statement, is at fault."""

UNABLE = (
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)
"""The server is at fault, or the operator."""

OVERTAKEN = (asyncpg.IntegrityConstraintViolationError, asyncpg.TransactionRollbackError)


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into the contract's."""
    try:
        yield
    except StoreError:
        raise
    except (asyncpg.DataError, UnicodeEncodeError, OverflowError) as error:
        raise invalid("", f"a value cannot be stored: {error}", code="unstorable") from error
    except OVERTAKEN as error:
        raise Unavailable(f"a change that came first stands in the way; try again: {error}") from error
    except (*LOST, *UNABLE) as error:
        # asyncpg's client-side DataError is an InterfaceError and a ValueError.
        if isinstance(error, ValueError):
            raise invalid("", f"a value cannot be stored: {error}", code="unstorable") from error
        raise Unavailable(f"the database cannot answer now: {error or type(error).__name__}") from error


@contextmanager
def _placed(url: str) -> Iterator[None]:
    """Say which server is meant, without the password."""
    try:
        yield
    except Unavailable as error:
        parts = urlsplit(url)
        place = f"{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise Unavailable(f"{error} (PostgreSQL at {place}, from ISTHMUS_DATABASE_URL)") from error


async def _as_it_is(connection: Any) -> None:
    """Take a connection back with no more than the pool's own look for a transaction that is still open.

    By default four statements clear what a session may have set, at every return: a fifth of a small commit. Nothing
    here sets anything for longer than a transaction, and the engine listens on a connection of its own.
    """
    del connection


class PostgresSession:
    """One transaction on one connection of the pool."""

    dialect: Dialect = "postgres"

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Row]:
        """Run one statement and answer its rows."""
        with translated():
            return [dict(record) for record in await self.connection.fetch(sql, *args)]


class PostgresDatabase:
    """A server that several of our processes may share."""

    dialect: Dialect = "postgres"

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: Any = None

    async def open(self) -> None:
        """Connect. Raises `Unavailable`, which says where to."""
        with _placed(self._url), translated():
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=1,
                max_size=CONNECTIONS,
                command_timeout=COMMAND_SECONDS,
                timeout=ACQUIRE_SECONDS,
                server_settings=SERVER_SETTINGS,
                target_session_attrs="read-write",
                reset=_as_it_is,
            )
        logs.event("store.opened", database="postgresql")

    async def close(self) -> None:
        """Give every connection back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[PostgresSession]:
        """Open a session that sees one state of the database and cannot write."""
        async with self._session(isolation="repeatable_read", readonly=True) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PostgresSession]:
        """Open a session that commits at the end, or rolls back when the body raises."""
        async with self._session(isolation="read_committed", readonly=False) as session:
            yield session

    @asynccontextmanager
    async def _session(
        self, *, isolation: Literal["read_committed", "repeatable_read"], readonly: bool
    ) -> AsyncIterator[PostgresSession]:
        if self._pool is None:
            raise Unavailable("the database is not open")
        with translated():
            connection, transaction = await self._begin(isolation=isolation, readonly=readonly)
        session = PostgresSession(connection)
        token = SESSION.set(session)
        try:
            with translated():
                try:
                    yield session
                except BaseException:
                    await self._roll_back(connection, transaction)
                    raise
                await transaction.commit()
        finally:
            SESSION.reset(token)
            await self._give_back(connection)

    async def _begin(self, *, isolation: str, readonly: bool) -> tuple[Any, Any]:
        """Begin on a pooled connection; one that died while it rested is replaced once, since nothing was done yet."""
        for last in (False, True):
            connection = await self._pool.acquire(timeout=ACQUIRE_SECONDS)
            transaction = connection.transaction(isolation=isolation, readonly=readonly)
            try:
                await transaction.start()
            except BaseException as error:
                await self._give_back(connection)
                if last or not isinstance(error, LOST):
                    raise
            else:
                return connection, transaction
        raise Unavailable("the database cannot answer now")

    async def _give_back(self, connection: Any) -> None:
        """Return a connection to the pool, which replaces one that dies of it: what it was for is over by now."""
        try:
            await self._pool.release(connection)
        except (*LOST, *UNABLE) as error:
            logs.failed("store.release_failed", error)

    @staticmethod
    async def _roll_back(connection: Any, transaction: Any) -> None:
        if connection.is_closed():
            return
        try:
            await transaction.rollback()
        except LOST as error:
            logs.failed("store.rollback_failed", error)
