"""The store without a database: the shortest reading of the contract, for tests that need none."""

from server.store.memory.configurations import MemoryInstallations
from server.store.memory.operations import MemoryHeartbeats, MemoryOperations, MemoryUploads
from server.store.memory.tenants import MemoryProjects, MemoryProviderApps


class MemoryStore(
    MemoryProjects,
    MemoryProviderApps,
    MemoryInstallations,
    MemoryOperations,
    MemoryHeartbeats,
    MemoryUploads,
):
    """Implements `contract.Store`. Nothing survives the process."""

    async def start(self) -> None:
        """Need nothing."""

    async def close(self) -> None:
        """Leave nothing behind."""

    async def ready(self) -> None:
        """Be ready always."""
