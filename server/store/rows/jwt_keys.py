"""Public keys of the builders as rows."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import JwtKey
from server.store.engine import Row
from server.store.rows.scope import Rows, find, given, insert, require_project
from server.store.tables import JwtKeys


class JwtKeyRows(Rows):
    """Implements `contract.JwtKeys`."""

    async def add_jwt_key(self, key: JwtKey) -> None:
        """Store one."""
        values = msgspec.structs.asdict(key)
        del values["algorithm"]
        async with self.changing():
            await require_project(key.project_id)
            await insert(JwtKeys, **values)

    async def jwt_key(self, key_id: str) -> JwtKey | None:
        """Find one by its ``kid``, whatever its project."""
        async with self.reading():
            rows = await JwtKeys.select().where(JwtKeys.id == key_id)
        return _jwt_key(rows[0]) if rows else None

    async def jwt_keys(self, project_id: str, *, active: bool | None = None) -> list[JwtKey]:
        """List, oldest first."""
        query = JwtKeys.select().where(JwtKeys.project_id == project_id)
        if active is not None:
            query = query.where(JwtKeys.active == active)
        async with self.reading():
            rows = await query.order_by(JwtKeys.create_time, JwtKeys.id)
        return [_jwt_key(row) for row in rows]

    async def update_jwt_key(
        self,
        project_id: str,
        key_id: str,
        *,
        now: datetime,
        label: str | UnsetType = UNSET,
        active: bool | UnsetType = UNSET,
    ) -> JwtKey:
        """Change a key."""
        changes = given({JwtKeys.label: label, JwtKeys.active: active, JwtKeys.update_time: now})
        async with self.changing():
            await JwtKeys.update(changes).where(JwtKeys.project_id == project_id, JwtKeys.id == key_id)
            return _jwt_key(await find(JwtKeys, project_id, key_id, noun="JWT key"))

    async def delete_jwt_key(self, project_id: str, key_id: str) -> None:
        """Remove a key."""
        async with self.changing():
            await find(JwtKeys, project_id, key_id, noun="JWT key")
            await JwtKeys.delete().where(JwtKeys.project_id == project_id, JwtKeys.id == key_id)


def _jwt_key(row: Row) -> JwtKey:
    return JwtKey(**row)
