"""A create that is sent twice, at every provider that says how it would tell: one record, and it can be found."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest

from connectors.catalog import CATALOG
from connectors.connector import Account, Connector, Finder, Flow, Recogniser, Recognition
from connectors.credentials import ApiKeyCredentials, authorize
from connectors.dispatch import send, some_of
from connectors.errors import Refused
from connectors.hubspot.crm import HubSpot
from connectors.memory.connector import MEMORY, Memory
from connectors.memory.server import MemoryServer
from connectors.sandbox.access import DEMO_KEY
from connectors.sandbox.connector import SandboxConnector
from connectors.sandbox.server import serve
from connectors.secret import Secret
from connectors.transport import perform
from connectors.wire import AioTransport
from installations.record import Change, Fault, Header, Outcome, RecordChange
from tests.simulators.hubspot import TOKEN, running_hubspot

Fields = dict[str, Any]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that is up, and how to ask it."""

    connector: Connector
    url: str
    transport: httpx.AsyncBaseTransport
    auth: httpx.Auth

    async def run(self, flow: Flow[Any]) -> Any:
        return await perform(flow, transport=self.transport, auth=self.auth, origin=self.url)

    async def sent(self, change: Change) -> Outcome:
        outcome: Outcome = await self.run(send(self.connector, Account(base_url=self.url), change))
        return outcome

    async def refused(self, change: Change) -> Fault:
        """Send one record that is refused, in whatever way: alone, or as an entry of a batch."""
        try:
            (record,) = (await self.sent(change)).records
        except Refused as error:
            return error.fault
        assert record.fault is not None
        return record.fault

    async def found(self, object_name: str, field: str, value: Any) -> list[str]:
        assert isinstance(self.connector, Finder)
        flow = self.connector.find(Account(base_url=self.url), object_name, field=field, value=value, fields=(field,))
        return list(await self.run(flow))


@asynccontextmanager
async def sandbox() -> AsyncIterator[Asked]:
    connector = SandboxConnector()
    auth = authorize(connector.provider, ApiKeyCredentials(api_key=Secret(DEMO_KEY)))
    transport = AioTransport()
    async with serve() as url:
        yield Asked(connector=connector, url=url, transport=transport, auth=auth)
        await transport.aclose()


@asynccontextmanager
async def hubspot() -> AsyncIterator[Asked]:
    connector, transport = HubSpot(), AioTransport()
    auth = authorize(connector.provider, ApiKeyCredentials(api_key=Secret(TOKEN)))
    async with running_hubspot() as simulator:
        yield Asked(connector=connector, url=simulator.url, transport=transport, auth=auth)
        await transport.aclose()


MEMORY_KNOWS = {
    "companies": Recognition(kind="key"),
    "contacts": Recognition(kind="unique", field="email"),
    "tickets": Recognition(kind="marker", field="externalId", exact=True),
}


@asynccontextmanager
async def memory() -> AsyncIterator[Asked]:
    server = MemoryServer(unique={"contacts": "email"})
    yield Asked(connector=Memory(MEMORY_KNOWS), url=MEMORY.base_url, transport=server, auth=httpx.Auth())


Opening = Callable[[], AbstractAsyncContextManager[Asked]]

ROWS: list[tuple[Opening, str, Fields, Recognition | None]] = [
    (sandbox, "companies", {"name": "Acme"}, Recognition(kind="key", window_seconds=86_400.0)),
    (sandbox, "companies", {"name": "Acme", "domain": "a.co"}, Recognition(kind="key", window_seconds=86_400.0)),
    (sandbox, "contacts", {"email": "a@b.co"}, Recognition(kind="unique", field="email")),
    (
        sandbox,
        "deals",
        {"name": "B", "stage": "new", "externalId": "e"},
        Recognition(kind="unique", field="externalId"),
    ),
    (sandbox, "deals", {"name": "B", "stage": "new"}, Recognition(kind="marker", field="externalId", exact=True)),
    (sandbox, "tickets", {"subject": "Help"}, Recognition(kind="marker", field="externalId", exact=True)),
    (sandbox, "tickets", {"subject": "Help", "externalId": "theirs"}, None),
    (sandbox, "x_subscriptions", {"plan": "team"}, None),
    (hubspot, "contacts", {"email": "a@b.co"}, Recognition(kind="unique", field="email")),
    (hubspot, "0-1", {"email": "a@b.co"}, Recognition(kind="unique", field="email")),
    (hubspot, "contacts", {"firstname": "Ann"}, None),
    (hubspot, "companies", {"name": "Acme"}, None),
    (hubspot, "deals", {"dealname": "Big"}, None),
    (memory, "companies", {"name": "Acme"}, MEMORY_KNOWS["companies"]),
    (memory, "contacts", {"email": "a@b.co"}, MEMORY_KNOWS["contacts"]),
    (memory, "contacts", {"name": "no email"}, None),
    (memory, "tickets", {"subject": "Help"}, MEMORY_KNOWS["tickets"]),
    (memory, "other", {"subject": "Help"}, None),
]
IDS = [f"{opening.__name__} {name} {'.'.join(fields)}" for opening, name, fields, _ in ROWS]


