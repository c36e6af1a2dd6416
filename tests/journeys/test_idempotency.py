"""A key makes two requests one, over HTTP, whatever happens between them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.server import build_app
from connectors.sandbox.state import Options, Sandbox
from server.settings import Settings
from server.store.contract import Store
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.server.house import House, open_house
from tests.server.store.samples import MASTER_KEY
from tests.simulators.door import on_loopback

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/integrations/crm/objects/contacts"
KEY = {"Idempotency-Key": "order-1"}
BODY: dict[str, Any] = {
    "groupRef": "g1",
    "type": "create",
    "record": {"email": "a@acme.test", "score": 1, "address": {"city": "Ulm", "country": "DE"}},
}


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = request.getfixturevalue({"sqlite": "sqlite_url", "postgres": "migrated_postgres_url"}[request.param])
    opened = open_store(Settings(database_url=url, master_keys=(MASTER_KEY,)))
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def house(store: Store) -> AsyncIterator[House]:
    async with open_house(store) as opened:
        await opened.deploy()
        await opened.connect()
        await opened.install()
        yield opened


@pytest.fixture
async def sandbox(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=house.sandbox_url, headers={"X-Sandbox-Key": DEMO_KEY}, timeout=60) as client:
        yield client


async def effects(sandbox: httpx.AsyncClient) -> int:
    return int((await sandbox.get("/_sandbox/ledger")).json()["total"])


async def post(house: House, body: bytes | dict[str, Any], path: str = PATH, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await house.call(
        "POST", path, content=content, headers={**KEY, "content-type": "application/json", **headers}
    )


async def test_the_same_request_has_the_same_answer_and_one_effect(house: House, sandbox: httpx.AsyncClient) -> None:
    first = await post(house, BODY)
    assert first.status_code == 200, first.text
    assert "idempotent-replayed" not in first.headers
    turned = {name: BODY[name] for name in reversed(BODY)}
    turned["record"] = {name: BODY["record"][name] for name in reversed(BODY["record"])}
    for body in (
        BODY,
        turned,
        json.dumps(BODY, indent=3).encode(),
        json.dumps(BODY).replace("Ulm", "\\u0055lm").encode(),
    ):
        again = await post(house, body)
        assert (again.status_code, again.json()) == (200, first.json())
        assert again.headers["idempotent-replayed"] == "true"
    assert await effects(sandbox) == 1


async def test_a_repetition_is_answered_though_the_installation_is_gone(
    house: House, sandbox: httpx.AsyncClient
) -> None:
    first = await post(house, {**BODY, "type": "create"})
    (installation,) = (await house.call("GET", "/integrations/crm/installations")).json()
    assert (await house.call("DELETE", f"/integrations/crm/installations/{installation['id']}")).status_code == 204
    again = await post(house, BODY)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert (await post(house, BODY, **{"Idempotency-Key": "order-2"})).status_code == 404
    assert await effects(sandbox) == 1


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("another value", {"record": {**BODY["record"], "email": "b@acme.test"}}),
    ("1.0 for 1", {"record": {**BODY["record"], "score": 1.0}}),
    ("text for a number", {"record": {**BODY["record"], "score": "1"}}),
    ("a member more", {"mode": "synchronous"}),
    ("another group", {"groupRef": "g2"}),
]


async def test_the_key_with_another_body_is_refused(house: House, sandbox: httpx.AsyncClient) -> None:
    await house.connect("g2")
    await house.install("g2")
    assert (await post(house, BODY)).status_code == 200
    for name, members in OTHERS:
        answer = await post(house, {**BODY, **members})
        assert answer.status_code == 422, name
        assert answer.headers["content-type"] == "application/problem+json", name
        assert "another body" in answer.json()["detail"], name
    assert await effects(sandbox) == 1


async def test_one_key_serves_different_objects(house: House, sandbox: httpx.AsyncClient) -> None:
    manifest = {
        "write": {"objects": {"companies": {"objectName": "companies"}, "contacts": {"objectName": "contacts"}}}
    }
    await house.connect("g3")
    await house.install("g3", content={"provider": "sandbox", **manifest})
    body = {**BODY, "groupRef": "g3"}
    company = {**body, "record": {"name": "Acme"}}
    assert (await post(house, body)).status_code == 200
    assert (await post(house, company, "/integrations/crm/objects/companies")).status_code == 200
    assert await effects(sandbox) == 2


async def test_a_request_in_flight_is_409_and_replayed_once_it_ended(store: Store) -> None:
    sandbox, arrived, goes_on = Sandbox(Options()), asyncio.Event(), asyncio.Event()

    @web.middleware
    async def hold(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "POST":
            arrived.set()
            await goes_on.wait()
        return await handler(request)

    app = build_app(sandbox)
    app.middlewares.insert(0, hold)
    async with on_loopback(app) as url, open_house(store, provider_urls={"sandbox": url}) as house:
        await house.deploy()
        await house.connect()
        await house.install()
        first = asyncio.create_task(post(house, BODY))
        await arrived.wait()
        again = await post(house, BODY)
        assert again.status_code == 409, again.text
        assert again.headers["content-type"] == "application/problem+json"
        goes_on.set()
        made = await first
        assert made.status_code == 200, made.text
        assert (await post(house, BODY)).json() == made.json()
    assert sandbox.journal.effect_count == 1


async def test_fifty_at_once_have_one_effect(house: House, sandbox: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(post(house, BODY) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotent-replayed" in answer.headers for answer in answers) == 49
    assert await effects(sandbox) == 1


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("no such group", {"groupRef": "nobody"}, 404),
    ("no record", {"type": "update", "record": {}}, 400),
    ("no such mode", {"mode": "someday"}, 400),
]


async def test_what_is_refused_before_it_is_sent_leaves_the_key_free(house: House, sandbox: httpx.AsyncClient) -> None:
    for name, members, status in REFUSED:
        assert (await post(house, {**BODY, **members})).status_code == status, name
    assert (await post(house, BODY)).status_code == 200
    assert await effects(sandbox) == 1


async def test_what_the_provider_refused_is_replayed_and_not_sent_again(
    house: House, sandbox: httpx.AsyncClient
) -> None:
    bad = {**BODY, "record": {"email": "nonsense"}}
    first = await post(house, bad)
    again = await post(house, bad)
    assert first.status_code == again.status_code == 422
    assert first.json() == again.json()
    asked = (await sandbox.get("/_sandbox/requests")).json()["requests"]
    assert [each["method"] for each in asked if "records" in each["path"]] == ["POST"]


@pytest.mark.parametrize("key", ["", "k" * 256, "k\xe9y"])
async def test_a_key_that_cannot_be_kept_is_refused(house: House, sandbox: httpx.AsyncClient, key: str) -> None:
    headers = {b"X-Api-Key": house.key.encode(), b"Idempotency-Key": key.encode("latin-1")}
    url = f"/v1/projects/{house.project_id}{PATH}"
    answer = await house.client.post(url, json=BODY, headers=list(headers.items()))
    assert (answer.status_code, "Idempotency-Key" in answer.text) == (400, True)
    assert await effects(sandbox) == 0
