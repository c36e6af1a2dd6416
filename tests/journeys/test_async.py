"""What the published page says of asynchronous writes, over HTTP, with a worker: it runs, and does what is said.

https://docs.withampersand.com/write-actions
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from connectors.sandbox.access import DEMO_KEY
from headless.client import ApiError, Client
from server.settings import Settings
from server.store.contract import Store
from server.store.memory import MemoryStore
from server.store.opening import open_store
from tests.conftest import Published
from tests.server.house import House, open_house
from tests.server.loopback import listening
from tests.server.store.samples import MASTER_KEY

Json = dict[str, Any]

MANIFEST = """
specVersion: 1.0.0
integrations:
  - name: crm
    provider: sandbox
    write:
      objects:
        - objectName: contacts
        - objectName: tickets
"""
WRITTEN = {name: {"objectName": name} for name in ("contacts", "tickets")}


class Product(msgspec.Struct, kw_only=True):
    """A product with one customer, the server it writes to and the customer's account."""

    house: House
    client: Client
    crm: httpx.AsyncClient

    async def write(self, record: Json | None = None, *, object_name: str = "contacts", **members: Any) -> Json:
        """Write to the customer's account asynchronously."""
        body = {"groupRef": "g1", "type": "create", **({} if record is None else {"record": record}), **members}
        return await self.client.write("crm", object_name, body, mode="asynchronous")

    async def fault(self, **members: Any) -> None:
        """Let the account go wrong once, at a write, or as often as ``times`` says."""
        plan = {"faults": [{"method": "POST", **members}]}
        assert (await self.crm.put("/_sandbox/faults", json=plan)).is_success

    async def effects(self) -> list[Json]:
        """List what really happened in the account."""
        entries: list[Json] = (await self.crm.get("/_sandbox/ledger")).json()["effects"]
        return entries


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    opened = open_store(Settings(database_url=request.getfixturevalue("sqlite_url"), master_keys=(MASTER_KEY,)))
    await opened.start()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def product(store: Store) -> AsyncIterator[Product]:
    async with open_house(store) as house:
        await house.deploy(MANIFEST)
        await house.connect()
        await house.install(content={"provider": "sandbox", "write": {"objects": WRITTEN}})
        async with (
            listening(house.app) as origin,
            Client(origin, api_key=house.key, project=house.project_id) as client,
            httpx.AsyncClient(
                base_url=house.sandbox_url, headers={"X-Sandbox-Key": DEMO_KEY}, trust_env=False, timeout=60
            ) as crm,
        ):
            yield Product(house=house, client=client, crm=crm)


async def test_an_operation_id_comes_at_once_and_its_status_is_asked_for_until_success(
    product: Product, published: Published
) -> None:
    accepted = await product.write({"email": "ada@acme.test"})
    assert list(accepted) == ["operationId"]
    told = await product.client.wait(accepted["operationId"])
    assert published.errors("api.bundled", "Operation", told) == []
    (effect,) = await product.effects()
    assert (told["status"], told["result"]) == ("success", "[contacts] Write succeeded")
    assert (told["metadata"]["successfulRecordIds"], told["resource"]) == ([effect["recordId"]], "contacts")
    assert told["metadata"]["retry"]["attempts"] == 1
    assert [result["recordId"] for result in told["results"]] == [effect["recordId"]]


async def test_what_is_busy_is_retried_until_it_goes_through(product: Product, published: Published) -> None:
    await product.fault(kind="rate_limit", retryAfterSeconds=1)
    accepted = await product.write({"email": "ada@acme.test"}, retryPolicy={"deadlineHours": 24})
    held = await product.client.operation(accepted["operationId"])
    assert (_time(held, "deadline") - _time(held, "createTime")).total_seconds() == 24 * 3600
    told = await product.client.wait(accepted["operationId"])
    assert (told["status"], told["metadata"]["retry"]["attempts"]) == ("success", 2)
    log = await product.house.call("GET", f"/operations/{accepted['operationId']}/logs")
    assert [published.errors("api.bundled", "Log", line) for line in log.json()] == [[], [], []]
    assert [line["severity"] for line in log.json()] == ["INFO", "ERROR", "INFO"]
    assert log.json()[1]["message"]["details"]["providerStatus"] == "429"
    assert len(await product.effects()) == 1


def _time(told: Json, member: str) -> datetime:
    return datetime.fromisoformat(told[member])


async def test_without_a_policy_it_is_retried_for_an_hour(product: Product) -> None:
    await product.fault(kind="rate_limit", retryAfterSeconds=3600)
    told = await product.client.operation((await product.write({"email": "a@acme.test"}))["operationId"])
    assert (_time(told, "deadline") - _time(told, "createTime")).total_seconds() == 3600


async def test_what_waits_can_be_taken_back(product: Product) -> None:
    accepted = await product.write({"email": "a@acme.test"}, autoBatchPolicy={"maxDelayMinutes": 5})
    told = await product.client.cancel(accepted["operationId"])
    assert (told["status"], told["reason"], told["result"]) == ("failure", "cancelled", "[contacts] Cancelled")
    with pytest.raises(ApiError, match=r"409: .*has failed"):
        await product.client.cancel(accepted["operationId"])
    assert await product.effects() == []
    again = await product.client.retry(accepted["operationId"])
    assert (await product.client.wait(again["id"]))["status"] == "success"
    assert len(await product.effects()) == 1


