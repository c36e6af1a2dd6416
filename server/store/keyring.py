"""Which data keys there are: made with a project, wrapped by a master key, opened once and kept in memory.

How running processes live through a rotation (`rotation.py`):

- A box is read before the row that it opens. A value sealed by a key that the box does not hold was sealed by a newer
  one, which was stored before anything was sealed with it: the box is read again and the call is made again.
- Nothing is sealed with a key that is retired. Whoever stores a sealed value holds the row of its key in the same
  transaction (`hold`); retiring waits for those who hold it and refuses those who come later, who then read the box
  again. Only retired keys are removed, once nothing is sealed with them: no more can come.
- Nobody needs to be told in time for this to be true. Processes do hear of new keys (`notice`), so that few are
  refused.
"""

import secrets
from datetime import datetime

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.settings import SettingsError
from server.store.clocks import SECONDS
from server.store.contract import Missing, Unavailable
from server.store.engine import SESSION, Database, Row
from server.store.tables import Counters, DataKeys, MasterKeyChecks, Processes
from server.store.vault import Box, MasterKeys

HEARD_OF_SECONDS = 60
"""A process that was heard of within this time may still be running."""
HOLD = "SELECT id FROM data_keys WHERE id = {} AND NOT retired FOR KEY SHARE"

names = msgspec.json.Decoder(tuple[str, ...])


class RetiredKey(Unavailable):
    """A value was sealed with a key that has been retired meanwhile; a newer box of the project seals with another."""

    def __init__(self, project_id: str) -> None:
        super().__init__("the keys of this project were renewed meanwhile; try again")
        self.project_id = project_id


class Keyring:
    """The projects' boxes, read from the database once."""

    def __init__(self, database: Database, master: MasterKeys) -> None:
        self._database = database
        self.master = master
        self._boxes: dict[str, Box] = {}
        self._generation: int | None = None
        self._forgotten = 0

    async def box(self, project_id: str) -> Box:
        """Fetch a project's box, before a session is open. Raises `Missing` for a project that does not exist."""
        box = self._boxes.get(project_id)
        if box is None:
            forgotten = self._forgotten
            async with self._database.reading():
                rows = await (
                    DataKeys.select()
                    .where(DataKeys.project_id == project_id)
                    .order_by(DataKeys.generation, DataKeys.create_time, DataKeys.id, ascending=False)
                )
            if not rows:
                raise Missing(f"no project {project_id!r}")
            box = Box({row["id"]: self.unwrap(row) for row in rows}, project_id=project_id)
            # Keys that came while we were reading may have been missed by what we read.
            if forgotten == self._forgotten:
                self._boxes[project_id] = box
        return box

    def unwrap(self, row: Row) -> bytes:
        """Open the data key of a row. Raises `Unsealable`."""
        return self.master.unwrap(row["wrapped"], data_key_id=row["id"])

    def forget(self, project_id: str) -> None:
        """Read a project's box again when it is asked for next."""
        self._forgotten += 1
        self._boxes.pop(project_id, None)

    def notice(self, generation: int) -> None:
        """Be told the generation of the newest data keys; read every box again if it is news."""
        if generation != self._generation:
            self._generation = generation
            self._forgotten += 1
            self._boxes.clear()

    async def add_key(self, project_id: str, *, now: datetime) -> None:
        """Make a project's data key inside the session at hand, which must be one that changes configuration."""
        (row,) = await Counters.select(Counters.value).where(Counters.id == "keys")
        by = await self._wrapping_name()
        await DataKeys.insert(self.new_key(project_id, generation=row["value"], now=now, by=by))

    def new_key(self, project_id: str, *, generation: int, now: datetime, by: str) -> DataKeys:
        """Draw a data key, wrapped by the master key of that name."""
        key_id = f"d{secrets.token_hex(8)}"
        wrapped = self.master.wrap(AESGCM.generate_key(bit_length=256), data_key_id=key_id, name=by)
        return DataKeys(
            id=key_id,
            project_id=project_id,
            master_key_id=by,
            wrapped=wrapped,
            generation=generation,
            create_time=now,
        )

    async def prove(self) -> None:
        """Prove that our master keys are this database's. Raises `SettingsError` otherwise."""
        async with self._database.writing():
            checks = {row["id"]: row["check_value"] for row in await MasterKeyChecks.select()}
            for name in self.master.names:
                if name not in checks:
                    row = MasterKeyChecks(id=name, check_value=self.master.check_value(name))
                    await MasterKeyChecks.insert(row).on_conflict(action="DO NOTHING")
                elif not self.master.proves(name, checks[name]):
                    raise SettingsError(
                        f"the master key {name!r} is not the one this database was sealed with. Give the right key "
                        "under this id (ISTHMUS_MASTER_KEYS or ISTHMUS_MASTER_KEY_FILE); nothing was changed."
                    )
            await self._prove_complete()

    async def _prove_complete(self) -> None:
        wrapped_by = {row["master_key_id"] for row in await DataKeys.select(DataKeys.master_key_id).distinct()}
        if missing := sorted(wrapped_by - set(self.master.names)):
            raise SettingsError(
                f"this database needs the master key {missing[0]!r}, which is not among those given "
                f"({', '.join(self.master.names)}). Add it to ISTHMUS_MASTER_KEYS; nothing was changed."
            )

    async def _wrapping_name(self) -> str:
        """Choose the first of our master keys that every process knows, for a new one is rolled out over a while."""
        told = [held for held in (await master_keys_of_processes()).values() if held]
        shared = [name for name in self.master.names if all(name in held for held in told)]
        return (shared or self.master.names)[0]


async def hold(box: Box) -> None:
    """Keep the key that a box seals with from being retired before the session at hand commits. Raises `RetiredKey`.

    On SQLite there is nobody to keep it from: a process has the file for itself, and rotates before it serves.
    """
    if SESSION.get().dialect == "postgres" and not await DataKeys.raw(HOLD, box.sealing):
        raise RetiredKey(box.project_id)


async def master_keys_of_processes() -> dict[str, tuple[str, ...]]:
    """Tell which processes were heard of lately and which master keys each holds, inside the session at hand.

    One of a release before says none.
    """
    rows = await Processes.raw(
        f"SELECT id, master_keys FROM processes WHERE seen_at >= {SECONDS[SESSION.get().dialect]} - {{}}",  # noqa: S608 -- a constant
        HEARD_OF_SECONDS,
    )
    return {row["id"]: names.decode(row["master_keys"]) if row["master_keys"] else () for row in rows}
