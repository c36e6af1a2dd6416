"""Which store the settings mean, and where its master keys come from. `PiccoloStore.start` migrates by itself."""

import logging
from pathlib import Path
from urllib.parse import unquote, urlsplit

from server import logs
from server.settings import Settings, SettingsError
from server.store.contract import Store, Unavailable
from server.store.migrate import migrate
from server.store.piccolo import PiccoloStore
from server.store.postgres import PostgresDatabase
from server.store.postgres_moves import Announce, PostgresMoves
from server.store.sqlite import SqliteDatabase
from server.store.sqlite_moves import SqliteMoves
from server.store.vault import MasterKeys, configured_keys, how_to_make_one, key_file, keys_beside

MIGRATE_WAIT_SECONDS = 10.0
"""For how long a second `migrate` waits for the first one's SQLite file."""


def open_store(settings: Settings, announce: Announce | None = None) -> Store:
    """Choose the store for ``ISTHMUS_DATABASE_URL``; it connects at `start`.

    On PostgreSQL ``announce`` is awaited inside the transactions that give lanes work (`PostgresMoves.announce`).

    Raises `SettingsError` for a URL or keys that cannot be used.
    """
    database, keys = choose_database(settings)
    if isinstance(database, SqliteDatabase):
        return PiccoloStore(database, moves=SqliteMoves(database), master=keys)
    return PiccoloStore(database, moves=PostgresMoves(database, announce=announce), master=keys)


def choose_database(settings: Settings) -> tuple[SqliteDatabase | PostgresDatabase, MasterKeys]:
    """Choose the database and the keys to what is sealed in it. Raises as `open_store`."""
    keys = configured_keys(settings)
    database = _database(settings.database_url)
    if isinstance(database, SqliteDatabase):
        return database, keys or _own_keys(database.path)
    if keys is None:
        raise SettingsError(
            f"PostgreSQL needs ISTHMUS_MASTER_KEYS (or ISTHMUS_MASTER_KEY_FILE): the key that seals credentials must "
            f"not lie where several processes cannot share it. {how_to_make_one()}"
        )
    return database, keys


async def migrate_database(database_url: str) -> list[str]:
    """Bring a database to this version's schema and answer the steps that ran, none when it was there already.

    On SQLite no server may be running; a server migrates by itself when it starts. Raises `Unavailable`,
    `SettingsError`.
    """
    database = _database(database_url, lock_seconds=MIGRATE_WAIT_SECONDS)
    await database.open()
    try:
        return await migrate(database)
    finally:
        await database.close()


async def choose_for_looking(settings: Settings) -> SqliteDatabase | PostgresDatabase:
    """Open the database for reading alone, beside whatever process serves it. Raises as `open_store`, `Unavailable`."""
    database = _database(settings.database_url)
    if isinstance(database, SqliteDatabase):
        await database.open_to_read()
    else:
        await database.open()
    return database


def _database(url: str, *, lock_seconds: float = 2.0) -> SqliteDatabase | PostgresDatabase:
    parts = urlsplit(url)
    if parts.scheme in {"postgresql", "postgres"}:
        return PostgresDatabase(url)
    path = unquote(parts.path).removeprefix("/")
    if parts.scheme != "sqlite" or parts.netloc or not path or parts.query or parts.fragment:
        raise SettingsError(
            "ISTHMUS_DATABASE_URL must be sqlite:///relative.db, sqlite:////absolute.db or "
            f"postgresql://user@host/database, not {_without_secrets(parts.scheme)}"
        )
    return SqliteDatabase(Path(path), lock_seconds=lock_seconds)


def _without_secrets(scheme: str) -> str:
    return f"{scheme}://…" if scheme else "a text without sqlite:// or postgresql:// in front"


def _own_keys(path: Path) -> MasterKeys:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        keys, made = keys_beside(path)
    except OSError as error:
        raise Unavailable(f"no master key can be kept beside {path}: {error}") from error
    if made:
        logs.event(
            "store.master_key_made",
            level=logging.WARNING,
            file=str(made),
            advice="It seals every credential in the database, and only its owner may read it (mode 0600). "
            "Keep a copy of it apart from the database.",
        )
    elif key_file(path).stat().st_mode & 0o077:
        logs.event(
            "store.master_key_exposed",
            level=logging.WARNING,
            file=str(key_file(path)),
            advice="Others on this machine may read it. Take that away: chmod 600.",
        )
    return keys
