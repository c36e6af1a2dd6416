"""Every request body of the published page about write actions, with values of our own: it runs, and does what is said.

https://docs.withampersand.com/write-actions
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conftest import Published
from tests.journeys.customers import Customer, Json, fits, hubspot_customer, salesforce_customer, sent

THREE_OBJECTS = """
    write:
      objects:
        - objectName: contact
        - objectName: companies
        - objectName: lead
"""
SHARED_MAPPINGS = """
    read:
      objects:
        - objectName: contact
          destination: inbox
          schedule: "*/30 * * * *"
          requiredFields:
            - fieldName: firstname
              mapToName: first_name
          optionalFields:
            - mapToName: notes
    write:
      objects:
        - objectName: contact
          inheritMapping: true
"""
LEADS = """
    read:
      objects:
        - objectName: lead
          destination: inbox
          schedule: "*/30 * * * *"
          optionalFields:
            - mapToName: customSource
              prompt: Where do leads come from?
    write:
      objects:
        - objectName: lead
"""
ACCOUNTS = """
    write:
      objects:
        - objectName: Account
        - objectName: Lead
"""


@pytest.fixture
async def hubspot() -> AsyncIterator[Customer]:
    async with hubspot_customer() as customer:
        yield customer


@pytest.fixture
async def salesforce() -> AsyncIterator[Customer]:
    async with salesforce_customer() as customer:
        yield customer


def person(**fields: Any) -> Json:
    return {"type": "create", "record": {"firstname": "Ada", "lastname": "Byron", **fields}}


async def test_a_manifest_names_the_objects_to_write(hubspot: Customer) -> None:
    (deployed,) = await hubspot.deploy(THREE_OBJECTS)
    written = deployed["latestRevision"]["content"]["write"]["objects"]
    assert [each["objectName"] for each in written] == ["contact", "companies", "lead"]


async def test_a_manifest_shares_its_mappings_with_writes(hubspot: Customer) -> None:
    await hubspot.move_in(
        SHARED_MAPPINGS,
        read={"objects": {"contact": {"objectName": "contact", "selectedFieldMappings": {"notes": "customSource"}}}},
    )
    await hubspot.done("contact", {"type": "create", "record": {"first_name": "Ada", "notes": "n", "phone": "1"}})
    assert sent(hubspot.crm)[-1][2] == {"properties": {"firstname": "Ada", "customSource": "n", "phone": "1"}}


async def test_create_a_record(hubspot: Customer, published: Published) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    answer = await hubspot.write("contact", person())
    assert answer.status_code == 200
    fits(published, answer)
    assert sent(hubspot.crm)[-1] == (
        "POST",
        "/crm/v3/objects/contact",
        {"properties": {"firstname": "Ada", "lastname": "Byron"}},
    )
    assert answer.json()["result"]["recordId"] in hubspot.crm.records("contacts")


async def test_create_a_record_with_associations(hubspot: Customer, published: Published) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    company = (await hubspot.done("companies", {"type": "create", "record": {"name": "Acme"}}))["result"]["recordId"]
    link = {"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}
    answer = await hubspot.write("contact", {**person(), "associations": [link]})
    fits(published, answer)
    assert hubspot.crm.records("contacts")[answer.json()["result"]["recordId"]].associations == [link]


@pytest.mark.parametrize("spelling", ["id", "Id", "ID"])
async def test_update_a_record(hubspot: Customer, published: Published, spelling: str) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    made = (await hubspot.done("contact", person()))["result"]["recordId"]
    answer = await hubspot.write("contact", {"type": "update", "record": {spelling: made, "lastname": "Lovelace"}})
    fits(published, answer)
    assert answer.json()["result"]["recordId"] == made
    assert sent(hubspot.crm)[-1][1:] == (f"/crm/v3/objects/contact/{made}", {"properties": {"lastname": "Lovelace"}})


async def test_update_a_salesforce_record_by_its_own_spelling(salesforce: Customer) -> None:
    await salesforce.move_in(ACCOUNTS)
    made = (await salesforce.done("Account", {"type": "create", "record": {"Name": "Acme"}}))["result"]["recordId"]
    await salesforce.done("Account", {"type": "update", "record": {"Id": made, "Phone": "1"}})
    assert sent(salesforce.crm)[-1][2] == {"Phone": "1"}
    assert salesforce.crm.org.rows[made]["Phone"] == "1"


ENABLED = {"objectName": "contact", "deletionSettings": {"enabled": True}}


@pytest.mark.parametrize("way", ["create installation", "update installation", "patch config content"])
async def test_delete_a_record_once_the_customer_allows_it(hubspot: Customer, published: Published, way: str) -> None:
    allowed = way == "create installation"
    chosen = ENABLED if allowed else {"objectName": "contact"}
    installation = await hubspot.move_in(THREE_OBJECTS, write={"objects": {"contact": chosen}})
    made = (await hubspot.done("contact", person()))["result"]["recordId"]
    delete = {"type": "delete", "record": {"id": made}}
    if not allowed:
        refused = await hubspot.write("contact", delete)
        assert refused.status_code == 400
        assert "not enabled" in refused.text
        fits(published, refused)
        await _allow(hubspot, installation["id"], way)
    answer = await hubspot.write("contact", delete)
    assert answer.status_code == 200, answer.text
    fits(published, answer)
    assert hubspot.crm.records("contacts")[made].archived


async def _allow(hubspot: Customer, installation_id: str, way: str) -> None:
    if way == "update installation":
        path = f"/integrations/crm/installations/{installation_id}"
        body: Json = {
            "updateMask": ["config.content.write.objects.contact"],
            "installation": {"config": {"content": {"write": {"objects": {"contact": ENABLED}}}}},
        }
    else:
        path = "/integrations/crm/objects/contact/config-content"
        change = {"op": "add", "path": "/deletionSettings", "value": {"enabled": True}}
        body = {"groupRef": "g1", "action": "write", "changes": [change]}
    answer = await hubspot.house.call("PATCH", path, json=body)
    assert answer.status_code == 200, answer.text


async def test_headers_reach_salesforce(salesforce: Customer) -> None:
    await salesforce.move_in(ACCOUNTS)
    body = {"type": "create", "record": {"LastName": "Byron", "Company": "Acme", "Email": "ada@acme.test"}}
    await salesforce.done("Lead", body)
    duplicate = await salesforce.write("Lead", body)
    assert duplicate.status_code == 422
    header = {"key": "Sforce-Duplicate-Rule-Header", "value": "allowSave=true"}
    await salesforce.done("Lead", {**body, "headers": [header, {"key": "X-Trace", "value": "t1"}]})
    assert salesforce.crm.requests[-1].headers["X-Trace"] == "t1"
    assert len(salesforce.crm.org.records("Lead")) == 2


async def test_create_many_records(hubspot: Customer, published: Published) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    batch = [{"record": person(firstname=name)["record"]} for name in ("Ada", "Mary")]
    answer = await hubspot.write("contact", {"type": "create", "batch": batch})
    fits(published, answer)
    assert (answer.json()["successCount"], answer.json()["failureCount"]) == (2, 0)
    written = [hubspot.crm.records("contacts")[each["recordId"]] for each in answer.json()["results"]]
    assert [each.properties["firstname"] for each in written] == ["Ada", "Mary"]


async def test_update_many_records(hubspot: Customer, published: Published) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    made = [(await hubspot.done("contact", person(firstname=name)))["result"]["recordId"] for name in ("Ada", "Mary")]
    batch = [{"record": {"id": each, "phone": f"+{each}"}} for each in made]
    answer = await hubspot.write("contact", {"type": "update", "batch": batch})
    fits(published, answer)
    assert [each["recordId"] for each in answer.json()["results"]] == made
    assert [hubspot.crm.records("contacts")[each].properties["phone"] for each in made] == [f"+{m}" for m in made]


async def test_create_many_records_each_with_its_associations(hubspot: Customer, published: Published) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    kind = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]
    batch = []
    for name in ("Acme", "Umbra"):
        made = await hubspot.done("companies", {"type": "create", "record": {"name": name}})
        link = {"to": {"id": made["result"]["recordId"]}, "types": kind}
        batch.append({"record": {"lastname": name}, "associations": [link]})
    answer = await hubspot.write("contact", {"type": "create", "batch": batch})
    fits(published, answer)
    written = [hubspot.crm.records("contacts")[each["recordId"]] for each in answer.json()["results"]]
    assert [each.associations for each in written] == [each["associations"] for each in batch]


async def test_a_batch_may_be_all_or_nothing(salesforce: Customer, published: Published) -> None:
    await salesforce.move_in(ACCOUNTS)
    batch = [{"record": {"Name": "Acme"}}, {"record": {"Nom": "Umbra"}}]
    answer = await salesforce.write("Account", {"type": "create", "batch": batch, "batchPolicy": {"allOrNone": True}})
    assert answer.status_code == 422
    fits(published, answer)
    assert (answer.json()["successCount"], salesforce.crm.org.records("Account")) == (0, [])


async def test_a_synchronous_write_is_answered_with_its_result(hubspot: Customer) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    assert (await hubspot.done("contact", {**person(), "mode": "synchronous"}))["result"]["success"]


LATER = [
    {"mode": "asynchronous"},
    {"mode": "asynchronous", "retryPolicy": {"deadlineHours": 24}},
    {"mode": "asynchronous", "autoBatchPolicy": {"maxDelayMinutes": 5, "retryDeadlineHours": 2}},
]


@pytest.mark.parametrize("members", LATER, ids=["plain", "with a retry policy", "with automatic batches"])
async def test_an_asynchronous_write_is_answered_with_its_operation_before_it_is_sent(
    hubspot: Customer, published: Published, members: Json
) -> None:
    await hubspot.move_in(THREE_OBJECTS)
    asked = len(hubspot.crm.requests)
    answer = await hubspot.write("contact", {**person(), **members})
    assert (answer.status_code, list(answer.json())) == (200, ["operationId"])
    fits(published, answer)
    assert await hubspot.state(answer.json()["operationId"]) == "queued"
    assert len(hubspot.crm.requests) == asked


async def written(customer: Customer, record: Json) -> tuple[Json, Json]:
    """Create with a record and update with the same one; tell what the provider received each time."""
    made = await customer.done("lead", {"type": "create", "record": record})
    create = sent(customer.crm)[-1][2]["properties"]
    await customer.done("lead", {"type": "update", "record": {"id": made["result"]["recordId"], **record}})
    return create, sent(customer.crm)[-1][2]["properties"]


async def test_customer_data_is_not_overwritten(hubspot: Customer) -> None:
    settings = {"hs_lead_label": {"writeOnUpdate": "never", "writeOnCreate": "always"}}
    await hubspot.move_in(LEADS, write={"objects": {"lead": {"objectName": "lead", "selectedFieldSettings": settings}}})
    record = {"hs_lead_name": "Ada", "hs_lead_label": "HOT"}
    assert await written(hubspot, record) == (record, {"hs_lead_name": "Ada"})


async def test_default_values_fill_what_is_missing(hubspot: Customer) -> None:
    settings = {
        "myCustomSource": {"default": {"stringValue": "web"}},
        "seats": {"default": {"integerValue": 0}},
        "newsletter": {"default": {"booleanValue": True}},
    }
    await hubspot.move_in(LEADS, write={"objects": {"lead": {"objectName": "lead", "selectedFieldSettings": settings}}})
    filled = {"hs_lead_name": "Ada", "myCustomSource": "web", "seats": "0", "newsletter": "true"}
    assert await written(hubspot, {"hs_lead_name": "Ada"}) == (filled, filled)
    given = {"myCustomSource": "", "seats": 7, "newsletter": False}
    strings = {"myCustomSource": "", "seats": "7", "newsletter": "false"}
    assert await written(hubspot, given) == (strings, strings)


async def test_mappings_defaults_and_overwrite_rules_combined(hubspot: Customer) -> None:
    setting = {"default": {"stringValue": "myApp"}, "writeOnCreate": "always", "writeOnUpdate": "never"}
    read = {
        "objectName": "lead",
        "destination": "inbox",
        "selectedFieldMappings": {"customSource": "myCustomSource"},
    }
    write = {"objectName": "lead", "inheritMapping": True, "selectedFieldSettings": {"customSource": setting}}
    await hubspot.move_in(LEADS, read={"objects": {"lead": read}}, write={"objects": {"lead": write}})
    without = {"hs_lead_name": "Ada"}
    assert await written(hubspot, without) == ({**without, "myCustomSource": "myApp"}, without)
    given = {**without, "customSource": "referral"}
    assert await written(hubspot, given) == ({**without, "myCustomSource": "referral"}, without)
