"""What the memory store holds, and how it finds a tenant's things."""

from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from installations.installation import (
    ApiKey,
    Connection,
    Consumer,
    Group,
    Installation,
    Integration,
    JwtKey,
    Project,
    ProviderApp,
    Revision,
)
from installations.operation import Attempt, Operation
from server.store.contract import ConnectSession, Event, IdempotencyKey, Missing, SchemaCheck, Upload


class Owned(Protocol):
    """Anything that names its project."""

    @property
    def project_id(self) -> str:
        """Whose it is."""


class Dated(Protocol):
    """Anything with an age."""

    @property
    def id(self) -> str:
        """Breaks ties."""

    @property
    def create_time(self) -> datetime:
        """When it was made."""


OwnedThing = TypeVar("OwnedThing", bound=Owned)
DatedThing = TypeVar("DatedThing", bound=Dated)


class LaneState:
    """A lane, with who attends to it since when (monotonic) and when it has work."""

    def __init__(self, lane_id: str, project_id: str) -> None:
        self.id = lane_id
        self.project_id = project_id
        self.owner = ""
        self.attended_at = 0.0
        self.wake_at: datetime | None = None
        self.hold_until: datetime | None = None
        self.failures = 0
        self.parked = False

    def hold(self, until: datetime | None) -> None:
        """Put it on hold, or keep it so for longer."""
        if until is not None:
            self.hold_until = until if self.hold_until is None else max(until, self.hold_until)


class Shelf:
    """Every thing by its id."""

    def __init__(self) -> None:
        self.projects_by_id: dict[str, Project] = {}
        self.keys: dict[str, ApiKey] = {}
        self.jwt_keys_by_id: dict[str, JwtKey] = {}
        self.private_halves: dict[str, bytes] = {}
        """Of the keys with which the server signs, by their ids."""
        self.integrations_by_id: dict[str, Integration] = {}
        self.revisions: dict[str, tuple[str, Revision]] = {}
        """With the id of the integration."""
        self.apps: dict[str, ProviderApp] = {}
        self.secrets: dict[str, bytes] = {}
        """Of provider apps and connections, by their ids."""
        self.groups: dict[tuple[str, str], Group] = {}
        self.consumers: dict[tuple[str, str], Consumer] = {}
        self.connections_by_id: dict[str, Connection] = {}
        self.credential_versions: dict[str, int] = {}
        self.keep_alive: dict[str, datetime] = {}
        """When the refresh tokens of connections must be used, by their ids."""
        self.sessions: dict[str, ConnectSession] = {}
        self.outbox: dict[str, Event] = {}
        """In the order of their coming."""
        self.sequences: dict[str, int] = {}
        """The place of each project's last event."""
        self.installations_by_id: dict[str, Installation] = {}
        self.checks_by_installation: dict[str, SchemaCheck] = {}
        self.operations_by_id: dict[str, Operation] = {}
        self.attempts_by_operation: dict[str, list[Attempt]] = {}
        self.records_by_operation: dict[str, list[bytes]] = {}
        """What auto-batches gathered."""
        self.accepted = 0
        """The place of the last operation in the order of acceptance."""
        self.lanes: dict[str, LaneState] = {}
        self.turns: dict[str, list[str]] = {}
        """The unfinished operations that change a record, by the record's name, in the order of acceptance."""
        self.idempotency: dict[tuple[str, str, str], tuple[IdempotencyKey, str]] = {}
        """With the id of the operation."""
        self.uploads: dict[str, Upload] = {}
        self.processes: dict[str, float] = {}
        self.leases: dict[str, tuple[str, float]] = {}
        """Owner, and when it is over."""
        self.changes = 0

    def changed(self) -> None:
        """Count a change of configuration."""
        self.changes += 1

    def tell(self, project_id: str, event: Event | None) -> None:
        """Put an event into the outbox, if there is one."""
        if event:
            place = self.sequences[project_id] = self.sequences.get(project_id, 0) + 1
            self.outbox[event.id] = msgspec.structs.replace(event, project_id=project_id, sequence=place)

    def forget_connection(self, connection_id: str) -> None:
        """Remove a connection with all that is known of it."""
        del self.connections_by_id[connection_id], self.secrets[connection_id], self.credential_versions[connection_id]
        self.keep_alive.pop(connection_id, None)

    def require_project(self, project_id: str) -> None:
        """Raise `Missing` for a project that does not exist."""
        if project_id not in self.projects_by_id:
            raise Missing(f"no project {project_id!r}")


def find(things: dict[str, OwnedThing], project_id: str, thing_id: str, *, noun: str) -> OwnedThing:
    """Find a tenant's thing. Raises `Missing` alike for an unknown id and for another tenant's."""
    thing = things.get(thing_id)
    if thing is None or thing.project_id != project_id:
        raise Missing(f"no {noun} {thing_id!r}")
    return thing


def of(things: dict[str, OwnedThing], project_id: str) -> list[OwnedThing]:
    """List a tenant's things."""
    return [thing for thing in things.values() if thing.project_id == project_id]


def oldest_first(things: list[DatedThing]) -> list[DatedThing]:
    """Order by age, ids breaking ties."""
    return sorted(things, key=lambda thing: (thing.create_time, thing.id))
