"""Credentials over HTTP: how they are shown, how they are refused, and what a project may demand of browsers."""

from typing import Any

import pytest

from installations.installation import AccessPolicy
from server.access.keys import new_key
from server.clock import utc_now
from tests.conftest import Published
from tests.server.access.forgeries import FORGERIES, Scene
from tests.server.access.test_tokens import jwt_key
from tests.server.house import ON_EVERY_STORE, START, House
from tests.server.signing import bearer, register, token

READ = "/v1/projects/acme/integrations"
WRITE = "/v1/projects/acme/integrations/crm/objects/contacts"
BODY = {"groupRef": "g1", "type": "create", "record": {"email": "a@b.co"}}
CHALLENGE = 'Bearer realm="isthmus"'
Pairs = list[tuple[str, str]]


async def test_a_forgery_is_a_401_that_a_page_can_read(house: House) -> None:
    for key in (jwt_key("k1", house.project_id), jwt_key("off", house.project_id, active=False)):
        await house.services.store.add_jwt_key(key)
    scene = Scene(kid="k1", rival_kid="k2", inactive_kid="off", deleted_kid="gone", now=utc_now().timestamp())
    assert (await house.client.get(READ, headers=bearer(scene.good))).status_code == 200
    for name, forge in FORGERIES:
        value = forge(scene)
        raw = value if isinstance(value, bytes) else value.encode("latin-1", errors="replace")
        answer = await house.client.get(READ, headers=[(b"authorization", raw)])
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"].startswith(CHALLENGE), name
        assert answer.headers["access-control-allow-origin"] == "*", name
        assert answer.json()["detail"], name


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, CHALLENGE),
        ({"X-Api-Key": "isk_nonsense"}, CHALLENGE),
        (bearer("e30.e30.e30"), CHALLENGE + ', error="invalid_token"'),
    ],
)
async def test_whoever_is_not_known_is_told_how_to_be(
    house: House, method: str, headers: dict[str, str], challenge: str
) -> None:
    answer = await house.client.request(method, READ if method == "GET" else WRITE, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_token_writes_no_records(house: House) -> None:
    await house.deploy()
    await house.connect()
    await house.install()
    answer = await house.client.post(WRITE, headers=bearer(token(await register(house))), json=BODY)
    assert answer.status_code == 403
    assert "API key with the scope full" in answer.json()["detail"]
    installation = (await house.call("GET", "/installations")).json()[0]
    operations = await house.call("GET", f"/integrations/crm/installations/{installation['id']}/operations")
    assert operations.json()["results"] == []


async def test_one_credential_is_shown_at_a_time(house: House) -> None:
    good, key = token(await register(house)), ("X-Api-Key", house.key)
    as_bearer, password = ("Authorization", f"Bearer {good}"), ("Authorization", "Basic dXNlcjpwYXNz")
    cases: list[tuple[Pairs, int]] = [
        ([key], 200),
        ([as_bearer], 200),
        ([key, password], 200),
        ([password], 401),
        ([key, as_bearer], 401),
        ([as_bearer, key], 401),
        ([("X-Api-Key", house.frontend_key), as_bearer], 401),
        ([("X-Api-Key", "isk_nonsense"), as_bearer], 401),
        ([key, key], 401),
        ([key, ("X-Api-Key", new_key())], 401),
        ([as_bearer, as_bearer], 401),
        ([as_bearer, ("Authorization", "Bearer e30.e30.e30")], 401),
    ]
    for headers, status in cases:
        answer = await house.client.get(READ, headers=headers)
        assert answer.status_code == status, headers
    answer = await house.client.post(WRITE, headers=[key, as_bearer], json=BODY)
    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("Send one credential")


async def polices(house: House, policy: dict[str, Any]) -> None:
    change = {"updateMask": ["accessPolicy"], "project": {"accessPolicy": policy}}
    answer = await house.call("PATCH", "", json=change)
    assert answer.status_code == 200, answer.text


@ON_EVERY_STORE
async def test_a_project_may_demand_tokens_of_browsers(house: House) -> None:
    with_token = bearer(token(await register(house)))
    assert (await house.call("GET", "/integrations", key=house.frontend_key)).status_code == 200
    await polices(house, {"requireJwt": True})
    refused = await house.call("GET", "/integrations", key=house.frontend_key)
    assert refused.status_code == 403
    assert "have your backend sign a JWT" in refused.json()["detail"]
    assert "www-authenticate" not in refused.headers
    assert (await house.call("GET", "/integrations")).status_code == 200
    assert (await house.client.get(READ, headers=with_token)).status_code == 200
    await polices(house, {})
    assert (await house.call("GET", "/integrations", key=house.frontend_key)).status_code == 200


PAGE = "https://app.example.com"
ORIGINS: list[tuple[str | None, int]] = [
    (PAGE, 200),
    ("http://localhost:3000", 200),
    (None, 403),
    ("null", 403),
    ("", 403),
    ("*", 403),
    ("http://app.example.com", 403),
    ("https://app.example.com:443", 403),
    ("https://app.example.com:8443", 403),
    ("https://app.example.com/", 403),
    ("https://APP.example.com", 403),
    ("https://app.example.com.evil.test", 403),
    ("https://evil.test/https://app.example.com", 403),
    ("https://xapp.example.com", 403),
    ("https://appxexample.com", 403),
    ("https://app.example.com, https://evil.test", 403),
]
"""Our own origin, where the page for frames is, has a table of its own in ``test_embed.py``."""


@pytest.mark.parametrize(("origin", "status"), ORIGINS)
async def test_a_project_may_name_the_pages_that_are_let_in(house: House, origin: str | None, status: int) -> None:
    credentials = (bearer(token(await register(house))), {"X-Api-Key": house.frontend_key})
    await polices(house, {"allowedOrigins": [PAGE, "http://localhost:3000"]})
    headers = {} if origin is None else {"Origin": origin}
    for credential in credentials:
        answer = await house.client.get(READ, headers={**credential, **headers})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == "*"
        assert status == 200 or "accessPolicy.allowedOrigins" in answer.json()["detail"]
    full = await house.client.get(READ, headers={"X-Api-Key": house.key, **headers})
    assert full.status_code == (200 if origin is None else status)


@pytest.mark.parametrize(
    ("policy", "origin", "status"),
    [
        ({}, None, 200),
        ({}, "https://any.test", 200),
        ({"requireJwt": True}, None, 200),
        ({"requireJwt": True}, PAGE, 403),
    ],
)
async def test_a_page_with_a_full_key_is_told_so(
    house: House, policy: dict[str, Any], origin: str | None, status: int
) -> None:
    await polices(house, policy)
    headers = {} if origin is None else {"Origin": origin}
    answer = await house.client.get(READ, headers={"X-Api-Key": house.key, **headers})
    assert answer.status_code == status
    told = answer.json()["detail"] if status == 403 else answer.headers.get("x-isthmus-warning")
    assert (told is None) is (origin is None)
    assert told is None or "session tokens or a frontend key" in told
    for reach in ({"X-Api-Key": house.frontend_key}, bearer(token(await register(house)))):
        assert "x-isthmus-warning" not in (await house.client.get(READ, headers={**reach, **headers})).headers


async def test_a_request_that_names_two_pages_comes_from_none(house: House) -> None:
    await polices(house, {"allowedOrigins": [PAGE]})
    headers = [("X-Api-Key", house.frontend_key), ("Origin", PAGE), ("Origin", PAGE)]
    assert (await house.client.get(READ, headers=headers)).status_code == 403


async def test_pages_of_one_project_are_not_those_of_another(house: House) -> None:
    policy = AccessPolicy(allowed_origins=(PAGE,))
    await house.services.store.update_project(house.project_id, now=START, access_policy=policy)
    answer = await house.client.options(
        READ, headers={"Origin": "https://evil.test", "Access-Control-Request-Method": "GET"}
    )
    assert answer.status_code == 204  # a preflight has no credential, so it cannot know whose pages count


@ON_EVERY_STORE
async def test_an_api_key_lives_as_published(house: House, published: Published) -> None:
    made = await house.call("POST", "/api-keys", json={"label": "ci", "scopes": ["frontend"]})
    assert made.status_code == 201
    assert published.errors("api.bundled", "ApiKey", made.json()) == []
    text, path = made.json()["key"], f"/api-keys/{made.json()['id']}"
    assert (await house.call("GET", "/integrations", key=text)).status_code == 200
    assert (await house.call("GET", "/api-keys", key=text)).status_code == 403

    shown = (await house.call("GET", path)).json()
    assert published.errors("api.bundled", "ApiKey", shown) == []
    assert (shown["key"], shown["label"], shown["scopes"], shown["active"]) == (
        f"{text[:10]}…",
        "ci",
        ["frontend"],
        True,
    )

    widened = {"updateMask": ["scopes", "label"], "apiKey": {"scopes": ["full"], "label": "all"}}
    assert (await house.call("PATCH", path, json=widened)).json()["scopes"] == ["full"]
    assert (await house.call("GET", "/api-keys", key=text)).status_code == 200

    await house.call("PATCH", path, json={"updateMask": ["active"], "apiKey": {"active": False}})
    assert (await house.call("GET", "/integrations", key=text)).status_code == 401
    for query, count in (("", 3), ("?active=false", 3), ("?active=true", 2)):
        assert len((await house.call("GET", f"/api-keys{query}")).json()) == count, query

    assert (await house.call("DELETE", path)).status_code == 204
    assert (await house.call("GET", path)).status_code == 404


async def test_of_a_key_nothing_is_kept_but_its_beginning_and_its_digest(house: House) -> None:
    text = (await house.call("POST", "/api-keys", json={"label": "ci"})).json()["key"]
    kept = str(vars(house.services.store))
    assert text[:10] in kept
    assert text[:11] not in kept
    assert text[-11:] not in kept
