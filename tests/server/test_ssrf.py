"""No payload is dialled, whichever way it comes into the server: typed by a customer, told by a provider, or in a path.

Names are resolved by a stub, and a spy counts every connect of the process. Providers of these tests are at 127.0.0.2,
the one address that is allowed; 127.0.0.1 is as forbidden as any.
"""

import ipaddress
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from connectors.credentials import ApiKeyCredentials, build_credentials
from connectors.gateway import Gateway
from connectors.provider import (
    ApiKeyHeader,
    ApiKeyOpts,
    CustomInput,
    CustomOpts,
    MetadataInput,
    Module,
    OAuth2Opts,
    Provider,
    ProviderMetadata,
    Support,
    TokenRequest,
    ValueTemplate,
)
from connectors.rest import RestConnector, RestObject
from connectors.secret import Secret
from installations.installation import MetadataValue
from server.app import build_app
from server.clock import new_id
from server.settings import Settings
from server.store.contract import NewConnection
from server.store.memory import MemoryStore
from server.wiring import build_services
from tests.canaries import canary
from tests.connectors import faults
from tests.connectors.payloads import ADDRESSES, LITERALS, PUBLIC, Names, watching
from tests.server.house import START, House, moved_in
from tests.server.proxying.test_paths import REFUSED

OWN = "127.0.0.2"
Entry = Callable[[House, str], Awaitable[httpx.Response]]
ASKED = ProviderMetadata(input=(MetadataInput(name="workspace"),))
GOOD = "acme"
_SUPPORT = Support(write=True, delete=True)


def provider(name: str, base_url: str, **members: Any) -> Provider:
    by_key = ApiKeyOpts(attachment_type="header", header=ApiKeyHeader(name="X-Key"))
    made: dict[str, Any] = {"auth_type": "apiKey", "api_key_opts": by_key, "metadata": ASKED, **members}
    return Provider(name=name, display_name=name, base_url=base_url, support=_SUPPORT, **made)


def granting(name: str, grant_type: Any, **urls: str) -> Provider:
    options = OAuth2Opts(grant_type=grant_type, **{key: urls[key] for key in urls})  # type: ignore[arg-type]
    return provider(name, "https://api.provider.test", auth_type="oauth2", oauth2_opts=options)


PROVIDERS = (
    provider("host", "https://{{.workspace}}"),
    provider("subdomain", "https://{{.workspace}}.provider.test"),
    provider("port", "https://api.provider.test:{{.workspace}}"),
    provider("path", "https://api.provider.test/{{.workspace}}/v1"),
    provider(
        "module",
        "https://api.provider.test",
        default_module="crm",
        modules={"crm": Module(base_url="https://{{.workspace}}", display_name="CRM", support=_SUPPORT)},
    ),
    granting("clients", "clientCredentials", token_url="https://{{.workspace}}/token"),
    granting("passwords", "password", token_url="https://{{.workspace}}.provider.test/token"),
    granting(
        "codes",
        "authorizationCode",
        auth_url="https://{{.workspace}}.provider.test/authorize",
        token_url="https://{{.workspace}}.provider.test/token",
    ),
    provider(
        "traded",
        "https://api.provider.test",
        auth_type="custom",
        custom_opts=CustomOpts(
            inputs=(CustomInput(name="user", display_name="User"),),
            headers=(ValueTemplate(name="X-Token", value_template="{{ .token }}"),),
            token_request=TokenRequest(url="https://{{.workspace}}/login", body={"user": "{{ .user }}"}),
        ),
    ),
    granting("granting", "clientCredentials", token_url="https://api.provider.test/token"),
    provider("plain", "https://api.provider.test", metadata=msgspec.UNSET),
    provider("following", "https://following.test", metadata=msgspec.UNSET, follows_redirects=True),
)

MANIFEST = "specVersion: 1.0.0\nintegrations:\n" + "".join(
    f"  - {{name: {each.name}, provider: {each.name}, write: {{objects: [{{objectName: people}}]}},"
    f" proxy: {{enabled: true, useModule: {str(each.name == 'module').lower()}}}}}\n"
    for each in PROVIDERS
)

