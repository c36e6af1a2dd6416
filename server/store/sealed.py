"""Which cells of which tables are sealed, and how to walk through all of them, a page at a time."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from server.store.engine import Database, Row
from server.store.tables import (
    Connections,
    ConnectSessions,
    Destinations,
    GatheredRecords,
    JwtKeys,
    Operations,
    ProviderApps,
)
from server.store.vault import HEAD_BYTES


class Cells(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed columns of one table."""

    table: Any
    columns: tuple[str, ...]

    @property
    def name(self) -> str:
        """The table's name, which is bound into each ciphertext."""
        return str(self.table._meta.tablename)  # noqa: SLF001 -- Piccolo's place for it


SEALED: tuple[Cells, ...] = (
    Cells(table=JwtKeys, columns=("private_key",)),
    Cells(table=ProviderApps, columns=("client_secret",)),
    Cells(table=Connections, columns=("credentials",)),
    Cells(table=ConnectSessions, columns=("details",)),
    Cells(table=Destinations, columns=("address", "signing_keys")),
    Cells(table=Operations, columns=("payload", "outcome")),
    Cells(table=GatheredRecords, columns=("content",)),
)


async def pages(database: Database, cells: Cells, *, size: int, whole: bool) -> AsyncIterator[list[Row]]:
    """Walk in the order of ids through the rows that are there now: ``id``, ``project_id`` and the sealed columns.

    Of each column only so much as `vault.key_of` needs, unless ``whole``. No session is open while the caller works.
    """
    columns = ", ".join(name if whole else f"substr({name}, 1, {HEAD_BYTES}) AS {name}" for name in cells.columns)
    async with database.reading():
        (last,) = await cells.table.raw(f"SELECT max(id) AS id FROM {cells.name}")  # noqa: S608 -- a constant
    after = ""
    while last["id"] is not None:
        async with database.reading():
            rows = await cells.table.raw(
                f"SELECT id, project_id, {columns} FROM {cells.name} "  # noqa: S608 -- constants
                "WHERE id > {} AND id <= {} ORDER BY id LIMIT {}",
                after,
                last["id"],
                size,
            )
        if not rows:
            return
        yield rows
        after = rows[-1]["id"]
