import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from server.settings import Settings
from server.store.contract import Unavailable
from server.store.engine import Database
from server.store.opening import migrate_database, open_store
from server.store.postgres import PostgresDatabase
from server.store.sqlite import SqliteDatabase
from server.store.tables import TABLES
from tests.server.store.samples import MASTER_KEY, populated

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=["sqlite", "postgres"])
def fresh_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/fresh.db"
    return str(request.getfixturevalue("postgres_url"))


def database(url: str) -> Database:
    if url.startswith("sqlite"):
        return SqliteDatabase(Path(url.removeprefix("sqlite:///")))
    return PostgresDatabase(url)


async def fetch(url: str, sql: str) -> list[dict[str, object]]:
    place = database(url)
    await place.open()
    async with place.writing() as session:
        rows = await session.fetch(sql, ())
    await place.close()
    return rows


async def test_migrating_twice_does_nothing_the_second_time(
    fresh_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # the steps lie beside the code, not beside the caller
    first = await migrate_database(fresh_url)
    assert first == sorted(first)
    assert len(first) >= 2
    assert await migrate_database(fresh_url) == []
    assert capsys.readouterr().out == ""


async def test_the_steps_make_what_the_tables_say(fresh_url: str) -> None:
    await migrate_database(fresh_url)
    for table in TABLES:
        assert await fetch(fresh_url, f"{table.select()} WHERE 1 = 0") == []


def test_no_change_of_the_tables_waits_for_a_step(tmp_path: Path) -> None:
    script = (
        "import asyncio\n"
        "from piccolo.apps.migrations.commands.new import AutoMigrationManager\n"
        "from migrations.piccolo_app import APP_CONFIG\n"
        "found = asyncio.run(AutoMigrationManager().get_alter_statements(APP_CONFIG))\n"
        "print([statement for part in found for statement in part.statements])\n"
    )
    result = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PICCOLO_CONF": "migrations.piccolo_conf"},
        timeout=60,
    )
    assert result.stdout.strip().splitlines()[-1] == "[]"


async def test_two_processes_that_start_together_migrate_once(fresh_url: str) -> None:
    script = (
        "import asyncio, sys\n"
        "from server.store.opening import migrate_database\n"
        "print(len(asyncio.run(migrate_database(sys.argv[1]))))\n"
    )
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, fresh_url, cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [await asyncio.wait_for(process.communicate(), 60) for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    counts = sorted(int(out) for out, _ in said)
    assert counts[0] == 0
    assert counts[1] >= 2


async def test_a_newer_schema_is_refused(fresh_url: str) -> None:
    await migrate_database(fresh_url)
    insert = "INSERT INTO migration (name, app_name, ran_on) VALUES ('2999-01-01', 'isthmus', '2999-01-01 00:00:00')"
    await fetch(fresh_url, insert)
    store = open_store(Settings(database_url=fresh_url, master_keys=(MASTER_KEY,)))
    with pytest.raises(Unavailable, match="newer Isthmus"):
        await store.start()
    with pytest.raises(Unavailable, match="newer Isthmus"):
        await migrate_database(fresh_url)


HALFWAY = """
import asyncio, os, signal, sys
from migrations.isthmus_migrations import isthmus_0002_indexes as step
from server.store.opening import migrate_database

# The second step dies after its third index, the way a killed process does: with everything open.
class Deadly(tuple):
    def __iter__(self):
        yield from list(tuple.__iter__(self))[:3]
        os.kill(os.getpid(), signal.SIGKILL)

step.INDEXES = Deadly(step.INDEXES)
asyncio.run(migrate_database(sys.argv[1]))
"""


async def test_a_kill_half_way_leaves_the_next_start_able_to_finish(fresh_url: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", HALFWAY, fresh_url, cwd=ROOT)
    assert await asyncio.wait_for(process.wait(), 60) == -9
    store = open_store(Settings(database_url=fresh_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)
    await store.close()
