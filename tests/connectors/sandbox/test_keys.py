"""A create that came before: keys, alone and in batches, and for how long they are remembered."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.server import serve
from connectors.sandbox.state import Options

COMPANIES = "/v1/objects/companies/records"
BATCH = f"{COMPANIES}:batch"
KEYED = {"Idempotency-Key": "k1"}


def company(name: str = "Acme", **members: Any) -> dict[str, Any]:
    return {"fields": {"name": name}, **members}


def creates(*records: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"action": "create", "records": records, **members}


async def plan(client: httpx.AsyncClient, *faults: dict[str, Any]) -> None:
    response = await client.put("/_sandbox/faults", json={"faults": faults})
    assert response.status_code == 200, response.text


async def ledger(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    effects: list[dict[str, Any]] = (await client.get("/_sandbox/ledger")).json()["effects"]
    return effects


async def test_a_key_makes_a_create_happen_once(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "drop", "when": "after"})
    with pytest.raises(httpx.RemoteProtocolError):
        await client.post(COMPANIES, json=company(), headers=KEYED)
    again = await client.post(COMPANIES, json=company(), headers=KEYED)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (201, "true")
    assert len(await ledger(client)) == 1
    other = await client.post(COMPANIES, json=company("Other"), headers=KEYED)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")


async def test_a_record_of_a_batch_has_a_key_of_its_own(client: httpx.AsyncClient) -> None:
    first = await client.post(BATCH, json=creates(company("A", key="a"), company("B", key="b"), company("C")))
    again = await client.post(BATCH, json=creates(company("A", key="a"), company("B", key="b"), company("C")))
    assert [each["id"] for each in first.json()["results"][:2]] == [each["id"] for each in again.json()["results"][:2]]
    names = [entry["fields"]["name"] for entry in await ledger(client)]
    assert names == ["A", "B", "C", "C"]
    assert [entry["idempotencyKey"] for entry in await ledger(client)] == ["a", "b", None, None]


async def test_a_key_is_known_alone_and_in_a_batch(client: httpx.AsyncClient) -> None:
    """What was sent together and is sent again one by one must be found."""
    await client.post(BATCH, json=creates(company(key="k1")))
    alone = await client.post(COMPANIES, json=company(), headers=KEYED)
    assert alone.headers["idempotent-replayed"] == "true"
    other = await client.post(BATCH, json=creates(company("Other", key="k1"), company("New", key="k2")))
    assert [each["status"] for each in other.json()["results"]] == [422, 201]


async def test_a_refusal_does_not_use_up_a_key(client: httpx.AsyncClient) -> None:
    bad = {"fields": {"name": 7}}
    assert (await client.post(COMPANIES, json=bad, headers=KEYED)).status_code == 422
    assert (await client.post(COMPANIES, json=company(), headers=KEYED)).status_code == 201


async def test_an_all_or_none_batch_that_became_none_does_not_use_up_its_keys(client: httpx.AsyncClient) -> None:
    batch = creates(company(key="k1"), {"fields": {}}, allOrNone=True)
    assert (await client.post(BATCH, json=batch)).status_code == 422
    made = await client.post(COMPANIES, json=company(), headers=KEYED)
    assert (made.status_code, "idempotent-replayed" in made.headers) == (201, False)


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_has_a_length(client: httpx.AsyncClient, key: str) -> None:
    assert (await client.post(COMPANIES, json=company(), headers={"Idempotency-Key": key})).status_code == 400


async def test_an_error_of_ours_can_be_kept_for_a_key_and_is_said_again(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "status", "status": 500, "stored": True})
    for _ in range(3):
        assert (await client.post(COMPANIES, json=company(), headers=KEYED)).status_code == 500
    batch = await client.post(BATCH, json=creates(company(key="k1")))
    assert [each["status"] for each in batch.json()["results"]] == [500]
    assert await ledger(client) == []
    assert (await client.delete("/_sandbox/keys")).status_code == 204
    assert (await client.post(COMPANIES, json=company(), headers=KEYED)).status_code == 201


async def test_an_error_that_is_not_kept_is_not_said_again(client: httpx.AsyncClient) -> None:
    await plan(client, {"kind": "status", "status": 500})
    assert (await client.post(COMPANIES, json=company(), headers=KEYED)).status_code == 500
    assert (await client.post(COMPANIES, json=company(), headers=KEYED)).status_code == 201


async def test_a_key_is_forgotten_after_its_window_by_the_sandbox_s_clock() -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC)]
    headers = {"X-Sandbox-Key": DEMO_KEY, **KEYED}
    async with (
        serve(options=Options(now=lambda: moments[-1], key_window=timedelta(hours=2))) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client,
    ):
        for minutes, effects in ((0, 1), (119, 1), (120, 2), (239, 2)):
            moments.append(moments[0] + timedelta(minutes=minutes))
            assert (await client.post(COMPANIES, json=company())).status_code == 201
            assert len(await ledger(client)) == effects


@pytest.mark.parametrize("object_name", ["contacts", "deals", "tickets", "x_subscriptions"])
async def test_an_object_that_takes_no_keys_pays_them_no_heed(client: httpx.AsyncClient, object_name: str) -> None:
    fields: dict[str, Any] = {
        "contacts": {"email": "a@b.co"},
        "deals": {"name": "Big", "stage": "new"},
        "tickets": {"subject": "Help"},
        "x_subscriptions": {"plan": "team"},
    }[object_name]
    path = f"/v1/objects/{object_name}/records"
    statuses = [(await client.post(path, json={"fields": fields}, headers=KEYED)).status_code for _ in range(2)]
    assert statuses == [201, 409 if object_name == "contacts" else 201]


async def test_a_sandbox_without_keys_does_everything_twice() -> None:
    body = {"fields": {"name": "Acme"}}
    headers = {"X-Sandbox-Key": DEMO_KEY, "Idempotency-Key": "k1"}
    async with (
        serve(options=Options(idempotency="none")) as url,
        httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as client,
    ):
        for _ in range(2):
            assert (await client.post("/v1/objects/companies/records", json=body)).status_code == 201
        assert [entry["idempotencyKey"] for entry in await ledger(client)] == ["k1", "k1"]
