"""The indexes behind refresh tokens that must be kept alive, and behind the outbox.

A step of its own, because Piccolo runs raw SQL before the tables of the same step are made.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.tables import Counters

ID = "2026-11-22T04:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The indexes behind refresh tokens that must be kept alive, and behind the outbox"

INDEXES = (
    "CREATE INDEX connections_keep_alive ON connections (keep_alive_at) WHERE keep_alive_at IS NOT NULL",
    "CREATE INDEX events_page ON events (project_id, id)",
)


async def forwards() -> MigrationManager:
    """Say what is to run."""
    manager = MigrationManager(migration_id=ID, app_name="isthmus", description=DESCRIPTION)

    async def run() -> None:
        for index in INDEXES:
            await Counters.raw(index)

    manager.add_raw(run)
    return manager
