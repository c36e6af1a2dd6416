"""The connector's flows over the network, against the simulator."""

import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from connectors.connector import Account, Flow
from connectors.credentials import ApiKeyCredentials, authorize
from connectors.dispatch import send
from connectors.errors import Ambiguous, Refused
from connectors.gateway import Gateway
from connectors.hubspot.crm import HubSpot
from connectors.secret import Secret
from connectors.transport import perform
from installations.record import Change, RecordChange
from tests.connectors.hubspot.hubspot_models import request_problems
from tests.simulators.hubspot import TOKEN, HubSpotSimulator, running_hubspot

HUBSPOT = HubSpot()


class Bench:
    """One account at the simulator and the way to it."""

    def __init__(self, simulator: HubSpotSimulator, transport: Any) -> None:
        self.simulator = simulator
        self.account = Account(base_url=simulator.url)
        self._transport = transport

    async def run(self, flow: Flow[Any], *, token: str = TOKEN) -> Any:
        auth = authorize(HUBSPOT.provider, ApiKeyCredentials(api_key=Secret(token)))
        return await perform(flow, transport=self._transport, auth=auth, origin=self.account.base_url)

    async def create(self, object_name: str = "contacts", **fields: Any) -> str:
        outcome = await self.run(HUBSPOT.write(self.account, change(RecordChange(fields=fields), name=object_name)))
        return str(outcome.records[0].record_id)

    def values(self, record_id: str, object_name: str = "contacts") -> dict[str, str]:
        return self.simulator.records(object_name)[record_id].properties


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    transport = Gateway(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]).transport()
    async with running_hubspot() as simulator:
        yield Bench(simulator, transport)
        await transport.aclose()
    for asked in simulator.requests:
        assert request_problems(asked.method, asked.path, asked.body) == []


def change(*records: RecordChange, name: str = "contacts", **members: Any) -> Change:
    return Change(**({"action": "create", "object_name": name, "records": records} | members))


async def test_values_of_every_type_arrive_as_hubspot_wants_them(bench: Bench) -> None:
    made = await bench.create(
        email="Ada@Example.com",
        age=36.5,
        newsletter=True,
        flavours=["mint", "lemon"],
        birthday="1815-12-10",
        last_seen="2026-11-22T00:00:00Z",
        lifecyclestage="legacy",
    )
    assert bench.values(made) == {
        "email": "ada@example.com",
        "age": "36.5",
        "newsletter": "true",
        "flavours": "mint;lemon",
        "birthday": "1815-12-10",
        "last_seen": "2026-11-22T00:00:00Z",
        "lifecyclestage": "legacy",
    }


async def test_an_update_changes_only_what_it_names_and_null_clears(bench: Bench) -> None:
    made = await bench.create(email="a@example.com", firstname="Ada", lastname="L")
    update = change(RecordChange(id=made, fields={"firstname": "Augusta", "lastname": None}), action="update")
    outcome = await bench.run(HUBSPOT.write(bench.account, update))
    assert outcome.records[0].record_id == made
    assert bench.values(made) == {"email": "a@example.com", "firstname": "Augusta", "lastname": ""}


async def test_a_create_is_associated(bench: Bench) -> None:
    company = await bench.create("companies", name="Acme")
    link = {"to": {"id": company}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]}
    person = change(RecordChange(fields={"email": "a@example.com"}, associations=[link]))
    outcome = await bench.run(HUBSPOT.write(bench.account, person))
    assert bench.simulator.records("contacts")[outcome.records[0].record_id].associations == [link]


async def test_refusals_name_their_fields_and_the_record_in_the_way(bench: Bench) -> None:
    made = await bench.create(email="a@example.com")
    for fields, kind, named in (
        ({"gone": "x"}, "unknown_field", ("gone",)),
        ({"hubspotscore": 5}, "unknown_field", ("hubspotscore",)),
        ({"lifecyclestage": "nothing"}, "invalid", ("lifecyclestage",)),
        ({"email": "nonsense"}, "invalid", ("email",)),
        ({"email": "a@example.com"}, "conflict", ()),
    ):
        with pytest.raises(Refused) as caught:
            await bench.create(**fields)
        assert (caught.value.fault.kind, caught.value.fault.fields) == (kind, named)
    assert caught.value.fault.existing_id == made
    with pytest.raises(Refused) as caught:
        await bench.create("2-123", vin="1")
    assert (caught.value.fault.kind, caught.value.fault.fields) == ("invalid", ("model",))
    with pytest.raises(Refused) as caught:
        await bench.create("widgets", a="b")
    assert caught.value.fault.kind == "unknown_object"


async def test_a_partial_batch_keeps_its_order(bench: Bench) -> None:
    emails = ["a@example.com", "nonsense", "c@example.com"]
    batch = change(*(RecordChange(fields={"email": email}) for email in emails), batch=True)
    outcome = await bench.run(HUBSPOT.write_batch(bench.account, batch))
    first, second, third = outcome.records
    assert bench.values(first.record_id)["email"] == "a@example.com"
    assert (second.success, second.fault.kind, second.fault.fields) == (False, "invalid", ("email",))
    assert bench.values(third.record_id)["email"] == "c@example.com"


async def test_a_batch_that_is_all_or_nothing_is_one_or_the_other(bench: Bench) -> None:
    def batch(*emails: str) -> Change:
        return change(*(RecordChange(fields={"email": email}) for email in emails), batch=True, all_or_none=True)

    with pytest.raises(Refused):
        await bench.run(HUBSPOT.write_batch(bench.account, batch("a@example.com", "nonsense")))
    outcome = await bench.run(HUBSPOT.write_batch(bench.account, batch("B@example.com", "c@example.com")))
    assert [bench.values(item.record_id)["email"] for item in outcome.records] == ["b@example.com", "c@example.com"]


