"""Keys are replaced under the hands of a running store, and nothing is ever sealed that does not open."""

import ast
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from installations.operation import Operation
from server.settings import Settings, SettingsError
from server.store.census import Census, take_census
from server.store.contract import OperationFilter, Replay, SessionKey, Store
from server.store.engine import Database
from server.store.keyring import Keyring, RetiredKey, hold
from server.store.opening import choose_database, open_store
from server.store.postgres import PostgresDatabase
from server.store.rotation import Renewal, Rotation
from server.store.sealed import SEALED
from server.store.tables import Connections, DataKeys
from server.store.vault import Unsealable
from tests.server.store.samples import (
    MASTER_KEY,
    NOW,
    OTHER_MASTER_KEY,
    SECRET,
    connect_session,
    connection,
    later,
    operation,
    populated,
    project,
    provider_app,
    settlement,
    unplaced,
)

SEALED_VALUES = 14
"""Two projects with a session key, a provider app, a connection, a connect session and an operation's payload each, and
a destination with an address and keys."""


@asynccontextmanager
async def opened(url: str, *master_keys: str) -> AsyncIterator[Store]:
    store = open_store(Settings(database_url=url, master_keys=master_keys or (MASTER_KEY,)))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def keys_of(url: str, *master_keys: str) -> AsyncIterator[tuple[Database, Keyring]]:
    """Open a database as the command for keys does."""
    database, master = choose_database(Settings(database_url=url, master_keys=master_keys or (MASTER_KEY,)))
    await database.open()
    try:
        yield database, Keyring(database, master)
    finally:
        await database.close()


async def renewed(url: str, *master_keys: str) -> Renewal:
    async with keys_of(url, *master_keys) as (database, keyring):
        rotation = Rotation(database, keyring, tell=lambda _: None, page_size=2, notice_seconds=0)
        return await rotation.renew(now=NOW)


async def census(url: str, *master_keys: str) -> Census:
    async with keys_of(url, *master_keys) as (database, keyring):
        return await take_census(database, keyring)


async def everything_opens(url: str, *master_keys: str) -> None:
    async with opened(url, *master_keys) as store:
        for number in (1, 2):
            found = await store.credentials(f"p{number}", f"c{number}")
            assert (found.content, found.version) == (SECRET, 1)
            assert await store.client_secret(f"p{number}", f"a{number}") == SECRET
            assert await store.session_key(f"p{number}") == SessionKey(id=f"g{number}", private_key=SECRET)
            assert unplaced(await store.operation(f"p{number}", f"o{number}")) == operation(f"o{number}", number=number)
            sample = connect_session(number)
            assert await store.connect_session(sample.key_digest, now=NOW) == sample


@pytest.fixture
async def filled_url(database_url: str) -> str:
    """A database of each kind with two projects in it, sealed under `MASTER_KEY`."""
    async with opened(database_url) as store:
        await populated(store)
    return database_url


async def test_data_keys_are_wrapped_by_the_first_master_key_and_the_old_one_may_go(filled_url: str) -> None:
    async with keys_of(filled_url, OTHER_MASTER_KEY, MASTER_KEY) as (database, keyring):
        await keyring.prove()
        rotation = Rotation(database, keyring, tell=lambda _: None, page_size=1)
        assert [await rotation.rewrap(), await rotation.rewrap()] == [2, 0]
    await everything_opens(filled_url, OTHER_MASTER_KEY)
    with pytest.raises(SettingsError, match="needs the master key 'k2'"):
        await open_store(Settings(database_url=filled_url, master_keys=(MASTER_KEY,))).start()


