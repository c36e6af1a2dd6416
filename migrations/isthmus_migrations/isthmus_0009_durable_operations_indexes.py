"""The indexes by which lanes are attended to, and the order of acceptance.

A step of its own, because Piccolo runs raw SQL before the columns of the same step are added.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.engine import SESSION
from server.store.tables import Counters

ID = "2026-11-22T07:09:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The indexes by which lanes are attended to, and the order of acceptance"

INDEXES = (
    "CREATE INDEX operations_queued ON operations (connection_id, behind, run_at, sequence) WHERE state = 'queued'",
    "CREATE INDEX operations_parked ON operations (connection_id, sequence) WHERE state = 'parked'",
    "CREATE INDEX operations_unknown ON operations (connection_id, look_at) WHERE state = 'unknown'",
    "CREATE INDEX operations_deadline ON operations (deadline_at) WHERE state IN ('queued', 'parked')",
    "CREATE INDEX operations_gathering ON operations (project_id, gather_key) WHERE gather_key <> ''",
    "CREATE INDEX operations_project ON operations (project_id, create_time, id)",
    # A final operation is in one of these two: most lie there with what they carried, and are found by age.
    "CREATE INDEX operations_full ON operations (update_time) "
    "WHERE state IN ('success', 'failure') AND length(payload) + length(outcome) > 0",
    "CREATE INDEX operations_empty ON operations (update_time) "
    "WHERE state IN ('success', 'failure') AND length(payload) + length(outcome) = 0",
    "CREATE INDEX turns_name ON turns (name, sequence)",
    "CREATE INDEX lanes_due ON lanes (wake_at) WHERE wake_at IS NOT NULL",
    "CREATE INDEX lanes_parked ON lanes (id) WHERE parked",
    "CREATE INDEX idempotency_keys_operation ON idempotency_keys (operation_id)",
)
ORDER = (
    "CREATE SEQUENCE operations_order OWNED BY operations.sequence",
    "ALTER TABLE operations ALTER COLUMN sequence SET DEFAULT nextval('operations_order')",
)
"""On SQLite, which has one writer, whoever stores operations counts them."""


async def forwards() -> MigrationManager:
    """Say what is to run."""
    manager = MigrationManager(migration_id=ID, app_name="isthmus", description=DESCRIPTION)

    async def run() -> None:
        for statement in (*INDEXES, *(ORDER if SESSION.get().dialect == "postgres" else ())):
            await Counters.raw(statement)

    manager.add_raw(run)
    return manager
