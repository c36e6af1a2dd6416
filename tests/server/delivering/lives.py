"""A store with an installation in it, and operations at any point of their lives."""

from datetime import timedelta
from typing import Any

import httpx
from msgspec.structs import replace

from connectors.connector import Account, Connector
from connectors.errors import Refused
from installations.installation import Installation
from installations.operation import Operation
from installations.pipeline import Plan, PlannedRecord
from installations.record import Fault, FaultKind, Outcome, RecordOutcome
from server.delivering.payloads import Stored, encoded
from server.directory import Opened
from server.store.memory import MemoryStore
from tests.server.store.samples import NOW, operation, populated

HOUR = timedelta(hours=1)
WRITTEN = RecordOutcome(success=True, record_id="7")


def planned(*ids: str | None, action: Any = "create", batch: bool = False) -> bytes:
    """Encode a plan with a record for each id; ``None`` is a new one."""
    records = tuple(PlannedRecord(fields={"n": index}, id=key) for index, key in enumerate(ids))
    return encoded(Stored(plan=Plan(action=action, object_name="contact", records=records, batch=batch)))


def came(*records: RecordOutcome) -> bytes:
    """Encode an outcome."""
    return encoded(Outcome(records=records))


def fault(kind: FaultKind) -> RecordOutcome:
    return RecordOutcome(success=False, fault=Fault(kind=kind, message="no"))


def living(name: str = "x1", **changes: Any) -> Operation:
    """Build an asynchronous create of one record of the group ``acme``, queued an hour ago for two hours."""
    made = operation(
        name,
        mode="asynchronous",
        state="queued",
        payload=planned(None),
        owner="",
        connection_id="c1",
        create_time=NOW - HOUR,
        update_time=NOW - HOUR,
        run_at=NOW + HOUR,
        deadline_at=NOW + HOUR,
    )
    return replace(made, **changes)


async def furnished(*operations: Operation) -> MemoryStore:
    """Fill a store with two projects, and put these operations into it."""
    store = MemoryStore()
    await populated(store)
    for one in operations:
        await store.begin(one)
    return store


class Homes:
    """Knows installations; ``connector`` is what they write with, and without one nothing can be opened."""

    def __init__(self, store: MemoryStore, connector: Connector | None = None) -> None:
        self._store = store
        self._connector = connector

    async def installation(self, project_id: str, installation_id: str) -> Installation:
        return await self._store.installation(project_id, installation_id)

    async def opened(self, operation: Operation) -> Opened:
        if self._connector is None:
            raise Refused(Fault(kind="auth", message="no usable credential"))
        installation = await self._store.installation(operation.project_id, operation.installation_id)
        account = Account(base_url="https://provider.test")
        return Opened(installation=installation, connector=self._connector, account=account, auth=httpx.Auth())


class Engine:
    """Notes which lanes it was told of."""

    def __init__(self) -> None:
        self.lanes: list[str] = []

    async def submit(self, lane_id: str) -> None:
        self.lanes.append(lane_id)
