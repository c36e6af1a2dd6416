"""Keys of browsers' tokens as rows; private halves are sealed, and read by nobody but who signs."""

from datetime import datetime

import msgspec
from msgspec import UNSET, UnsetType

from installations.installation import JwtKey
from server.store.contract import SessionKey
from server.store.engine import Row
from server.store.keyring import hold
from server.store.rows.scope import Rows, find, given, insert, require_project, with_fresh_keys
from server.store.tables import JwtKeys
from server.store.vault import Box

TABLE = "jwt_keys"
_PUBLIC = JwtKeys.all_columns(exclude=["private_key"])


class JwtKeyRows(Rows):
    """Implements `contract.JwtKeys`."""

    async def add_jwt_key(self, key: JwtKey) -> None:
        """Store one."""
        async with self.changing():
            await require_project(key.project_id)
            await insert(JwtKeys, **_values(key))

    async def jwt_key(self, key_id: str) -> JwtKey | None:
        """Find one by its ``kid``, whatever its project."""
        async with self.reading():
            rows = await JwtKeys.select(*_PUBLIC).where(JwtKeys.id == key_id)
        return _jwt_key(rows[0]) if rows else None

    async def jwt_keys(self, project_id: str, *, active: bool | None = None) -> list[JwtKey]:
        """List, oldest first."""
        query = JwtKeys.select(*_PUBLIC).where(JwtKeys.project_id == project_id)
        if active is not None:
            query = query.where(JwtKeys.active == active)
        async with self.reading():
            rows = await query.order_by(JwtKeys.create_time, JwtKeys.id)
        return [_jwt_key(row) for row in rows]

    @with_fresh_keys
    async def keep_session_key(self, key: JwtKey, *, private_key: bytes) -> SessionKey:
        """Store a key with its private half, unless there is one in use."""
        box = await self.box(key.project_id)
        async with self.changing():
            await hold(box)
            found = await _in_use(box)
            if found is None:
                sealed = box.seal(private_key, table=TABLE, column="private_key", row_id=key.id)
                await insert(JwtKeys, **_values(key), private_key=sealed)
        return found or SessionKey(id=key.id, private_key=private_key)

    @with_fresh_keys
    async def session_key(self, project_id: str) -> SessionKey | None:
        """Open the newest key in use with which the server signs."""
        box = await self.box(project_id)
        async with self.reading():
            return await _in_use(box)

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


async def _in_use(box: Box) -> SessionKey | None:
    rows = await (
        JwtKeys.select(JwtKeys.id, JwtKeys.private_key)
        .where(JwtKeys.project_id == box.project_id, JwtKeys.active == True, JwtKeys.private_key.is_not_null())  # noqa: E712 -- a column
        .order_by(JwtKeys.create_time, JwtKeys.id, ascending=False)
        .limit(1)
    )
    return _opened(box, rows[0]) if rows else None


def _opened(box: Box, row: Row) -> SessionKey:
    plain = box.open(row["private_key"], table=TABLE, column="private_key", row_id=row["id"])
    return SessionKey(id=row["id"], private_key=plain)


def _values(key: JwtKey) -> Row:
    values = msgspec.structs.asdict(key)
    del values["algorithm"]
    return values


def _jwt_key(row: Row) -> JwtKey:
    return JwtKey(**{name: value for name, value in row.items() if name != "private_key"})
