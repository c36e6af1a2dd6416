"""The same grants against authorization servers written by others: django-oauth-toolkit and oidc-provider."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec import UNSET
from msgspec.structs import replace

from connectors.connector import Flow
from connectors.errors import Refused
from connectors.grants import (
    BAD_CLIENT,
    DEAD_GRANT,
    Client,
    Granted,
    authorization_url,
    exchange_code,
    for_client,
    for_password,
    new_verifier,
    refresh,
)
from connectors.provider import OAuth2Opts
from connectors.secret import Secret
from connectors.signatures import ConnectionAuth
from connectors.transport import perform
from connectors.wire import AioTransport
from tests.oauth_servers.customers import Customer
from tests.oauth_servers.fixtures import ON_EVERY_SERVER
from tests.oauth_servers.providers import toolkit_for_clients, toolkit_for_passwords
from tests.oauth_servers.servers import REDIRECT, SCOPES, Application, OAuthServer

Ask: TypeAlias = Callable[[Flow[Granted], str], Awaitable[Granted]]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    transport = AioTransport()

    async def asked(flow: Flow[Granted], url: str) -> Granted:
        return await perform(flow, transport=transport, auth=ConnectionAuth(), origin=url)

    yield asked
    await transport.aclose()


class Visit:
    """One application's way through a server's consent page."""

    def __init__(self, server: OAuthServer, ask: Ask, *, public: bool = False) -> None:
        assert server.provider.oauth2_opts is not UNSET
        self.options: OAuth2Opts = server.provider.oauth2_opts
        self.client = client_of(server.register(public=public))
        self.verifier = new_verifier()
        self._ask = ask

    async def code(self) -> Secret:
        url = authorization_url(
            self.options,
            url=self.options.auth_url or "",
            client=self.client,
            redirect_uri=REDIRECT,
            state="s1",
            verifier=self.verifier,
            extra={},
        )
        back = parse_qs(urlsplit(await Customer().decide(url)).query)
        assert back["state"] == ["s1"]
        return Secret(back["code"][0])

    async def exchange(self, code: Secret, *, verifier: Secret | None = None, redirect_uri: str = REDIRECT) -> Granted:
        flow = exchange_code(
            self.options,
            url=self.options.token_url,
            client=self.client,
            code=code,
            redirect_uri=redirect_uri,
            verifier=verifier or self.verifier,
        )
        return await self._ask(flow, self.options.token_url)

    async def refresh(self, token: Secret | None, *, client: Client | None = None) -> Granted:
        assert token is not None
        flow = refresh(self.options, url=self.options.token_url, client=client or self.client, refresh_token=token)
        return await self._ask(flow, self.options.token_url)


def client_of(application: Application) -> Client:
    secret = Secret(application.client_secret) if application.client_secret else None
    return Client(client_id=application.client_id, client_secret=secret, scopes=SCOPES)


@ON_EVERY_SERVER
async def test_a_code_becomes_tokens_and_they_are_renewed(oauth_server: OAuthServer, ask: Ask) -> None:
    visit = Visit(oauth_server, ask)
    first = await visit.exchange(await visit.code())
    assert (first.expires_in, set(first.scopes or ())) == (3600, set(SCOPES))
    second = await visit.refresh(first.refresh_token)
    assert second.refresh_token not in (None, first.refresh_token)
    assert second.access_token != first.access_token


@ON_EVERY_SERVER
async def test_a_client_without_a_secret_has_its_verifier(oauth_server: OAuthServer, ask: Ask) -> None:
    visit = Visit(oauth_server, ask, public=True)
    assert visit.client.client_secret is None
    first = await visit.exchange(await visit.code())
    assert (await visit.refresh(first.refresh_token)).access_token != first.access_token


@ON_EVERY_SERVER
@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_wrong_secret_is_the_builders_matter(oauth_server: OAuthServer, ask: Ask, method: str) -> None:
    visit = Visit(oauth_server, ask)
    given = await visit.exchange(await visit.code())
    visit.options = replace(visit.options, client_authentication=method)
    wrong = replace(visit.client, client_secret=Secret("a-wrong-secret-4711"))
    with pytest.raises(Refused) as refused:
        await visit.refresh(given.refresh_token, client=wrong)
    assert (refused.value.fault.kind, refused.value.fault.code) == ("forbidden", BAD_CLIENT)
    assert "4711" not in str(refused.value)


@ON_EVERY_SERVER
async def test_a_refresh_token_that_was_rotated_away_is_dead(oauth_server: OAuthServer, ask: Ask) -> None:
    visit = Visit(oauth_server, ask)
    first = await visit.exchange(await visit.code())
    await visit.refresh(first.refresh_token)
    with pytest.raises(Refused) as refused:
        await visit.refresh(first.refresh_token)
    assert (refused.value.fault.kind, refused.value.fault.code) == ("auth", DEAD_GRANT)


@ON_EVERY_SERVER
@pytest.mark.parametrize("wrong", ["verifier", "code", "replay"])
async def test_a_code_that_does_not_fit_is_dead(oauth_server: OAuthServer, ask: Ask, wrong: str) -> None:
    visit = Visit(oauth_server, ask)
    code = await visit.code()
    if wrong == "replay":
        await visit.exchange(code)
    with pytest.raises(Refused) as refused:
        await visit.exchange(
            Secret("an-unknown-code-4711") if wrong == "code" else code,
            verifier=new_verifier() if wrong == "verifier" else None,
        )
    assert (refused.value.fault.kind, refused.value.fault.code) == ("auth", DEAD_GRANT)
    assert code.reveal() not in str(refused.value)


@ON_EVERY_SERVER
async def test_a_redirect_uri_that_was_not_asked_with_gives_nothing(oauth_server: OAuthServer, ask: Ask) -> None:
    visit = Visit(oauth_server, ask)
    with pytest.raises(Refused):
        await visit.exchange(await visit.code(), redirect_uri=f"{REDIRECT}/other")


async def test_a_client_of_the_customers_own_gets_a_token_that_works(toolkit_server: OAuthServer, ask: Ask) -> None:
    options = toolkit_for_clients(toolkit_server.origin).oauth2_opts
    client = client_of(toolkit_server.register(grant="client-credentials"))
    assert options is not UNSET
    given = await ask(for_client(options, url=options.token_url, client=client), options.token_url)
    assert given.refresh_token is None
    headers = {"Authorization": f"Bearer {given.access_token.reveal()}"}
    async with httpx.AsyncClient(trust_env=False) as http:
        assert (await http.get(toolkit_server.contacts_url, headers=headers)).status_code == 200
    wrong = replace(client, client_secret=Secret("a-wrong-secret-4711"))
    with pytest.raises(Refused) as refused:
        await ask(for_client(options, url=options.token_url, client=wrong), options.token_url)
    assert (refused.value.fault.kind, refused.value.fault.code) == ("auth", DEAD_GRANT)


async def test_a_password_gets_a_token(toolkit_server: OAuthServer, ask: Ask) -> None:
    options = toolkit_for_passwords(toolkit_server.origin).oauth2_opts
    client = client_of(toolkit_server.register(grant="password"))
    assert options is not UNSET

    async def log_in(password: str) -> Granted:
        flow = for_password(options, url=options.token_url, client=client, username="alice", password=Secret(password))
        return await ask(flow, options.token_url)

    assert (await log_in("password")).access_token
    with pytest.raises(Refused) as refused:
        await log_in("a-wrong-password")
    assert (refused.value.fault.kind, refused.value.fault.code) == ("auth", DEAD_GRANT)
