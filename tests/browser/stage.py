"""Where a journey takes place: Isthmus at one site, a product's page at another, providers beside them.

Isthmus is at ``localhost`` and the rest at ``127.0.0.1``: for a browser these are two sites, as in real life.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from aiohttp import web
from playwright.async_api import BrowserContext, Page

from connectors.connector import Connector
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOXES
from installations.installation import AccessPolicy
from tests.browser.sites import Site, sandbox_sites
from tests.oauth_servers.providers import connector
from tests.server.house import House, open_house
from tests.server.loopback import bound, listening

PRODUCT = Path(__file__).parent / "product"
GROUP, CONSUMER = "acme-group", "ann"


class Clock:
    """The time as the server sees it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Stage(msgspec.Struct, kw_only=True):
    """Everything that is up."""

    house: House
    origin: str
    """Of Isthmus, as browsers know it."""
    product_url: str
    clock: Clock
    sites: dict[str, Site]
    """By the provider's name."""

    async def prepare(self, name: str) -> Site:
        """Register an application at a provider and with Isthmus, as a builder does once."""
        site = self.sites[name]
        redirect_uri = f"{self.origin}/callbacks/v1/oauth/{self.house.project_id}/{name}"
        application = await asyncio.to_thread(site.register, redirect_uri)
        body = {"provider": name, "clientId": application.client_id, "clientSecret": application.client_secret}
        answer = await self.house.call("POST", "/provider-apps", json={**body, "scopes": list(site.scopes)})
        assert answer.is_success, answer.text
        return site

    async def let_in(self, **policy: bool) -> None:
        """List the product's page, as a builder does, and set what else there is in the policy."""
        pages = AccessPolicy(allowed_origins=(self.product_url.rpartition("/")[0],), **policy)
        await self.house.services.store.update_project(self.house.project_id, access_policy=pages, now=self.clock())

    async def visit(self, context: BrowserContext, *, connection_id: str = "", token: str = "", **request: Any) -> Page:
        """Open the product's page, with what its script needs; ``request`` goes into `POST /v1/oauth-connect`."""
        page = await context.new_page()
        await page.goto(self.product_url)
        settings = {
            "server": self.origin,
            "projectId": self.house.project_id,
            "key": self.house.frontend_key,
            "token": token,
            "connectionId": connection_id,
            "request": {"groupRef": GROUP, "consumerRef": CONSUMER, **request},
        }
        await page.evaluate("given => { window.settings = given }", settings)
        return page

    async def link(self, provider: str, **request: Any) -> str:
        """Ask for a link as a backend does."""
        body = {"projectIdOrName": self.house.project_id, "groupRef": GROUP, "consumerRef": CONSUMER}
        headers = {"X-Api-Key": self.house.key}
        async with httpx.AsyncClient(trust_env=False, base_url=self.origin, headers=headers) as client:
            answer = await client.post("/v1/oauth-connect", json={**body, "provider": provider, **request})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def connect(self, provider: str, **credentials: Any) -> Any:
        """Connect the customer without a browser."""
        body = {"provider": provider, "groupRef": GROUP, "consumerRef": CONSUMER, **credentials}
        answer = await self.house.call("POST", "/connections:generate", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def break_off(self, connection_id: str) -> None:
        """Note that the provider refuses the credentials."""
        store, now = self.house.services.store, self.clock()
        await store.update_connection(self.house.project_id, connection_id, now=now, status="bad_credentials")

    async def connections(self) -> list[Any]:
        """List what is connected."""
        answer = await self.house.call("GET", "/connections")
        return list(answer.json())


@asynccontextmanager
async def open_stage(
    sites: Iterable[Site] = (),
    *,
    product_folder: Path = PRODUCT,
    product_headers: Mapping[str, str] | None = None,
    further: Iterable[Connector] = (),
    provider_urls: Mapping[str, str] | None = None,
) -> AsyncIterator[Stage]:
    """Set everything up; ``sites`` are providers besides the sandbox, and the product sends ``product_headers``.

    ``further`` are connectors without a site, for what no provider of the catalog has; ``provider_urls`` say where they
    are served.
    """
    clock, strangers = Clock(), tuple(sites)
    listener = bound()
    origin = f"http://localhost:{listener.getsockname()[1]}"
    connectors: list[Connector] = [
        *(SandboxConnector(provider) for provider in SANDBOXES[1:]),
        *(connector(site.provider) for site in strangers),
        *further,
    ]
    async with (
        open_house(connectors=connectors, clock=clock, public_url=origin, provider_urls=provider_urls) as house,
        listening(house.app, at=listener),
        product(product_folder, headers=product_headers) as product_url,
    ):
        known = (*sandbox_sites(house.sandbox_url), *strangers)
        stage = Stage(
            house=house,
            origin=origin,
            product_url=product_url,
            clock=clock,
            sites={site.provider.name: site for site in known},
        )
        await stage.let_in()
        yield stage


@asynccontextmanager
async def product(folder: Path = PRODUCT, *, headers: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Serve a product's page, with further headers; its address."""

    async def add_headers(_request: web.Request, answer: web.StreamResponse) -> None:
        answer.headers.update(headers or {})

    application = web.Application()
    application.on_response_prepare.append(add_headers)
    application.router.add_static("/", folder)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/index.html"
    finally:
        await runner.cleanup()


async def opened_by(page: Page, button: str) -> Page:
    """Click a button of the product's page; the window that it opens."""
    async with page.expect_popup() as popup:
        await page.click(f"#{button}")
    return await popup.value


async def state(page: Page, expected: str) -> Any:
    """Wait until the product's page shows a state; what its script has seen."""
    await page.locator("#state", has_text=expected).wait_for()
    return await page.evaluate("window.seen")


async def photograph(page: Page, name: str) -> None:
    """Keep a picture where ``ISTHMUS_SCREENSHOTS`` says, for people to look at."""
    if folder := os.environ.get("ISTHMUS_SCREENSHOTS"):
        await page.screenshot(path=Path(folder) / f"{name}.png")
