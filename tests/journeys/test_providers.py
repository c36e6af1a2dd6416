"""The same journeys at every provider: connect, describe, write, and meet everything that can go wrong."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Published
from tests.journeys.customers import Json, fits
from tests.journeys.providers import NAMES, Account, Trouble, account_at

DETAIL = {"x_isthmus_detail": "true"}


@pytest.fixture(params=NAMES)
async def account(request: pytest.FixtureRequest) -> AsyncIterator[Account]:
    async with account_at(request.param) as opened:
        yield opened


async def test_a_key_that_the_provider_refuses_makes_no_connection(account: Account) -> None:
    refused = await account.customer.connect(key="wrong")
    assert (refused.status_code, "refuses these credentials" in refused.text) == (422, True)
    made = (await account.customer.connect()).json()
    assert made["status"] == "working"
    listed = (await account.customer.house.call("GET", "/connections")).json()
    assert [each["id"] for each in listed] == [made["id"]]


async def test_an_object_is_described_for_the_installation_and_the_connection(
    account: Account, published: Published
) -> None:
    await account.move_in()
    house, name = account.customer.house, account.at.object_name
    provider = account.customer.provider
    ours = (await house.call("GET", f"/integrations/crm/objects/{name}/metadata?groupRef=g1")).json()
    theirs = (await house.call("GET", f"/providers/{provider}/objects/{name}/metadata?groupRef=g1")).json()
    assert ours == theirs
    assert {account.at.key, account.at.note} <= set(ours["fields"])
    assert published.errors("api.bundled", "ObjectMetadata", ours) == []


async def test_a_record_is_created_updated_upserted_and_deleted(account: Account, published: Published) -> None:
    await account.move_in(upsert=True, deletionSettings={"enabled": True})
    made = await account.write({"type": "create", "record": account.at.record(1)})
    record_id = made.json()["result"]["recordId"]
    update = await account.write({"type": "update", "record": {"id": record_id, account.at.note: "2"}})
    upsert = {"type": "upsert", "record": account.at.record(1, **{account.at.note: "3"})}
    same = await account.write(upsert)
    assert (await account.at.held())[record_id][account.at.note] == "3"
    again = await account.done(upsert, **DETAIL)
    other = await account.done({"type": "upsert", "record": account.at.record(2)}, **DETAIL)
    assert (again["result"]["created"], other["result"]["created"]) == (False, True)
    assert again["result"]["recordId"] == record_id != other["result"]["recordId"]
    gone = await account.write({"type": "delete", "record": {"id": record_id}})
    for answer in (made, update, same, gone):
        assert answer.status_code == 200, answer.text
        fits(published, answer)
    assert set(await account.at.held()) == {other["result"]["recordId"]}


async def test_a_partial_batch_names_each_record_when_asked(account: Account, published: Published) -> None:
    await account.move_in()
    choice = account.at.choice
    bad = account.at.record(2, **{choice: "nothing of the kind"})
    batch = [{"record": account.at.record(1)}, {"record": bad}, {"record": account.at.record(3)}]
    told = (await account.done({"type": "create", "batch": batch}, **DETAIL))["results"]
    assert [(each["index"], each["success"]) for each in told] == [(0, True), (1, False), (2, True)]
    assert (told[1]["error"]["kind"], told[1]["error"]["fields"]) == ("invalid", [choice])
    assert told[1]["message"].startswith(f"error writing {account.at.object_name}: bad request: ")
    assert set(await account.at.held()) == {told[0]["recordId"], told[2]["recordId"]}
    plain = await account.write({"type": "create", "batch": [{"record": account.at.record(4)}, {"record": bad}]})
    fits(published, plain)
    answer = plain.json()
    assert (answer["successCount"], answer["failureCount"], len(answer["errors"])) == (1, 1, 1)
    assert ["recordId" in each for each in answer["results"]] == [True, False]


async def test_a_batch_that_is_all_or_nothing_leaves_nothing(account: Account, published: Published) -> None:
    await account.move_in()
    batch = [{"record": account.at.record(1)}, {"record": account.at.record(2, nowhere="x")}]
    answer = await account.write({"type": "create", "batch": batch, "batchPolicy": {"allOrNone": True}})
    assert answer.status_code == 422, answer.text
    fits(published, answer)
    assert (answer.json()["successCount"], answer.json()["failureCount"]) == (0, 2)
    assert await account.at.held() == {}


async def test_a_field_is_written_only_where_there_is_nothing(account: Account) -> None:
    note = account.at.note
    await account.move_in(selectedFieldSettings={note: {"writeOnUpdate": "ifEmpty"}})
    full, empty = await account.create(1, **{note: "old"}), await account.create(2)
    earlier = len(await account.at.writes())
    key = account.at.key
    keys = [account.at.record(number)[key] for number in (3, 4)]
    for record_id, value in zip((full, empty), keys, strict=True):
        await account.done({"type": "update", "record": {"id": record_id, key: value, note: "new"}})
    held = await account.at.held()
    assert [held[each].get(note) for each in (full, empty)] == ["old", "new"]
    assert [held[each][key] for each in (full, empty)] == keys
    assert len(await account.since(earlier)) == 4


async def test_a_batch_reads_all_its_records_at_once(account: Account) -> None:
    note = account.at.note
    await account.move_in(selectedFieldSettings={note: {"writeOnUpdate": "ifEmpty"}})
    ids = [await account.create(number, **({note: "old"} if number % 2 else {})) for number in range(6)]
    earlier = len(await account.at.writes())
    batch = [{"record": {"id": each, note: "new"}} for each in ids]
    answer = await account.done({"type": "update", "batch": batch})
    assert answer["successCount"] == 6
    held = await account.at.held()
    assert [held[each][note] for each in ids] == ["new", "old"] * 3
    assert len(await account.since(earlier)) == 2, "one read and one write"


READS: list[Json] = [
    {"kind": "broken_json"},
    {"kind": "drop"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502, "when": "after"},
]


@pytest.mark.parametrize("fault", READS, ids=[str(fault["kind"]) + str(fault.get("status", "")) for fault in READS])
@pytest.mark.parametrize("action", ["update", "upsert"])
async def test_a_look_that_fails_is_a_write_that_did_not_happen(fault: Json, action: str) -> None:
    async with account_at("sandbox") as account:
        await account.move_in(upsert=True, selectedFieldSettings={"notes": {"writeOnUpdate": "ifEmpty"}})
        made = await account.create(1)
        earlier = len(await account.at.writes())
        await account.customer.crm.put("/_sandbox/faults", json={"faults": [fault]})
        address = {"id": made} if action == "update" else account.at.record(1)
        answer = await account.write({"type": action, "record": {**address, "notes": "new"}})
        assert (answer.status_code, answer.json()["result"]) == (422, {"success": False}), answer.text
        assert await account.customer.state(answer.json()["operationId"]) == "failure"
        assert "notes" not in (await account.at.held())[made]
        assert len(await account.since(earlier)) == 1


async def test_a_refusal_says_what_the_provider_said(account: Account, published: Published) -> None:
    await account.move_in()
    answer = await account.write({"type": "create", "record": account.at.record(1, nowhere="x")})
    assert answer.status_code == 422
    fits(published, answer)
    (error,) = answer.json()["errors"]
    assert error["message"].startswith(f"error writing {account.at.object_name}: bad request: ")
    assert "nowhere" in error["message"]
    assert "nowhere" in answer.json()["rawResponse"]
    assert answer.json()["result"] == {"success": False}
    operation = (await account.customer.house.call("GET", f"/operations/{answer.json()['operationId']}")).json()
    assert (operation["status"], error["message"] in operation["result"]) == ("failure", True)


async def test_a_record_that_is_not_there_is_not_found(account: Account) -> None:
    await account.move_in()
    gone = "001000000000001AAA" if account.customer.provider == "salesforce" else "999"
    answer = await account.write({"type": "update", "record": {"id": gone, account.at.note: "x"}}, **DETAIL)
    assert (answer.status_code, answer.json()["result"]["error"]["kind"]) == (422, "not_found"), answer.text


TROUBLES: list[tuple[Trouble, str, str]] = [
    # what the provider does, the class of the message, how the operation ends
    ("spent", "rate limited", "failure"),
    ("unauthorized", "unauthorized", "failure"),
    ("broken", "outcome unknown", "unknown"),
]


@pytest.mark.parametrize(("trouble", "said", "state"), TROUBLES, ids=[trouble for trouble, _, _ in TROUBLES])
@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
async def test_trouble_at_the_provider_is_named_and_never_sent_again(  # noqa: PLR0917 -- a table's columns
    account: Account,
    published: Published,
    trouble: Trouble,
    said: str,
    state: str,
    batch: bool,  # noqa: FBT001 -- as above
) -> None:
    await account.move_in()
    await account.at.prepare(trouble)
    answer = await account.write(creation(account, batch=batch))
    assert answer.status_code == 422, answer.text
    fits(published, answer)
    message = answer.json()["errors"][0]["message"]
    assert message.startswith(f"error writing {account.at.object_name}: {said}: ")
    assert await account.customer.state(answer.json()["operationId"]) == state
    assert len(await account.at.writes()) == 1


@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
async def test_an_answer_that_is_lost_leaves_the_outcome_unknown(
    account: Account,
    batch: bool,  # noqa: FBT001 -- a table's column
) -> None:
    await account.move_in()
    await account.at.prepare("dropped")
    answer = await account.write(creation(account, batch=batch))
    assert (answer.status_code, set(answer.json())) == (202, {"operationId"})
    operation = (
        await account.customer.house.call("GET", f"/operations/{answer.json()['operationId']}?state=true")
    ).json()
    assert (operation["status"], operation["state"], operation["fault"]) == ("in_progress", "unknown", "ambiguous")
    assert len(await account.at.held()) == (2 if batch else 1)
    assert len(await account.at.writes()) == 1


def creation(account: Account, *, batch: bool) -> Json:
    if not batch:
        return {"type": "create", "record": account.at.record(1)}
    return {"type": "create", "batch": [{"record": account.at.record(number)} for number in (1, 2)]}
