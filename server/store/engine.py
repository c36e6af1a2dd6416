"""The one Piccolo engine: it hands every query to the session that the running task has opened.

Piccolo binds a table to one engine for the whole process. This engine is bound to all of ours and stands for whichever
database the task at hand works with, so that several stores may live in one process and a query outside of a
transaction is impossible rather than slow.
"""

import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol

from piccolo.engine.base import Engine
from piccolo.querystring import QueryString

from server.store.contract import StoreError

Dialect = Literal["sqlite", "postgres"]
Row = dict[str, Any]


class Session(Protocol):
    """One open transaction."""

    @property
    def dialect(self) -> Dialect:
        """Which SQL it speaks."""

    async def fetch(self, sql: str, args: Sequence[Any]) -> list[Row]:
        """Run one statement and answer its rows."""


class Database(Protocol):
    """A database that opens sessions. Every error leaves as one of the contract's."""

    dialect: Dialect

    async def open(self) -> None:
        """Connect. Raises `Unavailable` with a sentence for the operator."""

    async def close(self) -> None:
        """Disconnect; nothing may be under way."""

    def reading(self) -> AbstractAsyncContextManager[Session]:
        """Open a session that sees one state of the database and cannot write."""

    def writing(self) -> AbstractAsyncContextManager[Session]:
        """Open a session that commits at the end, or rolls back when the body raises."""


SESSION: ContextVar[Session] = ContextVar("session")


class SessionEngine(Engine[Any]):
    """Runs queries in the current session."""

    def __init__(self) -> None:
        # Piccolo's own constructor would connect, to ask for the version.
        self.log_queries = False
        self.log_responses = False
        self.min_version_number = 0
        self.query_id = 0

    @property
    def engine_type(self) -> Dialect:  # type: ignore[override]
        """Tell Piccolo which SQL to write."""
        session = SESSION.get(None)
        return session.dialect if session else "sqlite"

    async def get_version(self) -> float:
        """Tell the version that Piccolo's SQLite branches ask for."""
        return self.get_version_sync()

    def get_version_sync(self) -> float:
        """As `get_version`."""
        major, minor, _ = sqlite3.sqlite_version_info
        return float(f"{major}.{minor}")

    async def prep_database(self) -> None:
        """Need nothing."""

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[Row]:  # noqa: ARG002, FBT001, FBT002 -- Piccolo's signature
        """Run a query in the current session."""
        session = SESSION.get()
        sql, args = querystring.compile_string(engine_type=session.dialect)
        return await session.fetch(sql, args)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[Row]:  # noqa: ARG002, FBT001, FBT002 -- Piccolo's signature
        """Run a change of the schema in the current session."""
        return await SESSION.get().fetch(ddl, ())

    @asynccontextmanager
    async def transaction(self, *_: Any, **__: Any) -> AsyncIterator[None]:
        """Join the session, which is a transaction already: Piccolo's migrations ask for one."""
        yield

    def atomic(self) -> Any:
        """Refuse: a second spelling of `Database.writing`."""
        raise StoreError("open a session with Database.writing()")

    async def batch(self, query: Any, batch_size: int = 100, node: str | None = None) -> Any:  # noqa: ARG002 -- Piccolo's signature
        """Refuse: nothing here is read in batches."""
        raise StoreError("page with keys instead")


ENGINE = SessionEngine()
