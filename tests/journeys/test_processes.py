"""The server and the worker as processes: what they do when told to stop, and what one does for the other."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.server import serve
from headless.client import Client
from server.delivering.running import DRAIN_SECONDS
from tests.journeys.processes import Isthmus, signal_twice
from tests.postgres import run_sql
from tests.server.house import MANIFEST

CONTENT = {"provider": "sandbox", "write": {"objects": {"contacts": {"objectName": "contacts"}}}}
BODY = {"groupRef": "g1", "type": "create", "record": {"email": "a@b.co"}}
CONTACTS = "/integrations/crm/objects/contacts"
PATIENCE = 60
AT_ONCE_SECONDS = 0.8 * DRAIN_SECONDS
"""A process that waited for what is under way would take all of them, and the provider longer than that."""


@pytest.fixture
async def sandbox() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        serve() as url,
        httpx.AsyncClient(
            base_url=url, headers={"X-Sandbox-Key": DEMO_KEY}, trust_env=False, timeout=PATIENCE
        ) as client,
    ):
        yield client


async def move_in(project: Any, origin: str) -> httpx.AsyncClient:
    async with Client(origin, api_key=project["apiKey"], project=project["projectId"]) as client:
        await client.deploy(MANIFEST)
        await client.connect("sandbox", group_ref="g1", consumer_ref="c1", api_key=DEMO_KEY)
        await client.install("crm", group_ref="g1", content=CONTENT)
    base = f"{origin}/v1/projects/{project['projectId']}"
    return httpx.AsyncClient(base_url=base, headers={"X-Api-Key": project["apiKey"]}, trust_env=False, timeout=PATIENCE)


async def delay(sandbox: httpx.AsyncClient, milliseconds: int) -> None:
    """Let the next write happen at once and be answered late."""
    fault = {"kind": "delay", "delayMs": milliseconds, "when": "after", "method": "POST", "path": "/v1/objects"}
    assert (await sandbox.put("/_sandbox/faults", json={"faults": [fault]})).status_code == 200


async def happened(sandbox: httpx.AsyncClient) -> None:
    while (await sandbox.get("/_sandbox/ledger?limit=1")).json()["total"] == 0:
        pass


async def test_a_write_under_way_is_answered_before_the_server_stops(
    tmp_path: Path, sqlite_url: str, sandbox: httpx.AsyncClient
) -> None:
    isthmus = Isthmus(tmp_path, database_url=sqlite_url, provider_urls={"sandbox": str(sandbox.base_url)})
    project = await isthmus.init("acme")
    origin = await isthmus.start()
    try:
        async with await move_in(project, origin) as http:
            await delay(sandbox, 1500)
            writing = asyncio.create_task(http.post(CONTACTS, json=BODY))
            await happened(sandbox)
            assert await isthmus.stop() == 0
            answer = await writing
            assert (answer.status_code, answer.json()["result"]["success"]) == (200, True)
            with pytest.raises(httpx.ConnectError):
                await http.get("")
        origin = await isthmus.start()
        key = {"X-Api-Key": project["apiKey"]}
        async with httpx.AsyncClient(headers=key, trust_env=False, timeout=PATIENCE) as client:
            path = f"/v1/projects/acme/operations/{answer.json()['operationId']}?state=true"
            assert (await client.get(f"{origin}{path}")).json()["state"] == "success"
    finally:
        await isthmus.kill()


async def test_a_worker_settles_what_a_killed_server_left_and_stops_when_told(
    tmp_path: Path, migrated_postgres_url: str, sandbox: httpx.AsyncClient
) -> None:
    url = migrated_postgres_url
    isthmus = Isthmus(tmp_path, database_url=url, provider_urls={"sandbox": str(sandbox.base_url)})
    project = await isthmus.init("acme")
    origin = await isthmus.start()
    try:
        async with await move_in(project, origin) as http:
            await delay(sandbox, STALLED_MS)
            writing = asyncio.create_task(http.post(CONTACTS, json=BODY))
            await happened(sandbox)
            await isthmus.kill()
            with pytest.raises(httpx.TransportError):
                await writing
    finally:
        await isthmus.kill()
    assert _states(url) == ["sent"]
    # The dead server was last heard of a moment ago; let it have been long enough ago to be believed dead.
    run_sql(url, "UPDATE processes SET seen_at = seen_at - 16")
    worker = await isthmus.start_worker()
    try:
        await asyncio.wait_for(_until_settled(url), PATIENCE)
    finally:
        worker.terminate()
        await asyncio.wait_for(worker.communicate(), PATIENCE)
    assert _states(url) == ["unknown"]
    assert worker.returncode == 0


DIED = {-signal.SIGTERM, -signal.SIGINT}
LATER = {**BODY, "mode": "asynchronous"}
STALLED_MS = 600_000


async def test_a_server_that_is_told_to_stop_twice_waits_for_nothing(
    tmp_path: Path, sqlite_url: str, sandbox: httpx.AsyncClient
) -> None:
    isthmus = Isthmus(tmp_path, database_url=sqlite_url, provider_urls={"sandbox": str(sandbox.base_url)})
    project = await isthmus.init("acme")
    origin = await isthmus.start()
    try:
        async with await move_in(project, origin) as http:
            await delay(sandbox, STALLED_MS)
            assert (await http.post(CONTACTS, json=LATER)).status_code == 200
            await happened(sandbox)
            assert await asyncio.wait_for(isthmus.stop_twice(), AT_ONCE_SECONDS) in DIED
    finally:
        await isthmus.kill()


async def test_a_worker_that_is_told_to_stop_twice_waits_for_nothing(
    tmp_path: Path, migrated_postgres_url: str, sandbox: httpx.AsyncClient
) -> None:
    url = migrated_postgres_url
    isthmus = Isthmus(tmp_path, database_url=url, provider_urls={"sandbox": str(sandbox.base_url)})
    project = await isthmus.init("acme")
    origin = await isthmus.start("--without-worker")
    worker = await isthmus.start_worker()
    try:
        async with await move_in(project, origin) as http:
            await delay(sandbox, STALLED_MS)
            assert (await http.post(CONTACTS, json=LATER)).status_code == 200
            await happened(sandbox)
            signal_twice(worker)
            await asyncio.wait_for(worker.communicate(), AT_ONCE_SECONDS)
            assert worker.returncode in DIED
            assert _states(url) == ["sent"]
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.communicate()
        await isthmus.kill()


def _states(url: str) -> list[str]:
    return run_sql(url, "SELECT state FROM operations").split()


async def _until_settled(url: str) -> None:
    while await asyncio.to_thread(_states, url) == ["sent"]:
        pass


async def test_host_names_tell_the_services_apart_over_a_socket(
    tmp_path: Path, sqlite_url: str, sandbox: httpx.AsyncClient
) -> None:
    isthmus = Isthmus(tmp_path, database_url=sqlite_url, provider_urls={"sandbox": str(sandbox.base_url)})
    project = await isthmus.init("acme")
    origin = await isthmus.start()
    port = origin.rpartition(":")[2]
    try:
        async with await move_in(project, origin) as http:
            answers = {
                name: await http.post(CONTACTS, json=BODY, headers={"Host": f"{name}.example.test:{port}"})
                for name in ("write", "read", "search")
            }
            assert {name: answer.status_code for name, answer in answers.items()} == {
                "write": 200,
                "read": 404,
                "search": 404,
            }
            assert answers["read"].json()["code"] == "not-offered"
            listed = await http.get("/integrations", headers={"Host": f"api.example.test:{port}"})
            assert [one["name"] for one in listed.json()] == ["crm"]
    finally:
        await isthmus.kill()
