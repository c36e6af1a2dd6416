import threading
from pathlib import Path

import pytest

from installations.errors import InvalidInput
from server.settings import Settings, SettingsError
from server.store.contract import Missing, Unavailable
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY, operation, populated, project, unplaced


@pytest.mark.parametrize(
    "url", ["", "isthmus.db", "mysql://x/y", "sqlite://x/y.db", "sqlite:///", "sqlite:///x.db?mode=ro"]
)
def test_a_url_that_means_no_store_is_explained(url: str) -> None:
    with pytest.raises(SettingsError, match="ISTHMUS_DATABASE_URL must be"):
        open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))


def test_postgresql_needs_a_key_and_tells_how_to_make_one() -> None:
    with pytest.raises(SettingsError, match=r"isthmus keys new.*head -c 32 /dev/urandom"):
        open_store(Settings(database_url="postgresql://localhost/x"))


async def test_sqlite_makes_its_folder_and_a_key_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "new" / "folder" / "isthmus.db"
    store = open_store(Settings(database_url=f"sqlite:///{path}"))
    await store.start()
    await populated(store)
    await store.close()
    said = capsys.readouterr().err
    assert f"{path}.master-key" in said
    assert "mode 0600" in said
    again = open_store(Settings(database_url=f"sqlite:///{path}"))
    await again.start()
    assert unplaced(await again.operation("p1", "o1")) == operation()
    await again.close()


async def test_a_key_that_others_may_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/isthmus.db")
    open_store(settings)
    open_store(settings)
    assert "exposed" not in capsys.readouterr().err
    (tmp_path / "isthmus.db.master-key").chmod(0o644)
    open_store(settings)
    assert '"event":"store.master_key_exposed"' in capsys.readouterr().err


async def test_a_relative_path_starts_at_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(Settings())
    await store.start()
    await store.close()
    assert (tmp_path / ".isthmus" / "isthmus.db").is_file()


async def test_a_lost_key_is_refused_and_not_replaced_silently(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/isthmus.db")
    store = open_store(settings)
    await store.start()
    await populated(store)
    await store.close()
    (tmp_path / "isthmus.db.master-key").unlink()
    with pytest.raises(SettingsError, match="needs the master key"):
        await open_store(settings).start()


async def test_a_file_that_is_no_database_is_explained(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is not a database, " * 100)
    with pytest.raises(Unavailable, match="file is not a database"):
        await open_store(Settings(database_url=f"sqlite:///{tmp_path}/x.db", master_keys=(MASTER_KEY,))).start()


async def test_no_server_is_explained() -> None:
    settings = Settings(database_url="postgresql://postgres:secret@127.0.0.1:1/x", master_keys=(MASTER_KEY,))
    with pytest.raises(Unavailable, match=r"cannot answer now: .*PostgreSQL at 127\.0\.0\.1:1/x") as refused:
        await open_store(settings).start()
    assert "secret" not in str(refused.value)


async def test_an_unknown_database_is_explained(postgres_server: str) -> None:
    settings = Settings(database_url=f"{postgres_server}/nothing", master_keys=(MASTER_KEY,))
    with pytest.raises(Unavailable, match="nothing"):
        await open_store(settings).start()


async def test_a_closed_store_says_so_and_leaves_no_threads(database_url: str) -> None:
    before = threading.active_count()
    store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
    with pytest.raises(Unavailable):
        await store.projects()
    await store.start()
    await populated(store)
    await store.close()
    await store.close()
    assert threading.active_count() <= before
    for call in (store.projects(), store.ready(), store.begin(operation("x"))):
        with pytest.raises(Unavailable):
            await call


@pytest.mark.parametrize("text", ["nul\0", "surrogate\ud800"])
async def test_text_that_no_database_keeps_is_invalid(database_url: str, text: str) -> None:
    store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)
    with pytest.raises(InvalidInput):
        await store.create_project(project(3, name=text))
    with pytest.raises((InvalidInput, Missing)):
        await store.project(text)
    with pytest.raises(InvalidInput):
        await store.begin(operation("o9", object_name=text))
    assert await store.begin(operation("o9")) is None
    await store.close()
