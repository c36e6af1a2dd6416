"""Which data keys there are: made with a project, wrapped by a master key, opened once and kept in memory."""

import secrets
from datetime import datetime

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from server.settings import SettingsError
from server.store.contract import Missing
from server.store.engine import Database
from server.store.tables import DataKeys, MasterKeyChecks
from server.store.vault import Box, MasterKeys


class Keyring:
    """The projects' boxes. Data keys never change, so a box that is known needs no database."""

    def __init__(self, database: Database, master: MasterKeys) -> None:
        self._database = database
        self._master = master
        self._boxes: dict[str, Box] = {}

    async def box(self, project_id: str) -> Box:
        """Fetch a project's box. Raises `Missing` for a project that does not exist."""
        box = self._boxes.get(project_id)
        if box is None:
            async with self._database.reading():
                rows = await (
                    DataKeys.select()
                    .where(DataKeys.project_id == project_id)
                    .order_by(DataKeys.create_time, DataKeys.id, ascending=False)
                )
            if not rows:
                raise Missing(f"no project {project_id!r}")
            keys = {row["id"]: self._master.unwrap(row["wrapped"], data_key_id=row["id"]) for row in rows}
            box = self._boxes[project_id] = Box(keys, project_id=project_id)
        return box

    async def add_key(self, project_id: str, *, now: datetime) -> None:
        """Make a data key inside the session at hand; it seals from the next start of a process on."""
        key_id = f"d{secrets.token_hex(8)}"
        wrapped = self._master.wrap(AESGCM.generate_key(bit_length=256), data_key_id=key_id)
        row = DataKeys(
            id=key_id, project_id=project_id, master_key_id=self._master.names[0], wrapped=wrapped, create_time=now
        )
        await DataKeys.insert(row)

    async def prove(self) -> None:
        """Prove that our master keys are this database's. Raises `SettingsError` otherwise."""
        async with self._database.writing():
            checks = {row["id"]: row["check_value"] for row in await MasterKeyChecks.select()}
            for name in self._master.names:
                if name not in checks:
                    row = MasterKeyChecks(id=name, check_value=self._master.check_value(name))
                    await MasterKeyChecks.insert(row).on_conflict(action="DO NOTHING")
                elif not self._master.proves(name, checks[name]):
                    raise SettingsError(
                        f"the master key {name!r} is not the one this database was sealed with. Give the right key "
                        "under this id (ISTHMUS_MASTER_KEYS or ISTHMUS_MASTER_KEY_FILE); nothing was changed."
                    )
            await self._prove_complete()

    async def _prove_complete(self) -> None:
        wrapped_by = {row["master_key_id"] for row in await DataKeys.select(DataKeys.master_key_id).distinct()}
        if missing := sorted(wrapped_by - set(self._master.names)):
            raise SettingsError(
                f"this database needs the master key {missing[0]!r}, which is not among those given "
                f"({', '.join(self._master.names)}). Add it to ISTHMUS_MASTER_KEYS; nothing was changed."
            )