def create(object_name: str, *records: Fields, keys: tuple[str, ...] = (), batch: bool = False) -> Change:
    return Change(
        action="create",
        object_name=object_name,
        records=tuple(RecordChange(fields=fields) for fields in records),
        batch=batch,
        keys=keys,
    )


@pytest.mark.parametrize(("opening", "object_name", "fields", "told"), ROWS, ids=IDS)
@pytest.mark.parametrize("batch", [False, True], ids=["alone", "in a batch"])
async def test_a_keyed_create_that_is_sent_twice_is_recognised_as_it_was_told(
    opening: Opening, object_name: str, fields: Fields, told: Recognition | None, *, batch: bool
) -> None:
    change = create(object_name, fields, keys=("op-1",), batch=batch)
    async with opening() as account:
        assert isinstance(account.connector, Recogniser)
        assert account.connector.recognition(object_name, fields) == told
        first = (await account.sent(change)).records[0]
        assert first.success
        if told is None:
            return
        if told.kind == "marker":
            assert await account.found(object_name, told.field, "op-1") == [first.record_id]
            assert await account.found(object_name, told.field, "op-2") == []
            return
        if told.kind == "key":
            again = (await account.sent(change)).records[0]
            assert (again.success, again.record_id) == (True, first.record_id)
        else:
            fault = await account.refused(change)
            assert (fault.kind, fault.existing_id) == ("conflict", first.record_id)


async def test_keys_stay_with_their_records_when_a_batch_goes_out_in_pieces() -> None:
    change = create("companies", *({"name": f"{n}"} for n in range(120)), keys=tuple(map(str, range(120))), batch=True)
    async with sandbox() as account:
        whole = await account.sent(change)
        pieces = [await account.sent(some_of(change, range(start, start + 40))) for start in (0, 40, 80)]
        again = [record.record_id for piece in pieces for record in piece.records]
        assert again == [record.record_id for record in whole.records]
        one = await account.sent(msgspec.structs.replace(some_of(change, [7]), batch=False))
        assert one.records[0].record_id == whole.records[7].record_id


async def test_a_key_of_the_caller_s_own_wins() -> None:
    own = msgspec.structs.replace(
        create("companies", {"name": "Acme"}, keys=("op-1",)), headers=(Header(key="idempotency-key", value="mine"),)
    )
    async with sandbox() as account:
        first, again = await account.sent(own), await account.sent(msgspec.structs.replace(own, keys=("op-2",)))
    assert first.records[0].record_id == again.records[0].record_id


RECOGNISERS = [each for each in (*CATALOG, Memory(MEMORY_KNOWS)) if isinstance(each, Recogniser)]


@pytest.mark.parametrize("connector", RECOGNISERS, ids=lambda each: each.provider.name)
def test_a_create_without_keys_is_sent_as_it_was_asked(connector: Connector) -> None:
    for object_name in ("companies", "contacts", "deals", "tickets"):
        for batch in (False, True):
            plain = create(object_name, {"email": "a@b.co"}, batch=batch)
            request = next(send(connector, Account(base_url="https://p.test"), plain))
            assert "idempotency-key" not in request.headers
            assert b"externalId" not in request.content
            assert b'"key' not in request.content


@pytest.mark.parametrize("action", ["update", "delete"])
def test_what_is_no_create_carries_no_key(action: Any) -> None:
    for connector in (SandboxConnector(), Memory(MEMORY_KNOWS)):
        for object_name in ("companies", "tickets"):
            change = Change(
                action=action,
                object_name=object_name,
                records=(RecordChange(id="1", fields={} if action == "delete" else {"name": "Acme"}),),
                keys=("op-1",),
            )
            for each in (change, msgspec.structs.replace(change, batch=True)):
                request = next(send(connector, Account(base_url="https://p.test"), each))
                assert "idempotency-key" not in request.headers
                assert b"op-1" not in request.content
