"""How keys are replaced while servers run: data keys wrapped by another master key, or data keys themselves renewed.

Every step is a short transaction that changes a row only if it is as it was read, and the database says how far things
are. So a rotation that is killed goes on where it was when it is started again, and two at once do no harm. What keeps
running processes from meeting a value they cannot open, or from sealing with a key that goes, stands in `keyring.py`.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from server.store.engine import Database, Row
from server.store.keyring import Keyring, RetiredKey, hold
from server.store.sealed import SEALED, Cells, pages
from server.store.tables import Counters, DataKeys, Projects
from server.store.vault import Box, Unsealable, key_of

PAGE = 200
NOTICE_SECONDS = 1.0
"""Twice the time in which processes hear of new keys (`server.changes.POLL_SECONDS`). Not needed for anything to be
right: retiring a key that everybody seals with might wait long for its turn."""
KEPT = -1
"""The generation of keys that were renewed, but are kept for a value that does not open."""


class Renewal(msgspec.Struct, frozen=True, kw_only=True):
    """What came of renewing data keys."""

    made: int
    resealed: int
    dropped: int
    unopened: tuple[str, ...]
    """The cells that no key opens; they were left as they are."""


class Rotation:
    """Replaces keys. ``tell`` hears of each step."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        *,
        tell: Callable[[str], None],
        page_size: int = PAGE,
        notice_seconds: float = NOTICE_SECONDS,
    ) -> None:
        self._database = database
        self._keyring = keyring
        self._tell = tell
        self._page_size = page_size
        self._notice_seconds = notice_seconds
        self._resealed = 0
        self._unopened: list[str] = []

    async def rewrap(self) -> int:
        """Wrap every data key with the first master key; answer how many were wrapped by another.

        Raises `Unsealable` for one that does not open.
        """
        first = self._keyring.master.names[0]
        count, after = 0, ""
        while True:
            async with self._database.writing():
                stale = (DataKeys.master_key_id != first) & (DataKeys.id > after)
                rows = await DataKeys.select().where(stale).order_by(DataKeys.id).limit(self._page_size)
                for row in rows:
                    count += await self._wrap(row, first)
            if not rows:
                return count
            after = rows[-1]["id"]
            self._tell(f"wrapped {count} data keys with the master key {first!r}")

    async def _wrap(self, row: Row, name: str) -> int:
        wrapped = self._keyring.master.wrap(self._keyring.unwrap(row), data_key_id=row["id"], name=name)
        changes = {DataKeys.master_key_id: name, DataKeys.wrapped: wrapped}
        mine = (DataKeys.id == row["id"]) & (DataKeys.wrapped == row["wrapped"])
        return len(await DataKeys.update(changes).where(mine).returning(DataKeys.id))  # type: ignore[arg-type]

    async def renew(self, *, now: datetime) -> Renewal:
        """Give each project a new data key, seal everything with it, and remove the keys that seal nothing any more.

        One that was interrupted is finished, and then makes no further keys.
        """
        made = await self._make(now=now)
        self._tell(f"made {made} data keys")
        old = await self._retire()
        self._tell(f"retired {len(old)} data keys")
        for cells in SEALED:
            async for page in pages(self._database, cells, size=self._page_size, whole=False):
                await self._reseal_page(cells, page, old)
        dropped = await self._drop(old)
        return Renewal(made=made, resealed=self._resealed, dropped=dropped, unopened=tuple(self._unopened))

    async def _make(self, *, now: datetime) -> int:
        """Make the next generation of data keys, all at once, unless there is an older one that has to go first."""
        async with self._database.writing():
            # As every change of configuration: projects that are made now come before or after.
            await Counters.update({Counters.value: Counters.value + 1}).where(Counters.id == "config")
            (row,) = await Counters.select(Counters.value).where(Counters.id == "keys")
            generation = row["value"]
            if await DataKeys.exists().where(DataKeys.generation < generation, DataKeys.generation != KEPT):
                return 0
            by = self._keyring.master.names[0]
            projects = await Projects.select(Projects.id).order_by(Projects.id)
            for start in range(0, len(projects), self._page_size):
                some = projects[start : start + self._page_size]
                keys = [self._keyring.new_key(one["id"], generation=generation + 1, now=now, by=by) for one in some]
                await DataKeys.insert(*keys)
            await Counters.update({Counters.value: Counters.value + 1}).where(Counters.id == "keys")
        return len(projects)

    async def _retire(self) -> frozenset[str]:
        """Let nothing more be sealed with the keys of older generations, and answer them."""
        async with self._database.reading():
            (row,) = await Counters.select(Counters.value).where(Counters.id == "keys")
            keys = await DataKeys.select().where(DataKeys.generation < row["value"]).order_by(DataKeys.id)
        self._keyring.notice(row["value"])
        usable = [key["id"] for key in keys if not key["retired"]]
        if usable and self._database.dialect == "postgres":
            await asyncio.sleep(self._notice_seconds)
        for key_id in usable:
            async with self._database.writing() as session:
                if session.dialect == "postgres":
                    await DataKeys.raw("SELECT id FROM data_keys WHERE id = {} FOR UPDATE", key_id)
                await DataKeys.update({DataKeys.retired: True}).where(DataKeys.id == key_id)
        return frozenset(key["id"] for key in keys)

    async def _reseal_page(self, cells: Cells, page: list[Row], old: frozenset[str]) -> None:
        stale = [row for row in page if any(row[name] and key_of(row[name]) in old for name in cells.columns)]
        if not stale:
            return
        try:
            await self._reseal(cells, stale, old)
        except RetiredKey:  # another rotation has overtaken this one
            for row in stale:
                self._keyring.forget(row["project_id"])
            await self._reseal(cells, stale, old)
        self._tell(f"resealed {self._resealed} values, {cells.name} up to {stale[-1]['id']}")

    async def _reseal(self, cells: Cells, stale: list[Row], old: frozenset[str]) -> None:
        boxes = {name: await self._keyring.box(name) for name in sorted({row["project_id"] for row in stale})}
        ids = [row["id"] for row in stale]
        done, unopened = 0, []
        async with self._database.writing():
            for box in boxes.values():
                await hold(box)
            for row in await cells.table.select().where(cells.table.id.is_in(ids)).order_by(cells.table.id):
                for column in cells.columns:
                    if row[column] and key_of(row[column]) in old:
                        try:
                            done += await _reseal_cell(cells, row, column, boxes)
                        except Unsealable as error:
                            unopened.append(str(error))
        self._resealed += done
        self._unopened += unopened

    async def _drop(self, old: frozenset[str]) -> int:
        """Remove the old keys that nothing is sealed with; they are retired, so nothing more can come."""
        used = await self._uses()
        dropped = 0
        for key_id in sorted(old):
            mine = (DataKeys.id == key_id) & (DataKeys.retired == True)  # noqa: E712 -- SQL
            async with self._database.writing():
                if used[key_id]:
                    await DataKeys.update({DataKeys.generation: KEPT}).where(mine)
                else:
                    dropped += len(await DataKeys.delete().where(mine).returning(DataKeys.id))
        self._tell(f"removed {dropped} data keys")
        return dropped

    async def _uses(self) -> Counter[str]:
        """Count the values that each key seals."""
        counts: Counter[str] = Counter()
        for cells in SEALED:
            async for page in pages(self._database, cells, size=self._page_size, whole=False):
                counts.update(key_of(row[column]) for row in page for column in cells.columns if row[column])
        return counts


async def _reseal_cell(cells: Cells, row: Row, column: str, boxes: Mapping[str, Box]) -> int:
    """Seal a value anew inside the session at hand, unless it has changed meanwhile; tell whether it was."""
    sealed = boxes[row["project_id"]].reseal(row[column], table=cells.name, column=column, row_id=row["id"])
    cell = getattr(cells.table, column)
    same = (cells.table.id == row["id"]) & (cell == row[column])
    return len(await cells.table.update({cell: sealed}).where(same).returning(cells.table.id))
