"""The places of the events that are there already, and the index by which events are read in order.

A step of its own, because Piccolo runs raw SQL before the columns of the same step are added.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.tables import Counters

ID = "2026-11-22T05:16:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The places of the events that are there already, and the index by which events are read in order"

STATEMENTS = (
    "UPDATE events SET sequence = known.place FROM (SELECT id, row_number() OVER "
    "(PARTITION BY project_id ORDER BY create_time, id) AS place FROM events) AS known WHERE known.id = events.id",
    "INSERT INTO counters (id, value) SELECT 'events:' || project_id, count(*) FROM events GROUP BY project_id",
    "CREATE UNIQUE INDEX events_order ON events (project_id, sequence)",
    "DROP INDEX events_page",
)


async def forwards() -> MigrationManager:
    """Say what is to run."""
    manager = MigrationManager(migration_id=ID, app_name="isthmus", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Counters.raw(statement)

    manager.add_raw(run)
    return manager