VALUES = (
    *LITERALS,
    *(url.partition("//")[2] or url for url in LITERALS),
    *(url.partition("//")[2].rstrip("/") for url in LITERALS),
    *ADDRESSES,
    *(f"[{address}]" for address in ADDRESSES if ":" in address),
    *(
        "evil.test/",
        "evil.test#",
        "evil.test?",
        "a@evil.test",
        "evil.test:443/",
        "evil.test\\",
        "//evil.test",
        "a/../b",
    ),
    *(
        "..",
        ".",
        "%2e%2e",
        "a%2fb",
        "a\\b",
        "a b",
        "a\tb",
        "a\r\nHost: b",
        "a\u2028b",
        "a\uff0fb",
        "a\uff0eb",
        "\u24d0",
    ),
    *(
        "xn--a",
        "xn--",
        "xn--0.xn--1",
        "-a",
        "a-",
        "a_b",
        "{{.workspace}}",
        "${workspace}",
        "a" * 64,
        "a." * 200,
        "\u00df",
    ),
    *(
        "localhost",
        "LOCALHOST",
        "0",
        "00",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "08",
        "1e3",
        "443",
        "22",
        "65536",
    ),
)
"""What somebody may type for a workspace, a region or a host."""


@pytest.fixture
def dialled() -> Iterator[list[str]]:
    with watching() as addresses:
        yield addresses


@asynccontextmanager
async def sealed(names: Names, *, provider_urls: Mapping[str, str] | None = None) -> AsyncIterator[House]:
    """Open a house that may call nothing but the public internet, which the spy stops, and `OWN`."""
    transport = Gateway(allowed_networks=[ipaddress.ip_network(f"{OWN}/32")], resolver=names).transport()
    objects = {"people": RestObject(path="people")}
    services = build_services(
        Settings(public_url="http://isthmus.test", provider_urls=provider_urls or {}),
        store=MemoryStore(),
        connectors=[RestConnector(provider=each, objects=objects, probe_path="me") for each in PROVIDERS],
        transport=transport,
        owner="test",
    )
    app: Any = build_app(services)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://isthmus.test") as client:
            house = await moved_in(services, app, client, "")
            await house.deploy(MANIFEST)
            yield house
    finally:
        await transport.aclose()


_CLIENT = {"oauth2ClientCredentials": {"clientId": "c", "clientSecret": canary()}}
SCHEMES: dict[str, Any] = {
    "clients": _CLIENT,
    "granting": _CLIENT,
    "passwords": {
        "oauth2PasswordCredentials": {
            "username": "u",
            "password": canary(),
            "clientId": "c",
            "clientSecret": canary(),
        }
    },
    "traded": {"customAuth": {"user": canary()}},
}


async def generate(house: House, name: str, **members: Any) -> httpx.Response:
    body = {
        "provider": name,
        "groupRef": "g1",
        "consumerRef": "c1",
        **SCHEMES.get(name, {"apiKey": canary()}),
        **members,
    }
    return await house.call("POST", "/connections:generate", json=body)


def as_reference(name: str) -> Callable[[House, str], Awaitable[httpx.Response]]:
    async def enter(house: House, value: str) -> httpx.Response:
        return await generate(house, name, providerWorkspaceRef=value)

    return enter


def as_metadata(name: str) -> Callable[[House, str], Awaitable[httpx.Response]]:
    async def enter(house: House, value: str) -> httpx.Response:
        return await generate(house, name, providerMetadata={"workspace": {"value": value}})

    return enter


async def unfollowed(house: House, request: httpx.Request) -> httpx.Response:
    """Send without a client, which would refuse to read some of the places that it is sent to."""
    answer = await httpx.ASGITransport(house.app).handle_async_request(request)
    await answer.aread()
    answer.request = request
    house.client.cookies.extract_cookies(answer)
    return answer


async def as_consent(house: House, value: str) -> httpx.Response:
    """Ask for a consent, give it, and come back with a code."""
    app = {"provider": "codes", "clientId": "c", "clientSecret": canary()}
    await house.call("POST", "/provider-apps", json=app)
    body = {
        "projectIdOrName": house.project_id,
        "provider": "codes",
        "groupRef": "g1",
        "consumerRef": "c1",
        "providerWorkspaceRef": value,
    }
    link = await house.client.post("/v1/oauth-connect", headers=house.headers, json=body)
    if link.status_code != 200:
        return link
    page = await house.client.get(link.text)
    confirmed = re.search('value="([0-9a-f]+)"', page.text)
    assert confirmed is not None
    sent = await unfollowed(house, house.client.build_request("POST", link.text, data={"confirmation": confirmed[1]}))
    where = httpx.URL(sent.headers["location"])
    assert where.raw_host.endswith(b".provider.test"), (value, where)
    back = httpx.URL(where.params["redirect_uri"]).copy_merge_params({"state": where.params["state"], "code": "x"})
    return await house.client.get(back)


