"""Canaries: secrets that go in by every door must come out by none: no answer, no log line, no raw database file."""

import base64
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from server import logs
from server.access.keys import new_key
from server.settings import Settings
from server.store.opening import open_store
from tests.canaries import WORD, canary
from tests.leaks import leaks
from tests.server.api.routes import OUTSIDE, ROUTES
from tests.server.api.town import furnished
from tests.server.house import House, open_house
from tests.server.signing import register, token
from tests.server.store.samples import MASTER_KEY


def forms() -> list[dict[str, Any]]:
    """Every way to hand in credentials, rightly and wrongly spelt, typed and placed."""
    client = {"clientId": "id", "clientSecret": canary()}
    right: list[dict[str, Any]] = [
        {"apiKey": canary()},
        {"basicAuth": {"username": "u", "password": canary()}},
        {"oauth2ClientCredentials": client},
        {"oauth2PasswordCredentials": {"username": "u", "password": canary(), **client}},
        {"oauth2AuthorizationCode": {"accessToken": {"token": canary()}, "refreshToken": {"token": canary()}}},
        {"customAuth": {"a": canary()}},
    ]
    wrong: list[dict[str, Any]] = [
        {"apiKey": {"key": canary()}},
        {"apiKey": [canary()]},
        {"apiKey": canary() + "\n"},
        {"apiKey": canary() + "\x00"},
        {"apiKey": canary() + "\ud800"},
        {"basicAuth": canary()},
        {"basicAuth": {"username": "u", "password": [canary()]}},
        {"basicAuth": {"username": "u", "password": {"a": canary()}}},
        {"oauth2ClientCredentials": {"clientSecret": canary()}},
        {"oauth2ClientCredentials": {"clientId": "id", "clientSecret": canary() * 2000}},
        {"oauth2AuthorizationCode": {"accessToken": canary()}},
        {"oauth2AuthorizationCode": {"accessToken": {"token": canary(), "expiresAt": canary()}}},
        {"customAuth": [canary()]},
        {"customAuth": {"a": {"b": canary()}}},
        {"APIKEY": canary(), "api_key": canary(), "token": canary()},
    ]
    return right + wrong


@pytest.fixture
async def kept(sqlite_url: str) -> AsyncIterator[House]:
    store = open_store(Settings(database_url=sqlite_url, master_keys=(MASTER_KEY,)))
    await store.start()
    try:
        async with open_house(store) as opened:
            yield opened
    finally:
        await store.close()


def strangers(kid: str) -> list[dict[str, str]]:
    """Every way to present what opens nothing."""
    good = token(kid)
    return [
        {"X-Api-Key": canary()},
        {"X-Api-Key": f"isk_{canary()}"},
        {"X-Api-Key": new_key()},
        {"X-Api-Key": f"{canary()}, {canary()}"},
        {"X-Api-Key": canary(), "Authorization": f"Bearer {good}"},
        {"Authorization": f"Bearer {canary()}"},
        {"Authorization": f"Basic {base64.b64encode(f'u:{canary()}'.encode()).decode()}"},
        {"Authorization": canary()},
        {"Authorization": f"Bearer {good[:-9]}{canary()}"},
        {"Authorization": f"Bearer {token('no-such-key', sub=canary())}"},
        {"Authorization": f"Bearer {token(kid, by='stranger', groupRef=canary())}"},
        {"Cookie": f"session={canary()}", "X-Amp-Project-Id": canary(), "X-Amp-Proxy-Version": canary()},
    ]


async def _broad_run(house: House) -> list[httpx.Response]:
    """Send secrets everywhere, and ask for everything; all the answers."""
    names = await furnished(house)
    answers = []
    for form in forms():
        for provider in ("sandbox", "salesforce", "nobody"):
            body = {"provider": provider, "groupRef": "g9", "consumerRef": "c", "providerWorkspaceRef": "w", **form}
            answers.append(await house.call("POST", "/connections:generate", content=_json(body), headers=JSON))
        change = {"updateMask": list(form), "connection": form}
        path = f"/connections/{names['connection']}"
        answers.append(await house.call("PATCH", path, content=_json(change), headers=JSON))
    for secret in (canary(), [canary()], {"a": canary()}, canary() * 2000):
        app = {"provider": "hubspot", "clientId": f"i{secret}"[:5], "clientSecret": secret}
        answers.append(await house.call("POST", "/provider-apps", json=app))
        change = {"updateMask": ["clientSecret"], "providerApp": {"clientSecret": secret}}
        answers.append(await house.call("PATCH", f"/provider-apps/{names['providerApp']}", json=change))
    kid = await register(house)
    for route in (*ROUTES, *OUTSIDE):
        path = route.path.format(**names) + route.query
        answers += [
            await house.client.request(route.method, path, headers=headers, json=route.body)
            for headers in strangers(kid)
        ]
        if route.method == "GET":
            answers.append(await house.client.get(path, headers=house.headers))
    answers += [await house.call(method, f"/api-keys/{new_key()}") for method in ("GET", "DELETE")]
    answers.append(await house.call("GET", f"/connections/{names['connection']}?apiKey={canary()}"))
    half = b'{"apiKey": "' + canary().encode()
    answers += [
        await house.call("POST", "/connections:generate", content=half, headers=JSON),
        await house.client.get("/openapi.json"),
        await house.client.get("/v1/providers"),
    ]
    return answers


JSON = {"content-type": "application/json"}


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()


async def test_no_secret_comes_out_of_an_answer_a_log_or_the_database(
    kept: House, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.start_logging(level=logging.DEBUG)
    answers = await _broad_run(kept)
    logs.start_logging(level=logging.WARNING)
    assert {answer.status_code for answer in answers} >= {200, 201, 400, 401, 422}
    for answer in answers:
        assert answer.status_code < 500, answer.text
        assert WORD not in answer.text, answer.text
        assert WORD not in str(answer.headers)
    logged = capsys.readouterr().err
    assert "write.delivered" in logged
    assert leaks(logged.encode()) == []
    database = Path(sqlite_url.removeprefix("sqlite:///"))
    raw = b"".join(file.read_bytes() for file in database.parent.glob(f"{database.name}*"))
    assert len(raw) > 100_000
    assert leaks(raw) == []
    assert leaks(repr(kept.services).encode()) == []


async def test_tokens_are_shown_to_nobody_but_a_full_key_that_asks(kept: House) -> None:
    secret = canary()
    tokens = {"accessToken": {"token": secret}, "refreshToken": {"token": secret}}
    body = {"provider": "salesforce", "groupRef": "g1", "consumerRef": "c1", "providerWorkspaceRef": "acme"}
    made = await kept.call("POST", "/connections:generate", json={**body, "oauth2AuthorizationCode": tokens})
    path = f"/connections/{made.json()['id']}"
    for query, key in (("", kept.key), ("?includeCreds=true", kept.frontend_key), ("?refresh=force", kept.key)):
        assert secret not in (await kept.call("GET", path + query, key=key)).text
    assert secret not in (await kept.call("GET", "/connections")).text
    assert secret in (await kept.call("GET", f"{path}?includeCreds=true")).text
