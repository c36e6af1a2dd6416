"""Counts what each key is needed for, and tries whether everything that is sealed opens. Changes nothing."""

from collections import Counter

import msgspec

from server.store.contract import Missing
from server.store.engine import Database, Row
from server.store.keyring import Keyring, master_keys_of_processes
from server.store.sealed import SEALED, Cells, pages
from server.store.tables import DataKeys, MasterKeyChecks
from server.store.vault import Box, UnknownKey, Unsealable, key_of

PAGE = 200


class MasterKeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """One master key, of those given or of those needed."""

    name: str
    given: bool
    proven: bool
    """False if the database was sealed with another key of this name."""
    wraps: int
    first_for: tuple[str, ...]
    """The processes heard of lately that wrap with it."""


class DataKeyUse(msgspec.Struct, frozen=True, kw_only=True):
    """One data key."""

    id: str
    project_id: str
    master_key: str
    seals: bool
    """Whether new values are sealed with it."""
    opens: bool
    values: int


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """What there is."""

    master_keys: tuple[MasterKeyUse, ...]
    """In the order in which they are given, then those that are missing."""
    data_keys: tuple[DataKeyUse, ...]
    values: int
    unopened: tuple[str, ...]
    """A sentence for each value that does not open."""


async def take_census(database: Database, keyring: Keyring) -> Census:
    """Look at every key and every sealed value."""
    values, unopened = await _Walk(database, keyring).result()
    async with database.reading():
        rows = await DataKeys.select().order_by(DataKeys.project_id, DataKeys.generation, DataKeys.create_time)
        checks = {row["id"]: row["check_value"] for row in await MasterKeyChecks.select()}
        processes = await master_keys_of_processes()
    return Census(
        master_keys=_master_keys(keyring, rows, checks, processes),
        data_keys=_data_keys(keyring, rows, values),
        values=values.total(),
        unopened=tuple(unopened),
    )


def _master_keys(
    keyring: Keyring, rows: list[Row], checks: dict[str, bytes], processes: dict[str, tuple[str, ...]]
) -> tuple[MasterKeyUse, ...]:
    wraps = Counter(row["master_key_id"] for row in rows)
    given = keyring.master.names
    return tuple(
        MasterKeyUse(
            name=name,
            given=name in given,
            proven=name in given and (name not in checks or keyring.master.proves(name, checks[name])),
            wraps=wraps[name],
            first_for=tuple(sorted(process for process, held in processes.items() if held[:1] == (name,))),
        )
        for name in (*given, *sorted(wraps.keys() - set(given)))
    )


def _data_keys(keyring: Keyring, rows: list[Row], values: Counter[str]) -> tuple[DataKeyUse, ...]:
    newest = {row["project_id"]: row["id"] for row in rows}
    return tuple(
        DataKeyUse(
            id=row["id"],
            project_id=row["project_id"],
            master_key=row["master_key_id"],
            seals=newest[row["project_id"]] == row["id"],
            opens=_opens(keyring, row),
            values=values[row["id"]],
        )
        for row in rows
    )


def _opens(keyring: Keyring, row: Row) -> bool:
    try:
        keyring.unwrap(row)
    except Unsealable:
        return False
    return True


class _Walk:
    """One walk through everything sealed."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring
        self._closed: set[str] = set()
        """The projects whose keys do not open."""

    async def result(self) -> tuple[Counter[str], list[str]]:
        """Count the values of each key, and say which do not open."""
        values: Counter[str] = Counter()
        unopened: list[str] = []
        for cells in SEALED:
            async for page in pages(self._database, cells, size=PAGE, whole=True):
                for row in page:
                    for column in cells.columns:
                        if row[column]:
                            values[key_of(row[column])] += 1
                            unopened += await self._try(cells, row, column)
        return values, unopened

    async def _try(self, cells: Cells, row: Row, column: str) -> list[str]:
        try:
            box = await self._box(row["project_id"])
            try:
                box.open(row[column], table=cells.name, column=column, row_id=row["id"])
            except UnknownKey:  # made since we read the box, perhaps
                self._keyring.forget(row["project_id"])
                box = await self._box(row["project_id"])
                box.open(row[column], table=cells.name, column=column, row_id=row["id"])
        except Unsealable as error:
            return [str(error)]
        return []

    async def _box(self, project_id: str) -> Box:
        if project_id in self._closed:
            raise Unsealable(f"the data keys of project {project_id!r} do not open")
        try:
            return await self._keyring.box(project_id)
        except (Unsealable, Missing) as error:
            self._closed.add(project_id)
            raise Unsealable(f"{error}") from error
