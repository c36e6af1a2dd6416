"""A house on a real port, and behind it a provider that tells what reached it and answers as it is told to."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
from aiohttp import web

from connectors.provider import (
    ApiKeyHeader,
    ApiKeyOpts,
    ApiKeyQuery,
    Module,
    OAuth2Opts,
    Provider,
    Support,
)
from tests.canaries import canary
from tests.server.house import House, open_house
from tests.server.loopback import listening

BASE = "https://echo.test/base/v2"
TOKEN_PATH = "/base/token"
KEY = canary()
CLIENT_SECRET = canary()

_SUPPORT = Support(write=False)
_CRM = Module(base_url="https://echo.test/base/crm", display_name="Echo CRM", support=_SUPPORT)

BY_HEADER = Provider(
    name="echo",
    display_name="Echo",
    auth_type="apiKey",
    base_url=BASE,
    support=_SUPPORT,
    default_module="crm",
    modules={"crm": _CRM},
    api_key_opts=ApiKeyOpts(attachment_type="header", header=ApiKeyHeader(name="X-Echo-Key")),
)
BY_QUERY = msgspec.structs.replace(
    BY_HEADER,
    name="echoQuery",
    api_key_opts=ApiKeyOpts(attachment_type="query", query=ApiKeyQuery(name="key")),
)
BY_TOKEN = Provider(
    name="echoToken",
    display_name="Echo",
    auth_type="oauth2",
    base_url=BASE,
    support=_SUPPORT,
    oauth2_opts=OAuth2Opts(grant_type="clientCredentials", token_url=f"https://echo.test{TOKEN_PATH}"),
)
AT_ROOT = msgspec.structs.replace(BY_HEADER, name="echoRoot", base_url="https://root.test", modules=msgspec.UNSET)

MANIFEST = """
specVersion: 1.0.0
integrations:
  - {name: echo, provider: echo, proxy: {enabled: true}}
  - {name: module, provider: echo, module: crm, proxy: {enabled: true, useModule: true}}
  - {name: query, provider: echoQuery, proxy: {enabled: true}}
  - {name: token, provider: echoToken, proxy: {enabled: true}}
  - {name: root, provider: echoRoot, proxy: {enabled: true}}
  - {name: declared, provider: echo, proxy: {enabled: false}}
