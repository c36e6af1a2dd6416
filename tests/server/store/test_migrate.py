import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import UNSET

from server.backlog import take_stock
from server.settings import Settings
from server.store.contract import SessionKey, StoredCredentials, Unavailable
from server.store.engine import Database
from server.store.opening import migrate_database, open_store
from server.store.postgres import PostgresDatabase
from server.store.rows.events import store_event
from server.store.sqlite import SqliteDatabase
from server.store.tables import TABLES
from server.store.vault import Box, parse_master_keys
from tests.server.store.samples import MASTER_KEY, SECRET, connect_session, event, jwt_key, later, populated

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
        timeout=120,
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
    said = [await asyncio.wait_for(process.communicate(), 120) for process in processes]
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
    with pytest.raises(Unavailable, match="newer Isthmus"):
        await take_stock(Settings(database_url=fresh_url))


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
    assert await asyncio.wait_for(process.wait(), 120) == -9
    store = open_store(Settings(database_url=fresh_url, master_keys=(MASTER_KEY,)))
    await store.start()
    await populated(store)
    await store.close()


BEFORE = """
import asyncio, sys
from server.store.opening import migrate_database
print(asyncio.run(migrate_database(sys.argv[1])))
"""
ROWS = """
INSERT INTO projects (id, name, app_name, org_id, create_time) VALUES ('p1', 'Project 1', 'App', 'o', '{now}');
INSERT INTO data_keys (id, project_id, master_key_id, wrapped, create_time)
VALUES ('d1', 'p1', 'k1', {wrapped}, '{now}');
INSERT INTO groups (id, project_id, group_ref, group_name, create_time) VALUES ('g1', 'p1', 'acme', 'ACME', '{now}');
INSERT INTO consumers (id, project_id, consumer_ref, consumer_name, create_time)
VALUES ('u1', 'p1', 'jo', 'Jo', '{now}');
INSERT INTO connections (id, project_id, provider, group_id, consumer_id, auth_scheme, status, credentials,
    credential_version, create_time)
VALUES ('c1', 'p1', 'hubspot', 'g1', 'u1', 'oauth2/authorizationCode', 'working', {sealed}, 7, '{now}')
"""