async def test_on_sqlite_a_start_with_a_new_first_key_is_all_it_takes(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(sqlite_url) as store:
        await populated(store)
    await everything_opens(sqlite_url, OTHER_MASTER_KEY, MASTER_KEY)
    assert '"event":"keys.rewrapped","data_keys":2,"master_key":"k2"' in capsys.readouterr().err
    await everything_opens(sqlite_url, OTHER_MASTER_KEY)
    assert "keys.rewrapped" not in capsys.readouterr().err


async def test_new_data_keys_seal_everything_and_the_old_ones_go(filled_url: str) -> None:
    before = await census(filled_url)
    done = await renewed(filled_url)
    assert (done.made, done.resealed, done.dropped, done.unopened) == (2, SEALED_VALUES, 2, ())
    after = await census(filled_url)
    assert {key.id for key in after.data_keys}.isdisjoint(key.id for key in before.data_keys)
    assert (after.values, after.unopened, len(after.data_keys)) == (SEALED_VALUES, (), 2)
    assert all(key.seals and key.opens and key.values == SEALED_VALUES / 2 for key in after.data_keys)
    await everything_opens(filled_url)


async def test_sealing_anew_changes_nothing_that_anybody_sees(filled_url: str) -> None:
    async with opened(filled_url) as store:
        before = await store.connection("p1", "c1"), await store.provider_app("p1", "a1")
    await renewed(filled_url)
    async with opened(filled_url) as store:
        assert (await store.connection("p1", "c1"), await store.provider_app("p1", "a1")) == before


class PowerCut(BaseException):
    """Ends a rotation where it stands."""


@pytest.mark.parametrize("steps", range(1, 10))
async def test_a_rotation_that_was_interrupted_is_finished_by_the_next_and_makes_no_further_keys(
    filled_url: str, steps: int
) -> None:
    told: list[str] = []

    def tell(step: str) -> None:
        told.append(step)
        if len(told) == steps:
            raise PowerCut

    async with keys_of(filled_url) as (database, keyring):
        with pytest.raises(PowerCut):
            await Rotation(database, keyring, tell=tell, page_size=2, notice_seconds=0).renew(now=NOW)
    finished = told[-1].startswith("removed")
    assert finished == (steps == 9)
    assert (await renewed(filled_url)).made == (2 if finished else 0)
    found = await census(filled_url)
    assert (found.values, found.unopened, len(found.data_keys)) == (SEALED_VALUES, (), 2)
    await everything_opens(filled_url)


async def test_a_value_that_does_not_open_is_told_and_stops_nothing(filled_url: str) -> None:
    async with keys_of(filled_url) as (database, _), database.writing() as session:
        sql = "UPDATE connections SET credentials = (SELECT credentials FROM connections WHERE id = 'c2') "
        await session.fetch(f"{sql} WHERE id = 'c1'", ())
    first, second = await renewed(filled_url), await renewed(filled_url)
    assert [done.unopened[0].partition(" ")[0] for done in (first, second)] == ["connections.credentials"] * 2
    assert (first.made, first.dropped, second.made, second.dropped) == (2, 1, 2, 2)
    found = await census(filled_url)
    assert len(found.unopened) == 1
    async with opened(filled_url) as store:
        with pytest.raises(Unsealable):
            await store.credentials("p1", "c1")
        assert (await store.credentials("p2", "c2")).content == SECRET


async def test_with_other_keys_nothing_opens(filled_url: str) -> None:
    stolen = await census(filled_url, OTHER_MASTER_KEY)
    assert stolen.values == len(stolen.unopened) == SEALED_VALUES
    assert [(key.name, key.given, key.wraps) for key in stolen.master_keys] == [("k2", True, 0), ("k1", False, 2)]
    renamed = await census(filled_url, "k1:" + OTHER_MASTER_KEY.partition(":")[2])
    assert len(renamed.unopened) == SEALED_VALUES
    assert [(key.name, key.proven) for key in renamed.master_keys] == [("k1", False)]


Call = Callable[[Store], Awaitable[object]]

CALLS: tuple[tuple[str, Call], ...] = (
    ("credentials", lambda s: s.credentials("p1", "c1")),
    ("client_secret", lambda s: s.client_secret("p1", "a1")),
    ("operation", lambda s: s.operation("p1", "o1")),
    ("operations", lambda s: s.operations("p1", OperationFilter(installation_id="n1"), page_size=9)),
    ("orphans", lambda s: s.orphans(living=[], limit=9)),
    ("connect_session", lambda s: s.connect_session(connect_session().key_digest, now=NOW)),
    ("create_connection", lambda s: s.create_connection(connection(1, id="c9"))),
    (
        "renew_credentials",
        lambda s: s.renew_credentials("p1", "c1", if_version=1, credentials=b"new", keep_alive_at=None, now=NOW),
    ),
    ("update_connection", lambda s: s.update_connection("p1", "c1", now=NOW, credentials=b"new")),
    ("create_provider_app", lambda s: s.create_provider_app(provider_app(id="a9", client_id="9"), client_secret=b"9")),
    ("update_provider_app", lambda s: s.update_provider_app("p1", provider_app(), client_secret=b"9")),
    ("create_connect_session", lambda s: s.create_connect_session(connect_session(id="s9", key_digest=b"9"))),
    (
        "advance_connect_session",
        lambda s: s.advance_connect_session(connect_session(stage="started", details=b"9"), from_stage="made", now=NOW),
    ),
    ("begin", lambda s: s.begin(operation("o9"))),
    ("settle", lambda s: s.settle(settlement())),
    ("settle_all", lambda s: s.settle_all([settlement("o9"), settlement("o9", summary="again")])),
    ("gather", lambda s: s.gather(waiting("g1"), b"SECRET", most=9)),
    ("gather more", lambda s: s.gather(waiting("g2"), b"SECRET", most=9)),
    ("gathered", lambda s: s.gathered("p1", "g1")),
    ("earliest", lambda s: s.earliest("p1", OperationFilter(), limit=9)),
    ("expired", lambda s: s.expired(now=later(9999), limit=9)),
    ("claim", lambda s: claim_all(s)),  # noqa: PLW0108 -- it stands below
    ("replay", lambda s: s.replay("p1", [Replay(operation=waiting("r1", replay_of="g1"))])),
)


def waiting(name: str, **changes: Any) -> Operation:
    return operation(name, state="queued", owner="", connection_id="c1", gather_key="k", **changes)


async def claim_all(store: Store) -> None:
    assert await store.take_lane("c1", owner="me", now=NOW, dead_after_seconds=60)
    claimed = await store.claim("c1", owner="me", now=NOW, calls=9, batch=1)
    assert [one.id for one in claimed] == ["g1"]
    await store.settle(settlement("g1", from_state="claimed", to_state="failure"))


async def test_a_process_that_heard_of_nothing_goes_on_over_a_rotation(migrated_postgres_url: str) -> None:
    async with opened(migrated_postgres_url) as store:
        await populated(store)
    for name, call in CALLS:
        async with opened(migrated_postgres_url) as store:
            await store.credentials("p1", "c1")
            assert (await renewed(migrated_postgres_url)).dropped == 2, name
            await call(store)
        found = await census(migrated_postgres_url)
        assert (found.unopened, len(found.data_keys)) == ((), 2), name


async def test_a_process_that_hears_of_new_keys_seals_with_them(migrated_postgres_url: str) -> None:
    async with opened(migrated_postgres_url) as store:
        await populated(store)
        await store.epoch()
        await renewed(migrated_postgres_url)
        await store.epoch()
        await store.begin(operation("o9"))
    assert (await census(migrated_postgres_url)).unopened == ()


async def waits_for_a_lock(database: Database) -> None:
    """Wait until some session does."""
    while True:
        async with database.reading() as session:
            if await session.fetch("SELECT 1 FROM pg_locks WHERE NOT granted", ()):
                return


@pytest.fixture
async def postgres(migrated_postgres_url: str) -> AsyncIterator[PostgresDatabase]:
    """A database with two projects in it."""
    async with opened(migrated_postgres_url) as store:
        await populated(store)
    database = PostgresDatabase(migrated_postgres_url)
    await database.open()
    yield database
    await database.close()


async def test_a_key_is_retired_only_after_those_who_seal_with_it(
    postgres: PostgresDatabase, migrated_postgres_url: str
) -> None:
    async with keys_of(migrated_postgres_url) as (_, keyring):
        box = await keyring.box("p1")
        async with postgres.writing():
            await hold(box)
            rotation = asyncio.create_task(renewed(migrated_postgres_url))
            await asyncio.wait_for(waits_for_a_lock(postgres), 60)
            late = box.seal(b"late", table="connections", column="credentials", row_id="c1")
            await Connections.update({Connections.credentials: late}).where(Connections.id == "c1")
            assert not rotation.done()
        assert (await rotation).resealed == SEALED_VALUES
    async with opened(migrated_postgres_url) as store:
        assert (await store.credentials("p1", "c1")).content == b"late"


async def test_who_comes_while_a_key_is_being_retired_waits_and_is_refused(
    postgres: PostgresDatabase, migrated_postgres_url: str
) -> None:
    async with keys_of(migrated_postgres_url) as (database, keyring):
        box = await keyring.box("p1")

        async def seal() -> None:
            async with database.writing():
                await hold(box)

        async with postgres.writing():
            await DataKeys.raw("SELECT id FROM data_keys WHERE id = {} FOR UPDATE", box.sealing)
            await DataKeys.update({DataKeys.retired: True}).where(DataKeys.id == box.sealing)
            sealer = asyncio.create_task(seal())
            await asyncio.wait_for(waits_for_a_lock(postgres), 60)
        with pytest.raises(RetiredKey):
            await sealer


async def test_wrapping_anew_does_not_wait_for_those_who_seal(
    postgres: PostgresDatabase, migrated_postgres_url: str
) -> None:
    async with keys_of(migrated_postgres_url, OTHER_MASTER_KEY, MASTER_KEY) as (database, keyring):
        box = await keyring.box("p1")
        async with postgres.writing():
            await hold(box)
            assert await asyncio.wait_for(Rotation(database, keyring, tell=lambda _: None).rewrap(), 60) == 2


async def test_two_rotations_at_once_do_no_harm(migrated_postgres_url: str) -> None:
    async with opened(migrated_postgres_url) as store:
        await populated(store)
        for number in range(30):
            await store.create_connection(connection(1, id=f"x{number}"))
    await asyncio.gather(*(renewed(migrated_postgres_url) for _ in range(3)))
    found = await census(migrated_postgres_url)
    assert (found.unopened, found.values) == ((), SEALED_VALUES + 30)
    await renewed(migrated_postgres_url)
    assert len((await census(migrated_postgres_url)).data_keys) == 2


async def test_while_a_new_master_key_is_rolled_out_projects_are_made_for_everybody(
    migrated_postgres_url: str,
) -> None:
    async with (
        opened(migrated_postgres_url) as old,
        opened(migrated_postgres_url, OTHER_MASTER_KEY, MASTER_KEY) as new,
    ):
        await old.beat("old", kind="server")
        await new.create_project(project(3))
        await new.create_connection(connection(3))
        assert (await old.credentials("p3", "c3")).content == SECRET
    async with opened(migrated_postgres_url, OTHER_MASTER_KEY, MASTER_KEY) as new:
        await new.beat("old", kind="server")
        await new.create_project(project(4))
    found = await census(migrated_postgres_url, OTHER_MASTER_KEY, MASTER_KEY)
    assert {key.project_id: key.master_key for key in found.data_keys} == {"p3": "k1", "p4": "k2"}
    assert [key.first_for for key in found.master_keys] == [("old",), ()]


def sealing_calls() -> set[tuple[str, str]]:
    """Read from the code which columns of which tables are sealed."""
    found: set[tuple[str, str]] = set()
    for path in (Path(__file__).parents[3] / "server" / "store" / "rows").glob("*.py"):
        tree = ast.parse(path.read_text())
        constants = {ast.unparse(node.targets[0]): node.value for node in tree.body if isinstance(node, ast.Assign)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "seal":
                named: dict[str | None, Any] = {word.arg: word.value for word in node.keywords}
                table = constants[ast.unparse(named["table"])]
                found.add((ast.literal_eval(table), ast.literal_eval(named["column"])))
    return found


def test_every_cell_that_is_sealed_is_known_to_the_rotation() -> None:
    assert sealing_calls() == {(cells.name, column) for cells in SEALED for column in cells.columns}
