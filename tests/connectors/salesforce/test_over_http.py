"""The connector against the simulated organisation, over real HTTP and our own way out."""

from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any, TypeVar

import httpx
import pytest
import pytest_asyncio

from connectors.connector import Account, Flow
from connectors.credentials import AuthorizationCodeTokens, authorize
from connectors.dispatch import send
from connectors.errors import Ambiguous, ConnectorError, Refused
from connectors.gateway import Gateway
from connectors.salesforce.connector import Salesforce
from connectors.salesforce.provider import SALESFORCE
from connectors.secret import Secret
from connectors.transport import perform
from installations.record import Change, Header, Outcome, RecordChange
from tests.simulators.salesforce import TOKEN, SalesforceSimulator, running_salesforce

T = TypeVar("T")
CONNECTOR = Salesforce()


class Customer:
    """One customer's connection."""

    def __init__(self, simulator: SalesforceSimulator, transport: httpx.AsyncBaseTransport) -> None:
        self.simulator = simulator
        self.account = Account(base_url=simulator.url)
        self._transport = transport

    async def perform(self, flow: Flow[T], *, token: str = TOKEN) -> T:
        auth = authorize(SALESFORCE, AuthorizationCodeTokens(access_token=Secret(token)))
        return await perform(flow, transport=self._transport, auth=auth, origin=self.account.base_url)

    async def write(self, action: str, *records: RecordChange, to: str = "account", **rest: Any) -> Outcome:
        change = Change(action=action, object_name=to, records=records, **rest)  # type: ignore[arg-type]
        return await self.perform(send(CONNECTOR, self.account, change))

    async def refused(self, action: str, *records: RecordChange, **rest: Any) -> ConnectorError:
        with pytest.raises(ConnectorError) as error:
            await self.write(action, *records, **rest)
        return error.value

    def rows(self, name: str = "Account") -> list[dict[str, Any]]:
        return self.simulator.org.records(name)


@pytest_asyncio.fixture
async def customer() -> AsyncIterator[Customer]:
    transport = Gateway(allowed_networks=(ip_network("127.0.0.0/8"),)).transport()
    async with running_salesforce() as simulator:
        yield Customer(simulator, transport)
        await transport.aclose()


def new(**fields: Any) -> RecordChange:
    return RecordChange(fields=fields)


async def test_a_record_is_created_updated_fetched_and_deleted(customer: Customer) -> None:
    (made,) = (await customer.write("create", new(name="Acme", Industry="Energy"))).records
    assert made.success
    record_id = made.record_id or ""
    assert [row["Name"] for row in customer.rows()] == ["Acme"]
    await customer.write("update", RecordChange(id=record_id[:15], fields={"Phone": "1", "Industry": None}))
    flow = CONNECTOR.fetch(
        customer.account,
        "Account",
        ids=[record_id[:15], "001000000000000", "bogus"],
        fields=["Name", "phone", "Industry"],
    )
    found = await customer.perform(flow)
    assert found == {record_id[:15]: {"Id": record_id, "Name": "Acme", "phone": "1", "Industry": None}}
    await customer.write("delete", RecordChange(id=record_id, fields={}))
    assert customer.rows() == []
    error = await customer.refused("delete", RecordChange(id=record_id, fields={}))
    assert (error.fault.kind, error.fault.code) == ("not_found", "ENTITY_IS_DELETED")


async def test_a_batch_is_partial_and_keeps_its_order(customer: Customer) -> None:
    outcome = await customer.write("create", new(Name="A"), new(Phone="1"), new(Name="C"), batch=True)
    assert [record.success for record in outcome.records] == [True, False, True]
    fault = outcome.records[1].fault
    assert fault is not None
    assert (fault.kind, fault.fields, fault.message) == ("invalid", ("Name",), "Required fields are missing: [Name]")
    ids = [record.record_id for record in outcome.records if record.success]
    updates = [RecordChange(id=one, fields={"Phone": str(place)}) for place, one in enumerate(ids)]
    outcome = await customer.write("update", *updates, batch=True)
    assert [row["Phone"] for row in customer.rows()] == ["0", "1"]
    gone = RecordChange(id="001000000000000", fields={})
    outcome = await customer.write("delete", *updates, gone, batch=True)
    assert [record.success for record in outcome.records] == [True, True, False]
    assert outcome.records[2].fault is not None
    assert outcome.records[2].fault.kind == "not_found"
    assert customer.rows() == []


async def test_an_all_or_none_batch_leaves_nothing_and_blames_the_guilty(customer: Customer) -> None:
    outcome = await customer.write("create", new(Name="A"), new(Phone="1"), batch=True, all_or_none=True)
    codes = [record.fault.code for record in outcome.records if record.fault is not None]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert customer.rows() == []


