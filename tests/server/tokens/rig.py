"""Processes that share a store and a provider, without a server around them: what a request does, and nothing else."""

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace

from connectors.answers import require_success
from connectors.connector import Account, Connector, Flow
from connectors.credentials import (
    ApiKeyCredentials,
    AuthorizationCodeTokens,
    ClientCredentials,
    Credentials,
    CustomCredentials,
    PasswordCredentials,
    build_credentials,
    parse_credentials,
)
from connectors.errors import ConnectorError
from connectors.gateway import Gateway
from connectors.memory.connector import MEMORY, Memory
from connectors.provider import (
    CustomInput,
    CustomOpts,
    MetadataInput,
    OAuth2Opts,
    Provider,
    ProviderMetadata,
    TokenField,
    TokenMetadataFields,
    TokenRequest,
    ValueTemplate,
)
from connectors.secret import Secret
from installations.installation import Connection, ProviderApp
from server.clock import utc_now
from server.services import Services
from server.settings import Settings
from server.store.contract import Event, NewConnection, Store
from server.tokens.keep_alive import KeepAlive
from server.tokens.pace import Pace
from server.wiring import build_services
from tests.server.store.samples import project
from tests.server.tokens.token_server import CLIENT_ID, CLIENT_SECRET, TokenServer

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
FACTS = TokenMetadataFields(
    workspace_ref_field="workspace",
    consumer_ref_field="user",
    other_fields=(TokenField(name="site", display_name="Site", path="site.name"),),
)


class Clockwork:
    """Time that passes when somebody sleeps, and when a test says so."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.naps: list[float] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    def tick(self, seconds: float) -> None:
        self.passed += seconds

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.passed += seconds
        await asyncio.sleep(0)

    def pace(self, **changes: Any) -> Pace:
        """Make a pace that lives by this clock; the chance is even."""
        made = Pace(sleep=self.sleep, monotonic=self.monotonic, random=lambda: 0.5)
        return replace(made, **changes)


class RealTime(Clockwork):
    """Time as it passes, for tests of several real processes."""

    def now(self) -> datetime:
        return utc_now()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Declared(Memory):
    """A connector for provider data of a test's own."""

    def __init__(self, declared: Provider) -> None:
        self._declared = declared

    @property
    def provider(self) -> Provider:
        return self._declared


def providers(url: str) -> tuple[Provider, ...]:
    """Describe the token server once for each way to authenticate."""
    token_url = f"{url}/token"

    def oauth2(name: str, grant_type: Any, **options: Any) -> Provider:
        made = OAuth2Opts(grant_type=grant_type, token_url=token_url, token_metadata_fields=FACTS, **options)
        return replace(MEMORY, name=name, display_name=name.title(), auth_type="oauth2", base_url=url, oauth2_opts=made)

    traded = TokenRequest(
        url=f"{url}/login",
        body={"tenant": "{{ .tenant }}", "pass": "{{ .password }}"},
        token_path="data.token",
        expires_in_path="data.ttl",
    )
    custom = CustomOpts(
        headers=(ValueTemplate(name="Authorization", value_template="Bearer {{ .token }}"),),
        inputs=(
            CustomInput(name="tenant", display_name="Tenant"),
            CustomInput(name="password", display_name="Password"),
        ),
        token_request=traded,
    )
    hosted = replace(
        oauth2("hosted", "authorizationCode"),
        base_url=url + "/{{.workspace}}",
        metadata=ProviderMetadata(input=(MetadataInput(name="workspace"),)),
    )
    return (
        oauth2("code", "authorizationCode", keep_alive_interval_hours=100),
        oauth2("client", "clientCredentials"),
        oauth2("password", "password"),
        replace(MEMORY, name="custom", display_name="Custom", auth_type="custom", base_url=url, custom_opts=custom),
        replace(MEMORY, name="key", display_name="Key", auth_type="oauth2", base_url=url),
        hosted,
    )


def call(account: Account, what: str) -> Flow[str]:
    """Make one call that changes something; answers the token it was done with."""
    response = yield httpx.Request("POST", f"{account.base_url}/things", content=what.encode())
    require_success(response)
    return str(response.json()["token"])


