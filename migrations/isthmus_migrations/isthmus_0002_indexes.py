"""Uniqueness within a project, and the indexes that lists need.

Unique indexes and not constraints: SQLite cannot add a constraint to a table that exists.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from server.store.tables import Counters

ID = "2026-11-22T01:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Uniqueness within a project, and the indexes that lists need"

INDEXES = (
    "CREATE UNIQUE INDEX integrations_name ON integrations (project_id, name)",
    "CREATE UNIQUE INDEX provider_apps_client ON provider_apps (project_id, provider, client_id)",
    "CREATE UNIQUE INDEX groups_ref ON groups (project_id, group_ref)",
    "CREATE UNIQUE INDEX consumers_ref ON consumers (project_id, consumer_ref)",
    "CREATE INDEX connections_project ON connections (project_id, group_id)",
    "CREATE UNIQUE INDEX installations_group ON installations (integration_id, group_id)",
    "CREATE INDEX installations_project ON installations (project_id, create_time)",
    "CREATE INDEX operations_page ON operations (project_id, installation_id, create_time, id)",
    "CREATE INDEX operations_owned ON operations (state, owner) WHERE state IN ('claimed', 'sent')",
)
COUNTERS = ("config", "ready")


async def forwards() -> MigrationManager:
    """Say what is to run."""
    manager = MigrationManager(migration_id=ID, app_name="isthmus", description=DESCRIPTION)

    async def run() -> None:
        for index in INDEXES:
            await Counters.raw(index)
        for counter in COUNTERS:
            await Counters.raw("INSERT INTO counters (id, value) VALUES ({}, 0)", counter)

    manager.add_raw(run)
    return manager
