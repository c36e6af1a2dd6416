from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import BigInt
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-22T05:15:07:714587"
VERSION = "1.38.0"
DESCRIPTION = "the order of events"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="isthmus", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="Events",
        tablename="events",
        column_name="sequence",
        db_column_name="sequence",
        column_class_name="BigInt",
        column_class=BigInt,
        params={
            "default": 0,
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    return manager
