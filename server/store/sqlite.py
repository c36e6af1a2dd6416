"""SQLite as this store needs it: one process, one writing connection, a few that can only read.

What was measured and published decides the details: WAL with ``synchronous=FULL`` (an answer means it is on the
disk), ``BEGIN IMMEDIATE`` for every write (a transaction that reads first and then writes would fail at once when
another is faster), one writer (SQLite before 3.51.3 can lose commits when two connections checkpoint together:
https://www.sqlite.org/wal.html#walresetbug). Nothing here runs on the event loop's thread.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from installations.errors import invalid
from server import logs
from server.store.contract import Unavailable
from server.store.engine import SESSION, Dialect, Row

READERS = 3
CHECKPOINT_PAGES = 4_000
"""16 MB of WAL before it is folded into the file, which holds up every commit while it lasts."""
BUSY_MILLISECONDS = 10_000
LOCK_SECONDS = 2.0
LOCK_POLL_SECONDS = 0.05

T = TypeVar("T")


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into the contract's."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise Unavailable(f"a change that came first stands in the way; try again: {error}") from error
    except (UnicodeEncodeError, OverflowError) as error:
        raise invalid("", f"a value cannot be stored: {error}", code="unstorable") from error
    except sqlite3.ProgrammingError as error:
        raise Unavailable(f"the database is closed: {error}") from error
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"the database cannot answer now: {error}") from error


def refuse_nul(args: Sequence[Any]) -> None:
    """Refuse NUL in text, as PostgreSQL does. Raises `InvalidInput`."""
    for arg in args:
        if type(arg) is str and "\0" in arg:
            raise invalid("", "text must not contain NUL", code="unstorable")


def execute(connection: sqlite3.Connection, sql: str, args: Sequence[Any]) -> list[Row]:
    """Run one statement and answer rows as dicts."""
    refuse_nul(args)
    cursor = connection.execute(sql, args)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def end(connection: sqlite3.Connection, verb: str) -> None:
    """End a transaction if one is open; a cancelled caller may not know whether it ever began."""
    if connection.in_transaction:
        connection.execute(verb)


class SqliteSession:
    """One transaction on one connection."""

    dialect: Dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection, threads: ThreadPoolExecutor) -> None:
        self.connection = connection
        self._threads = threads

    async def run(self, work: Callable[..., T], *args: Any) -> T:
        """Do work on the connection's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *args))

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Row]:
        """Run one statement and answer its rows."""
        with translated():
            return await self.run(execute, self.connection, sql, args)

    async def end(self, verb: str) -> None:
        """End the transaction, even if the caller is cancelled while it ends."""
        with translated():
            await asyncio.shield(self.run(end, self.connection, verb))


