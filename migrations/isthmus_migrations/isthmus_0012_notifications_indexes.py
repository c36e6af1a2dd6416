"""The indexes behind destinations, topics, routes and deliveries.

A step of its own, because Piccolo runs raw SQL before the tables of the same step are made.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.tables import Counters

ID = "2026-11-22T07:12:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The indexes behind destinations, topics, routes and deliveries"

INDEXES = (
    "CREATE UNIQUE INDEX destinations_name ON destinations (project_id, name)",
    "CREATE UNIQUE INDEX topics_name ON topics (project_id, name)",
    "CREATE UNIQUE INDEX event_routes_pair ON event_routes (project_id, event_type, topic_id)",
    "CREATE UNIQUE INDEX destination_routes_pair ON destination_routes (project_id, topic_id, destination_id)",
    "CREATE INDEX deliveries_due ON deliveries (destination_id, run_at) WHERE state = 'pending'",
    "CREATE INDEX deliveries_page ON deliveries (destination_id, id)",
    "CREATE INDEX deliveries_over ON deliveries (state, update_time) WHERE state <> 'pending'",
)


async def forwards() -> MigrationManager:
    """Say what is to run."""
    manager = MigrationManager(migration_id=ID, app_name="isthmus", description=DESCRIPTION)

    async def run() -> None:
        for index in INDEXES:
            await Counters.raw(index)

    manager.add_raw(run)
    return manager
