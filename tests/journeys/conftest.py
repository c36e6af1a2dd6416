"""The real databases, for journeys that need one."""

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