async def test_a_hundred_records_fit_and_a_batch_update_names_the_missing(bench: Bench) -> None:
    batch = change(*(RecordChange(fields={"email": f"p{n}@example.com"}) for n in range(100)), batch=True)
    outcome = await bench.run(HUBSPOT.write_batch(bench.account, batch))
    ids = [item.record_id for item in outcome.records]
    assert [bench.values(record_id)["email"] for record_id in ids[:2]] == ["p0@example.com", "p1@example.com"]
    updates = [RecordChange(id=record_id, fields={"age": 7}) for record_id in (ids[0], "9", ids[1])]
    outcome = await bench.run(HUBSPOT.write_batch(bench.account, change(*updates, action="update", batch=True)))
    assert [item.fault and item.fault.kind for item in outcome.records] == [None, "not_found", None]


async def test_an_upsert_creates_and_updates_by_email_and_by_an_own_key(bench: Bench) -> None:
    made = await bench.create(email="a@example.com", firstname="Ada", external_id="k1")
    for key, values in (("email", ("a@example.com", "b@example.com")), ("external_id", ("k1", "k2"))):
        records = (RecordChange(fields={key: value, "lastname": key}) for value in values)
        upsert = change(*records, action="upsert", match_field=key, batch=True)
        outcome = await bench.run(HUBSPOT.upsert(bench.account, upsert))
        assert [item.created for item in outcome.records] == [False, True]
        assert outcome.records[0].record_id == made
        assert bench.values(made)["lastname"] == key
    single = change(RecordChange(fields={"email": "a@example.com"}), action="upsert", match_field="email")
    assert (await bench.run(HUBSPOT.upsert(bench.account, single))).records[0].record_id == made


async def test_deletes_archive(bench: Bench) -> None:
    first, second = await bench.create(firstname="a"), await bench.create(firstname="b")
    await bench.run(HUBSPOT.delete(bench.account, change(RecordChange(id=first, fields={}), action="delete")))
    batch = change(RecordChange(id=second, fields={}), action="delete", batch=True)
    await bench.run(HUBSPOT.delete(bench.account, batch))
    assert all(entry.archived for entry in bench.simulator.records("contacts").values())


async def test_records_are_fetched_and_found(bench: Bench) -> None:
    made = await bench.create(email="a@example.com", firstname="Ada")
    await bench.create("companies", domain="a.example")
    fetched = await bench.run(HUBSPOT.fetch(bench.account, "contacts", ids=[made, "9"], fields=["firstname", "age"]))
    assert fetched == {made: {"firstname": "Ada", "age": None}}

    async def found(name: str, field: str, value: str) -> list[str]:
        return list(await bench.run(HUBSPOT.find(bench.account, name, field=field, value=value, fields=[])))

    assert await found("contacts", "email", "A@example.com") == [made]
    assert await found("contacts", "email", "nobody@example.com") == []
    assert await found("contacts", "firstname", "ada") == [made]
    assert len(await found("companies", "domain", "a.example")) == 1
    with pytest.raises(Refused) as caught:
        await found("contacts", "gone", "x")
    assert (caught.value.fault.kind, caught.value.fault.fields) == ("unknown_field", ("gone",))


async def test_objects_are_described(bench: Bench) -> None:
    contact = await bench.run(HUBSPOT.describe(bench.account, "contacts"))
    types = {name: item.value_type for name, item in contact.fields.items()}
    assert types["flavours"] == "multiSelect"
    assert types["newsletter"] == "boolean"
    assert contact.fields["hubspotscore"].read_only
    car = await bench.run(HUBSPOT.describe(bench.account, "2-123"))
    assert [name for name, item in car.fields.items() if item.is_required] == ["model"]
    with pytest.raises(Refused) as caught:
        await bench.run(HUBSPOT.describe(bench.account, "widgets"))
    assert caught.value.fault.kind == "unknown_object"


async def test_a_probe_tells_a_good_token_from_a_bad_one(bench: Bench) -> None:
    await bench.run(HUBSPOT.probe(bench.account))
    with pytest.raises(Refused) as caught:
        await bench.run(HUBSPOT.probe(bench.account), token="wrong")
    assert caught.value.fault.kind == "auth"


async def test_a_spent_limit_says_when_to_come_back(bench: Bench) -> None:
    bench.simulator.rate_limit_next("DAILY")
    with pytest.raises(Refused) as caught:
        await bench.create(firstname="Ada")
    assert (caught.value.fault.kind, caught.value.fault.retry_after_seconds) == ("rate_limited", 3600.0)


async def test_a_create_whose_answer_is_lost_is_ambiguous_and_can_be_looked_up(bench: Bench) -> None:
    bench.simulator.drop_next()
    with pytest.raises(Ambiguous):
        await bench.create(email="a@example.com")
    assert len(bench.simulator.requests) == 1
    find = HUBSPOT.find(bench.account, "contacts", field="email", value="a@example.com", fields=["email"])
    assert list((await bench.run(find)).values()) == [{"email": "a@example.com"}]


async def test_ten_thousand_creates_are_a_hundred_calls(bench: Bench) -> None:
    records = tuple(RecordChange(fields={"email": f"u{number}@b.example"}) for number in range(10_000))
    outcome = await bench.run(send(HUBSPOT, bench.account, change(*records, batch=True)))
    assert bench.simulator.calls == {"POST /crm/v3/objects/{type}/batch/create": 100}
    assert len({record.record_id for record in outcome.records if record.success}) == 10_000
    bench.simulator.requests.clear()  # Their shape is held by the other tests, and holding a hundred takes a second.
