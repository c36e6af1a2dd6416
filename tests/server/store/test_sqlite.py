import ast
import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from server.settings import Settings
from server.store.contract import OperationFilter, Unavailable
from server.store.opening import open_store
from server.store.sqlite import BUSY_MILLISECONDS, SqliteDatabase
from tests.server.store.samples import MASTER_KEY, operation, project

BEGINNING = re.compile(r"\s*(BEGIN|START)(\s+(DEFERRED|IMMEDIATE|EXCLUSIVE|TRANSACTION))*\s*;?\s*", re.IGNORECASE)
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def database(sqlite_url: str) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(Path(sqlite_url.removeprefix("sqlite:///")), lock_seconds=0)
    await database.open()
    yield database
    await database.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", BUSY_MILLISECONDS)],
)
async def test_the_writer_is_durable(database: SqliteDatabase, pragma: str, value: object) -> None:
    async with database.writing() as session:
        (row,) = await session.fetch(f"PRAGMA {pragma}", ())
    assert list(row.values()) == [value]


async def test_a_reader_cannot_write(database: SqliteDatabase) -> None:
    async with database.reading() as session:
        with pytest.raises(Unavailable, match="readonly"):
            await session.fetch("DELETE FROM projects", ())


async def test_every_write_transaction_is_immediate(database: SqliteDatabase) -> None:
    said: list[str] = []
    database.writer.connection.set_trace_callback(said.append)
    async with database.writing() as session:
        await session.fetch("SELECT 1", ())
    await database.write(lambda connection: connection.execute("SELECT 1").fetchall())
    database.writer.connection.set_trace_callback(None)
    assert [one for one in said if one.startswith("BEGIN")] == ["BEGIN IMMEDIATE"] * 2


def test_nothing_else_begins_a_transaction() -> None:
    texts = [
        (path.name, node.value)
        for path in sorted((ROOT / "server").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and BEGINNING.fullmatch(node.value)
    ]
    assert sorted(texts) == [("sqlite.py", "BEGIN"), ("sqlite.py", "BEGIN IMMEDIATE"), ("sqlite.py", "BEGIN IMMEDIATE")]


async def test_reading_then_writing_in_parallel_loses_nothing(database: SqliteDatabase) -> None:
    async def grow() -> None:
        async with database.writing() as session:
            (row,) = await session.fetch("SELECT value FROM counters WHERE id = 'ready'", ())
            await session.fetch("UPDATE counters SET value = ? WHERE id = 'ready'", (row["value"] + 1,))

    async with database.reading() as session:
        (before,) = await session.fetch("SELECT value FROM counters WHERE id = 'ready'", ())
    await asyncio.gather(*(grow() for _ in range(40)))
    async with database.reading() as session:
        (after,) = await session.fetch("SELECT value FROM counters WHERE id = 'ready'", ())
    assert after["value"] - before["value"] == 40


async def test_a_writer_that_is_cancelled_leaves_nothing_behind(database: SqliteDatabase) -> None:
    entered = asyncio.Event()

    async def hold() -> None:
        async with database.writing() as session:
            await session.fetch("UPDATE counters SET value = 99 WHERE id = 'ready'", ())
            entered.set()
            await asyncio.Event().wait()

    holder = asyncio.create_task(hold())
    await entered.wait()
    holder.cancel()
    await asyncio.gather(holder, return_exceptions=True)
    async with database.writing() as session:
        (row,) = await session.fetch("SELECT value FROM counters WHERE id = 'ready'", ())
    assert row["value"] != 99


async def test_a_second_process_is_refused_with_a_sentence(database: SqliteDatabase) -> None:
    script = (
        "import asyncio, sys\n"
        "from server.settings import Settings\n"
        "from server.store.opening import open_store\n"
        f"store = open_store(Settings(database_url={f'sqlite:///{database.path}'!r}, master_keys=({MASTER_KEY!r},)))\n"
        "asyncio.run(store.start())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, cwd=ROOT, stderr=subprocess.PIPE)
    _, said = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 1
    assert b"another Isthmus process holds" in said


async def test_a_second_store_in_this_process_is_refused_too(database: SqliteDatabase) -> None:
    with pytest.raises(Unavailable, match="another Isthmus process holds"):
        await SqliteDatabase(database.path, lock_seconds=0).open()


CHILD = """
import asyncio, sys
from server.settings import Settings
from server.store.opening import open_store
from tests.server.store.samples import MASTER_KEY, operation, populated

async def main():
    store = open_store(Settings(database_url=sys.argv[1], master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)

    async def deliver(caller):
        for number in range(100_000):
            name = f"x{caller}-{number}"
            await store.begin(operation(name))
            print(name, flush=True)

    await asyncio.gather(*(deliver(caller) for caller in range(8)))

asyncio.run(main())
"""


async def test_a_kill_loses_nothing_that_was_acknowledged(database_url: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHILD, database_url, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    acknowledged = [await asyncio.wait_for(process.stdout.readline(), 120) for _ in range(300)]
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    names = {line.decode().strip() for line in acknowledged} | set(rest.decode().rpartition("\n")[0].splitlines())
    store = open_store(Settings(database_url=database_url, master_keys=(MASTER_KEY,)))
    await store.start()
    page = await store.operations("p1", OperationFilter(installation_id="n1"), page_size=1_000_000)
    await store.close()
    assert names - {one.id for one in page.results} == set()
    assert page.results[-1].payload == operation().payload


async def fill(database: SqliteDatabase) -> None:
    async with database.writing() as session:
        for number in range(1000):
            insert = "INSERT INTO projects (id, name, app_name, org_id) VALUES (?, ?, ?, ?)"
            await session.fetch(insert, (f"p{number}", f"{number}" * 100, "", ""))


async def test_a_disk_that_takes_no_more_is_unavailable_and_breaks_nothing(sqlite_url: str) -> None:
    database = SqliteDatabase(Path(sqlite_url.removeprefix("sqlite:///")))
    await database.open()
    async with database.writing() as session:
        (row,) = await session.fetch("PRAGMA page_count", ())
        await session.fetch(f"PRAGMA max_page_count = {row['page_count']}", ())
    with pytest.raises(Unavailable, match="full"):
        await fill(database)
    async with database.reading() as session:
        assert await session.fetch("SELECT id FROM projects", ()) == []
        assert await session.fetch("PRAGMA integrity_check", ()) == [{"integrity_check": "ok"}]
    await database.close()


async def test_what_one_starts_anew_forgets_processes_of_before(sqlite_url: str) -> None:
    settings = Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,))
    for _ in range(2):
        store = open_store(settings)
        await store.start()
        assert await store.living(within_seconds=60) == []
        await store.beat("me", kind="server")
        await store.close()


async def test_times_keep_their_microseconds(sqlite_url: str) -> None:
    store = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await store.create_project(project())
    assert (await store.project("p1")).create_time == project().create_time
    await store.close()