class SqliteDatabase:
    """The file, held by this process alone."""

    dialect: Dialect = "sqlite"

    def __init__(self, path: Path, *, lock_seconds: float = LOCK_SECONDS) -> None:
        self.path = path
        self._lock_seconds = lock_seconds
        self._lock_file = -1
        self._turn = asyncio.Lock()
        self._sessions: list[SqliteSession] = []
        self._free: asyncio.Queue[SqliteSession] = asyncio.Queue()

    @property
    def writer(self) -> SqliteSession:
        """Lend the one session that writes; take the turn first."""
        if not self._sessions:
            raise Unavailable("the database is not open")
        return self._sessions[0]

    async def open(self) -> None:
        """Take the file for this process and connect. Raises `Unavailable`."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            await self._take_file()
            await self._connect(self._open_writer)
            for _ in range(READERS):
                self._free.put_nowait(await self._connect(self._open_reader))
        except (OSError, sqlite3.Error) as error:
            await self.close()
            raise Unavailable(f"the database {self.path} cannot be opened: {error}") from error
        except BaseException:
            await self.close()
            raise
        logs.event("store.opened", sqlite_version=sqlite3.sqlite_version, path=str(self.path))

    async def open_to_read(self) -> None:
        """Connect for reading alone, beside the process that holds the file. Raises `Unavailable`."""
        if not self.path.exists():
            raise Unavailable(f"there is no database {self.path}; `isthmus init` makes one.")
        try:
            self._free.put_nowait(await self._connect(self._open_reader))
        except sqlite3.Error as error:
            raise Unavailable(f"the database {self.path} cannot be read: {error}") from error

    async def close(self) -> None:
        """Close readers first: the writer's close folds the WAL into the file."""
        while self._sessions:
            session = self._sessions.pop()
            await session.run(session.connection.close)
            session._threads.shutdown()  # noqa: SLF001 -- this module's own
        self._free = asyncio.Queue()
        if self._lock_file >= 0:
            os.close(self._lock_file)
            self._lock_file = -1

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqliteSession]:
        """Open a session that sees one state of the database and cannot write."""
        if not self._sessions:
            raise Unavailable("the database is not open")
        session = await self._free.get()
        token = SESSION.set(session)
        try:
            with translated():
                await session.run(session.connection.execute, "BEGIN")
            yield session
        finally:
            SESSION.reset(token)
            await self._give_back(session)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[SqliteSession]:
        """Open the one session that writes; others wait their turn."""
        async with self._turn:
            session = self.writer
            token = SESSION.set(session)
            try:
                with translated():
                    await session.run(session.connection.execute, "BEGIN IMMEDIATE")
                yield session
                await session.end("COMMIT")
            except BaseException:
                # The thread works in order: a statement still under way ends before this does.
                await session.end("ROLLBACK")
                raise
            finally:
                SESSION.reset(token)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do work on the writer inside one transaction, in one visit to its thread."""
        async with self._turn:
            session = self.writer
            with translated():
                return await session.run(transact, session.connection, work)

    async def _give_back(self, session: SqliteSession) -> None:
        try:
            await session.end("COMMIT")
        finally:
            self._free.put_nowait(session)

    async def _connect(self, opener: Callable[[], sqlite3.Connection]) -> SqliteSession:
        threads = ThreadPoolExecutor(1, thread_name_prefix="isthmus-sqlite")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(threads, opener)
        except BaseException:
            threads.shutdown()
            raise
        session = SqliteSession(connection, threads)
        self._sessions.append(session)
        return session

    def _open_writer(self) -> sqlite3.Connection:
        # Records pass through here; the files SQLite puts beside this one take its permissions.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = self._open(f"file:{quote(str(self.path.absolute()))}")
        mode = connection.execute("PRAGMA journal_mode=WAL").fetchone()[0]
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        connection.execute("PRAGMA foreign_keys=ON")
        if mode != "wal":
            connection.close()
            raise Unavailable(f"the database {self.path} stands on a file system without WAL (journal mode {mode})")
        return connection

    def _open_reader(self) -> sqlite3.Connection:
        return self._open(f"file:{quote(str(self.path.absolute()))}?mode=ro")

    @staticmethod
    def _open(uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri,
            uri=True,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES,
            check_same_thread=False,
            timeout=BUSY_MILLISECONDS / 1000,
            cached_statements=256,
        )
        connection.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        return connection

    async def _take_file(self) -> None:
        """Lock a file beside the database; the system lets go of it even when we are killed."""
        self._lock_file = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = asyncio.get_running_loop().time() + self._lock_seconds
        while True:
            try:
                fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if asyncio.get_running_loop().time() >= deadline:
                    raise Unavailable(
                        f"another Isthmus process holds {self.path}. SQLite serves one process: stop the other, or "
                        "point ISTHMUS_DATABASE_URL at PostgreSQL to run several."
                    ) from error
                await asyncio.sleep(LOCK_POLL_SECONDS)
            else:
                return


def transact(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], T]) -> T:
    """Do work in one IMMEDIATE transaction; nothing of it stays when it raises."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = work(connection)
        connection.execute("COMMIT")
    except BaseException:
        end(connection, "ROLLBACK")
        raise
    return result
