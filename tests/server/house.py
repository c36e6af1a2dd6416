"""A whole server in this process: memory store, real catalog, and the sandbox CRM as a real HTTP server behind it."""

import ipaddress
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from connectors.connector import Connector
from connectors.gateway import Gateway
from connectors.hubspot.crm import HubSpot
from connectors.salesforce.connector import Salesforce
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.server import serve
from headless.embed import Assets
from installations.installation import ApiKey, Project
from server.access.keys import digest, new_key, shown_prefix
from server.app import build_app
from server.clock import Clock, new_id, utc_now
from server.services import Services
from server.settings import Settings
from server.store.contract import Store
from server.store.memory import MemoryStore
from server.wiring import build_services
from tests.leaks import watched

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
START = datetime(2026, 11, 22, 12, tzinfo=UTC)

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: crm
    provider: sandbox
    read:
      objects:
        - objectName: contacts
          mapToName: person
          destination: inbox
          schedule: "0 * * * *"
          requiredFields:
            - fieldName: email
              mapToName: emailAddress
          optionalFields:
            - mapToName: nickname
              prompt: Which field holds the nickname?
    write:
      objects:
        - objectName: contacts
          inheritMapping: true
        - objectName: companies
    proxy:
      enabled: true
"""


class House(msgspec.Struct, kw_only=True):
    """The server with a first project in it, and clients for it."""

    client: httpx.AsyncClient
    """Without a credential."""
    services: Services
    app: Any
    project_id: str
    key: str
    frontend_key: str
    sandbox_url: str

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Api-Key": self.key}

    async def call(self, method: str, path: str, *, key: str | None = None, **rest: Any) -> httpx.Response:
        """Call a route below the first project (``path`` starts with a slash), with its full key or another one."""
        headers = {"X-Api-Key": key or self.key, **rest.pop("headers", {})}
        return await self.client.request(method, f"/v1/projects/{self.project_id}{path}", headers=headers, **rest)

    async def write(self, object_name: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """Write through the integration ``crm``; ``headers`` are spelt with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"/integrations/crm/objects/{object_name}"
        return await self.call("POST", path, json={"groupRef": "g1", **body}, headers=named)

    async def deploy(self, manifest: str = MANIFEST, **rest: Any) -> Any:
        answer = await self.call("PUT", "/integrations:batch", json={"sourceYaml": manifest}, **rest)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def connect(self, group_ref: str = "g1", **rest: Any) -> Any:
        body = {"provider": "sandbox", "groupRef": group_ref, "consumerRef": "c1", "apiKey": DEMO_KEY, **rest}
        answer = await self.call("POST", "/connections:generate", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def install(self, group_ref: str = "g1", content: dict[str, Any] | None = None, **rest: Any) -> Any:
        body = {"groupRef": group_ref, "config": {"content": content or READ_AND_WRITE}, **rest}
        answer = await self.call("POST", "/integrations/crm/installations", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


ON_EVERY_STORE = pytest.mark.parametrize("house", ["memory", "sqlite", "postgres"], indirect=True)
"""For what has to be so whatever database stands behind the server."""

READ_AND_WRITE: dict[str, Any] = {
    "provider": "sandbox",
    "read": {"objects": {"contacts": {"objectName": "contacts", "selectedFieldsAuto": "all"}}},
    "write": {"objects": {"contacts": {"objectName": "contacts"}}},
}


@asynccontextmanager
async def open_house(
    store: Store | None = None,
    *,
    provider_urls: Mapping[str, str] | None = None,
    connectors: Iterable[Connector] = (),
    clock: Clock = utc_now,
    assets: Assets | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """Open a house; the store is fresh memory unless one is given. ``provider_urls`` are for simulators.

    ``connectors`` are further ones, for providers that only a test knows (``tests/oauth_servers/providers.py``).
    Nobody comes too often unless ``settings`` have a rate: matrices fail to authenticate hundreds of times.
    """
    async with serve() as sandbox_url:
        transport = Gateway(allowed_networks=[LOOPBACK]).transport()
        services = build_services(
            msgspec.structs.replace(
                Settings(
                    public_url="http://isthmus.test",
                    provider_urls={"sandbox": sandbox_url, **(provider_urls or {})},
                    allowed_networks=(LOOPBACK,),
                    browser_rate=None,
                    failure_rate=None,
                ),
                **settings,
            ),
            store=store or MemoryStore(),
            connectors=(SandboxConnector(), HubSpot(), Salesforce(), *connectors),
            transport=transport,
            clock=clock,
            owner="test",
            assets=assets,
        )
        app: Any = watched(build_app(services))
        try:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://isthmus.test") as client:
                yield await moved_in(services, app, client, sandbox_url)
        finally:
            await transport.aclose()


async def moved_in(services: Services, app: Any, client: httpx.AsyncClient, sandbox_url: str) -> House:
    project = Project(id=new_id(), name="acme", app_name="Acme", org_id=new_id(), create_time=START)
    full, frontend = new_key(), new_key()
    await services.store.create_project(project, key=stored_key(project.id, full))
    await services.store.add_api_key(project.id, stored_key(project.id, frontend, scopes=("frontend",)))
    return House(
        client=client,
        services=services,
        app=app,
        project_id=project.id,
        key=full,
        frontend_key=frontend,
        sandbox_url=sandbox_url,
    )


def stored_key(project_id: str, key: str, *, scopes: tuple[str, ...] = ("full",)) -> ApiKey:
    return ApiKey(
        id=new_id(),
        project_id=project_id,
        label="test",
        prefix=shown_prefix(key),
        digest=digest(key),
        scopes=scopes,
        active=True,
        create_time=START,
    )
