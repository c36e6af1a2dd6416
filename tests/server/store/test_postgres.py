import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.settings import Settings
from server.store.contract import Store, Superseded, Unavailable
from server.store.opening import open_store
from server.store.piccolo import PiccoloStore
from server.store.postgres import PostgresDatabase, PostgresSession
from server.store.postgres_moves import PostgresMoves
from server.store.vault import parse_master_keys
from tests import postgres
from tests.server.store.samples import MASTER_KEY, attempt, config, idempotency, later, operation, populated, settlement


async def opened(url: str) -> Store:
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    return store


@pytest.fixture
async def two(migrated_postgres_url: str) -> AsyncIterator[tuple[Store, Store]]:
    """Two stores on one database, as two processes have them."""
    first, second = await opened(migrated_postgres_url), await opened(migrated_postgres_url)
    await populated(first)
    yield first, second
    await first.close()
    await second.close()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("synchronous_commit", "on"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "8s"),
        ("default_transaction_isolation", "read committed"),
    ],
)
async def test_sessions_are_durable_and_bounded(migrated_postgres_url: str, setting: str, value: str) -> None:
    database = PostgresDatabase(migrated_postgres_url)
    await database.open()
    async with database.writing() as session:
        assert await session.fetch(f"SHOW {setting}", ()) == [{setting: value}]
    await database.close()


async def test_a_reader_cannot_write(migrated_postgres_url: str) -> None:
    database = PostgresDatabase(migrated_postgres_url)
    await database.open()
    async with database.reading() as session:
        with pytest.raises(Unavailable, match="read-only"):
            await session.fetch("DELETE FROM projects", ())
    await database.close()


async def test_a_session_that_was_broken_off_leaves_nothing_to_the_next(migrated_postgres_url: str) -> None:
    database = PostgresDatabase(migrated_postgres_url)
    await database.open()
    changed = asyncio.Event()

    async def change() -> None:
        async with database.writing() as session:
            await session.fetch("UPDATE counters SET value = value + 1", ())
            changed.set()
            await session.fetch("SELECT pg_sleep(60)", ())

    async with database.reading() as session:
        before = await session.fetch("SELECT sum(value) AS value FROM counters", ())
    changing = asyncio.create_task(change())
    await changed.wait()
    changing.cancel()
    await asyncio.wait({changing})
    open_ones = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
    async with database.writing() as session:
        assert await session.fetch(open_ones, ()) == []
        assert await session.fetch("SELECT sum(value) AS value FROM counters", ()) == before
    await database.close()


async def test_of_fifty_begins_with_one_key_in_two_processes_one_is_stored(two: tuple[Store, Store]) -> None:
    begins = [two[number % 2].begin(operation(f"x{number}"), idempotency=idempotency()) for number in range(50)]
    answers = await asyncio.gather(*begins)
    assert answers.count(None) == 1
    assert {answer.operation.id for answer in answers if answer} == {f"x{answers.index(None)}"}


async def test_two_processes_settling_the_same_operations_have_one_winner_each(two: tuple[Store, Store]) -> None:
    names = [f"x{number}" for number in range(40)]
    await asyncio.gather(*(two[0].begin(operation(name)) for name in names))
    forwards = [two[0].settle(settlement(name)) for name in names]
    backwards = [two[1].settle(settlement(name)) for name in reversed(names)]
    results = await asyncio.gather(*forwards, *backwards, return_exceptions=True)
    assert results.count(None) == 40


async def test_a_change_in_one_process_is_seen_in_the_other(two: tuple[Store, Store]) -> None:
    before = await two[1].epoch()
    await two[0].update_installation("p1", "n1", now=later(9), if_config="v1", config=config("v9"))
    assert await two[1].epoch() > before
    assert (await two[1].installation("p1", "n1")).config.id == "v9"
    await two[0].beat("a", kind="server")
    await two[1].beat("b", kind="worker")
    assert await two[0].living(within_seconds=60) == ["a", "b"]


async def test_connections_that_were_cut_are_replaced(postgres_server: str, migrated_postgres_url: str) -> None:
    store = await opened(migrated_postgres_url)
    await populated(store)
    name = migrated_postgres_url.rpartition("/")[2]
    kill = f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608 -- our own name
    for number in range(5):
        postgres.run_sql(f"{postgres_server}/postgres", kill)
        assert await store.begin(operation(f"x{number}"), idempotency=idempotency(f"{number}")) is None
        postgres.run_sql(f"{postgres_server}/postgres", kill)
        await store.settle(settlement(f"x{number}"))
        postgres.run_sql(f"{postgres_server}/postgres", kill)
        assert (await store.operation("p1", f"x{number}")).state == "success"
    await store.close()


@asynccontextmanager
async def cut_when_resting(url: str) -> AsyncIterator[str]:
    """Stand before a server and cut every connection when its client puts it in order after a transaction."""
    host, port = url.partition("@")[2].partition("/")[0].split(":")

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, cut: bytes | None = None) -> None:
        while (data := await reader.read(65_536)) and (cut is None or cut not in data):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(carry(reader, outer, cut=b"pg_advisory_unlock_all"), carry(inner, writer))

    proxy = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with proxy:
        yield url.replace(f":{port}/", f":{proxy.sockets[0].getsockname()[1]}/")


async def test_what_was_committed_stands_though_its_connection_dies_right_after(migrated_postgres_url: str) -> None:
    async with cut_when_resting(migrated_postgres_url) as url:
        database = PostgresDatabase(url)
        await database.open()
        for number in range(3):
            async with database.writing() as session:
                await session.fetch("INSERT INTO counters (id, value) VALUES ($1, 0)", (f"x{number}",))
        async with database.reading() as session:
            assert await session.fetch("SELECT count(*) FROM counters WHERE id LIKE 'x%'", ()) == [{"count": 3}]
        await database.close()


class LosesOneAnswer(PostgresDatabase):
    """Commits, and then loses the connection before the answer arrives; once."""

    lost = False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[PostgresSession]:
        async with super().writing() as session:
            yield session
        if not self.lost:
            self.lost = True
            raise Unavailable("the answer was lost")


async def test_a_commit_whose_answer_was_lost_is_resolved(migrated_postgres_url: str) -> None:
    store = await opened(migrated_postgres_url)
    await populated(store)
    database = LosesOneAnswer(migrated_postgres_url)
    await database.open()
    fresh = PiccoloStore(database, moves=PostgresMoves(database), master=parse_master_keys([MASTER_KEY]))
    assert await fresh.begin(operation("x"), idempotency=idempotency()) is None
    database.lost = False
    await fresh.settle(settlement("x", attempt=attempt("x")))
    assert (await store.operation("p1", "x")).state == "success"
    assert len(await store.attempts("p1", "x")) == 1
    with pytest.raises(Superseded):
        await fresh.settle(settlement("x"))
    await fresh.close()
    await store.close()


async def test_a_server_that_is_gone_is_unavailable_and_welcome_back() -> None:
    with postgres.server() as url:
        store = await opened(f"{url}/postgres")
        await populated(store)
    for call in (store.project("p1"), store.begin(operation("x")), store.ready()):
        with pytest.raises(Unavailable):
            await call
    await store.close()
