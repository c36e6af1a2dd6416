"""Customers of a product at three providers: a whole server, and the provider as a real HTTP server on loopback."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec

from connectors.sandbox.access import DEMO_KEY
from tests.conftest import Published
from tests.server.house import House, open_house
from tests.simulators.hubspot import TOKEN as HUBSPOT_TOKEN
from tests.simulators.hubspot import HubSpotSimulator, running_hubspot
from tests.simulators.salesforce import TOKEN as SALESFORCE_TOKEN
from tests.simulators.salesforce import SalesforceSimulator, running_salesforce

Json = dict[str, Any]
KEYS = {"sandbox": DEMO_KEY, "hubspot": HUBSPOT_TOKEN, "salesforce": SALESFORCE_TOKEN}


class Customer(msgspec.Struct, kw_only=True):
    """One customer with an account at a provider, seen by the product (``house``) and by the provider."""

    house: House
    provider: str
    crm: Any
    """The simulator; for the sandbox, a client of its switches."""

    async def deploy(self, objects: str) -> Any:
        """Deploy an integration ``crm`` with this YAML under the provider's name."""
        head = f"specVersion: 1.0.0\nintegrations:\n  - name: crm\n    provider: {self.provider}\n"
        return await self.house.deploy(head + objects)

    async def connect(self, *, key: str | None = None) -> httpx.Response:
        workspace = {"providerWorkspaceRef": "acme"} if self.provider == "salesforce" else {}
        body = {"provider": self.provider, "groupRef": "g1", "consumerRef": "c1", **workspace}
        return await self.house.call(
            "POST", "/connections:generate", json={**body, "apiKey": key or KEYS[self.provider]}
        )

    async def move_in(self, objects: str, **content: Any) -> Any:
        """Deploy, connect, install."""
        await self.deploy(objects)
        answer = await self.connect()
        assert answer.status_code == 201, answer.text
        return await self.house.install(content={"provider": self.provider, **content})

    async def write(self, object_name: str, body: Json, **headers: str) -> httpx.Response:
        return await self.house.write(object_name, body, **headers)

    async def done(self, object_name: str, body: Json, **headers: str) -> Any:
        """Write, and expect that it goes through."""
        answer = await self.write(object_name, body, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def state(self, operation_id: str) -> str:
        answer = await self.house.call("GET", f"/operations/{operation_id}?state=true")
        return str(answer.json()["state"])


@asynccontextmanager
async def hubspot_customer() -> AsyncIterator[Customer]:
    async with running_hubspot() as crm, open_house(provider_urls={"hubspot": crm.url}) as house:
        yield Customer(house=house, provider="hubspot", crm=crm)


@asynccontextmanager
async def salesforce_customer() -> AsyncIterator[Customer]:
    async with running_salesforce() as crm, open_house(provider_urls={"salesforce": crm.url}) as house:
        yield Customer(house=house, provider="salesforce", crm=crm)


@asynccontextmanager
async def sandbox_customer() -> AsyncIterator[Customer]:
    async with (
        open_house() as house,
        httpx.AsyncClient(
            base_url=house.sandbox_url, headers={"X-Sandbox-Key": DEMO_KEY}, trust_env=False, timeout=60
        ) as crm,
    ):
        yield Customer(house=house, provider="sandbox", crm=crm)


def sent(crm: HubSpotSimulator | SalesforceSimulator) -> list[tuple[str, str, Any]]:
    """List what the provider was asked: method, path, body."""
    return [(asked.method, asked.path, asked.body) for asked in crm.requests]


def fits(published: Published, answer: httpx.Response) -> None:
    """Check an answer of the write route against the published document."""
    (path,) = published("write")["paths"].values()
    (media,) = path["post"]["responses"][str(answer.status_code)]["content"].items()
    assert answer.headers["content-type"].split(";")[0] == media[0]
    if media[0] == "application/json":
        assert published.problems("write", media[1]["schema"], answer.json()) == []