async def test_a_locked_row_makes_an_all_or_none_batch_repeatable(customer: Customer) -> None:
    outcome = await customer.write("create", new(Name="A"), new(Name="B"), batch=True)
    ids = [record.record_id or "" for record in outcome.records]
    customer.simulator.org.locked.add(ids[1])
    updates = [RecordChange(id=one, fields={"Phone": "1"}) for one in ids]
    outcome = await customer.write("update", *updates, batch=True, all_or_none=True)
    assert [record.fault.kind for record in outcome.records if record.fault] == ["locked", "locked"]
    error = await customer.refused("update", updates[1])
    assert (error.fault.kind, error.fault.status) == ("locked", 400)
    assert all(row["Phone"] is None for row in customer.rows())


@pytest.mark.parametrize("key", ["k", "a b+c?d#e&f", "Zoë ☃", "x@y.inc", "..", "a/b", "50%25", "'; DROP"])
async def test_an_upsert_creates_then_updates_whatever_the_key(customer: Customer, key: str) -> None:
    first = await customer.write("upsert", new(Ext__c=key, Name="A"), match_field="ext__c")
    second = await customer.write("upsert", new(Ext__c=key, Name="B"), match_field="Ext__c")
    assert [first.records[0].created, second.records[0].created] == [True, False]
    assert first.records[0].record_id == second.records[0].record_id
    assert [(row["Ext__c"], row["Name"]) for row in customer.rows()] == [(key, "B")]


async def test_an_upsert_by_a_number_and_a_batch_of_upserts_meet(customer: Customer) -> None:
    await customer.write("upsert", new(Number__c=17, Name="A"), match_field="Number__c", to="project__c")
    outcome = await customer.write(
        "upsert", new(Number__c=17, Name="B"), new(Number__c=18), match_field="Number__c", to="Project__c", batch=True
    )
    assert [record.created for record in outcome.records] == [False, True]
    assert [(row["Number__c"], row["Name"]) for row in customer.rows("Project__c")] == [(17, "B"), (18, None)]


async def test_an_upsert_that_meets_two_records_writes_neither(customer: Customer) -> None:
    await customer.write("create", new(Name="A", Legacy__c="L"), new(Name="B", Legacy__c="L"), batch=True)
    alone = await customer.refused("upsert", new(Legacy__c="L", Name="C"), match_field="Legacy__c")
    assert (alone.fault.kind, alone.fault.status) == ("conflict", 300)
    outcome = await customer.write("upsert", new(Legacy__c="L", Name="C"), match_field="Legacy__c", batch=True)
    assert outcome.records[0].fault is not None
    assert outcome.records[0].fault.kind == "conflict"
    assert [row["Name"] for row in customer.rows()] == ["A", "B"]


async def test_an_upsert_by_a_standard_field_goes_by_what_a_look_up_found(customer: Customer) -> None:
    """Salesforce upserts by external ids only; a look-up, and a create or an update, stand in."""
    outcomes = []
    for email, name in (("a'b@c.d", "A"), ("A'B@c.d", "B")):
        look_up = CONNECTOR.find(customer.account, "Contact", field="Email", value=email, fields=("Email",))
        found = next(iter(await customer.perform(look_up)), None)
        record = RecordChange(fields={"Email": email, "LastName": name}, id=found)
        outcomes.append(await customer.write("upsert", record, match_field="Email", to="Contact"))
    assert [outcome.records[0].created for outcome in outcomes] == [True, False]
    assert [row["LastName"] for row in customer.rows("Contact")] == ["B"]


async def test_a_parent_can_be_named_by_external_id(customer: Customer) -> None:
    await customer.write("create", new(Name="Acme", Ext__c="acme"))
    await customer.write("create", new(LastName="Ada", Account={"Ext__c": "acme"}), to="contact")
    assert customer.rows("Contact")[0]["AccountId"] == customer.rows()[0]["Id"]
    error = await customer.refused("create", new(LastName="Bob", Account={"Ext__c": "none"}), to="contact")
    assert error.fault.kind == "invalid"
    found = await customer.perform(
        CONNECTOR.find(customer.account, "Contact", field="LastName", value="ada", fields=["LastName", "Account.Name"])
    )
    assert list(found.values()) == [
        {"Id": customer.rows("Contact")[0]["Id"], "LastName": "Ada", "Account": {"Name": "Acme"}}
    ]


@pytest.mark.parametrize("name", ["O'Hara", "\\", "\\'", "x' OR Name != '", 'a"b', "line\nbreak\ttab", "Zoë %_"])
async def test_a_look_up_finds_the_value_and_nothing_else(customer: Customer, name: str) -> None:
    await customer.write("create", new(Name="other"), new(Name=name), batch=True)
    flow = CONNECTOR.find(customer.account, "account", field="Name", value=name, fields=["Name"])
    assert [row["Name"] for row in (await customer.perform(flow)).values()] == [name]


