"""Work on a database as a generator of statements, so that one text serves both: inside a shared commit or alone.

A step is written with ``{}`` for each argument; a list of texts stands behind ``IN``.
"""

from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec

from server.store.engine import Dialect, Row, Session

T = TypeVar("T")

Lock = Literal["", "wait", "skip"]
_LOCKS: dict[Lock, str] = {"": "", "wait": " FOR UPDATE", "skip": " FOR UPDATE SKIP LOCKED"}


class Statement(msgspec.Struct, frozen=True):
    """One statement and its arguments."""

    sql: str
    args: tuple[Any, ...] = ()
    lock: Lock = ""
    """Hold what is found to the end, where others could change it: wait for it, or skip what somebody else holds."""


Steps = Generator[Statement, list[Row], T]
"""Yields statements, is sent their rows, returns what came of it."""
Visit = Callable[[Dialect], Steps[Any]]
"""Begins the work; asked again where the transaction has to be."""


def drive(steps: Steps[T], *, fetch: Callable[[str, Sequence[Any]], list[Row]]) -> T:
    """Do all steps on SQLite's own thread."""
    rows: list[Row] | None = None
    while True:
        try:
            statement = next(steps) if rows is None else steps.send(rows)
        except StopIteration as done:
            result: T = done.value
            return result
        rows = fetch(*compiled(statement, "sqlite"))


async def drive_in(session: Session, steps: Steps[T]) -> T:
    """Do all steps in an open session."""
    rows: list[Row] | None = None
    while True:
        try:
            statement = next(steps) if rows is None else steps.send(rows)
        except StopIteration as done:
            result: T = done.value
            return result
        rows = await session.fetch(*compiled(statement, session.dialect))


def compiled(statement: Statement, dialect: Dialect) -> tuple[str, tuple[Any, ...]]:
    """Write a statement for a database."""
    lists = tuple(isinstance(arg, list) for arg in statement.args)
    sql = _marked(statement.sql, lists, dialect)
    if dialect == "postgres":
        return sql + _LOCKS[statement.lock], statement.args
    return sql, tuple(_json(arg) if isinstance(arg, list) else arg for arg in statement.args)


@lru_cache(256)
def _marked(sql: str, lists: tuple[bool, ...], dialect: Dialect) -> str:
    if dialect == "sqlite":
        return sql.format(*("(SELECT value FROM json_each(?))" if many else "?" for many in lists))
    marks = enumerate(lists, start=1)
    return sql.format(*(f"(SELECT unnest(${n}::text[]))" if many else f"${n}" for n, many in marks))


def _json(values: list[str]) -> str:
    return msgspec.json.encode(values).decode()