class Process:
    """What one process has in memory, over the shared store."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self.tokens = services.tokens
        self.keep_alive = KeepAlive(services.tokens, services.store, clock=services.clock, pace=services.tokens.pace)

    async def call(self, connection: Connection, what: str = "x") -> str:
        """Call the provider as a write does, with the connection as the store has it."""
        fresh = await self.services.store.connection(connection.project_id, connection.id)
        _, account, auth = await self.services.accounts.open(fresh)
        return await self.call_again(account, auth, what)

    async def call_again(self, account: Account, auth: httpx.Auth, what: str = "x") -> str:
        """Call with what was opened before, as a cached target is."""
        return await self.services.perform(call(account, what), auth=auth, origin=account.base_url)

    async def attempt(self, connection: Connection, what: str = "x") -> str | ConnectorError:
        """Call and answer the error, if any."""
        try:
            return await self.call(connection, what)
        except ConnectorError as error:
            return error

    async def settled(self) -> None:
        """Wait until nothing is under way beside requests."""
        await self.tokens.errands.finish()


class Rig:
    """A store, a provider and as many processes as a test wants."""

    def __init__(
        self, store: Store, server: TokenServer, clockwork: Clockwork, transport: httpx.AsyncBaseTransport
    ) -> None:
        self.store = store
        self.server = server
        self.clock = clockwork
        self._transport = transport
        self._connectors: tuple[Connector, ...] = tuple(Declared(one) for one in providers(server.url))
        self._ids = (f"{number:06}" for number in range(1_000_000))

    def moved_to(self, url: str) -> Process:
        """Make a process whose token endpoint is elsewhere."""
        return self.process("moved", provider_urls={"code": url})

    async def register_app(self, client_id: str) -> None:
        """Store another provider app."""
        app = ProviderApp(id=client_id, project_id="p1", provider="code", client_id=client_id, create_time=START)
        await self.store.create_provider_app(app, client_secret=CLIENT_SECRET.encode())

    def process(
        self, name: str = "me", *, pace: Pace | None = None, provider_urls: Mapping[str, str] | None = None
    ) -> Process:
        services = build_services(
            Settings(allowed_networks=(LOOPBACK,), provider_urls=provider_urls or {}),
            store=self.store,
            connectors=self._connectors,
            transport=self._transport,
            clock=self.clock.now,
            new_id=lambda: next(self._ids),
            owner=name,
            pace=pace or self.clock.pace(),
        )
        return Process(services)

    async def connect(
        self, provider: str = "code", credentials: Credentials | None = None, *, name: str = "c1", **members: Any
    ) -> Connection:
        """Store a connection; by default with fresh tokens of a family of its name, good for an hour."""
        new = NewConnection(
            id=name,
            project_id="p1",
            provider=provider,
            group_ref="acme",
            consumer_ref="jo",
            auth_scheme="oauth2/authorizationCode",
            status="working",
            now=START,
            credentials=build_credentials(credentials or self.tokens(name)),
            provider_app_id="a1",
        )
        return await self.store.create_connection(replace(new, **members))

    def tokens(self, family: str = "c1", **changes: Any) -> AuthorizationCodeTokens:
        """Have the provider give tokens, as after a consent."""
        access, refresh = self.server.grant(family)
        made = AuthorizationCodeTokens(
            access_token=Secret(access),
            refresh_token=Secret(refresh),
            expires_at=self.clock.now() + timedelta(hours=1),
            issued_at=self.clock.now(),
        )
        return replace(made, **changes)

    async def reconnect(self, connection: Connection, credentials: Credentials | None = None) -> Connection:
        """Store new credentials, as a consent or the API does."""
        content = build_credentials(credentials or self.tokens(connection.id))
        return await self.store.update_connection(
            "p1", connection.id, now=self.clock.now(), status="working", credentials=content
        )

    async def stored(self, name: str = "c1") -> Any:
        """Answer the credentials as they are stored."""
        return parse_credentials((await self.store.credentials("p1", name)).content)

    async def version(self, name: str = "c1") -> int:
        return (await self.store.credentials("p1", name)).version

    async def status(self, name: str = "c1") -> str:
        return (await self.store.connection("p1", name)).status

    async def events(self) -> list[Event]:
        return [event for event in await self.store.events("p1") if event.type != "connection.refreshed"]


KEYED = ApiKeyCredentials(api_key=Secret("a-key-by-hand"))
CLIENT = ClientCredentials(client_id=CLIENT_ID, client_secret=Secret(CLIENT_SECRET))
PASSWORD = PasswordCredentials(
    username="jo", password=Secret("right-password"), client_id=CLIENT_ID, client_secret=Secret(CLIENT_SECRET)
)
CUSTOM = CustomCredentials(values={"tenant": Secret("acme"), "password": Secret("right-password")})


async def settle_in(store: Store, server: TokenServer) -> None:
    """Put a project with a provider app for each provider into the store."""
    await store.create_project(project())
    for number, provider in enumerate(providers(server.url), start=1):
        app = ProviderApp(
            id=f"a{number}", project_id="p1", provider=provider.name, client_id=CLIENT_ID, create_time=START
        )
        await store.create_provider_app(app, client_secret=CLIENT_SECRET.encode())


@asynccontextmanager
async def rigged(store: Store, server: TokenServer, clockwork: Clockwork, *, new: bool = True) -> AsyncIterator[Rig]:
    """Make a rig over a store, which is new or was settled in before."""
    if new:
        await settle_in(store, server)
    transport = Gateway(allowed_networks=[LOOPBACK]).transport()
    try:
        yield Rig(store, server, clockwork, transport)
    finally:
        await transport.aclose()


def kinds(events: Iterable[Event]) -> list[str]:
    """List what was told."""
    return [event.type for event in events]


def errors_of(event: Event) -> list[str]:
    """Read the words of a ``connection.error``."""
    return list(msgspec.json.decode(event.data)["errors"])
