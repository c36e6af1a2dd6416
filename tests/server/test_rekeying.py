"""Replacing keys as an operator does it, and what the check says before and after."""

import re
from pathlib import Path

import pytest

from server.rekeying import Findings, check, rotate
from server.settings import Settings, SettingsError
from server.store.contract import Unavailable
from server.store.opening import choose_database, open_store
from tests.server.store.samples import MASTER_KEY, OTHER_MASTER_KEY, SECRET, populated
from tests.server.test_cli import isthmus

VALUES = 14


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest) -> str:
    """A database of each kind with two projects, sealed under `MASTER_KEY`."""
    name = {"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param]
    found = str(request.getfixturevalue(name))
    store = open_store(settings(found))
    await store.start()
    await populated(store)
    await store.close()
    return found


def settings(url: str, *master_keys: str) -> Settings:
    return Settings(database_url=url, master_keys=master_keys or (MASTER_KEY,))


async def rotated(url: str, *master_keys: str, data_keys: bool = False) -> Findings:
    return await rotate(settings(url, *master_keys), data_keys=data_keys, tell=lambda _: None)


def about(name: str, findings: Findings) -> str:
    """Tell what is said of a master key."""
    (line,) = [line for line in findings.lines if line.startswith(f"  {name}  ")]
    return line.removeprefix(f"  {name}  ")


async def test_a_master_key_is_replaced_and_the_old_one_dropped(url: str) -> None:
    before = await check(settings(url, OTHER_MASTER_KEY, MASTER_KEY))
    assert before.ok
    assert about("k1", before) == "data keys wrapped: 2; still needed, `isthmus keys rotate` wraps them anew"
    done = await rotated(url, OTHER_MASTER_KEY, MASTER_KEY)
    assert done == Findings(ok=True, lines=("data keys wrapped anew: 2; all are wrapped by k2 now",))
    after = await check(settings(url, OTHER_MASTER_KEY, MASTER_KEY))
    assert after.ok
    assert about("k1", after) == "data keys wrapped: 0; may be dropped from the list"
    alone = await check(settings(url, OTHER_MASTER_KEY))
    assert alone.ok
    assert about("k2", alone) == "data keys wrapped: 2; the first, it wraps new ones"
    assert alone.lines[-1] == f"all {VALUES} values open"


async def test_data_keys_are_replaced(url: str) -> None:
    done = await rotated(url, data_keys=True)
    assert done.ok
    assert done.lines[1] == f"data keys made: 2; values sealed anew: {VALUES}; data keys removed: 2"
    keys = [line for line in (await check(settings(url))).lines if " of project " in line]
    assert [re.sub(r"d\w{16}", "KEY", line) for line in keys] == [
        f"  KEY  of project {project}, wrapped by k1, seals; values sealed: 7" for project in ("p1", "p2")
    ]


async def test_a_check_says_which_master_key_is_missing_or_another(url: str) -> None:
    missing = await check(settings(url, OTHER_MASTER_KEY))
    assert not missing.ok
    assert about("k1", missing) == "data keys wrapped: 2; IS MISSING: add it to ISTHMUS_MASTER_KEYS"
    assert f"{VALUES} of {VALUES} values do not open" in missing.lines
    another = await check(settings(url, "k1:" + OTHER_MASTER_KEY.partition(":")[2]))
    assert not another.ok
    assert "IS ANOTHER KEY" in about("k1", another)
    for wrong in (OTHER_MASTER_KEY, "k1:" + OTHER_MASTER_KEY.partition(":")[2]):
        with pytest.raises(SettingsError):
            await rotated(url, wrong)


async def test_a_check_says_what_does_not_open_and_nothing_of_what_does(url: str) -> None:
    database, _ = choose_database(settings(url))
    await database.open()
    async with database.writing() as session:
        swap = "(SELECT credentials FROM connections WHERE id = 'c2')"
        await session.fetch(f"UPDATE connections SET credentials = {swap} WHERE id = 'c1'", ())  # noqa: S608 -- constants
    await database.close()
    found = await check(settings(url))
    assert not found.ok
    assert found.lines[-2] == f"1 of {VALUES} values do not open"
    assert found.lines[-1].startswith("  connections.credentials of c1 ")
    assert SECRET.decode() not in "\n".join(found.lines)


async def test_nothing_is_wrapped_that_a_running_process_could_not_open(migrated_postgres_url: str) -> None:
    running = open_store(settings(migrated_postgres_url))
    await running.start()
    await running.beat("server-1", kind="server")
    with pytest.raises(SettingsError, match="do not have the master key 'k2': server-1"):
        await rotated(migrated_postgres_url, OTHER_MASTER_KEY, MASTER_KEY)
    assert (await rotated(migrated_postgres_url, MASTER_KEY, OTHER_MASTER_KEY)).ok
    await running.close()


async def test_a_key_that_a_running_process_wraps_with_is_still_needed(migrated_postgres_url: str) -> None:
    running = open_store(settings(migrated_postgres_url))
    await running.start()
    await running.beat("server-1", kind="server")
    await running.close()
    found = await check(settings(migrated_postgres_url, OTHER_MASTER_KEY, MASTER_KEY))
    assert about("k1", found) == "data keys wrapped: 0; still needed, it is the first for server-1"


async def test_on_sqlite_a_running_server_is_in_the_way_and_that_is_said(sqlite_url: str) -> None:
    running = open_store(settings(sqlite_url))
    await running.start()
    with pytest.raises(Unavailable, match="no more than a restart; for the rest stop the server first"):
        await rotated(sqlite_url)
    await running.close()


async def test_a_check_does_not_migrate(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="run `isthmus migrate` first"):
        await check(settings(f"sqlite:///{tmp_path}/fresh.db"))


def test_the_command_replaces_keys_and_says_so(tmp_path: Path) -> None:
    old = {"ISTHMUS_MASTER_KEYS": MASTER_KEY}
    new = {"ISTHMUS_MASTER_KEYS": f"{OTHER_MASTER_KEY},{MASTER_KEY}"}
    assert isthmus(tmp_path, "init", "--project", "Acme", **old).returncode == 0
    done = isthmus(tmp_path, "keys", "rotate", "--data-keys", **new)
    assert done.returncode == 0, done.stderr
    assert "data keys wrapped anew: 1; all are wrapped by k2 now\ndata keys made: 1;" in done.stdout
    # A person reads this: the steps, and no event that says the same once more.
    assert '"event"' not in done.stderr
    refused = isthmus(tmp_path, "keys", "check", **old)
    assert (refused.returncode, "IS MISSING" in refused.stdout) == (1, True)
    assert isthmus(tmp_path, "keys", "check", **new).returncode == 0
