"""The store over SQL: every noun's rows on one database, SQLite or PostgreSQL."""

from server import logs
from server.store.commits import Commits, Moves
from server.store.engine import Database
from server.store.keyring import Keyring
from server.store.migrate import migrate
from server.store.rotation import Rotation
from server.store.rows.claims import ClaimRows
from server.store.rows.connect_sessions import ConnectSessionRows
from server.store.rows.connections import ConnectionRows
from server.store.rows.deliveries import DeliveryRows
from server.store.rows.destinations import DestinationRows
from server.store.rows.events import EventRows
from server.store.rows.heartbeats import HeartbeatRows, forget_processes
from server.store.rows.installations import InstallationRows
from server.store.rows.integrations import IntegrationRows
from server.store.rows.jwt_keys import JwtKeyRows
from server.store.rows.lanes import free_lanes
from server.store.rows.leases import LeaseRows
from server.store.rows.operation_lists import OperationListRows
from server.store.rows.operations import OperationRows
from server.store.rows.projects import ProjectRows
from server.store.rows.provider_apps import ProviderAppRows
from server.store.rows.schema_checks import SchemaCheckRows
from server.store.rows.topics import TopicRows
from server.store.rows.uploads import UploadRows
from server.store.tables import Counters
from server.store.vault import MasterKeys


class PiccoloStore(
    ProjectRows,
    JwtKeyRows,
    IntegrationRows,
    ProviderAppRows,
    ConnectionRows,
    EventRows,
    LeaseRows,
    ConnectSessionRows,
    InstallationRows,
    SchemaCheckRows,
    OperationRows,
    OperationListRows,
    ClaimRows,
    DestinationRows,
    TopicRows,
    DeliveryRows,
    HeartbeatRows,
    UploadRows,
):
    """Implements `contract.Store`."""

    def __init__(self, database: Database, *, moves: Moves, master: MasterKeys) -> None:
        super().__init__(database, Keyring(database, master), Commits(moves))

    async def start(self) -> None:
        """Connect, bring the schema up to date and prove the master keys.

        Raises `Unavailable` or `SettingsError`, each with a sentence for the operator; then nothing is left open.
        """
        await self._database.open()
        try:
            await migrate(self._database)
            await self._keyring.prove()
            if self._database.dialect == "sqlite":
                await self._start_alone()
        except BaseException:
            await self._database.close()
            raise

    async def _start_alone(self) -> None:
        """Do what only the one process of a database may do."""
        async with self.writing() as session:
            await forget_processes(session)
            await free_lanes(session)
        wrapped = await Rotation(self._database, self._keyring, tell=lambda _: None).rewrap()
        if wrapped:
            logs.event("keys.rewrapped", data_keys=wrapped, master_key=self._keyring.master.names[0])

    async def close(self) -> None:
        """Commit what is under way and disconnect."""
        await self._commits.close()
        await self._database.close()

    async def ready(self) -> None:
        """Prove that the database takes writes."""
        async with self.writing():
            await Counters.update({Counters.value: Counters.value + 1}).where(Counters.id == "ready")