async def made_with_the_first_steps(url: str, folder: Path, *, count: int) -> None:
    """Make a database the way a version with so many steps did."""
    steps = folder / "migrations" / "isthmus_migrations"
    steps.mkdir(parents=True)
    for step in sorted((ROOT / "migrations" / "isthmus_migrations").glob("*.py"))[: count + 1]:
        shutil.copy(step, steps)
    for module in ("__init__.py", "piccolo_app.py", "piccolo_conf.py"):
        shutil.copy(ROOT / "migrations" / module, folder / "migrations")
    environment = {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BEFORE, url, cwd=folder, env=environment, stdout=subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(process.communicate(), 120)
    assert said.count(b"2026-") == count


async def made_before_connections_and_access(url: str, folder: Path) -> None:
    """Make a database the way the release before the third step did, with a customer in it."""
    await made_with_the_first_steps(url, folder, count=2)
    key = b"d" * 32
    wrapped = parse_master_keys([MASTER_KEY]).wrap(key, data_key_id="d1")
    sealed = Box({"d1": key}, project_id="p1").seal(SECRET, table="connections", column="credentials", row_id="c1")
    quote = "X'{}'" if url.startswith("sqlite") else "'\\x{}'"
    for row in ROWS.split(";"):
        values = {"wrapped": quote.format(wrapped.hex()), "sealed": quote.format(sealed.hex())}
        await fetch(url, row.format(now="2026-01-01 00:00:00+00:00", **values))


async def test_a_database_of_the_release_before_is_upgraded_with_what_is_in_it(fresh_url: str, tmp_path: Path) -> None:
    await made_before_connections_and_access(fresh_url, tmp_path / "before")
    store = open_store(Settings(database_url=fresh_url, master_keys=(MASTER_KEY,)))
    await store.start()
    assert (await store.project("p1")).access_policy is UNSET
    assert (await store.connection("p1", "c1")).group.group_name == "ACME"
    assert await store.credentials("p1", "c1") == StoredCredentials(content=SECRET, version=7)
    assert await store.dying_connections(now=later(9), limit=9) == []
    await store.renew_credentials("p1", "c1", if_version=7, credentials=b"new", keep_alive_at=later(1), now=later(1))
    assert [one.id for one in await store.dying_connections(now=later(9), limit=9)] == ["c1"]
    await store.add_jwt_key(jwt_key())
    await store.create_connect_session(connect_session())
    await store.close()
    assert await migrate_database(fresh_url) == []


PROJECT_WITH_KEYS = """
INSERT INTO projects (id, name, app_name, org_id, create_time) VALUES ('p1', 'Project 1', 'App', 'o', '{now}');
INSERT INTO data_keys (id, project_id, master_key_id, wrapped, create_time)
VALUES ('d1', 'p1', 'k1', {wrapped}, '{now}')
"""
BUILDERS_KEY = """
INSERT INTO jwt_keys (id, project_id, label, public_key_pem, active, create_time, update_time)
VALUES ('{name}', 'p1', 'production', 'PEM', true, '{now}', '{now}')
"""


async def test_keys_of_builders_are_not_taken_for_our_own(fresh_url: str, tmp_path: Path) -> None:
    """Neither one from before the step, nor one that the release before stores beside us."""
    await made_with_the_first_steps(fresh_url, tmp_path / "before", count=12)
    wrapped = parse_master_keys([MASTER_KEY]).wrap(b"d" * 32, data_key_id="d1")
    quoted = ("X'{}'" if fresh_url.startswith("sqlite") else "'\\x{}'").format(wrapped.hex())
    now = "2026-01-01 00:00:00+00:00"
    for row in PROJECT_WITH_KEYS.split(";"):
        await fetch(fresh_url, row.format(now=now, wrapped=quoted))
    await fetch(fresh_url, BUILDERS_KEY.format(name="j1", now=now))
    await migrate_database(fresh_url)
    await fetch(fresh_url, BUILDERS_KEY.format(name="j2", now=now))
    store = open_store(Settings(database_url=fresh_url, master_keys=(MASTER_KEY,)))
    await store.start()
    assert [key.id for key in await store.jwt_keys("p1", active=True)] == ["j1", "j2"]
    assert await store.session_key("p1") is None
    kept = await store.keep_session_key(jwt_key(id="j3"), private_key=SECRET)
    assert kept == await store.session_key("p1") == SessionKey(id="j3", private_key=SECRET)
    await store.close()


EVENTS = """
INSERT INTO projects (id, name, app_name, org_id, create_time) VALUES ('p1', 'Project 1', 'App', 'o', '{now}');
INSERT INTO projects (id, name, app_name, org_id, create_time) VALUES ('p2', 'Project 2', 'App', 'o', '{now}');
INSERT INTO events (id, project_id, type, data, create_time) VALUES ('e1', 'p1', 't', {data}, '{now}');
INSERT INTO events (id, project_id, type, data, create_time) VALUES ('e2', 'p2', 't', {data}, '{now}');
INSERT INTO events (id, project_id, type, data, create_time) VALUES ('e3', 'p1', 't', {data}, '{now}')
"""


async def test_events_from_before_they_had_places_are_given_theirs(fresh_url: str, tmp_path: Path) -> None:
    await made_with_the_first_steps(fresh_url, tmp_path / "before", count=5)
    data = "X'7b7d'" if fresh_url.startswith("sqlite") else "'\\x7b7d'"
    for row in EVENTS.split(";"):
        await fetch(fresh_url, row.format(now="2026-01-01 00:00:00+00:00", data=data))
    store = open_store(Settings(database_url=fresh_url, master_keys=(MASTER_KEY,)))
    await store.start()
    assert [(one.id, one.sequence) for one in await store.events("p1")] == [("e1", 1), ("e3", 2)]
    assert [(one.id, one.sequence) for one in await store.events("p2")] == [("e2", 1)]
    await store.close()
    place = database(fresh_url)
    await place.open()
    async with place.writing() as session:
        await store_event("p1", event("e0"))
        assert await session.fetch("SELECT sequence FROM events WHERE id = 'e0'", ()) == [{"sequence": 3}]
    await place.close()
