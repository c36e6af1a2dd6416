"""Services with customers who have installed: no HTTP of ours, the memory provider, and a clock that is moved."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
from msgspec import UNSET

from connectors.connector import Connector
from connectors.memory.connector import Memory
from installations.config import ConfigContent
from installations.installation import Config, Project
from installations.manifest import IntegrationSpec
from installations.operation import Attempt, Operation
from installations.record import WriteRequest
from server.clock import new_id
from server.delivering.deliveries import Accepted, Delivered
from server.delivering.orders import queued
from server.delivering.running import working
from server.services import Services
from server.settings import Settings
from server.store.contract import IdempotencyKey, NewConnection, NewInstallation, Store
from server.store.memory import MemoryStore
from server.wiring import build_services

START = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
PROJECT = "p1"
OBJECTS = ("people", "keyed", "unique", "marked", "lagging")
SPEC = {
    "name": "crm",
    "provider": "memory",
    "write": {"objects": [{"objectName": name, "upsertKeys": ["key"]} for name in OBJECTS]},
}
CONTENT = {"provider": "memory", "write": {"objects": {name: {"objectName": name} for name in OBJECTS}}}


class VirtualClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Yard(msgspec.Struct, kw_only=True):
    """What a test works with."""

    services: Services
    store: Store
    clock: VirtualClock

    async def customer(self, group: str) -> str:
        """Connect and install for a group; answer the connection's id."""
        connection_id = f"c-{group}"
        now = self.clock()
        await self.store.create_connection(
            NewConnection(
                id=connection_id,
                project_id=PROJECT,
                provider="memory",
                group_ref=group,
                consumer_ref=f"someone at {group}",
                auth_scheme="none",
                status="working",
                now=now,
                credentials=b'{"scheme":"none"}',
            )
        )
        integration = await self.store.integration(PROJECT, "crm")
        await self.store.create_installation(
            NewInstallation(
                id=f"i-{group}",
                project_id=PROJECT,
                integration_id=integration.id,
                connection_id=connection_id,
                group_ref=group,
                created_by="api:test",
                config=Config(
                    id=f"v-{group}",
                    revision_id=integration.latest_revision.id,
                    create_time=now,
                    created_by="api:test",
                    content=msgspec.convert(CONTENT, ConfigContent),
                ),
                now=now,
            )
        )
        return connection_id

    def request(self, action: str, record: Any = UNSET, *, group: str = "g1", **members: Any) -> WriteRequest:
        """Build an asynchronous request."""
        body = {"groupRef": group, "type": action, "mode": "asynchronous", **members}
        return msgspec.convert(body if record is UNSET else body | {"record": record}, WriteRequest)

    def order(self, accepted: Accepted, request: WriteRequest) -> Operation:
        """Build the operation of a request, as it would be queued."""
        return queued(accepted.target, accepted.plan, request, operation_id=new_id(), now=self.clock())

    async def submit(
        self,
        action: str,
        record: Any = UNSET,
        *,
        group: str = "g1",
        name: str = "people",
        key: IdempotencyKey | None = None,
        **members: Any,
    ) -> Delivered:
        """Accept and store an asynchronous write."""
        request = self.request(action, record, group=group, **members)
        accepted = await self.services.deliveries.accept(PROJECT, "crm", name, request)
        return await self.services.deliveries.submit(accepted, request, idempotency=key)

    async def attend(self, group: str = "g1") -> None:
        """Do the work of a group's lane that is due now."""
        await self.services.worker.attend(f"c-{group}")

    async def operation(self, operation_id: str) -> Operation:
        return await self.store.operation(PROJECT, operation_id)

    async def attempts(self, operation_id: str) -> list[Attempt]:
        return await self.store.attempts(PROJECT, operation_id)

    async def ended(self, *operation_ids: str, seconds: float = 60.0) -> list[Operation]:
        """Wait until operations are no longer in progress."""
        async with asyncio.timeout(seconds):
            while True:
                found = [await self.operation(each) for each in operation_ids]
                if all(each.state in {"success", "failure", "unknown"} for each in found):
                    return found
                await asyncio.sleep(0.005)

    @asynccontextmanager
    async def at_work(self, **settings: Any) -> AsyncIterator[None]:
        """Have engine and rounds run."""
        services = self.services
        async with working(services.worker, services.engine, services.rounds, **settings):
            yield


async def open_yard(
    transport: httpx.AsyncBaseTransport,
    *,
    store: Store | None = None,
    connectors: Iterable[Connector] = (Memory(),),
    clock: VirtualClock | None = None,
    owner: str = "w1",
    groups: Iterable[str] = ("g1",),
    jitter: Callable[[], float] = lambda: 0.5,
    **settings: Any,
) -> Yard:
    """Open a yard with these groups moved in. A second one on the same store is another process, or the next one."""
    clock = clock or VirtualClock()
    yard_store = store or MemoryStore()
    services = build_services(
        Settings(public_url="http://isthmus.test", **settings),
        store=yard_store,
        connectors=connectors,
        transport=transport,
        clock=clock,
        owner=owner,
        jitter=jitter,
    )
    services.changes.subscribe(services.directory.forget)
    yard = Yard(services=services, store=yard_store, clock=clock)
    if PROJECT not in {each.id for each in await yard_store.projects()}:
        project = Project(id=PROJECT, name="acme", app_name="Acme", org_id="o", create_time=START)
        await yard_store.create_project(project)
        spec = msgspec.convert(SPEC, IntegrationSpec)
        await yard_store.deploy(PROJECT, [spec], spec_version="1.0.0", now=START, ids=[new_id(), new_id()])
        for group in groups:
            await yard.customer(group)
    await yard_store.beat(owner, kind="worker")
    return yard
