"""A whole server in this process with the memory connector: no network, no disk, and a provider that obeys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from connectors.memory.connector import Memory
from connectors.memory.server import MemoryServer
from server.app import build_app
from server.settings import Settings
from server.store.memory import MemoryStore
from server.wiring import build_services
from tests.leaks import watched
from tests.server.house import House, moved_in

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: crm
    provider: memory
    read:
      objects:
        - objectName: people
          destination: inbox
          schedule: "0 * * * *"
          optionalFields:
            - mapToName: open
    write:
      objects:
        - objectName: people
          inheritMapping: true
          upsertKeys: [key]
"""


@asynccontextmanager
async def open_memory_house(
    server: MemoryServer, *, store: MemoryStore | None = None, **made: Any
) -> AsyncIterator[House]:
    """Open a house with the group ``g1`` installed, all settings as they come; ``made`` is for `build_services`."""
    services = build_services(
        Settings(public_url="http://isthmus.test"),
        store=store or MemoryStore(),
        connectors=(Memory(),),
        transport=server,
        owner="test",
        **made,
    )
    app: Any = watched(build_app(services))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://isthmus.test") as client:
        house = await moved_in(services, app, client, "")
        await house.deploy(MANIFEST)
        body = {"provider": "memory", "groupRef": "g1", "consumerRef": "c1"}
        assert (await house.call("POST", "/connections:generate", json=body)).status_code == 201
        await house.install(content={"provider": "memory", "write": {"objects": {"people": {"objectName": "people"}}}})
        server.requests.clear()
        yield house
