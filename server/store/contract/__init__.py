"""What the store promises, whatever database stands behind it. Every implementation passes ``tests/server/store``.

Every method that touches a tenant's rows takes ``project_id`` first; a row of another project is not found. A method
is one transaction: when it returns, everything it did is durable; when it raises, nothing was done. Records travel as
the structs of ``installations``; secrets travel as bytes and are sealed by the store. Text or numbers that no database
can keep (NUL, a lone surrogate, an integer beyond 64 bits) raise `installations.errors.InvalidInput`.
"""

from typing import Protocol

from server.store.contract.configuration import (
    InstallationChange,
    InstallationEvent,
    Installations,
    Integrations,
    NewInstallation,
)
from server.store.contract.connections import (
    ConnectionEvent,
    Connections,
    ConnectSession,
    ConnectSessions,
    Event,
    Events,
    EventType,
    NewConnection,
    Stage,
    StoredCredentials,
)
from server.store.contract.destinations import (
    Destination,
    DestinationRoute,
    Destinations,
    Disabled,
    EventRoute,
    Topic,
    Topics,
)
from server.store.contract.errors import InUse, Missing, StoreError, Superseded, Taken, Unavailable
from server.store.contract.lanes import Lane, Lanes
from server.store.contract.notifications import (
    Deliveries,
    Delivery,
    DeliveryFilter,
    DeliveryPage,
    DeliveryState,
    Tried,
    Unattended,
)
from server.store.contract.operations import (
    Earlier,
    IdempotencyKey,
    OperationFilter,
    Operations,
    Page,
    Replay,
    Settlement,
    Tries,
)
from server.store.contract.processes import Heartbeats, Leases, Upload, Uploads
from server.store.contract.schema_checks import Decide, SchemaCheck, SchemaChecks
from server.store.contract.tenants import JwtKeys, Projects, ProviderApps, SessionKey


class Store(
    Projects,
    JwtKeys,
    Integrations,
    ProviderApps,
    Connections,
    Events,
    Leases,
    ConnectSessions,
    Installations,
    SchemaChecks,
    Operations,
    Lanes,
    Destinations,
    Topics,
    Deliveries,
    Heartbeats,
    Uploads,
    Protocol,
):
    """Everything, for the place that wires it. Others ask for the part they use."""

    async def start(self) -> None:
        """Connect, bring the schema up to date and prove the master keys.

        Raises `Unavailable` or `SettingsError`, with a sentence for the operator; then nothing is left open.
        """

    async def close(self) -> None:
        """Finish what is under way and disconnect."""

    async def ready(self) -> None:
        """Prove that the database takes writes. Raises `Unavailable`."""


__all__ = (
    "ConnectSession",
    "ConnectSessions",
    "ConnectionEvent",
    "Connections",
    "Decide",
    "Deliveries",
    "Delivery",
    "DeliveryFilter",
    "DeliveryPage",
    "DeliveryState",
    "Destination",
    "DestinationRoute",
    "Destinations",
    "Disabled",
    "Earlier",
    "Event",
    "EventRoute",
    "EventType",
    "Events",
    "Heartbeats",
    "IdempotencyKey",
    "InUse",
    "InstallationChange",
    "InstallationEvent",
    "Installations",
    "Integrations",
    "JwtKeys",
    "Lane",
    "Lanes",
    "Leases",
    "Missing",
    "NewConnection",
    "NewInstallation",
    "OperationFilter",
    "Operations",
    "Page",
    "Projects",
    "ProviderApps",
    "Replay",
    "SchemaCheck",
    "SchemaChecks",
    "SessionKey",
    "Settlement",
    "Stage",
    "Store",
    "StoreError",
    "StoredCredentials",
    "Superseded",
    "Taken",
    "Topic",
    "Topics",
    "Tried",
    "Tries",
    "Unattended",
    "Unavailable",
    "Upload",
    "Uploads",
)