async def test_a_duplicate_rule_gives_way_to_the_header_that_the_caller_sends(customer: Customer) -> None:
    lead = new(LastName="Ada", Company="X", Email="ada@example.com")
    await customer.write("create", lead, to="Lead")
    error = await customer.refused("create", lead, to="Lead")
    assert (error.fault.kind, error.fault.code) == ("conflict", "DUPLICATES_DETECTED")
    allow = (Header(key="Sforce-Duplicate-Rule-Header", value="allowSave=true"),)
    assert (await customer.write("create", lead, to="Lead", headers=allow)).records[0].success


async def test_a_schema_is_described(customer: Customer) -> None:
    schema = await customer.perform(CONNECTOR.describe(customer.account, "account"))
    assert schema.name == "Account"
    assert schema.fields["Name"].is_required is True
    assert schema.fields["Active__c"].is_required is False
    assert schema.fields["Id"].read_only is True
    assert schema.fields["ParentId"].reference_to == ("Account",)
    assert schema.fields["Industry"].values
    assert [choice.value for choice in schema.fields["Industry"].values] == ["Energy", "Media"]
    with pytest.raises(Refused) as unknown:
        await customer.perform(CONNECTOR.describe(customer.account, "Nothing__c"))
    assert unknown.value.fault.kind == "unknown_object"


async def test_a_probe_tells_a_good_token_from_a_bad_one(customer: Customer) -> None:
    await customer.perform(CONNECTOR.probe(customer.account))
    with pytest.raises(Refused) as refused:
        await customer.perform(CONNECTOR.probe(customer.account), token="stale")
    assert refused.value.fault.kind == "auth"


REFUSALS: list[tuple[str, RecordChange, dict[str, Any], str, tuple[str, ...]]] = [
    ("create", new(Name="A", Testing__c=1), {}, "unknown_field", ("Testing__c",)),
    ("create", new(Name="A", Testing__c=1), {"batch": True}, "unknown_field", ("Testing__c",)),
    ("create", new(Name="A", CreatedDate="2020-01-01T00:00:00Z"), {}, "unknown_field", ("CreatedDate",)),
    ("create", new(Name="A"), {"to": "Nothing__c"}, "unknown_object", ()),
    ("create", new(Name="A", Tier__c="Tin"), {}, "invalid", ("Tier__c",)),
    ("create", new(Name="A" * 256), {}, "invalid", ("Name",)),
    ("update", RecordChange(id="001000000000000", fields={"Name": "A"}), {}, "not_found", ()),
    ("upsert", new(Nope__c="a", Name="A"), {"match_field": "Nope__c"}, "unknown_field", ()),
    ("upsert", new(Nope__c="a", Name="A"), {"match_field": "Nope__c", "batch": True}, "unknown_field", ()),
]


@pytest.mark.parametrize(("action", "record", "rest", "kind", "fields"), REFUSALS)
async def test_a_refusal_arrives_with_its_kind(
    customer: Customer, *, action: str, record: RecordChange, rest: dict[str, Any], kind: str, fields: tuple[str, ...]
) -> None:
    error = await customer.refused(action, record, **rest)
    assert isinstance(error, Refused)
    assert (error.fault.kind, error.fault.fields) == (kind, fields)
    assert customer.rows() == []


async def test_a_unique_value_names_the_record_that_has_it(customer: Customer) -> None:
    made = await customer.write("create", new(Name="A", Ext__c="k"))
    error = await customer.refused("create", new(Name="B", Ext__c="K"))
    assert error.fault.kind == "conflict"
    assert error.fault.existing_id == (made.records[0].record_id or "")[:15]


async def test_a_spent_day_is_a_limit_and_a_server_error_is_ambiguous(customer: Customer) -> None:
    customer.simulator.rate_limit_next()
    limited = await customer.refused("create", new(Name="A"))
    assert (limited.fault.kind, limited.fault.status) == ("rate_limited", 403)
    customer.simulator.answer_next(500, "UNKNOWN_EXCEPTION", "An unexpected error occurred")
    assert isinstance(await customer.refused("create", new(Name="A")), Ambiguous)


async def test_a_lost_answer_is_ambiguous_and_a_look_up_settles_it(customer: Customer) -> None:
    customer.simulator.drop_next()
    assert isinstance(await customer.refused("create", new(Name="A", Ext__c="k")), Ambiguous)
    found = await customer.perform(
        CONNECTOR.find(customer.account, "Account", field="Ext__c", value="k", fields=["Name"])
    )
    assert [row["Name"] for row in found.values()] == ["A"]
    assert len([asked for asked in customer.simulator.requests if asked.method == "POST"]) == 1
