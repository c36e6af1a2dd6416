"""How a database gets the schema of this code: the steps in ``migrations/``, all in one transaction, once.

Both databases change schemas inside transactions, so a process killed half-way leaves nothing behind and the next one
starts over. Processes that start together take turns: PostgreSQL by an advisory lock, SQLite by its single writer.
"""

import contextlib
import importlib
import io
import os
import pkgutil
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import ModuleType

from piccolo.apps.migrations.tables import Migration

from server.store.contract import Unavailable
from server.store.engine import ENGINE, Database, Session

APP = "isthmus"
STEPS = "migrations.isthmus_migrations"
ADVISORY_LOCK = 0x697374686D7573
"""``isthmus`` in ASCII."""
WAIT_SECONDS = 60.0


async def migrate(database: Database) -> list[str]:
    """Run the steps that an open database lacks, and answer their ids. Raises `Unavailable` if it is newer than we."""
    async with database.writing() as session:
        await _take_turn(session)
        ran = await _ran()
        steps = _steps()
        _require_known(ran, steps)
        missing = [step for step in steps if step not in ran]
        for step in missing:
            await _run(step, steps[step])
    return missing


async def require_current(database: Database) -> None:
    """Raise `Unavailable` unless an open database has the schema of this code."""
    async with database.reading():
        Migration._meta.db = ENGINE  # noqa: SLF001 -- as below
        ran = set(await Migration.get_migrations_which_ran(app_name=APP)) if await Migration.table_exists() else set()
    steps = _steps()
    _require_known(ran, steps)
    if ran != set(steps):
        raise Unavailable("the database has the schema of an older version, or none; run `isthmus migrate` first.")


def _require_known(ran: AbstractSet[str], steps: Mapping[str, ModuleType]) -> None:
    if unknown := sorted(ran - set(steps)):
        raise Unavailable(
            f"the database was migrated by a newer Isthmus (it has {unknown[-1]}, which this version does not "
            "know). Start that version, or restore a backup made before the upgrade."
        )


async def _take_turn(session: Session) -> None:
    if session.dialect == "postgres":
        await session.fetch(f"SET LOCAL lock_timeout = '{WAIT_SECONDS:.0f}s'", ())
        await session.fetch(f"SET LOCAL statement_timeout = '{WAIT_SECONDS:.0f}s'", ())
        await session.fetch("SELECT pg_advisory_xact_lock($1)", (ADVISORY_LOCK,))


async def _ran() -> set[str]:
    Migration._meta.db = ENGINE  # noqa: SLF001 -- Piccolo's own table, otherwise looked up through its configuration
    if not await Migration.table_exists():
        await Migration.create_table()
        return set()
    return set(await Migration.get_migrations_which_ran(app_name=APP))


def _steps() -> dict[str, ModuleType]:
    package = importlib.import_module(STEPS)
    modules = [importlib.import_module(f"{STEPS}.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
    return {module.ID: module for module in sorted(modules, key=lambda module: str(module.ID))}


async def _run(step: str, module: ModuleType) -> None:
    manager = await module.forwards()
    with _piccolo_configured(), contextlib.redirect_stdout(io.StringIO()):
        await manager.run()
    await Migration.insert(Migration(name=step, app_name=APP))


@contextlib.contextmanager
def _piccolo_configured() -> Iterator[None]:
    """Tell Piccolo's migrations where the engine is; they look nowhere else, and print as they go."""
    before = os.environ.get("PICCOLO_CONF")
    os.environ["PICCOLO_CONF"] = "migrations.piccolo_conf"
    try:
        yield
    finally:
        os.environ.pop("PICCOLO_CONF")
        if before is not None:
            os.environ["PICCOLO_CONF"] = before
