"""Every way to authenticate, against the real server: the right credential opens, a wrong one does not."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from msgspec import UNSET

from connectors.connector import Account, Flow
from connectors.credentials import (
    ApiKeyCredentials,
    AuthorizationCodeTokens,
    BasicCredentials,
    CachedToken,
    ClientCredentials,
    Credentials,
    CustomCredentials,
    NoCredentials,
    PasswordCredentials,
    authorize,
)
from connectors.errors import Refused
from connectors.grants import (
    DEAD_GRANT,
    Client,
    Granted,
    authorization_url,
    exchange_code,
    for_client,
    for_password,
    new_verifier,
    refresh,
    trade,
)
from connectors.provider import Provider
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import BASE_URL, SANDBOXES
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from connectors.secret import Secret
from connectors.signatures import ConnectionAuth
from connectors.templates import fill_url
from connectors.transport import perform
from connectors.wire import AioTransport
from installations.record import Change, RecordChange

CALLBACK = "http://127.0.0.1:9/callbacks/v1/oauth"
STEP_CALLBACK = "http://127.0.0.1:9/callbacks/v1/custom-auth/default"
APP = Client(client_id=DEMO_CLIENT_ID, client_secret=Secret(DEMO_CLIENT_SECRET))


class Visitor:
    """A customer with a browser, and our side of the conversation."""

    def __init__(self, provider: Provider, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
        self.provider = provider
        self.connector = SandboxConnector(provider)
        self._url = base_url
        self._transport = transport

    def moved(self, url: str) -> str:
        return url.replace(BASE_URL, self._url)

    @property
    def account(self) -> Account:
        return Account(base_url=self.moved(self.provider.base_url))

    async def grant(self, flow: Flow[Granted]) -> Granted:
        return await perform(flow, transport=self._transport, auth=ConnectionAuth(), origin=self._url)

    async def probe(self, credentials: Credentials) -> None:
        auth = authorize(self.provider, credentials)
        flow = self.connector.probe(self.account)
        await perform(flow, transport=self._transport, auth=auth, origin=self.account.base_url)

    async def create(self, credentials: Credentials) -> str | None:
        auth = authorize(self.provider, credentials)
        change = Change(
            action="create", object_name="contacts", records=(RecordChange(fields={"email": "ada@b.example"}),)
        )
        flow = self.connector.write(self.account, change)
        outcome = await perform(flow, transport=self._transport, auth=auth, origin=self.account.base_url)
        return outcome.records[0].record_id

    async def asked(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self._url, trust_env=False) as browser:
            return await browser.get(path)

    async def consent(self, url: str, *, workspace: str = "demo") -> dict[str, str]:
        """Go to a page, say yes, and answer what the redirect carries."""
        async with httpx.AsyncClient(base_url=self._url, trust_env=False) as browser:
            page = await browser.get(url)
            assert page.status_code == 200, page.text
            hidden = dict(re.findall(r'name="(\w+)" value="([^"]+)"', unescape(page.text)))
            form = {**hidden, "workspace": workspace, "decision": "allow"}
            back = await browser.post(urlsplit(url).path, data=form)
        assert back.status_code == 302, back.text
        return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}


async def key(_visitor: Visitor, secret: str) -> Credentials:
    return ApiKeyCredentials(api_key=Secret(secret))


async def pair(_visitor: Visitor, secret: str) -> Credentials:
    return BasicCredentials(username="demo", password=Secret(secret))


def inputs(**values: str) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in values.items()}


async def several(_visitor: Visitor, secret: str) -> Credentials:
    return CustomCredentials(values=inputs(workspace="demo", secret=secret, region="eu"))


async def session(visitor: Visitor, secret: str) -> Credentials:
    values = inputs(workspace="demo", secret=secret)
    options = visitor.provider.custom_opts
    assert options is not UNSET
    assert options.token_request is not UNSET
    given = await visitor.grant(
        trade(options.token_request, url=visitor.moved(options.token_request.url), values=values)
    )
    assert given.expires_in == 3600
    return CustomCredentials(values=values, token=CachedToken(access_token=given.access_token))


async def steps(visitor: Visitor, secret: str) -> Credentials:
    options = visitor.provider.custom_opts
    assert options is not UNSET
    url = fill_url(visitor.moved(options.redirect_url or ""), {"callbackURL": STEP_CALLBACK, "sessionId": "s&1"})
    said = await visitor.consent(url)
    assert said["sessionId"] == "s&1"
    brought = {name: said[name] for name in options.callback_params or ()}
    return CustomCredentials(values=inputs(**{**brought, "secret": secret if secret != DEMO_KEY else said["secret"]}))


async def code(visitor: Visitor, secret: str) -> Credentials:
    options = visitor.provider.oauth2_opts
    assert options is not UNSET
    verifier = new_verifier() if options.grant_type == "authorizationCodePKCE" else None
    url = authorization_url(
        options,
        url=visitor.moved(options.auth_url or ""),
        client=APP,
        redirect_uri=CALLBACK,
        state="s1",
        verifier=verifier,
        extra={},
    )
    said = await visitor.consent(url)
    assert (said["state"], said["iss"]) == ("s1", visitor.moved(options.issuer or ""))
    given = await visitor.grant(
        exchange_code(
            options,
            url=visitor.moved(options.token_url),
            client=APP,
            code=Secret(said["code"] if secret == DEMO_KEY else secret),
            redirect_uri=CALLBACK,
            verifier=verifier,
        )
    )
    assert (given.workspace_ref, given.scopes) == ("demo", ("records.read", "records.write"))
    return AuthorizationCodeTokens(access_token=given.access_token, refresh_token=given.refresh_token)


async def own_client(visitor: Visitor, secret: str) -> Credentials:
    options = visitor.provider.oauth2_opts
    assert options is not UNSET
    client = Client(
        client_id=DEMO_CLIENT_ID, client_secret=Secret(DEMO_CLIENT_SECRET if secret == DEMO_KEY else secret)
    )
    given = await visitor.grant(for_client(options, url=visitor.moved(options.token_url), client=client))
    return ClientCredentials(
        client_id=DEMO_CLIENT_ID,
        client_secret=Secret(DEMO_CLIENT_SECRET),
        token=CachedToken(access_token=given.access_token),
    )


async def password(visitor: Visitor, secret: str) -> Credentials:
    options = visitor.provider.oauth2_opts
    assert options is not UNSET
    url = visitor.moved(options.token_url)
    given = await visitor.grant(for_password(options, url=url, client=APP, username="demo", password=Secret(secret)))
    return PasswordCredentials(
        username="demo", password=Secret(secret), token=CachedToken(access_token=given.access_token)
    )


async def nothing(_visitor: Visitor, _secret: str) -> Credentials:
    return NoCredentials()


WAYS: Mapping[str, tuple[Callable[[Visitor, str], Awaitable[Credentials]], str]] = {
    "sandbox": (key, "apiKey"),
    "sandboxKeyInQuery": (key, "apiKey"),
    "sandboxKeyAsBasic": (key, "apiKey"),
    "sandboxBasic": (pair, "basic"),
    "sandboxCustom": (several, "custom"),
    "sandboxSession": (session, "custom"),
    "sandboxSteps": (steps, "custom"),
    "sandboxOAuth": (code, "oauth2"),
    "sandboxOAuthCode": (code, "oauth2"),
    "sandboxOAuthClient": (own_client, "oauth2"),
    "sandboxOAuthPassword": (password, "oauth2"),
    "sandboxOpen": (nothing, "none"),
}
BY_NAME = {provider.name: provider for provider in SANDBOXES}
each = pytest.mark.parametrize("name", list(BY_NAME))


@pytest.fixture
async def transport() -> AsyncIterator[httpx.AsyncBaseTransport]:
    made = AioTransport()
    yield made
    await made.aclose()


@each
async def test_the_right_credential_opens(name: str, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
    visitor = Visitor(BY_NAME[name], base_url, transport)
    prove, _ = WAYS[name]
    credentials = await prove(visitor, DEMO_KEY)
    await visitor.probe(credentials)
    record_id = await visitor.create(credentials)
    workspace = "open" if name == "sandboxOpen" else "demo"
    effects = (await visitor.asked(f"/_sandbox/ledger?workspace={workspace}")).json()["effects"]
    assert [effect["recordId"] for effect in effects] == [record_id]
    log = (await visitor.asked("/_sandbox/requests")).text
    assert len(log) > 100
    for secret in authorize(visitor.provider, credentials).secrets:
        if secret != b"demo":
            assert secret.decode() not in log


@each
async def test_the_sandbox_tells_how_one_came_in(name: str, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
    visitor = Visitor(BY_NAME[name], base_url, transport)
    prove, scheme = WAYS[name]
    auth = authorize(visitor.provider, await prove(visitor, DEMO_KEY))

    def me() -> Flow[httpx.Response]:
        return (yield httpx.Request("GET", f"{visitor.account.base_url}/v1/me"))

    answer = await perform(me(), transport=transport, auth=auth, origin=visitor.account.base_url)
    assert (answer.status_code, answer.json()["scheme"]) == (200, scheme)


@pytest.mark.parametrize("name", [name for name in BY_NAME if name != "sandboxOpen"])
async def test_a_wrong_credential_does_not_open(name: str, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
    visitor = Visitor(BY_NAME[name], base_url, transport)
    prove, _ = WAYS[name]
    with pytest.raises(Refused) as refused:
        await visitor.probe(await prove(visitor, "a-wrong-secret-4711"))
    assert refused.value.fault.kind == "auth"
    assert "4711" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("sandboxBasic", BasicCredentials(username="other", password=Secret(DEMO_KEY))),
        ("sandboxCustom", CustomCredentials(values=inputs(workspace="demo", secret=DEMO_KEY, region="us"))),
        ("sandboxCustom", CustomCredentials(values=inputs(workspace="open", secret=DEMO_KEY, region="eu"))),
        ("sandboxSession", CustomCredentials(values={}, token=CachedToken(access_token=Secret(DEMO_KEY)))),
        ("sandboxOAuth", AuthorizationCodeTokens(access_token=Secret(DEMO_KEY))),
        ("sandbox", NoCredentials()),
    ],
)
async def test_half_a_credential_does_not_open(
    name: str, held: Credentials, base_url: str, transport: httpx.AsyncBaseTransport
) -> None:
    visitor = Visitor(BY_NAME[name], base_url, transport)
    with pytest.raises(Refused) as refused:
        await visitor.probe(held)
    assert (refused.value.fault.kind, refused.value.fault.status) == ("auth", 401)


async def test_a_refresh_token_works_once(base_url: str, transport: httpx.AsyncBaseTransport) -> None:
    visitor = Visitor(BY_NAME["sandboxOAuth"], base_url, transport)
    held = await code(visitor, DEMO_KEY)
    assert isinstance(held, AuthorizationCodeTokens)
    assert held.refresh_token is not None
    options = visitor.provider.oauth2_opts
    assert options is not UNSET
    url = visitor.moved(options.token_url)

    async def renew(token: Secret) -> Granted:
        return await visitor.grant(refresh(options, url=url, client=APP, refresh_token=token))

    given = await renew(held.refresh_token)
    assert given.refresh_token not in (None, held.refresh_token)
    with pytest.raises(Refused) as refused:
        await renew(held.refresh_token)
    assert (refused.value.fault.kind, refused.value.fault.code) == ("auth", DEAD_GRANT)


async def test_the_page_that_hands_keys_out_sends_nobody_to_a_stranger(
    base_url: str, transport: httpx.AsyncBaseTransport
) -> None:
    visitor = Visitor(BY_NAME["sandboxSteps"], base_url, transport)
    for callback in ("http://evil.test/", f"{STEP_CALLBACK}/more", "", "javascript:alert(1)"):
        refused = await visitor.asked(fill_url("/connect?callback={{ .to }}&session=s", {"to": callback}))
        assert refused.status_code == 400


async def test_a_no_on_the_page_hands_out_nothing(base_url: str) -> None:
    form = {"callback": f"{STEP_CALLBACK}?a=1", "session": "s1", "workspace": "demo", "decision": "deny"}
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as browser:
        back = await browser.post("/connect", data=form)
    assert back.headers["location"] == f"{STEP_CALLBACK}?a=1&sessionId=s1&error=access_denied"
