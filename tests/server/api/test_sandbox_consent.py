"""The sandbox's entries that send a customer away: each makes a connection that works, by way of its real pages."""

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOXES
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from tests.server.house import House, open_house

PAGE = "https://app.example.com"
PERSON = {"groupRef": "g1", "consumerRef": "c1"}
OURS = "http://isthmus.test"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(connectors=[SandboxConnector(provider) for provider in SANDBOXES[1:]]) as opened:
        yield opened


async def registered(house: House, *redirect_uris: str) -> None:
    client = {"clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET, "redirectUris": redirect_uris}
    async with httpx.AsyncClient(base_url=house.sandbox_url, trust_env=False, timeout=60) as sandbox:
        assert (await sandbox.post("/_sandbox/clients", json=client)).status_code == 201


async def departed(house: House, link: str) -> str:
    """Open our link from the page that asked for it; answer where the provider's page is."""
    opened = await house.client.get(link, headers={"Referer": f"{PAGE}/"})
    assert opened.status_code == 302, opened.text
    assert opened.headers["location"].startswith(house.sandbox_url)
    return opened.headers["location"]


async def decided(address: str, decision: str = "allow") -> str:
    """Decide on the provider's page; answer where it sends the customer back to."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as browser:
        page = await browser.get(address)
        assert page.status_code == 200, page.text
        form = dict(re.findall(r'name="(\w+)" value="([^"]+)"', unescape(page.text)))
        url = httpx.URL(address).copy_with(query=None)
        back = await browser.post(url, data={**form, "workspace": "demo", "decision": decision})
    assert back.status_code == 302, back.text
    return back.headers["location"]


@pytest.mark.parametrize("provider", ["sandboxOAuth", "sandboxOAuthCode"])
async def test_a_customer_gives_consent(house: House, provider: str) -> None:
    callback = f"{OURS}/callbacks/v1/oauth/{house.project_id}/{provider}"
    await registered(house, callback)
    app = {"provider": provider, "clientId": DEMO_CLIENT_ID, "clientSecret": DEMO_CLIENT_SECRET}
    assert (await house.call("POST", "/provider-apps", json=app)).status_code == 200
    asked = await house.client.post(
        "/v1/oauth-connect",
        json={"projectIdOrName": house.project_id, "provider": provider, **PERSON},
        headers={**house.headers, "Origin": PAGE},
    )
    assert asked.status_code == 200, asked.text
    address = await departed(house, asked.text)
    assert ("code_challenge" in parse_qs(urlsplit(address).query)) == (provider == "sandboxOAuth")
    back = await decided(address)
    ended = await house.client.get(back)
    assert (back.startswith(f"{callback}?"), ended.status_code) == (True, 200), ended.text
    (made,) = (await house.call("GET", f"/connections?provider={provider}")).json()
    assert (made["status"], made["providerWorkspaceRef"]) == ("working", "demo")
    assert made["authScheme"] == f"oauth2/authorizationCode{'PKCE' if provider == 'sandboxOAuth' else ''}"


async def start(house: House, **members: Any) -> httpx.Response:
    return await house.client.post(
        "/v1/custom-auth/connect",
        json={"projectIdOrName": house.project_id, **members},
        headers={**house.headers, "Origin": PAGE},
    )


async def brought_back(house: House, decision: str = "allow") -> tuple[str, dict[str, str]]:
    """Go the way of a customer in steps; answer the session and what came back."""
    await registered(house, f"{OURS}/callbacks/v1/custom-auth/default")
    answer = await start(house, provider="sandboxSteps", **PERSON)
    assert answer.status_code == 200, answer.text
    redirect = answer.json()["redirect"]
    back = await decided(await departed(house, redirect["url"]), decision)
    ended = await house.client.get(back)
    assert ended.status_code == 200, ended.text
    brought = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert brought["sessionId"] == redirect["sessionId"]
    return redirect["sessionId"], brought


async def test_a_customer_goes_in_steps(house: House) -> None:
    session_id, brought = await brought_back(house)
    answer = await start(house, sessionId=session_id, callbackParams=brought)
    assert answer.status_code == 200, answer.text
    made = answer.json()["connection"]
    assert (made["provider"], made["status"], made["authScheme"]) == ("sandboxSteps", "working", "none")
    assert brought["secret"] not in answer.text


async def test_a_customer_who_says_no_brings_nothing_to_connect_with(house: House) -> None:
    session_id, brought = await brought_back(house, "deny")
    answer = await start(house, sessionId=session_id, callbackParams=brought)
    assert answer.status_code == 422
    assert [(issue["name"], issue["code"]) for issue in answer.json()["issues"]] == [("callbackParams", "denied")]
    assert (await house.call("GET", "/connections")).json() == []


async def test_steps_ask_for_nothing_that_they_do_not_declare(house: House) -> None:
    answer = await start(house, provider="sandboxSteps", customAuth={"tenant": "a-canary"}, **PERSON)
    (issue,) = answer.json()["issues"]
    assert (answer.status_code, issue["name"], issue["code"]) == (422, "customAuth.tenant", "unknown-input")
    assert "a-canary" not in answer.text