async def test_what_the_provider_refuses_for_good_ends_at_once(product: Product) -> None:
    told = await product.client.wait((await product.write({"email": "nobody"}))["operationId"])
    assert (told["status"], told["metadata"]["retry"]["attempts"], told["fault"]) == ("failure", 1, "invalid")
    assert told["result"].startswith("[contacts] error writing contacts: bad request: ")
    assert await product.effects() == []


@pytest.mark.parametrize("all_or_none", [False, True])
async def test_a_batch_succeeds_in_part_unless_it_is_all_or_none(product: Product, all_or_none: bool) -> None:  # noqa: FBT001
    batch = [{"record": {"email": email}} for email in ("a@acme.test", "b@acme.test", "nobody", "c@acme.test")]
    accepted = await product.write(batch=batch, batchPolicy={"allOrNone": all_or_none})
    told = await product.client.wait(accepted["operationId"])
    written = 0 if all_or_none else 3
    assert told["status"] == ("failure" if all_or_none else "success")
    assert told["result"] == f"Batch write completed ({written} succeeded, {4 - written} failed)"
    assert len(told["metadata"].get("successfulRecordIds", ())) == len(await product.effects()) == written
    assert [result["success"] for result in told["results"]] == [not all_or_none] * 2 + [False] + [not all_or_none]


async def test_records_gather_under_one_operation_which_goes_at_a_hundred(product: Product) -> None:
    policy = {"maxDelayMinutes": 5, "retryDeadlineHours": 2}
    emails = [f"p{number}@acme.test" for number in range(100)]
    ids = {(await product.write({"email": email}, autoBatchPolicy=policy))["operationId"] for email in emails[:99]}
    (name,) = ids
    gathering = await product.client.operation(name)
    assert (gathering["status"], gathering["gathered"]) == ("in_progress", 99)
    assert (_time(gathering, "nextAttemptTime") - _time(gathering, "createTime")).total_seconds() == 300
    assert await product.effects() == []
    assert (await product.write({"email": "nobody"}, autoBatchPolicy=policy))["operationId"] == name
    told = await product.client.wait(name)
    assert (told["status"], told["result"]) == ("success", "Batch write completed (99 succeeded, 1 failed)")
    later = (await product.write({"email": emails[99]}, autoBatchPolicy=policy))["operationId"]
    assert later != name
    # Nobody needs to wait for the five minutes.
    await product.client.retry(later)
    assert (await product.client.wait(later))["result"] == "[contacts] Write succeeded"


async def test_a_delete_is_synchronous_whatever_its_mode(product: Product) -> None:
    with pytest.raises(ApiError, match=r"400: .*not enabled"):
        await product.write({"id": "1"}, type="delete")


async def test_the_same_key_has_the_same_answer_whatever_has_come_of_it(product: Product) -> None:
    body = {"groupRef": "g1", "type": "create", "mode": "asynchronous", "record": {"email": "ada@acme.test"}}
    path, headers = "/integrations/crm/objects/contacts", {"Idempotency-Key": "k1"}
    first = await product.house.call("POST", path, json=body, headers=headers)
    again = await product.house.call("POST", path, json=body, headers=headers)
    await product.client.wait(first.json()["operationId"])
    last = await product.house.call("POST", path, json=body, headers=headers)
    assert first.json() == again.json() == last.json()
    assert [one.headers.get("idempotent-replayed") for one in (first, again, last)] == [None, "true", "true"]
    assert len(await product.effects()) == 1


async def test_failures_are_counted_and_done_again_once_their_cause_is_gone(product: Product) -> None:
    await product.fault(kind="status", status=403, times=None)
    names = [(await product.write({"email": f"{n}@acme.test"}))["operationId"] for n in range(3)]
    assert {(await product.client.wait(name))["status"] for name in names} == {"failure"}
    assert (await product.crm.put("/_sandbox/faults", json={"faults": []})).is_success
    assert await product.client.replay(error_class="forbidden", dry_run=True) == {"count": 3, "more": False}
    made = await product.client.replay(error_class="forbidden")
    assert {(await product.client.wait(name))["status"] for name in made["operationIds"]} == {"success"}
    assert len(await product.effects()) == 3
    assert (await product.client.replay())["count"] == 0


async def test_a_person_settles_what_nobody_can_look_up(product: Product) -> None:
    names = []
    for verdict in ("happened", "retry"):
        await product.fault(kind="drop", when="after" if verdict == "happened" else "before")
        # A ticket with an external id of the product's own has no place for a mark by which we would know it again.
        record = {"subject": verdict, "externalId": "ours"}
        names.append((await product.write(record, object_name="tickets"))["operationId"])
        told = await product.client.wait(names[-1])
        assert (told["status"], told["state"], "lookUpTime" in told) == ("in_progress", "unknown", False)
    assert len(await product.effects()) == 1
    assert (await product.client.resolve(names[0], "happened", record_id="1"))["status"] == "success"
    assert (await product.client.resolve(names[1], "retry"))["status"] == "in_progress"
    assert (await product.client.wait(names[1]))["status"] == "success"
    assert len(await product.effects()) == 2
    listed = await product.client.operations(state="success", object="tickets", page_size=9)
    assert {one["id"] for one in listed["results"]} == set(names)
