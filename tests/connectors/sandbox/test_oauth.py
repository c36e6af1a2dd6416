"""The authorization code dance with PKCE, client credentials, rotation and expiry."""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY, DEMO_READ_KEY
from connectors.sandbox.oauth import DEMO_CLIENT_ID, DEMO_CLIENT_SECRET
from connectors.sandbox.server import serve
from connectors.sandbox.state import DEMO_CLIENT, Options

REDIRECT = DEMO_CLIENT.redirect_uris[0]
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
DEMO = {"client_id": DEMO_CLIENT_ID, "client_secret": DEMO_CLIENT_SECRET}
ASK = {
    "response_type": "code",
    "client_id": DEMO_CLIENT_ID,
    "redirect_uri": REDIRECT,
    "state": "st&te=1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def browser(clock: Clock) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serve(options=Options(now=clock)) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as made,
    ):
        yield made


async def consent(browser: httpx.AsyncClient, *, decision: str = "allow", **asked: Any) -> dict[str, str]:
    """Go to the consent page and decide; answer what the redirect says."""
    page = await browser.get("/oauth/authorize", params=ASK | asked)
    assert page.status_code == 200, page.text
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found
    form = {"ticket": found[1], "decision": decision, "workspace": "demo"}
    back = await browser.post("/oauth/authorize", data=form)
    assert back.status_code == 302
    assert back.headers["location"].startswith(f"{REDIRECT}?")
    assert (await browser.post("/oauth/authorize", data=form)).status_code == 400
    return {name: values[0] for name, values in parse_qs(urlsplit(back.headers["location"]).query).items()}


async def exchange(browser: httpx.AsyncClient, code: str, /, **form: str) -> httpx.Response:
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return await browser.post("/oauth/token", data=DEMO | given | form)


async def refresh(browser: httpx.AsyncClient, token: str) -> httpx.Response:
    return await browser.post("/oauth/token", data=DEMO | {"grant_type": "refresh_token", "refresh_token": token})


async def works(browser: httpx.AsyncClient, token: str) -> bool:
    response = await browser.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
    if response.status_code == 401:
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
    return response.status_code == 200