ENTRIES: dict[str, Entry] = {
    "a host as reference": as_reference("host"),
    "a host as metadata": as_metadata("host"),
    "a subdomain": as_metadata("subdomain"),
    "a port": as_metadata("port"),
    "a part of a path": as_metadata("path"),
    "a module's host": as_metadata("module"),
    "a token URL's host": as_metadata("clients"),
    "a token URL's subdomain": as_reference("passwords"),
    "a login's host": as_metadata("traded"),
    "a consent page's subdomain": as_consent,
}


BELOW = ("a subdomain", "a part of a path", "a token URL's subdomain", "a consent page's subdomain")
"""Where the value stands below a domain of the provider's, no other name is even asked for."""


def test_there_are_enough_payloads() -> None:
    assert len(set(VALUES)) >= 250
    assert len({*LITERALS, *ADDRESSES}) >= 150


def require_no_fault_of_ours(answer: httpx.Response, payload: str) -> None:
    assert answer.status_code < 500 or answer.status_code == 502, (payload, answer.status_code, answer.text)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
async def test_what_a_customer_types_leads_nowhere(dialled: list[str], entry: Entry) -> None:
    """Every name resolves to loopback here, so whatever gets as far as a connect is counted."""
    names = Names(["127.0.0.1"])
    async with sealed(names) as house:
        for value in VALUES:
            require_no_fault_of_ours(await entry(house, value), value)
    assert dialled == []
    if entry in [ENTRIES[name] for name in BELOW]:
        assert [name for name in names.asked if not name.endswith(".provider.test")] == []


async def call(house: House, name: str, *, group: str = "g1", path: bytes = b"/a") -> httpx.Response:
    """Call through the proxy; the path goes out as it is."""
    headers = {
        **house.headers,
        "x-amp-project-id": house.project_id,
        "x-amp-integration-name": name,
        "x-amp-group-ref": group,
        "x-amp-proxy-version": "1",
    }
    request = httpx.Request("POST", "http://isthmus.test/", headers=headers, content=b"x")
    answer = await Raw(house.app, b"/proxy" + path).handle_async_request(request)
    await answer.aread()
    return answer


class Raw(httpx.ASGITransport):
    """Hands an application a path that no client would send."""

    def __init__(self, app: Any, path: bytes) -> None:
        async def rewritten(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "raw_path": path, "path": path.decode("latin-1")}, receive, send)

        super().__init__(rewritten)


async def write(house: House, name: str, *, group: str = "g1") -> httpx.Response:
    body = {"groupRef": group, "type": "create", "record": {"a": "b"}}
    return await house.call("POST", f"/integrations/{name}/objects/people", json=body)


