"""What Piccolo has to know about our tables to write a migration."""

from pathlib import Path

from piccolo.conf.apps import AppConfig

from server.store.tables import TABLES

APP_CONFIG = AppConfig(
    app_name="isthmus",
    migrations_folder_path=str(Path(__file__).parent / "isthmus_migrations"),
    table_classes=list(TABLES),
    migration_dependencies=[],
    commands=[],
)
