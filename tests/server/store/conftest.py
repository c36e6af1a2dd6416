"""A store of each kind, migrated once and copied for each test."""

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.settings import Settings
from server.store.contract import Store
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests import postgres
from tests.server.store.samples import MASTER_KEY, populated


async def started_and_closed(url: str) -> None:
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    await store.close()


def in_a_thread(url: str) -> None:
    """Migrate outside of the event loop of the test that asks first."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, started_and_closed(url)).result()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    in_a_thread(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    postgres.run_sql(f"{postgres_server}/postgres", "CREATE DATABASE isthmus_template")
    in_a_thread(f"{postgres_server}/isthmus_template")
    return "isthmus_template"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated file."""
    path = tmp_path / "isthmus.db"
    shutil.copy(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def migrated_postgres_url(postgres_server: str, postgres_template: str) -> str:
    """A migrated database; it goes with the server."""
    name = f"s{uuid.uuid4().hex}"
    postgres.run_sql(f"{postgres_server}/postgres", f"CREATE DATABASE {name} TEMPLATE {postgres_template}")
    return f"{postgres_server}/{name}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database of each kind."""
    return str(request.getfixturevalue({"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param]))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def empty_store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """A started store with nothing in it."""
    if request.param == "memory":
        yield MemoryStore()
        return
    url = request.getfixturevalue({"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param])
    store = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        yield store
    finally:
        await store.close()


@pytest.fixture
async def store(empty_store: Store) -> Store:
    """A store with the projects ``p1`` and ``p2``, each with one of everything."""
    await populated(empty_store)
    return empty_store
