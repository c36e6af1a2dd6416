"""What every noun's queries share: sessions, the tenant's key, and the answers for rows that are not there."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from piccolo.columns import Column
from piccolo.table import Table

from server.store.contract import Missing
from server.store.engine import Database, Row, Session
from server.store.keyring import Keyring, RetiredKey
from server.store.tables import Counters, Projects
from server.store.vault import Box, UnknownKey

T = TypeVar("T")
P = ParamSpec("P")


class Rows:
    """The ground that the nouns stand on."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def reading(self) -> AbstractAsyncContextManager[Session]:
        """Open a session that cannot write."""
        return self._database.reading()

    def writing(self) -> AbstractAsyncContextManager[Session]:
        """Open a session that commits."""
        return self._database.writing()

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[Session]:
        """Open a session that changes configuration: the epoch grows with it.

        The epoch's row is taken first and held to the end, so changes of configuration come one after the other on
        both databases, and what one has looked up stays true until it commits.
        """
        async with self._database.writing() as session:
            await Counters.update({Counters.value: Counters.value + 1}).where(Counters.id == "config")
            yield session

    async def box(self, project_id: str) -> Box:
        """Fetch a project's keys. Raises `Missing`. Call it before a session is open."""
        return await self._keyring.box(project_id)

    def forget_box(self, project_id: str) -> None:
        """Read a project's keys again before they are used next."""
        self._keyring.forget(project_id)


RowsT = TypeVar("RowsT", bound=Rows)
Method = Callable[Concatenate[RowsT, P], Coroutine[Any, Any, T]]


def with_fresh_keys(method: Method[RowsT, P, T]) -> Method[RowsT, P, T]:
    """Make a call again with a project's keys as they are now, once, when it met a newer key or used a retired one.

    A method is one transaction: when it raises, nothing was done.
    """

    @wraps(method)
    async def call(self: RowsT, /, *args: P.args, **kwargs: P.kwargs) -> T:
        renewed: set[str] = set()
        while True:
            try:
                return await method(self, *args, **kwargs)
            except (UnknownKey, RetiredKey) as error:
                if error.project_id in renewed:
                    raise
                renewed.add(error.project_id)
                self.forget_box(error.project_id)

    return call


async def require_project(project_id: str) -> None:
    """Raise `Missing` for a project that does not exist."""
    if not await Projects.exists().where(Projects.id == project_id):
        raise Missing(f"no project {project_id!r}")


async def find(table: Any, project_id: str, row_id: str, *, noun: str) -> Row:
    """Find a tenant's row. Raises `Missing` alike for an unknown id and for another tenant's."""
    return only(await table.select().where(table.project_id == project_id, table.id == row_id), noun=noun, name=row_id)


def only(rows: list[Row], *, noun: str, name: str) -> Row:
    """Take the only row. Raises `Missing`."""
    if not rows:
        raise Missing(f"no {noun} {name!r}")
    return rows[0]


async def insert(table: type[Table], **values: Any) -> None:
    """Store a row."""
    await table.insert(table(**values))


async def insert_new(table: Any, **values: Any) -> bool:
    """Store a row unless a unique index has it already; tell whether it was stored."""
    rows = await table.insert(table(**values)).on_conflict(action="DO NOTHING").returning(table.id)
    return bool(rows)


def given(values: dict[Column, Any]) -> dict[Column | str, Any]:
    """Leave out what was not given."""
    return {column: value for column, value in values.items() if value is not UNSET}


def text_of(value: Any) -> str:
    """Encode a struct or a plain value as JSON text."""
    return msgspec.json.encode(value).decode()


def or_unset(value: T | None) -> T | UnsetType:
    """Turn the database's null into the absent member."""
    return UNSET if value is None else value
