"""A database of each kind, migrated once and copied for each test."""

import asyncio
import shutil
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.settings import Settings
from server.store.opening import open_store
from tests import postgres
from tests.server.store.samples import MASTER_KEY


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
    # Copied as files: a copy by the write-ahead log is 4 MB in it, and the session's end looks through all of that.
    copy = f"CREATE DATABASE {name} TEMPLATE {postgres_template} STRATEGY FILE_COPY"
    postgres.run_sql(f"{postgres_server}/postgres", copy)
    return f"{postgres_server}/{name}"
