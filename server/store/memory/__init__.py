"""The store without a database: the shortest reading of the contract, for tests that need none."""

from server.store.memory.configurations import MemoryInstallations
from server.store.memory.connect_sessions import MemoryConnectSessions, MemoryEvents
from server.store.memory.deliveries import MemoryDeliveries
from server.store.memory.destinations import MemoryDestinations, MemoryTopics
from server.store.memory.operations import MemoryOperations
from server.store.memory.processes import MemoryHeartbeats, MemoryLeases, MemoryUploads
from server.store.memory.schema_checks import MemorySchemaChecks
from server.store.memory.tenants import MemoryJwtKeys, MemoryProjects, MemoryProviderApps


class MemoryStore(
    MemoryProjects,
    MemoryJwtKeys,
    MemoryProviderApps,
    MemoryInstallations,
    MemorySchemaChecks,
    MemoryConnectSessions,
    MemoryEvents,
    MemoryOperations,
    MemoryDestinations,
    MemoryTopics,
    MemoryDeliveries,
    MemoryHeartbeats,
    MemoryLeases,
    MemoryUploads,
):
    """Implements `contract.Store`. Nothing survives the process."""

    async def start(self) -> None:
        """Need nothing."""

    async def close(self) -> None:
        """Leave nothing behind."""

    async def ready(self) -> None:
        """Be ready always."""
