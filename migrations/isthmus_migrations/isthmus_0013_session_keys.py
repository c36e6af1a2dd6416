from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Bytea
from piccolo.columns.indexes import IndexMethod


ID = "2026-11-22T11:13:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Private halves of the keys with which the server signs session tokens"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="isthmus", description=DESCRIPTION
    )

    manager.add_column(
        table_class_name="JwtKeys",
        tablename="jwt_keys",
        column_name="private_key",
        db_column_name="private_key",
        column_class_name="Bytea",
        column_class=Bytea,
        params={
            "default": None,
            "null": True,
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