async def tokens(browser: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    response = await exchange(browser, (await consent(browser, **asked))["code"])
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    body: dict[str, Any] = response.json()
    return body


async def test_the_whole_dance_gives_a_token_the_api_accepts(browser: httpx.AsyncClient) -> None:
    said = await consent(browser)
    assert said["state"] == "st&te=1"
    assert said["iss"] == str(browser.base_url).rstrip("/")
    body = (await exchange(browser, said["code"])).json()
    assert (body["token_type"], body["expires_in"], body["workspace_id"]) == ("Bearer", 3600, "demo")
    assert await works(browser, body["access_token"])
    record = {"fields": {"email": "a@b.co"}}
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    assert (await browser.post("/v1/objects/contacts/records", json=record, headers=bearer)).status_code == 201


async def test_a_read_scope_may_not_write(browser: httpx.AsyncClient) -> None:
    body = await tokens(browser, scope="records.read")
    bearer = {"Authorization": f"Bearer {body['access_token']}"}
    response = await browser.post("/v1/objects/contacts/records", json={"fields": {}}, headers=bearer)
    assert (body["scope"], response.status_code) == ("records.read", 403)


async def test_a_no_is_told_to_the_application(browser: httpx.AsyncClient) -> None:
    said = await consent(browser, decision="deny")
    assert (said["error"], said["state"]) == ("access_denied", "st&te=1")


@pytest.mark.parametrize(
    "form",
    [
        {"code_verifier": "wrong"},
        {"code_verifier": ""},
        {"redirect_uri": f"{REDIRECT}/"},
        {"code": "unknown"},
    ],
)
async def test_a_wrong_exchange_is_refused(browser: httpx.AsyncClient, form: dict[str, str]) -> None:
    code = (await consent(browser))["code"]
    response = await exchange(browser, code, **form)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_grant")


async def test_a_code_works_once_and_its_replay_revokes(browser: httpx.AsyncClient) -> None:
    code = (await consent(browser))["code"]
    token = (await exchange(browser, code)).json()["access_token"]
    assert (await exchange(browser, code)).json()["error"] == "invalid_grant"
    assert not await works(browser, token)


async def test_a_code_expires(browser: httpx.AsyncClient, clock: Clock) -> None:
    code = (await consent(browser))["code"]
    clock.time += timedelta(minutes=3)
    assert (await exchange(browser, code)).json()["error"] == "invalid_grant"


async def test_an_access_token_expires_and_is_refreshed(browser: httpx.AsyncClient, clock: Clock) -> None:
    first = await tokens(browser)
    clock.time += timedelta(hours=1)
    assert not await works(browser, first["access_token"])
    second = (await refresh(browser, first["refresh_token"])).json()
    assert await works(browser, second["access_token"])
    assert second["refresh_token"] != first["refresh_token"]


async def test_a_rotated_refresh_token_revokes_its_family(browser: httpx.AsyncClient) -> None:
    first = await tokens(browser)
    second = (await refresh(browser, first["refresh_token"])).json()
    reused = await refresh(browser, first["refresh_token"])
    assert (reused.status_code, reused.json()["error"]) == (400, "invalid_grant")
    assert not await works(browser, second["access_token"])
    assert (await refresh(browser, second["refresh_token"])).status_code == 400


async def test_a_token_can_be_revoked(browser: httpx.AsyncClient) -> None:
    body = await tokens(browser)
    assert (await browser.post("/oauth/revoke", data={"token": body["refresh_token"]})).status_code == 200
    assert (await browser.post("/oauth/revoke", data={"token": "unknown"})).status_code == 200
    assert not await works(browser, body["access_token"])


@pytest.mark.parametrize("basic", [True, False])
async def test_a_client_has_credentials_of_its_own(browser: httpx.AsyncClient, *, basic: bool) -> None:
    form = {"grant_type": "client_credentials"} | ({} if basic else DEMO)
    auth = httpx.BasicAuth(DEMO_CLIENT_ID, DEMO_CLIENT_SECRET) if basic else httpx.Auth()
    response = await browser.post("/oauth/token", data=form, auth=auth)
    assert response.status_code == 200
    assert "refresh_token" not in response.json()
    assert await works(browser, response.json()["access_token"])


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        (DEMO | {"grant_type": "device_code"}, 400, "unsupported_grant_type"),
        (DEMO | {"grant_type": "password"}, 400, "invalid_grant"),
        (DEMO | {"grant_type": "password", "username": "demo", "password": "wrong"}, 400, "invalid_grant"),
        (DEMO | {"grant_type": "password", "username": "open", "password": DEMO_KEY}, 400, "invalid_grant"),
        (DEMO | {"client_secret": "wrong", "grant_type": "client_credentials"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        (DEMO | {"grant_type": "client_credentials", "scope": "everything"}, 400, "invalid_scope"),
        (DEMO | {"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
    ],
)
async def test_the_token_endpoint_refuses_in_the_words_of_the_rfc(
    browser: httpx.AsyncClient, form: dict[str, str], status: int, error: str
) -> None:
    response = await browser.post("/oauth/token", data=form)
    assert (response.status_code, response.json()["error"]) == (status, error)


@pytest.mark.parametrize(("key", "scope"), [(DEMO_KEY, "records.read records.write"), (DEMO_READ_KEY, "records.read")])
async def test_a_password_opens_what_its_key_opens(browser: httpx.AsyncClient, key: str, scope: str) -> None:
    form = DEMO | {"grant_type": "password", "username": "demo", "password": key}
    body = (await browser.post("/oauth/token", data=form)).json()
    assert body["scope"] == scope
    assert "refresh_token" not in body
    assert await works(browser, body["access_token"])


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1/callbacks/v1/oauth",
        "http://127.0.0.1:1/callbacks/v1/oauth",
        "http://localhost:65535/callbacks/v1/oauth",
    ],
)
async def test_any_port_of_a_loopback_address_is_as_good_as_the_registered_one(
    browser: httpx.AsyncClient, uri: str
) -> None:
    assert (await browser.get("/oauth/authorize", params=ASK | {"redirect_uri": uri})).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        {"redirect_uri": f"{REDIRECT}/"},
        {"redirect_uri": "http://127.0.0.1:80@evil.test/callbacks/v1/oauth"},
        {"redirect_uri": "http://127.0.0.1.evil.test/callbacks/v1/oauth"},
        {"redirect_uri": "http://127.0.0.2:8080/callbacks/v1/oauth"},
        {"redirect_uri": "https://127.0.0.1:8080/callbacks/v1/oauth"},
        {"redirect_uri": "http://127.0.0.1:8080/callbacks/v1/oauth\r\nX: y"},
        {"redirect_uri": "http://[::1]:8080/callbacks/v1/oauth"},
        {"redirect_uri": ""},
        {"redirect_uri": f"{REDIRECT}?x=1"},
        {"redirect_uri": "http://evil.test/"},
        {"client_id": "unknown"},
    ],
)
async def test_nobody_is_redirected_to_a_stranger(browser: httpx.AsyncClient, asked: dict[str, str]) -> None:
    assert (await browser.get("/oauth/authorize", params=ASK | asked)).status_code == 400


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"client_id": "public", "code_challenge": ""}, "invalid_request"),
    ],
)
async def test_a_bad_request_is_told_to_the_application(
    browser: httpx.AsyncClient, asked: dict[str, str], error: str
) -> None:
    await browser.post("/_sandbox/clients", json={"clientId": "public", "redirectUris": [REDIRECT]})
    response = await browser.get("/oauth/authorize", params=ASK | asked)
    said = parse_qs(urlsplit(response.headers["location"]).query)
    assert (response.status_code, said["error"], said["state"]) == (302, [error], ["st&te=1"])


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/authorize"])
@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"\xff\x00%ff=%00", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(60)), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"\x00", "multipart/form-data; boundary=x", 415),
    ],
)
async def test_a_bad_form_is_refused(
    browser: httpx.AsyncClient, path: str, content: bytes, kind: str, status: int
) -> None:
    response = await browser.post(path, content=content, headers={"Content-Type": kind})
    assert response.status_code == status


