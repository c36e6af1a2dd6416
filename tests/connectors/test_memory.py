from typing import Any

import httpx
import pytest

from connectors.connector import Account, Flow
from connectors.errors import Ambiguous, Refused
from connectors.memory.connector import MEMORY, Memory
from connectors.memory.server import MemoryServer
from connectors.transport import perform
from installations.record import Action, Change, RecordChange
from installations.schema import FieldMetadata

ACCOUNT = Account(base_url=MEMORY.base_url)
CONNECTOR = Memory()


def change(action: Action, *records: RecordChange, **more: Any) -> Change:
    return Change(action=action, object_name="people", records=records, **more)


async def run(server: MemoryServer, flow: Flow[Any]) -> Any:
    return await perform(flow, transport=server, auth=httpx.Auth(), origin=ACCOUNT.base_url)


async def test_a_record_is_created_updated_found_fetched_and_deleted() -> None:
    server = MemoryServer()
    created = await run(server, CONNECTOR.write(ACCOUNT, change("create", RecordChange(fields={"name": "Ada"}))))
    assert created.records[0].record_id == "1"
    await run(server, CONNECTOR.write(ACCOUNT, change("update", RecordChange(id="1", fields={"age": 36}))))
    assert server.records == {"people": {"1": {"name": "Ada", "age": 36}}}
    fetched = await run(server, CONNECTOR.fetch(ACCOUNT, "people", ids=["1", "2"], fields=["age"]))
    found = await run(server, CONNECTOR.find(ACCOUNT, "people", field="name", value="Ada", fields=["age"]))
    assert fetched == found == {"1": {"age": 36}}
    await run(server, CONNECTOR.delete(ACCOUNT, change("delete", RecordChange(id="1", fields={}))))
    assert server.records == {"people": {}}


async def test_a_batch_judges_records_one_by_one_or_all_at_once() -> None:
    server = MemoryServer()
    server.records = {"people": {"1": {"name": "Ada"}}}
    records = (RecordChange(id="1", fields={"name": "Bo"}), RecordChange(id="9", fields={}))
    partial = await run(server, CONNECTOR.write_batch(ACCOUNT, change("update", *records, batch=True)))
    assert [entry.success for entry in partial.records] == [True, False]
    server.records = {"people": {"1": {"name": "Ada"}}}
    whole = await run(server, CONNECTOR.write_batch(ACCOUNT, change("update", *records, batch=True, all_or_none=True)))
    assert [entry.success for entry in whole.records] == [False, False]
    assert server.records["people"]["1"] == {"name": "Ada"}


async def test_an_upsert_matches_by_a_field() -> None:
    server = MemoryServer()
    for created in (True, False):
        upsert = change("upsert", RecordChange(fields={"email": "a@b.test"}), match_field="email")
        outcome = await run(server, CONNECTOR.upsert(ACCOUNT, upsert))
        assert (outcome.records[0].record_id, outcome.records[0].created) == ("1", created)


async def test_a_schema_limits_the_objects_and_is_described() -> None:
    server = MemoryServer(schema={"people": (FieldMetadata(field_name="name", display_name="Name"),)})
    assert list((await run(server, CONNECTOR.describe(ACCOUNT, "people"))).fields) == ["name"]
    with pytest.raises(Refused) as caught:
        await run(server, CONNECTOR.describe(ACCOUNT, "things"))
    assert caught.value.fault.kind == "unknown_object"
    await run(server, CONNECTOR.probe(ACCOUNT))


async def test_failures_are_scripted() -> None:
    server = MemoryServer()
    server.answer_next(httpx.ReadError("reset"), httpx.Response(429, headers={"Retry-After": "7"}))
    create = change("create", RecordChange(fields={}))
    with pytest.raises(Ambiguous):
        await run(server, CONNECTOR.write(ACCOUNT, create))
    with pytest.raises(Refused) as caught:
        await run(server, CONNECTOR.write(ACCOUNT, create))
    assert (caught.value.fault.kind, caught.value.fault.retry_after_seconds) == ("rate_limited", 7.0)
    assert (len(server.requests), server.records) == (2, {})
