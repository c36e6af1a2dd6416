"""Faults, the log, the ledger and the pages."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY

ROOT = Path(__file__).parents[3]
CONTACTS = "/v1/objects/contacts/records"


def contact(email: str = "a@b.co") -> dict[str, Any]:
    return {"fields": {"email": email}}


async def plan(client: httpx.AsyncClient, *faults: dict[str, Any], workspace: str = "demo") -> None:
    response = await client.put(f"/_sandbox/faults?workspace={workspace}", json={"faults": faults})
    assert response.status_code == 200, response.text


async def ledger(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    effects: list[dict[str, Any]] = (await client.get("/_sandbox/ledger")).json()["effects"]
    return effects


async def test_faults_come_in_order_and_run_out(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "rate_limit", "times": 2}, {"kind": "status", "status": 503, "retryAfterSeconds": 9})
    answers = [await client.get("/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 429, 503, 200]
    assert [answer.headers.get("retry-after") for answer in answers] == ["1", "1", "9", None]
    assert (await client.get("/_sandbox/faults")).json() == {"faults": [], "seed": 0}


async def test_a_fault_may_skip_choose_and_stay(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "status", "times": None, "skip": 1, "method": "POST", "path": CONTACTS})
    assert (await client.get("/v1/me")).status_code == 200
    statuses = [(await client.post(CONTACTS, json=contact(f"u{n}@b.co"))).status_code for n in range(3)]
    assert statuses == [201, 500, 500]
    await plan(client)
    assert (await client.post(CONTACTS, json=contact())).status_code == 201


async def test_a_drop_after_the_effect_leaves_the_effect(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "drop", "when": "after"}, {"kind": "drop"})
    for email in ("done@b.co", "not-done@b.co"):
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(CONTACTS, json=contact(email))
    assert [entry["fields"]["email"] for entry in await ledger(client)] == ["done@b.co"]
    requests = (await client.get("/_sandbox/requests")).json()["requests"]
    assert [(each["status"], each["fault"]) for each in requests] == [(None, "drop"), (None, "drop")]


async def test_a_broken_answer_hides_an_effect(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "broken_json"})
    response = await client.post(CONTACTS, json=contact())
    assert response.status_code == 201
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        response.json()
    assert len(await ledger(client)) == 1


@pytest.mark.parametrize(("when", "effects"), [("before", 0), ("after", 1)])
async def test_a_delay_comes_before_or_after_the_effect(
    client: httpx.AsyncClient, when: Literal["before", "after"], effects: int
) -> None:
    await plan(client, {"kind": "delay", "delayMs": 600_000, "when": when})
    slow = asyncio.create_task(client.post(CONTACTS, json=contact()))
    while (await client.get("/_sandbox/faults")).json()["faults"]:
        pass
    assert len(await ledger(client)) == effects
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow


async def test_a_fault_hits_its_own_workspace_only(client: httpx.AsyncClient) -> None:
    await client.post("/_sandbox/workspaces", json={"name": "acme", "key": "acme-key"})
    await plan(client, {"kind": "status", "status": 401}, workspace="acme")
    assert (await client.get("/v1/me")).status_code == 200
    assert (await client.get("/v1/me", headers={"X-Sandbox-Key": "acme-key"})).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/_sandbox/faults", {"faults": [{"kind": "earthquake"}]}, 400),
        ("PUT", "/_sandbox/faults", {"faults": [{"kind": "drop", "times": 0}]}, 400),
        ("PUT", "/_sandbox/faults", {"fault": []}, 400),
        ("PUT", "/_sandbox/faults?workspace=nope", {"faults": []}, 404),
        ("POST", "/_sandbox/workspaces", {"name": "No Spaces"}, 400),
        ("POST", "/_sandbox/workspaces", {"name": "acme", "key": DEMO_KEY}, 409),
        ("POST", "/_sandbox/clients", {"name": "no id"}, 400),
        ("GET", "/_sandbox/ledger?limit=0", None, 400),
    ],
)
async def test_a_bad_switch_is_refused(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    assert (await client.request(method, path, json=body)).status_code == status


async def test_the_log_shows_what_arrived_without_credentials(client: httpx.AsyncClient) -> None:
    await client.post(f"{CONTACTS}?x=1", json=contact(), headers={"X-Trace": "t", "Authorization": "Digest eA=="})
    (seen,) = (await client.get("/_sandbox/requests?workspace=demo")).json()["requests"]
    assert (seen["method"], seen["path"], seen["status"]) == ("POST", f"{CONTACTS}?x=1", 201)
    assert seen["body"] == '{"fields":{"email":"a@b.co"}}'
    assert (seen["headers"]["X-Trace"], seen["headers"]["Authorization"]) == ("t", "***")
    assert DEMO_KEY not in str(seen)


async def test_the_ledger_ties_each_effect_to_its_request(client: httpx.AsyncClient) -> None:
    made = await client.post(CONTACTS, json=contact(), headers={"Idempotency-Key": "k1"})
    record_id = made.json()["id"]
    await client.post(CONTACTS, json=contact())  # refused as a duplicate: no effect
    await client.delete(f"{CONTACTS}/{record_id}")
    entries = await ledger(client)
    assert [(each["action"], each["request"], each["idempotencyKey"]) for each in entries] == [
        ("create", 1, "k1"),
        ("delete", 3, None),
    ]
    assert {each["recordId"] for each in entries} == {record_id}


async def test_a_reset_starts_afresh(client: httpx.AsyncClient) -> None:
    await client.post("/_sandbox/workspaces", json={"name": "acme", "key": "acme-key"})
    await client.post(CONTACTS, json=contact())
    await plan(client, {"kind": "drop", "times": None})
    assert (await client.delete("/_sandbox")).status_code == 204
    assert (await client.get(CONTACTS)).json()["records"] == []
    assert await ledger(client) == []
    assert (await client.get("/v1/me", headers={"X-Sandbox-Key": "acme-key"})).status_code == 401


async def test_the_documentation_names_objects_keys_and_switches_and_escapes(client: httpx.AsyncClient) -> None:
    label = {"name": "x_evil", "label": "<script>", "type": "select", "values": [{"value": "<b>", "label": "b"}]}
    await client.post("/v1/objects/contacts/fields", json=label)
    page = await client.get("/", headers={"Host": '"><script>.test'})
    text = page.text if page.status_code == 200 else (await client.get("/")).text
    for words in ("contacts", "x_subscriptions", DEMO_KEY, "/_sandbox/faults", "rate_limit", "&lt;b&gt;"):
        assert words in text
    assert "<script>" not in text


async def test_the_server_runs_until_it_is_interrupted() -> None:
    program = "from connectors.sandbox.server import run; run(port=0, announce=lambda url: print(url, flush=True))"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        assert (await client.get("/")).status_code == 200
    process.send_signal(signal.SIGINT)
    assert await process.wait() == 0