async def test_a_consent_page_escapes_what_the_client_is_called(browser: httpx.AsyncClient) -> None:
    client = {"clientId": "c", "clientSecret": "s", "name": "<img src=x>", "redirectUris": [REDIRECT]}
    await browser.post("/_sandbox/clients", json=client)
    page = await browser.get("/oauth/authorize", params=ASK | {"client_id": "c"})
    assert "&lt;img src=x&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        ("", ["see your records", "add, change and delete records"]),
        ("records.read", ["see your records"]),
        ("records.write records.read", ["add, change and delete records", "see your records"]),
    ],
)
async def test_a_consent_page_says_in_words_what_is_asked_for(
    browser: httpx.AsyncClient, scope: str, said: list[str]
) -> None:
    page = await browser.get("/oauth/authorize", params=ASK | {"scope": scope})
    assert re.findall(r"<li>(.*?)</li>", page.text) == said


async def test_tokens_live_as_long_as_one_says(browser: httpx.AsyncClient, clock: Clock) -> None:
    assert (await browser.put("/_sandbox/tokens", json={"lifeSeconds": 60})).status_code == 200
    body = await tokens(browser)
    assert body["expires_in"] == 60
    clock.time += timedelta(seconds=59)
    assert await works(browser, body["access_token"])
    clock.time += timedelta(seconds=1)
    assert not await works(browser, body["access_token"])
    await browser.delete("/_sandbox")
    assert (await tokens(browser))["expires_in"] == 3600


async def test_the_time_of_all_tokens_can_be_ended(browser: httpx.AsyncClient) -> None:
    first = await tokens(browser)
    assert (await browser.delete("/_sandbox/tokens")).status_code == 204
    assert not await works(browser, first["access_token"])
    second = (await refresh(browser, first["refresh_token"])).json()
    assert await works(browser, second["access_token"])


@pytest.mark.parametrize("body", [{}, {"lifeSeconds": 0}, {"lifeSeconds": "60"}, {"lifeSeconds": 60, "more": 1}])
async def test_a_life_that_makes_no_sense_is_refused(browser: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await browser.put("/_sandbox/tokens", json=body)).status_code == 400


async def test_the_server_describes_itself(browser: httpx.AsyncClient) -> None:
    body = (await browser.get("/.well-known/oauth-authorization-server")).json()
    assert body["token_endpoint"] == f"{body['issuer']}/oauth/token"
    assert body["code_challenge_methods_supported"] == ["S256"]
