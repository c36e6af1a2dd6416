"""What an operator does to the keys at rest: replace them, and find out whether everything opens and what is needed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec

from server import logs
from server.clock import utc_now
from server.settings import Settings, SettingsError
from server.store.census import Census, MasterKeyUse, take_census
from server.store.contract import Unavailable
from server.store.engine import Database
from server.store.keyring import Keyring, master_keys_of_processes
from server.store.migrate import migrate, require_current
from server.store.opening import choose_database
from server.store.rotation import Rotation
from server.store.sqlite import SqliteDatabase

MOST_SENTENCES = 20
ON_SQLITE = (
    "On SQLite keys are replaced while no server runs. `isthmus serve` wraps data keys with the first master key by "
    "itself when it starts, so a new master key needs no more than a restart; for the rest stop the server first."
)


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """What a command has to say."""

    ok: bool
    lines: tuple[str, ...]


async def rotate(settings: Settings, *, data_keys: bool, tell: Callable[[str], None]) -> Findings:
    """Wrap all data keys with the first master key; with ``data_keys``, make new ones and seal everything with them.

    Safe beside running servers on PostgreSQL, and to be started again after it was interrupted.
    Raises `SettingsError` and `Unavailable`, each with a sentence for the operator.
    """
    async with _opened(settings) as (database, keyring):
        await migrate(database)
        await keyring.prove()
        await _require_known(database, keyring)
        first = keyring.master.names[0]
        rotation = Rotation(database, keyring, tell=tell)
        wrapped = await rotation.rewrap()
        logs.event("keys.rewrapped", data_keys=wrapped, master_key=first)
        lines = [f"data keys wrapped anew: {wrapped}; all are wrapped by {first} now"]
        if not data_keys:
            return Findings(ok=True, lines=tuple(lines))
        done = await rotation.renew(now=utc_now())
    logs.event(
        "keys.renewed", made=done.made, resealed=done.resealed, dropped=done.dropped, unopened=len(done.unopened)
    )
    lines += [f"data keys made: {done.made}; values sealed anew: {done.resealed}; data keys removed: {done.dropped}"]
    return Findings(ok=not done.unopened, lines=(*lines, *_at_most(done.unopened)))


async def check(settings: Settings) -> Findings:
    """Open everything that is sealed, and say which keys it takes. Changes nothing.

    Raises `SettingsError` and `Unavailable`.
    """
    async with _opened(settings) as (database, keyring):
        await require_current(database)
        census = await take_census(database, keyring)
    ok = not census.unopened and all(key.given and key.proven for key in census.master_keys)
    return Findings(ok=ok and all(key.opens for key in census.data_keys), lines=tuple(_lines(census)))


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Database, Keyring]]:
    database, master = choose_database(settings)
    try:
        await database.open()
    except Unavailable as error:
        if isinstance(database, SqliteDatabase):
            raise Unavailable(f"{error} {ON_SQLITE}") from error
        raise
    try:
        yield database, Keyring(database, master)
    finally:
        await database.close()


async def _require_known(database: Database, keyring: Keyring) -> None:
    """Raise `SettingsError` while a process runs that could not open what we are about to wrap."""
    if database.dialect == "sqlite":
        return
    first = keyring.master.names[0]
    async with database.reading():
        strangers = [name for name, held in (await master_keys_of_processes()).items() if first not in held]
    if strangers:
        raise SettingsError(
            f"these processes do not have the master key {first!r}: {', '.join(sorted(strangers))}. Start every "
            "server and worker with it (ISTHMUS_MASTER_KEYS or ISTHMUS_MASTER_KEY_FILE), wait a minute, and try again; "
            "nothing was changed."
        )


def _lines(census: Census) -> list[str]:
    lines = ["master keys"]
    lines += [f"  {key.name}  {_about(key, census)}" for key in census.master_keys]
    lines += ["data keys"]
    for one in census.data_keys:
        seals = "seals" if one.seals else "is being replaced"
        opens = "" if one.opens else "DOES NOT OPEN; "
        wrapped = f"of project {one.project_id}, wrapped by {one.master_key}"
        lines.append(f"  {one.id}  {wrapped}, {seals}; {opens}values sealed: {one.values}")
    if census.unopened:
        return [*lines, f"{len(census.unopened)} of {census.values} values do not open", *_at_most(census.unopened)]
    return [*lines, f"all {census.values} values open"]


def _about(key: MasterKeyUse, census: Census) -> str:
    wraps = f"data keys wrapped: {key.wraps}"
    if not key.given:
        return f"{wraps}; IS MISSING: add it to ISTHMUS_MASTER_KEYS"
    if not key.proven:
        return "IS ANOTHER KEY than the one of this name that the database was sealed with"
    if key == census.master_keys[0]:
        return f"{wraps}; the first, it wraps new ones"
    if key.wraps:
        return f"{wraps}; still needed, `isthmus keys rotate` wraps them anew"
    if key.first_for:
        return f"{wraps}; still needed, it is the first for {', '.join(key.first_for)}"
    return f"{wraps}; may be dropped from the list"


def _at_most(sentences: tuple[str, ...]) -> list[str]:
    more = len(sentences) - MOST_SENTENCES
    shown = [f"  {sentence}" for sentence in sentences[:MOST_SENTENCES]]
    return [*shown, f"  and {more} more"] if more > 0 else shown
