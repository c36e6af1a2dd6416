"""Writes that look before they write: upserts a provider cannot do by itself, and rules about the current record."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from tests.journeys.providers import Account, Trouble, account_at

DETAIL = {"x_isthmus_detail": "true"}
PHONE = {"type": "upsert", "matchKey": "phone"}
"""The sandbox does not keep phones unique, so it cannot match by them."""


@pytest.fixture
async def account() -> AsyncIterator[Account]:
    async with account_at("sandbox") as opened:
        name = opened.at.object_name
        await opened.customer.move_in(
            f"    write:\n      objects:\n        - objectName: {name}\n          upsertKeys: [phone, email]\n",
            write={"objects": {name: {"objectName": name, "selectedFieldSettings": {"notes": IF_EMPTY}}}},
        )
        yield opened


IF_EMPTY = {"writeOnUpdate": "ifEmpty"}


async def test_twenty_upserts_of_one_key_at_once_make_one_record(account: Account) -> None:
    made = await asyncio.gather(
        *(account.done({**PHONE, "record": account.at.record(1, phone="7")}, **DETAIL) for _ in range(20))
    )
    assert Counter(each["result"]["created"] for each in made) == {True: 1, False: 19}
    assert len(await account.at.held()) == 1


async def test_batches_of_the_same_keys_at_once_make_each_record_once(account: Account) -> None:
    records = [{"record": account.at.record(number, phone=str(number))} for number in range(10)]
    made = await asyncio.gather(
        *(account.done({**PHONE, "batch": records[::step]}, **DETAIL) for step in (1, -1, 1, -1))
    )
    assert sum(result["created"] for each in made for result in each["results"]) == 10
    assert len(await account.at.held()) == 10


async def test_only_the_first_of_many_updates_fills_an_empty_field(account: Account) -> None:
    record_id = await account.create(1)
    updates = [{"type": "update", "record": {"id": record_id, "notes": str(number)}} for number in range(10)]
    await asyncio.gather(*(account.done(update) for update in updates))
    effects = (await account.customer.crm.get("/_sandbox/ledger")).json()["effects"]
    assert sum("notes" in effect["fields"] for effect in effects) == 1


async def test_a_batch_of_upserts_costs_a_look_up_for_each_and_two_writes(account: Account) -> None:
    known = [await account.create(number, phone=str(number)) for number in range(3)]
    before = len(await account.at.writes())
    batch = [{"record": account.at.record(number, phone=str(number))} for number in (5, 0, 4, 1, 2)]
    made = await account.done({**PHONE, "batch": batch}, **DETAIL)
    asked = Counter(method for method, _ in await account.since(before))
    assert asked == {"GET": 5, "POST": 2}
    assert [each["created"] for each in made["results"]] == [True, False, True, False, False]
    assert [made["results"][index]["recordId"] for index in (1, 3, 4)] == known


async def test_a_key_that_two_records_have_holds_up_its_own_record_alone(account: Account) -> None:
    for number in (1, 2):
        await account.create(number, phone="7")
    batch = [{"record": {"phone": "7"}}, {"record": account.at.record(3, phone="3")}]
    made = await account.done({**PHONE, "batch": batch}, **DETAIL)
    assert [each["success"] for each in made["results"]] == [False, True]
    assert made["results"][0]["error"]["kind"] == "conflict"
    alone = await account.write({**PHONE, "record": {"phone": "7"}})
    assert (alone.status_code, "2 records have phone = '7'" in alone.text) == (422, True)


@pytest.mark.parametrize("trouble", ["spent", "unauthorized", "broken", "dropped"])
async def test_a_look_up_that_fails_writes_nothing(account: Account, trouble: Trouble) -> None:
    record_id = await account.create(1)
    before = await account.at.held()
    await account.at.prepare(trouble)
    answer = await account.write({"type": "update", "record": {"id": record_id, "notes": "n"}})
    assert (answer.status_code, answer.json()["result"]) == (422, {"success": False})
    assert await account.customer.state(answer.json()["operationId"]) == "failure"
    assert await account.at.held() == before


async def test_a_look_up_whose_answer_cannot_be_read_writes_nothing(account: Account) -> None:
    record_id = await account.create(1)
    await account.customer.crm.put("/_sandbox/faults", json={"faults": [{"kind": "broken_json"}]})
    answer = await account.write({"type": "update", "record": {"id": record_id, "notes": "n"}})
    assert (answer.status_code, answer.json()["result"]) == (422, {"success": False})
    assert await account.customer.state(answer.json()["operationId"]) == "failure"


async def test_no_spelling_gets_around_a_rule_where_the_provider_ignores_case() -> None:
    async with account_at("salesforce") as salesforce:
        await salesforce.move_in(upsert=True, selectedFieldSettings={"Description": IF_EMPTY})
        record_id = await salesforce.create(1, Description="ours")
        update = {"type": "update", "record": {"id": record_id, "description": "theirs", "NAME": "New"}}
        await salesforce.done(update)
        await salesforce.done({"type": "upsert", "record": {"ext__c": "k1", "Name": "Newer"}})
        held = (await salesforce.at.held())[record_id]
        assert (held["Description"], held["Name"]) == ("ours", "Newer")


async def test_the_explanation_says_which_record_an_upsert_would_update(account: Account) -> None:
    record_id = await account.create(1, phone="7")
    house, path = account.customer.house, "/integrations/crm/objects/contacts:explain"
    for phone, expected in (("7", record_id), ("8", None)):
        body = {"groupRef": "g1", **PHONE, "record": {"phone": phone, "lastName": "L"}}
        told = (await house.call("POST", path, json=body)).json()
        assert told["change"]["records"][0].get("id") == expected
