import stat
from pathlib import Path

import pytest

from server.settings import Settings, SettingsError
from server.store.contract import Store
from server.store.opening import open_store
from server.store.sqlite import SqliteDatabase
from server.store.vault import Box, Unsealable, keys_beside, new_master_key, parse_master_keys
from tests import postgres
from tests.server.store.samples import MASTER_KEY, OTHER_MASTER_KEY, SECRET, operation, populated, settlement

CELL = {"table": "t", "column": "c", "row_id": "r"}
KEYS = {"d1": b"1" * 32, "d2": b"2" * 32}


def test_what_is_sealed_opens_and_names_its_key() -> None:
    box = Box(KEYS, project_id="p1")
    sealed = box.seal(SECRET, **CELL)
    assert sealed.startswith(b"v1.d1.")
    assert SECRET not in sealed
    assert box.open(sealed, **CELL) == SECRET
    assert box.seal(SECRET, **CELL) != sealed


def test_nothing_stays_nothing() -> None:
    box = Box(KEYS)
    assert box.seal(b"", **CELL) == b""
    assert box.open(b"", **CELL) == b""


@pytest.mark.parametrize("other", [{"table": "x"}, {"column": "x"}, {"row_id": "x"}])
def test_a_ciphertext_does_not_open_in_another_cell(other: dict[str, str]) -> None:
    box = Box(KEYS, project_id="p1")
    with pytest.raises(Unsealable):
        box.open(box.seal(SECRET, **CELL), **(CELL | other))


def test_a_ciphertext_does_not_open_for_another_project() -> None:
    with pytest.raises(Unsealable):
        Box(KEYS, project_id="p2").open(Box(KEYS, project_id="p1").seal(SECRET, **CELL), **CELL)


@pytest.mark.parametrize("sealed", [b"v1.d9.x", b"v2.d1.x", b"plain text", b"v1.d1.", b"v1.d1." + b"\0" * 40])
def test_what_was_never_sealed_here_does_not_open(sealed: bytes) -> None:
    with pytest.raises(Unsealable):
        Box(KEYS).open(sealed, **CELL)


def test_the_first_key_seals_and_all_open() -> None:
    old, new = Box({"d1": KEYS["d1"]}), Box({"d2": KEYS["d2"], "d1": KEYS["d1"]})
    sealed = old.seal(SECRET, **CELL)
    assert new.open(sealed, **CELL) == SECRET
    resealed = new.reseal(sealed, **CELL)
    assert resealed.startswith(b"v1.d2.")
    assert new.open(resealed, **CELL) == SECRET


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([], "no key"),
        (["k1"], "entry 1"),
        ([MASTER_KEY, "bad id:AAAA"], "entry 2"),
        ([MASTER_KEY, MASTER_KEY], "twice"),
        (["k1:???"], "not base64"),
        (["k1:AAAA"], "3 bytes instead of 32"),
    ],
)
def test_a_useless_master_key_is_named(texts: list[str], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        parse_master_keys(texts)


def test_a_new_master_key_can_be_used() -> None:
    first, second = new_master_key(), new_master_key()
    assert parse_master_keys([first, second]).names == (first.split(":")[0], second.split(":")[0])


def test_a_key_beside_the_database_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    made, path = keys_beside(tmp_path / "x.db")
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again, none = keys_beside(tmp_path / "x.db")
    assert none is None
    assert again.names == made.names
    assert sorted(child.name for child in tmp_path.iterdir()) == ["x.db.master-key"]


async def test_another_key_under_the_same_id_is_refused(database_url: str) -> None:
    wrong = "k1:" + OTHER_MASTER_KEY.partition(":")[2]
    with pytest.raises(SettingsError, match="'k1' is not the one this database was sealed with"):
        await open_store(Settings(database_url=database_url, master_keys=(wrong,))).start()


async def test_a_missing_key_is_named_and_an_added_one_is_welcome(database_url: str) -> None:
    store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)
    await store.close()
    with pytest.raises(SettingsError, match="needs the master key 'k1'"):
        await open_store(Settings(database_url=database_url, master_keys=(OTHER_MASTER_KEY,))).start()
    both = open_store(Settings(database_url=database_url, master_keys=(OTHER_MASTER_KEY, MASTER_KEY)))
    await both.start()
    assert (await both.credentials("p1", "c1")).content == SECRET
    await both.close()


async def test_keys_come_from_a_file(tmp_path: Path, sqlite_url: str) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# the keys\n\n{MASTER_KEY}\n")
    store = open_store(Settings(database_url=sqlite_url, master_key_file=str(file)))
    await store.start()
    await store.close()
    with pytest.raises(SettingsError, match="ISTHMUS_MASTER_KEY_FILE"):
        open_store(Settings(database_url=sqlite_url, master_key_file=str(tmp_path / "none")))


async def written(url: str) -> None:
    store: Store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)
    await store.begin(operation("o9"))
    await store.settle(settlement("o9"))
    await store.close()


async def test_secrets_are_not_in_the_file(sqlite_url: str) -> None:
    await written(sqlite_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    kept = b"".join(child.read_bytes() for child in path.parent.iterdir() if child.name.startswith(path.name))
    assert b"Project 1" in kept
    assert b"SECRET" not in kept


async def test_secrets_are_not_in_a_dump(migrated_postgres_url: str) -> None:
    await written(migrated_postgres_url)
    operations = "SELECT encode(payload || outcome, 'escape') FROM operations;"
    connections = "SELECT encode(credentials, 'escape') FROM connections;"
    apps = "SELECT encode(client_secret, 'escape') FROM provider_apps;"
    sessions = "SELECT encode(details, 'escape') FROM connect_sessions"
    dump = postgres.run_sql(migrated_postgres_url, operations + connections + apps + sessions)
    assert "v1.d" in dump
    assert "SECRET" not in dump


async def test_swapped_ciphertexts_do_not_open(sqlite_url: str) -> None:
    await written(sqlite_url)
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    database = SqliteDatabase(path)
    await database.open()
    async with database.writing() as session:
        swap = "UPDATE connections SET credentials = (SELECT credentials FROM connections WHERE id = ?) WHERE id = ?"
        await session.fetch(swap, ("c2", "c1"))
        await session.fetch("UPDATE operations SET payload = outcome WHERE id = ?", ("o9",))
    await database.close()
    store = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
    await store.start()
    with pytest.raises(Unsealable):
        await store.credentials("p1", "c1")
    with pytest.raises(Unsealable):
        await store.operation("p1", "o9")
    await store.close()
