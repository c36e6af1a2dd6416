"""What the contract holds connectors against: the catalogue's, what each can be asked, and what a write may come to."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from connectors.catalog import CATALOG
from connectors.connector import (
    Account,
    BatchWriter,
    Connector,
    Deleter,
    Describer,
    Fetcher,
    Finder,
    Flow,
    Prober,
    Upserter,
    Writer,
)
from connectors.errors import Ambiguous, ConnectorError, Refused, Unreadable
from connectors.memory.connector import Memory
from connectors.sandbox.data import SANDBOXES
from installations.record import Action, Change, Outcome, RecordChange

MOST_REQUESTS = 25
BASE_URL = "https://provider.test/base"
OBJECTS = {"salesforce": "Contact", "memory": "contacts"}
IDS = {"salesforce": ("003000000000001AAA", "003000000000002AAA", "003000000000003AAA")}
MATCH_FIELDS = {"salesforce": "Ext__c", "hubspot": "email"}

# The sandbox's other entries are the same connector with other data, which `test_providers.py` looks at.
ONES = [connector for connector in CATALOG if connector.provider not in SANDBOXES[1:]]
connectors = pytest.mark.parametrize("connector", [Memory(), *ONES], ids=lambda connector: connector.provider.name)


def account_of(connector: Connector) -> Account:
    inputs = () if connector.provider.metadata is msgspec.UNSET else connector.provider.metadata.input
    return Account(base_url=BASE_URL, metadata={field.name: "acme" for field in inputs})


def change_of(connector: Connector, action: Action, count: int = 1, *, batch: bool = False) -> Change:
    name = connector.provider.name
    match_field = MATCH_FIELDS.get(name, "email")
    ids = IDS.get(name, ("1", "2", "3"))
    return Change(
        action=action,
        object_name=OBJECTS.get(name, "contacts"),
        records=tuple(
            RecordChange(
                fields={} if action == "delete" else {match_field: f"{number}@a.test", "Name": "Ada"},
                id=ids[number] if action in ("update", "delete") else None,
            )
            for number in range(count)
        ),
        batch=batch,
        match_field=match_field if action == "upsert" else None,
    )


def writes(connector: Connector) -> list[tuple[str, Change, Callable[[], Flow[Outcome]]]]:
    """Make every write the connector can do, each by name with its change."""
    account, made = account_of(connector), []

    def add(name: str, call: Callable[[Account, Change], Flow[Outcome]], change: Change) -> None:
        made.append((name, change, lambda: call(account, change)))

    if isinstance(connector, Writer):
        add("create", connector.write, change_of(connector, "create"))
        add("update", connector.write, change_of(connector, "update"))
    if isinstance(connector, BatchWriter):
        for count in (1, 3):
            add(f"create {count}", connector.write_batch, change_of(connector, "create", count, batch=True))
            add(f"update {count}", connector.write_batch, change_of(connector, "update", count, batch=True))
    if isinstance(connector, Upserter):
        upsert = change_of(connector, "upsert")
        if connector.can_upsert(upsert.object_name, upsert.match_field or ""):
            add("upsert", connector.upsert, upsert)
            add("upsert 3", connector.upsert, change_of(connector, "upsert", 3, batch=True))
    if isinstance(connector, Deleter):
        add("delete", connector.delete, change_of(connector, "delete"))
        add("delete 3", connector.delete, change_of(connector, "delete", 3, batch=True))
    return made


def reads(connector: Connector) -> list[tuple[str, Callable[[], Flow[Any]]]]:
    account, change = account_of(connector), change_of(connector, "update", 3, batch=True)
    ids = [record.id or "" for record in change.records]
    made: list[tuple[str, Callable[[], Flow[Any]]]] = []
    if isinstance(connector, Fetcher):
        fetch = connector.fetch
        made.append(("fetch", lambda: fetch(account, change.object_name, ids=ids, fields=("Name",))))
    if isinstance(connector, Finder):
        find, field = connector.find, MATCH_FIELDS.get(connector.provider.name, "email")
        made.append(("find", lambda: find(account, change.object_name, field=field, value="a", fields=("Name",))))
    if isinstance(connector, Describer):
        describe = connector.describe
        made.append(("describe", lambda: describe(account, change.object_name)))
    if isinstance(connector, Prober):
        probe = connector.probe
        made.append(("probe", lambda: probe(account)))
    return made


def drive(flow: Flow[Any], answer: httpx.Response) -> tuple[list[httpx.Request], Any]:
    """Give every request the same answer; an endless flow fails the test."""
    requests: list[httpx.Request] = []
    try:
        request = next(flow)
        while True:
            requests.append(request)
            assert len(requests) <= MOST_REQUESTS, "the flow does not end"
            given = httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
            given.request = request
            request = flow.send(given)
    except StopIteration as stop:
        return requests, stop.value
    except ConnectorError as error:
        return requests, error


def require_sound(result: Any, change: Change, status: int) -> None:
    """Hold what a write may come to, for an answer with this status."""
    success = 200 <= status < 300
    if isinstance(result, ConnectorError):
        assert isinstance(result, Refused | Ambiguous | Unreadable)
        assert isinstance(result, Unreadable) <= success, "only a success can be unreadable"
        if status >= 500 and status != 501:
            assert isinstance(result, Ambiguous), "a server error proves nothing"
        assert len((result.raw_response or "").encode()) <= 4096 * 3
        assert len(result.fault.message) <= 4096
        return
    assert isinstance(result, Outcome)
    assert len(result.records) == len(change.records)
    for outcome in result.records:
        assert success or not outcome.success, f"status {status} is no success"
        assert outcome.success or outcome.fault is not None
        if outcome.fault is not None and (outcome.fault.status or 0) >= 500 and outcome.fault.status != 501:
            assert outcome.fault.kind == "ambiguous", "a server error of one record proves nothing either"
        if outcome.success and change.action == "create":
            # An update may name another record, where two were merged; an upsert may name none (Salesforce, 204).
            assert outcome.record_id or result.warnings, "a record that was created has an id, or it is said why not"