"""


class Bare(msgspec.Struct, frozen=True, kw_only=True):
    """A connector that can do nothing: the proxy needs no more than what a provider is."""

    provider: Provider

    def __hash__(self) -> int:
        return hash(self.provider.name)


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What reached the provider."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    length: int
    digest: str

    def header(self, name: str) -> str | None:
        """Find a header that came once; ``None`` if it did not come."""
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, self.headers
        return found[0] if found else None


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Echo:
    """The provider. It answers what it has seen, as JSON, unless `answer` is set."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answer: Answer | None = None
        self.token_refusal: int | None = None
        """The status with which the token endpoint gives nothing."""
        self.tokens: list[str] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve any request."""
        if self.answer is not None:
            return await self.answer(request)
        return await self.echo(request)

    async def echo(self, request: web.Request) -> web.StreamResponse:
        """Read everything and tell what it was."""
        return web.json_response(msgspec.to_builtins(await self.read(request)))

    async def read(self, request: web.Request) -> Seen:
        """Read the body, a piece at a time, and remember the request."""
        digest, length = hashlib.sha256(), 0
        async for piece in request.content.iter_any():
            digest.update(piece)
            length += len(piece)
        headers = [(name.decode(), value.decode("latin-1")) for name, value in request.raw_headers]
        seen = Seen(
            method=request.method, target=request.raw_path, headers=headers, length=length, digest=digest.hexdigest()
        )
        self.seen.append(seen)
        return seen

    async def give_token(self, _request: web.Request) -> web.StreamResponse:
        """Give a token that is worth something until the next one is given."""
        if self.token_refusal is not None:
            return web.Response(status=self.token_refusal)
        self.tokens.append(canary())
        return web.json_response({"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 3600})

    async def demand_token(self, request: web.Request) -> web.StreamResponse:
        """Answer 401 to whatever does not carry the newest token; an `answer` for the provider with tokens."""
        seen = await self.read(request)
        if seen.header("authorization") == f"Bearer {self.tokens[-1]}":
            return web.json_response({"length": seen.length, "digest": seen.digest})
        return web.json_response({"error": "token"}, status=401, headers={"WWW-Authenticate": "Bearer"})


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    """Serve the provider."""
    echo = Echo()
    app = web.Application(client_max_size=100_000_000)
    app.router.add_post(TOKEN_PATH, echo.give_token)
    app.router.add_route("*", "/{rest:.*}", echo.handle)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        echo.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield echo
    finally:
        await runner.cleanup()


class Line(msgspec.Struct, kw_only=True):
    """A server to call through, and what is behind it."""

    house: House
    client: httpx.AsyncClient
    """Speaks HTTP with the server over a socket."""
    echo: Echo
    installations: dict[str, str]
    """Installation ids by the names of integrations."""

    def headers(self, integration: str = "echo", **more: str) -> dict[str, str]:
        """Make the headers of a call by integration and group; ``more`` are spelt with underscores."""
        return {
            "X-Api-Key": self.house.key,
            "x-amp-proxy-version": "1",
            "x-amp-project-id": self.house.project_id,
            "x-amp-integration-name": integration,
            "x-amp-group-ref": "g1",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }

    async def call(self, method: str, path: str | bytes, *, integration: str = "echo", **rest: Any) -> httpx.Response:
        """Call through the prefix; the path goes out as it is written."""
        headers = {**self.headers(integration), **rest.pop("headers", {})}
        target = b"/proxy" + (path if isinstance(path, bytes) else path.encode())
        return await self.client.request(method, "/", headers=headers, extensions={"target": target}, **rest)


@asynccontextmanager
async def lined_up(*, moved: str | None = None, **settings: Any) -> AsyncIterator[Line]:
    """Open a house with everything installed for the group ``g1``.

    ``moved`` is the base URL of another server that stands in for the provider ``echo``.
    """
    async with echoing() as echo:
        urls = {each.name: f"{echo.url}/base/v2" for each in (BY_HEADER, BY_QUERY, BY_TOKEN)}
        urls |= {"echoRoot": echo.url} | ({"echo": moved} if moved else {})
        connectors = tuple(Bare(provider=each) for each in (BY_HEADER, BY_QUERY, BY_TOKEN, AT_ROOT))
        async with (
            open_house(provider_urls=urls, connectors=connectors, **settings) as house,
            listening(house.app) as origin,
            httpx.AsyncClient(base_url=origin, trust_env=False, timeout=60) as client,
        ):
            yield Line(house=house, client=client, echo=echo, installations=await _install(house))


async def _install(house: House) -> dict[str, str]:
    await house.deploy(MANIFEST)
    with_key = {"groupRef": "g1", "consumerRef": "c1", "apiKey": KEY}
    with_client = {
        "groupRef": "g1",
        "consumerRef": "c1",
        "oauth2ClientCredentials": {"clientId": "client", "clientSecret": CLIENT_SECRET},
    }
    made = {}
    for provider, integrations in {
        "echo": ("echo", "module", "declared"),
        "echoQuery": ("query",),
        "echoToken": ("token",),
        "echoRoot": ("root",),
    }.items():
        body = with_client if provider == "echoToken" else with_key
        answer = await house.call("POST", "/connections:generate", json={"provider": provider, **body})
        assert answer.status_code == 201, answer.text
        for integration in integrations:
            made[integration] = await install(house, integration, provider=provider, connectionId=answer.json()["id"])
    return made


async def install(house: House, integration: str, *, provider: str, **rest: Any) -> str:
    """Install an integration for the group ``g1``."""
    body = {"groupRef": "g1", "config": {"content": {"provider": provider}}, **rest}
    answer = await house.call("POST", f"/integrations/{integration}/installations", json=body)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found
