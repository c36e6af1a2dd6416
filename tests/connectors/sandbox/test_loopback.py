"""The connector against the real server, over the real transport."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from connectors.connector import Account, Flow
from connectors.credentials import ApiKeyCredentials, authorize
from connectors.errors import Ambiguous, ConnectorError, Refused, Unreadable
from connectors.sandbox.access import DEMO_KEY, DEMO_READ_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.data import SANDBOX
from connectors.secret import Secret
from connectors.transport import perform
from connectors.wire import AioTransport
from installations.record import Change, RecordChange
from installations.schema import Choice

CRM = SandboxConnector()


class Caller:
    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
        self.account = Account(base_url=base_url)
        self._transport = transport

    async def __call__(self, flow: Flow[Any], *, key: str = DEMO_KEY) -> Any:
        auth = authorize(SANDBOX, ApiKeyCredentials(api_key=Secret(key)))
        return await perform(flow, transport=self._transport, auth=auth, origin=self.account.base_url)

    async def write(self, change: Change) -> Any:
        return await self(CRM.write(self.account, change))


@pytest.fixture
async def call(base_url: str) -> AsyncIterator[Caller]:
    transport = AioTransport()
    yield Caller(base_url, transport)
    await transport.aclose()


def create(*records: dict[str, Any], **members: Any) -> Change:
    made = tuple(RecordChange(fields=fields) for fields in records)
    return Change(**({"action": "create", "object_name": "contacts", "records": made} | members))


async def test_a_record_lives_from_create_to_delete(call: Caller) -> None:
    created = await call.write(create({"email": "ann@b.example", "firstName": "Ann", "address": {"city": "Graz"}}))
    record_id = created.records[0].record_id
    patch = RecordChange(id=record_id, fields={"lastName": "Ace", "address": {"country": "AT"}})
    updated = await call.write(Change(action="update", object_name="contacts", records=(patch,)))
    assert updated.records[0].data["fields"]["fullName"] == "Ann Ace"
    asked = ["$['address']['city']", "fullName"]
    fetched = await call(CRM.fetch(call.account, "contacts", ids=[record_id, "con_0"], fields=asked))
    assert fetched == {record_id: {"address": {"city": "Graz", "country": "AT"}, "fullName": "Ann Ace"}}
    gone = Change(action="delete", object_name="contacts", records=(RecordChange(id=record_id, fields={}),))
    assert (await call(CRM.delete(call.account, gone))).records[0].success
    with pytest.raises(Refused) as refused:
        await call(CRM.delete(call.account, gone))
    assert refused.value.fault.kind == "not_found"


async def test_a_batch_is_partial_unless_told_otherwise(call: Caller) -> None:
    mixed = create({"email": "a@b.example"}, {"email": "no"}, {"email": "A@B.example"}, batch=True)
    outcome = await call(CRM.write_batch(call.account, mixed))
    assert [each.fault and each.fault.kind for each in outcome.records] == [None, "invalid", "conflict"]
    assert outcome.records[2].fault.existing_id == outcome.records[0].record_id
    none = create({"email": "new@b.example"}, {"email": "no"}, batch=True, all_or_none=True)
    outcome = await call(CRM.write_batch(call.account, none))
    assert [each.fault.code for each in outcome.records] == ["not_applied", "invalid_format"]
    found = await call(CRM.find(call.account, "contacts", field="email", value="new@b.example", fields=["email"]))
    assert found == {}


async def test_an_upsert_says_whether_it_created(call: Caller) -> None:
    change = create({"email": "ann@b.example", "score": 1}, action="upsert", match_field="email")
    outcomes = [await call(CRM.upsert(call.account, change)) for _ in range(2)]
    assert [outcome.records[0].created for outcome in outcomes] == [True, False]
    assert outcomes[0].records[0].record_id == outcomes[1].records[0].record_id
    both = create(
        {"email": "ann@b.example"}, {"email": "bob@b.example"}, action="upsert", match_field="email", batch=True
    )
    outcome = await call(CRM.upsert(call.account, both))
    assert [each.created for each in outcome.records] == [False, True]


@pytest.mark.parametrize("field", ["email", "score", "subscribed", "$['address']['city']", "interests"])
async def test_records_are_found_by_any_field(call: Caller, field: str) -> None:
    values = {"email": "ann@b.example", "score": 5, "subscribed": True, "address": {"city": "Graz"}}
    created = await call.write(create(values | {"interests": ["events", "training"]}))
    wanted = {"$['address']['city']": "Graz", "interests": "training"} | values
    found = await call(CRM.find(call.account, "contacts", field=field, value=wanted[field], fields=["email"]))
    assert found == {created.records[0].record_id: {"email": "ann@b.example"}}


async def test_the_schema_tells_types_choices_and_limits(call: Caller) -> None:
    described = await call(CRM.describe(call.account, "contacts"))
    assert described.display_name == "Contacts"
    by_name = described.fields
    assert {name: by_name[name].value_type for name in ("email", "score", "rating", "interests", "birthday")} == {
        "email": "string",
        "score": "int",
        "rating": "float",
        "interests": "multiSelect",
        "birthday": "date",
    }
    assert by_name["id"].read_only
    assert by_name["email"].is_required
    assert by_name["x_tshirtSize"].is_custom
    assert by_name["companyId"].reference_to == ("companies",)
    assert by_name["lifecycleStage"].values[0] == Choice(value="lead", display_value="Lead")
    assert by_name["address"].value_type == "other"
    assert by_name["$['address']['city']"].value_type == "string"


async def test_an_object_that_is_not_there_is_called_so(call: Caller) -> None:
    with pytest.raises(Refused) as refused:
        await call(CRM.describe(call.account, "unicorns"))
    assert refused.value.fault.kind == "unknown_object"


async def test_a_probe_tells_a_good_key_from_a_bad_one(call: Caller) -> None:
    await call(CRM.probe(call.account))
    with pytest.raises(Refused) as refused:
        await call(CRM.probe(call.account), key="wrong")
    assert refused.value.fault.kind == "auth"
    with pytest.raises(Refused) as refused:
        await call(CRM.write(call.account, create({"email": "a@b.example"})), key=DEMO_READ_KEY)
    assert refused.value.fault.kind == "forbidden"


FAULTS: tuple[tuple[dict[str, Any], type[ConnectorError], str, int], ...] = (
    ({"kind": "rate_limit", "retryAfterSeconds": 5}, Refused, "rate_limited", 0),
    ({"kind": "rate_limit", "retryAfterSeconds": 5, "retryAfterForm": "date"}, Refused, "rate_limited", 0),
    ({"kind": "status", "status": 401}, Refused, "auth", 0),
    ({"kind": "status", "status": 500}, Ambiguous, "ambiguous", 0),
    ({"kind": "status", "status": 503, "when": "after"}, Ambiguous, "ambiguous", 1),
    ({"kind": "drop"}, Ambiguous, "ambiguous", 0),
    ({"kind": "drop", "when": "after"}, Ambiguous, "ambiguous", 1),
    ({"kind": "broken_json"}, Unreadable, "unrecognised", 1),
)


@pytest.mark.parametrize(("fault", "error", "kind", "effects"), FAULTS, ids=str)
async def test_a_fault_is_named_truly(
    call: Caller,
    client: httpx.AsyncClient,
    *,
    fault: dict[str, Any],
    error: type[ConnectorError],
    kind: str,
    effects: int,
) -> None:
    await client.put("/_sandbox/faults", json={"faults": [fault]})
    with pytest.raises(error) as raised:
        await call.write(create({"email": "a@b.example"}))
    assert raised.value.fault.kind == kind
    if kind == "rate_limited":
        assert raised.value.fault.retry_after_seconds == pytest.approx(5, abs=1)
    assert (await client.get("/_sandbox/ledger")).json()["total"] == effects
