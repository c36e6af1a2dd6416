"""Databases of each kind, for the server's tests, and a heap for those that measure."""

import gc
from collections.abc import Iterator

import pytest

from tests.postgres import postgres_server, postgres_url
from tests.server.databases import migrated_postgres_url, postgres_template, sqlite_template, sqlite_url

__all__ = [
    "migrated_postgres_url",
    "postgres_server",
    "postgres_template",
    "postgres_url",
    "sqlite_template",
    "sqlite_url",
]


@pytest.fixture(scope="module")
def spared() -> Iterator[None]:
    """Keep the heap of the whole suite out of the collector's way, as `server/serving.py` does for a server."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