async def connected(house: House, name: str, *, value: str = GOOD, group: str = "g1") -> None:
    """Connect and install, past the checks of the API: as if a value had been stored long ago."""
    made = NewConnection(
        id=new_id(),
        project_id=house.project_id,
        provider=name,
        group_ref=group,
        consumer_ref="c1",
        auth_scheme="apiKey",
        status="working",
        now=START,
        credentials=build_credentials(ApiKeyCredentials(api_key=Secret(canary()))),
        provider_metadata={"workspace": MetadataValue(value=value)},
    )
    connection = await house.services.store.create_connection(made)
    body = {"groupRef": group, "connectionId": connection.id, "config": {"content": {"provider": name}}}
    answer = await house.call("POST", f"/integrations/{name}/installations", json=body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", ["host", "subdomain", "path", "module"])
async def test_what_was_stored_leads_nowhere_either(dialled: list[str], name: str) -> None:
    async with sealed(Names(["127.0.0.1"])) as house:
        for number, value in enumerate(VALUES):
            group = f"g{number}"
            await connected(house, name, value=value, group=group)
            for answer in (await call(house, name, group=group), await write(house, name, group=group)):
                require_no_fault_of_ours(answer, value)
                assert answer.status_code >= 400, value
    assert dialled == []


async def test_a_path_through_the_proxy_leads_to_no_other_host(dialled: list[str]) -> None:
    names = Names(["127.0.0.1"])
    async with (
        faults.serving(faults.answers(faults.http(200)), host=OWN) as server,
        sealed(names, provider_urls={"plain": f"{server.url}/base"}) as house,
    ):
        await connected(house, "plain")
        for raw in (*(value.encode() for value in VALUES), *REFUSED):
            for path in (raw, b"/" + raw, b"//" + raw, b"/..//" + raw, b"@" + raw, b":80@" + raw, b"." + raw):
                require_no_fault_of_ours(await call(house, "plain", path=path), str(raw))
    assert len(server.requests) > 100
    assert [request for request in server.requests if not request.startswith((b"POST /base/", b"POST /base "))] == []
    assert names.asked == []
    assert set(dialled) == {OWN}


async def test_a_provider_that_the_operator_moved_to_a_forbidden_place_is_not_called(dialled: list[str]) -> None:
    left = list(LITERALS)
    while left:
        moved = {each.name: left.pop() for each in PROVIDERS if left}
        async with sealed(Names(["127.0.0.1"]), provider_urls=moved) as house:
            for name, url in moved.items():
                await connected(house, name)
                for answer in (await call(house, name), await write(house, name), await generate(house, name)):
                    require_no_fault_of_ours(answer, url)
    assert dialled == []


ANSWERS: dict[str, Callable[[str], Sequence[list[str]]]] = {
    "alone": lambda address: [[address]],
    "behind a public one": lambda address: [[PUBLIC, address]],
    "before a public one": lambda address: [[address, PUBLIC]],
}


@pytest.mark.parametrize("lists", ANSWERS.values(), ids=ANSWERS)
async def test_a_name_with_a_forbidden_address_is_not_called(
    dialled: list[str], lists: Callable[[str], Sequence[list[str]]]
) -> None:
    names = Names([PUBLIC])
    async with sealed(names) as house:
        await connected(house, "plain")
        for address in ADDRESSES:
            names.lists = list(lists(address))
            for answer in (
                await call(house, "plain"),
                await write(house, "plain"),
                await generate(house, "plain"),
                await ENTRIES["a token URL's host"](house, GOOD),
                await ENTRIES["a login's host"](house, GOOD),
                await ENTRIES["a consent page's subdomain"](house, GOOD),
            ):
                require_no_fault_of_ours(answer, address)
    assert dialled == []


async def test_a_name_that_changes_its_answers_is_called_at_none_but_checked_ones(dialled: list[str]) -> None:
    for address in ADDRESSES[::8]:  # each time is tried several times; all of them are in tests/connectors/test_ssrf.py
        async with sealed(Names([PUBLIC], [address])) as house:
            await connected(house, "plain")
            for _ in range(2):
                require_no_fault_of_ours(await call(house, "plain"), address)
    assert set(dialled) == {PUBLIC}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_of_a_provider_leads_nowhere(dialled: list[str], status: int) -> None:
    """It answers probes, writes, calls and token requests with redirects, each to the next payload."""
    target, asked = "", 0

    async def redirect(_: bytes) -> bytes:
        nonlocal asked
        asked += 1
        return f"HTTP/1.1 {status} Go\r\nContent-Length: 0\r\nLocation: ".encode() + target.encode() + b"\r\n\r\n"

    async with faults.serving(faults.computes(redirect), host=OWN) as server:
        moved = dict.fromkeys(("plain", "following", "granting"), server.url)
        async with sealed(Names(["127.0.0.1"]), provider_urls=moved) as house:
            for name in ("plain", "following"):
                await connected(house, name)
            for payload in LITERALS:
                target, asked = payload, 0
                for name in ("plain", "following"):
                    assert (await call(house, name)).status_code == status
                    require_no_fault_of_ours(await write(house, name), payload)
                    require_no_fault_of_ours(await generate(house, name), payload)
                require_no_fault_of_ours(await as_metadata("granting")(house, GOOD), payload)
                assert asked == 7, payload
    assert set(dialled) == {OWN}
