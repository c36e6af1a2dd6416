"""A write by HTTP and what is kept of it, on every store."""

from typing import Any

from tests.server.house import ON_EVERY_STORE, House

WRITES = "/integrations/crm/objects/contacts"


def create(email: str) -> dict[str, Any]:
    return {"groupRef": "g1", "type": "create", "record": {"email": email}}


async def furnish(house: House) -> Any:
    await house.deploy()
    await house.connect()
    return await house.install()


@ON_EVERY_STORE
async def test_a_write_can_be_looked_up_listed_and_explained(house: House) -> None:
    installation = await furnish(house)
    written = (await house.call("POST", WRITES, json=create("a@b.co"))).json()
    refused = await house.call("POST", WRITES, json=create("nonsense"))
    assert (written["result"]["success"], refused.status_code) == (True, 422)
    path = f"/operations/{written['operationId']}"
    shown = (await house.call("GET", f"{path}?state=true")).json()
    assert (shown["status"], shown["state"], shown["installationId"]) == ("success", "success", installation["id"])
    assert shown["metadata"]["successfulRecordIds"] == [written["result"]["recordId"]]
    logs = (await house.call("GET", f"{path}/logs")).json()
    assert [line["severity"] for line in logs] == ["INFO", "INFO"]
    explained = (await house.call("GET", f"{path}:explain")).json()
    assert explained["change"]["records"][0]["fields"] == {"email": "a@b.co"}
    listing = f"/integrations/crm/installations/{installation['id']}/operations"
    first = (await house.call("GET", f"{listing}?pageSize=1")).json()
    token = first["pagination"]["nextPageToken"]
    second = (await house.call("GET", f"{listing}?pageSize=1&pageToken={token}")).json()
    ids = [page["results"][0]["id"] for page in (first, second)]
    assert ids == [refused.json()["operationId"], written["operationId"]]
    assert (await house.call("GET", f"{listing}?pageToken=nonsense")).status_code == 400


@ON_EVERY_STORE
async def test_a_key_makes_two_requests_one(house: House) -> None:
    await furnish(house)
    headers = {"Idempotency-Key": "k1"}
    first = await house.call("POST", WRITES, json=create("a@b.co"), headers=headers)
    again = await house.call("POST", WRITES, json=create("a@b.co"), headers=headers)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    other = await house.call("POST", WRITES, json=create("c@d.co"), headers=headers)
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    assert other.json()["code"] == "idempotency-key-reused"
    bad = await house.call("POST", WRITES, json=create("c@d.co"), headers={"Idempotency-Key": "k" * 256})
    assert (bad.status_code, "Idempotency-Key" in bad.text) == (400, True)


@ON_EVERY_STORE
async def test_text_that_no_database_keeps_is_refused_before_anything_is_sent(house: House) -> None:
    installation = await furnish(house)
    for group in ("g\u0000", "g" * 300):
        body = {**create("a@b.co"), "groupRef": group}
        assert 400 <= (await house.call("POST", WRITES, json=body)).status_code < 500
    odd = {"groupRef": "g1", "type": "update", "record": {"id": "\u0000" * 3, "email": "a@b.co"}}
    assert (await house.call("POST", WRITES, json=odd)).status_code < 500
    assert (await house.call("POST", WRITES, json={**odd, "record": {"id": "x" * 100_000}})).status_code < 500
    listing = f"/integrations/crm/installations/{installation['id']}/operations"
    assert (await house.call("GET", listing)).status_code == 200
