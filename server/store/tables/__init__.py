"""The tables: what is kept, under which name and type, on both databases.

Ids are text. Times are UTC with microseconds. Structs are JSON text written by msgspec; what must not be read from a
dump is bytes sealed by the vault. Every tenant's row names its project; uniqueness within a project is a unique index
(``migrations/``), because SQLite cannot add a constraint to a table that exists.
"""

from piccolo.table import Table

from server.store.tables.configuration import (
    ConfigRevisions,
    Connections,
    ConnectSessions,
    Consumers,
    Groups,
    Installations,
    Integrations,
    ProviderApps,
    Revisions,
    SchemaChecks,
)
from server.store.tables.notifications import Deliveries, DestinationRoutes, Destinations, EventRoutes, Events, Topics
from server.store.tables.operations import Attempts, GatheredRecords, IdempotencyKeys, Lanes, Operations, Turns
from server.store.tables.processes import Counters, Leases, Processes, Uploads
from server.store.tables.tenants import ApiKeys, DataKeys, JwtKeys, MasterKeyChecks, Projects

TABLES: tuple[type[Table], ...] = (
    Projects,
    ApiKeys,
    JwtKeys,
    MasterKeyChecks,
    DataKeys,
    Integrations,
    Revisions,
    ProviderApps,
    Groups,
    Consumers,
    Connections,
    ConnectSessions,
    Events,
    Installations,
    ConfigRevisions,
    SchemaChecks,
    Operations,
    Attempts,
    GatheredRecords,
    Turns,
    Lanes,
    IdempotencyKeys,
    Destinations,
    Topics,
    EventRoutes,
    DestinationRoutes,
    Deliveries,
    Uploads,
    Processes,
    Leases,
    Counters,
)

__all__ = (
    "TABLES",
    "ApiKeys",
    "Attempts",
    "ConfigRevisions",
    "ConnectSessions",
    "Connections",
    "Consumers",
    "Counters",
    "DataKeys",
    "Deliveries",
    "DestinationRoutes",
    "Destinations",
    "EventRoutes",
    "Events",
    "GatheredRecords",
    "Groups",
    "IdempotencyKeys",
    "Installations",
    "Integrations",
    "JwtKeys",
    "Lanes",
    "Leases",
    "MasterKeyChecks",
    "Operations",
    "Processes",
    "Projects",
    "ProviderApps",
    "Revisions",
    "SchemaChecks",
    "Topics",
    "Turns",
    "Uploads",
)
