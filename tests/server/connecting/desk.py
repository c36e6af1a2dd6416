"""A product whose customers give access, and their browsers: all in this process, the sandbox as a real provider."""

import json
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import msgspec

from connectors.connector import Connector
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOXES
from server.store.contract import Store
from tests.canaries import canary
from tests.oauth_servers.customers import Customer, Decision
from tests.server.house import House, open_house

OURS = "http://isthmus.test"
PAGE = "https://app.example.com"
PERSON = {"groupRef": "g1", "consumerRef": "c1"}
PROVIDER = "sandboxOAuth"
CLIENT = {"clientId": "desk-client", "clientSecret": canary()}


class Clock:
    """The time as the server sees it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_by(self, **time: float) -> None:
        self.ahead += timedelta(**time)


class Browser:
    """One person's browser: it keeps cookies, follows nothing by itself, and tells where it comes from."""

    def __init__(self, app: Any) -> None:
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OURS)

    async def open(self, link: str, *, referer: str | None = f"{PAGE}/", **headers: str) -> httpx.Response:
        """Open one of our links, as a window of a page does that says where it comes from."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(link, headers={**({"Referer": referer} if referer else {}), **named})

    async def press(self, link: str, page: httpx.Response, **headers: str) -> httpx.Response:
        """Press the one button of our page."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        (confirmation,) = re.findall(r'name="confirmation" value="(\w+)"', page.text)
        return await self.client.post(link, data={"confirmation": confirmation}, headers=named)

    async def set_out(self, link: str) -> str:
        """Open a link from the page that asked, and go on where our page asks; the provider's page."""
        opened = await self.open(link)
        if opened.status_code == 200:
            opened = await self.press(link, opened)
        assert opened.status_code == 302, opened.text
        return opened.headers["location"]


class Desk(msgspec.Struct, kw_only=True):
    """The product's side."""

    house: House
    clock: Clock

    async def registered(self, provider: str = PROVIDER, *more_uris: str, **app: Any) -> str:
        """Register the product's application at the sandbox and with us, once; the provider app's id."""
        await self.known_at_the_sandbox(self.callback(provider), *more_uris)
        answer = await self.house.call("POST", "/provider-apps", json={"provider": provider, **CLIENT, **app})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    async def known_at_the_sandbox(self, *redirect_uris: str, **client: str) -> None:
        body = {"name": "Acme", **CLIENT, **client, "redirectUris": redirect_uris}
        async with httpx.AsyncClient(trust_env=False, timeout=60) as sandbox:
            answer = await sandbox.post(f"{self.house.sandbox_url}/_sandbox/clients", json=body)
        assert answer.status_code == 201, answer.text

    async def workspace(self, name: str) -> None:
        """Add an account that customers may choose at the sandbox."""
        async with httpx.AsyncClient(trust_env=False, timeout=60) as sandbox:
            answer = await sandbox.post(f"{self.house.sandbox_url}/_sandbox/workspaces", json={"name": name})
        assert answer.is_success, answer.text

    def callback(self, provider: str = PROVIDER) -> str:
        return f"{OURS}/callbacks/v1/oauth/{self.house.project_id}/{provider}"

    async def ask(self, *, origin: str | None = PAGE, credential: Any = None, **body: Any) -> httpx.Response:
        """Ask for a link: as a page does, or without an origin as a server does."""
        headers = {**(credential or self.house.headers), **({"Origin": origin} if origin else {})}
        asked = {"projectIdOrName": self.house.project_id, "provider": PROVIDER, **PERSON, **body}
        return await self.house.client.post("/v1/oauth-connect", headers=headers, json=asked)

    async def link(self, **rest: Any) -> str:
        answer = await self.ask(**rest)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def update_link(self, connection_id: str, *, origin: str | None = PAGE) -> str:
        headers = {"Origin": origin} if origin else {}
        answer = await self.house.call("PATCH", f"/connections/{connection_id}:oauth-update", headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.text

    def browser(self) -> Browser:
        return Browser(self.house.app)

    async def connected(self, **body: Any) -> Any:
        """Go the whole way; the connection as the page that asked is told of it."""
        browser = self.browser()
        back = await decided(await browser.set_out(await self.link(**body)))
        return notice(await browser.client.get(back))["message"]["data"]["connection"]

    async def connections(self) -> list[Any]:
        return list((await self.house.call("GET", "/connections")).json())

    async def tokens(self, connection_id: str) -> Any:
        path = f"/connections/{connection_id}?includeCreds=true&includeRefreshToken=true"
        return (await self.house.call("GET", path)).json()["oauth2AuthorizationCode"]

    async def policy(self, **policy: Any) -> httpx.Response:
        body = {"updateMask": ["accessPolicy"], "project": {"accessPolicy": policy}}
        return await self.house.call("PATCH", "", json=body)


@asynccontextmanager
async def open_desk(
    store: Store | None = None, *, connectors: Iterable[Connector] = (), **settings: Any
) -> AsyncIterator[Desk]:
    clock = Clock()
    sandboxes = [SandboxConnector(provider) for provider in SANDBOXES[1:]]
    async with open_house(store, connectors=[*sandboxes, *connectors], clock=clock, **settings) as house:
        yield Desk(house=house, clock=clock)


async def decided(address: str, decision: Decision = "allow", *, workspace: str = "") -> str:
    """Decide on the provider's page; where it sends the browser back to."""
    if not workspace:
        return await Customer().decide(address, decision)
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        page = await client.get(address)
        (ticket,) = re.findall(r'name="ticket" value="([^"]+)"', page.text)
        form = {"ticket": ticket, "workspace": workspace, "decision": decision}
        answer = await client.post(address.partition("?")[0], data=form)
    return answer.headers["location"]


def notice(page: httpx.Response) -> Any:
    """Read what a page tells the one that opened it."""
    (text,) = re.findall(r'<script type="application/json" id="notice">(.*?)</script>', page.text, re.DOTALL)
    return json.loads(text)


def tells(page: httpx.Response) -> bool:
    return 'id="notice"' in page.text


def asked(address: str) -> dict[str, str]:
    """Read the query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def with_query(address: str, **changes: str | None) -> str:
    """Change the query of an address; ``None`` removes."""
    query = {name: value for name, value in {**asked(address), **changes}.items() if value is not None}
    return f"{address.partition('?')[0]}?{urlencode(query)}"
