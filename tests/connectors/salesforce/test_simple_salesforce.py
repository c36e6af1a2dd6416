"""A client library of the community drives the simulator, so that a simulator that lies is found out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce as Client
from simple_salesforce.exceptions import (
    SalesforceError,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
)
from simple_salesforce.format import format_external_id, format_soql
from simple_salesforce.util import Usage

from tests.simulators.salesforce import TOKEN, SalesforceSimulator, running_salesforce


class Downgrade(HTTPAdapter):
    """Sends in the clear what the client insists on calling https."""

    def send(self, request: requests.PreparedRequest, *args: Any, **rest: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, *args, **rest)


class Driver:
    """The client, which is synchronous, on a thread of its own."""

    def __init__(self, url: str, *, token: str = TOKEN) -> None:
        secure = url.replace("http://", "https://")
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount(secure, Downgrade())
        self._client = Client(instance_url=secure, session_id=token, session=self._session, version="60.0")

    async def __call__(self, call: Callable[[Any], Any]) -> Any:
        return await asyncio.to_thread(call, self._client)

    def close(self) -> None:
        self._session.close()


def codes(error: SalesforceError) -> list[str]:
    content: Any = error.content
    return [each["errorCode"] for each in content]


@pytest_asyncio.fixture
async def simulator() -> AsyncIterator[SalesforceSimulator]:
    async with running_salesforce() as running:
        yield running


@pytest_asyncio.fixture
async def drive(simulator: SalesforceSimulator) -> AsyncIterator[Driver]:
    driver = Driver(simulator.url)
    yield driver
    driver.close()


async def test_it_creates_reads_updates_and_deletes(drive: Driver) -> None:
    created = await drive(lambda sf: sf.Account.create({"Name": "Acme"}))
    assert created["success"] is True
    assert created["errors"] == []
    record_id = created["id"]
    assert len(record_id) == 18
    assert await drive(lambda sf: sf.Account.update(record_id, {"Phone": "1"})) == 204
    read = await drive(lambda sf: sf.Account.get(record_id[:15]))
    assert (read["Name"], read["Phone"], read["attributes"]["type"]) == ("Acme", "1", "Account")
    assert await drive(lambda sf: sf.Account.delete(record_id)) == 204
    with pytest.raises(SalesforceResourceNotFound) as gone:
        await drive(lambda sf: sf.Account.get(record_id))
    assert codes(gone.value) == ["ENTITY_IS_DELETED"]


async def test_it_upserts_by_external_id_and_reads_by_it(drive: Driver) -> None:
    key = format_external_id("Ext__c", "a b/c&d")
    assert await drive(lambda sf: sf.Account.upsert(key, {"Name": "Acme"})) == 201
    assert await drive(lambda sf: sf.Account.upsert(key, {"Name": "Acme 2"})) == 200
    raw = await drive(lambda sf: sf.Account.upsert(key, {"Phone": "1"}, raw_response=True))
    assert raw.json()["created"] is False
    assert (await drive(lambda sf: sf.Account.get(key)))["Name"] == "Acme 2"


async def test_several_records_with_one_external_id_are_told_apart_by_nobody(drive: Driver) -> None:
    await drive(lambda sf: [sf.Account.create({"Name": name, "Legacy__c": "L"}) for name in ("A", "B")])
    with pytest.raises(SalesforceMoreThanOneRecord) as several:
        await drive(lambda sf: sf.Account.upsert("Legacy__c/L", {"Name": "C"}))
    assert len(several.value.content) == 2


async def test_it_describes_an_object_and_all_objects(drive: Driver) -> None:
    described = await drive(lambda sf: sf.Account.describe())
    fields = {field["name"]: field for field in described["fields"]}
    assert fields["Name"]["nillable"] is False
    assert fields["Ext__c"]["externalId"] is True
    assert [value["value"] for value in fields["Industry"]["picklistValues"] if value["active"]] == ["Energy", "Media"]
    assert (await drive(lambda sf: sf.Account.metadata()))["objectDescribe"]["keyPrefix"] == "001"
    everything = await drive(lambda sf: sf.describe())
    assert {each["name"] for each in everything["sobjects"]} == {"Account", "Contact", "Lead", "Project__c"}


@pytest.mark.parametrize("name", ['Bob\'s "BBQ" \\ Söhne\n', "x' OR Name != '", "plain"])
async def test_it_queries_with_values_that_need_escaping(drive: Driver, name: str) -> None:
    await drive(lambda sf: [sf.Account.create({"Name": each}) for each in (name, "other")])
    query = format_soql("SELECT Id, Name FROM Account WHERE Name = {}", name)
    found = await drive(lambda sf: sf.query(query))
    assert (found["totalSize"], found["done"]) == (1, True)
    assert found["records"][0]["Name"] == name


async def test_it_queries_by_a_list_without_regard_to_case(drive: Driver) -> None:
    await drive(lambda sf: [sf.Account.create({"Name": each}) for each in ("plain", "apart")])
    query = format_soql("SELECT Name FROM Account WHERE Name IN {} LIMIT 1", ["plain", "PLAIN", "other"])
    everything = await drive(lambda sf: sf.query_all(query))
    assert [row["Name"] for row in everything["records"]] == ["plain"]


async def test_it_writes_and_reads_collections_by_the_generic_call(drive: Driver) -> None:
    record = {"attributes": {"type": "Account"}, "Name": "A"}
    body = {"allOrNone": False, "records": [record, {"attributes": {"type": "Account"}}]}
    made = await drive(lambda sf: sf.restful("composite/sobjects", method="POST", json=body))
    assert [each["success"] for each in made] == [True, False]
    assert made[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    params = {"ids": f"{made[0]['id']},001000000000000AAA", "fields": "Id,Name"}
    read = await drive(lambda sf: sf.restful("composite/sobjects/Account", params=params))
    assert read[0]["Name"] == "A"
    assert read[1] is None
    body = {"records": [{"attributes": {"type": "Account"}, "Ext__c": "k", "Name": "B"}]}
    upserted = await drive(lambda sf: sf.restful("composite/sobjects/Account/Ext__c", method="PATCH", json=body))
    assert upserted[0]["created"] is True
    params = {"ids": f"{made[0]['id']},{upserted[0]['id']}"}
    deleted = await drive(lambda sf: sf.restful("composite/sobjects", params=params, method="DELETE"))
    assert [each["success"] for each in deleted] == [True, True]


async def test_it_reads_the_limits_and_the_usage_of_each_call(drive: Driver) -> None:
    limits = await drive(lambda sf: sf.limits())
    assert limits["DailyApiRequests"]["Max"] == 15000
    usage = await drive(lambda sf: sf.api_usage)
    assert usage["api-usage"] == Usage(used=1, total=15000)


async def test_a_wrong_token_is_an_expired_session(simulator: SalesforceSimulator) -> None:
    driver = Driver(simulator.url, token="another")
    with pytest.raises(SalesforceExpiredSession) as expired:
        await driver(lambda sf: sf.Account.create({"Name": "Acme"}))
    driver.close()
    assert codes(expired.value) == ["INVALID_SESSION_ID"]


CALLS: list[tuple[Callable[[Any], Any], type[SalesforceError], str]] = [
    (lambda sf: sf.Account.create({"Name": "A", "Testing__c": 1}), SalesforceMalformedRequest, "INVALID_FIELD"),
    (lambda sf: sf.Account.create({"Id": "001", "Name": "A"}), SalesforceMalformedRequest, "INVALID_FIELD"),
    (lambda sf: sf.Account.create({"Phone": "1"}), SalesforceMalformedRequest, "REQUIRED_FIELD_MISSING"),
    (
        lambda sf: sf.Account.create({"Name": "A", "CreatedDate": "2020-01-01"}),
        SalesforceMalformedRequest,
        "INVALID_FIELD_FOR_INSERT_UPDATE",
    ),
    (lambda sf: sf.Account.create({"Name": "A" * 256}), SalesforceMalformedRequest, "STRING_TOO_LONG"),
    (
        lambda sf: sf.Account.create({"Name": "A", "Active__c": "maybe"}),
        SalesforceMalformedRequest,
        "JSON_PARSER_ERROR",
    ),
    (
        lambda sf: sf.Account.create({"Name": "A", "Tier__c": "Tin"}),
        SalesforceMalformedRequest,
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
    ),
    (lambda sf: sf.Account.update("bogus", {}), SalesforceMalformedRequest, "MALFORMED_ID"),
    (lambda sf: sf.Account.update("001000000000000AAA", {}), SalesforceResourceNotFound, "NOT_FOUND"),
    (lambda sf: sf.Nothing__c.create({}), SalesforceResourceNotFound, "NOT_FOUND"),
    (lambda sf: sf.Account.upsert("Phone/1", {"Name": "A"}), SalesforceResourceNotFound, "NOT_FOUND"),
    (lambda sf: sf.Account.upsert("Ext__c/1", {"ext__c": "1"}), SalesforceMalformedRequest, "INVALID_FIELD"),
    (lambda sf: sf.query("SELECT Nope FROM Account"), SalesforceMalformedRequest, "INVALID_FIELD"),
    (lambda sf: sf.query("SELECT Id FROM Nope"), SalesforceMalformedRequest, "INVALID_TYPE"),
    (lambda sf: sf.query("SELECT Id FROM Account WHERE Name = 'a"), SalesforceMalformedRequest, "MALFORMED_QUERY"),
    (lambda sf: sf.query(r"SELECT Id FROM Account WHERE Name = '\q'"), SalesforceMalformedRequest, "MALFORMED_QUERY"),
    (lambda sf: sf.restful("nowhere"), SalesforceResourceNotFound, "NOT_FOUND"),
    (lambda sf: sf.restful("limits", method="PUT"), SalesforceGeneralError, "METHOD_NOT_ALLOWED"),
]


@pytest.mark.parametrize(("call", "error", "code"), CALLS)
async def test_a_refusal_raises_the_clients_typed_error(
    drive: Driver, call: Callable[[Any], Any], error: type[SalesforceError], code: str
) -> None:
    with pytest.raises(error) as refused:
        await drive(call)
    assert codes(refused.value) == [code]


async def test_a_spent_day_refuses_the_request(simulator: SalesforceSimulator, drive: Driver) -> None:
    simulator.rate_limit_next()
    with pytest.raises(SalesforceRefusedRequest):
        await drive(lambda sf: sf.Account.create({"Name": "Acme"}))
    assert simulator.org.records("Account") == []
