"""A provider made of a table alone, against a real server on loopback."""

import ipaddress
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.connector import Account, BatchWriter, Deleter, Describer, Fetcher, Flow, Prober, Writer
from connectors.errors import ConnectorError, NotSent, Refused, Unreadable
from connectors.gateway import Gateway
from connectors.provider import Provider, Support
from connectors.rest import DescribedRestConnector, RestConnector, RestObject
from connectors.transport import perform, rehearse
from installations.record import Action, Change, Header, RecordChange, RecordOutcome
from installations.schema import FieldMetadata
from tests.connectors import faults

PROVIDER = Provider(
    name="plain",
    display_name="Plain CRM",
    auth_type="none",
    base_url="https://plain.test/api",
    support=Support(write=True, delete=True),
)
PEOPLE = RestObject(
    path="people",
    request_envelope="person",
    response_envelope=("data", "person"),
    id_path=("meta", "id"),
    update_verb="PUT",
    fields=(FieldMetadata(field_name="name", display_name="Name", value_type="string"),),
)
NOTES = RestObject(path="v2/notes", methods=frozenset({"create"}))
CONNECTOR = DescribedRestConnector(provider=PROVIDER, objects={"person": PEOPLE, "note": NOTES}, probe_path="me")
ACCOUNT = Account(base_url="https://plain.test/api")


class PlainCrm:
    """Keeps people; answers wrapped, ids as numbers."""

    def __init__(self) -> None:
        self.people: dict[str, Any] = {}

    async def behave(self, request: bytes) -> bytes:
        head, _, content = request.partition(b"\r\n\r\n")
        method, path, _ = head.split(b"\r\n")[0].decode().split(" ")
        record_id = path.removeprefix("/api/people").strip("/")
        if path == "/api/me":
            return faults.http(200, b"{}")
        if method == "POST":
            record_id = str(len(self.people) + 1)
        elif record_id not in self.people:
            return faults.http(404, b'{"error": {"message": "nobody"}}')
        if method == "DELETE":
            del self.people[record_id]
            return faults.http(204)
        if method in ("POST", "PUT"):
            self.people[record_id] = self.people.get(record_id, {}) | json.loads(content)["person"]
        person = {"meta": {"id": int(record_id)}, **self.people[record_id]}
        return faults.http(201 if method == "POST" else 200, json.dumps({"data": {"person": person}}).encode())


@pytest.fixture
async def crm() -> AsyncIterator[tuple[PlainCrm, Account]]:
    plain = PlainCrm()
    async with faults.serving(faults.computes(plain.behave)) as server:
        yield plain, Account(base_url=f"{server.url}/api")


async def run(flow: Flow[Any], account: Account) -> Any:
    transport = Gateway(allowed_networks=[ipaddress.ip_network("127.0.0.0/8")]).transport()
    try:
        return await perform(flow, transport=transport, auth=httpx.Auth(), origin=account.base_url)
    finally:
        await transport.aclose()


def change(
    action: Action, *records: RecordChange, batch: bool = False, object_name: str = "person", headers: Any = ()
) -> Change:
    return Change(action=action, object_name=object_name, records=records, batch=batch, headers=headers)


async def test_a_table_is_enough_to_create_update_fetch_and_delete(crm: tuple[PlainCrm, Account]) -> None:
    plain, account = crm
    created = await run(CONNECTOR.write(account, change("create", RecordChange(fields={"name": "Ada"}))), account)
    assert created.records == (RecordOutcome(success=True, record_id="1", data={"meta": {"id": 1}, "name": "Ada"}),)
    update = change("update", RecordChange(id="1", fields={"age": 36}))
    updated = await run(CONNECTOR.write(account, update), account)
    assert updated.records[0].record_id == "1"
    assert plain.people == {"1": {"name": "Ada", "age": 36}}
    fetched = await run(CONNECTOR.fetch(account, "person", ids=["1", "2"], fields=["age", "gone"]), account)
    assert fetched == {"1": {"age": 36}}
    await run(CONNECTOR.probe(account), account)
    batch = change("delete", *(RecordChange(id=key, fields={}) for key in ("1", "9")), batch=True)
    deleted = await run(CONNECTOR.delete(account, batch), account)
    assert [entry.success for entry in deleted.records] == [True, False]
    assert deleted.records[1].fault.kind == "not_found"
    assert deleted.records[1].fault.message == "nobody"
    assert plain.people == {}


async def test_a_single_refusal_is_raised(crm: tuple[PlainCrm, Account]) -> None:
    _, account = crm
    for flow in (
        CONNECTOR.write(account, change("update", RecordChange(id="7", fields={}))),
        CONNECTOR.delete(account, change("delete", RecordChange(id="7", fields={}))),
    ):
        with pytest.raises(Refused) as caught:
            await run(flow, account)
        assert caught.value.fault.kind == "not_found"


def test_capabilities_are_told_by_the_protocols() -> None:
    plain = RestConnector(provider=PROVIDER, objects={}, probe_path="me")
    for connector, describes in ((plain, False), (CONNECTOR, True)):
        assert isinstance(connector, Writer)
        assert isinstance(connector, Deleter)
        assert isinstance(connector, Fetcher)
        assert isinstance(connector, Prober)
        assert not isinstance(connector, BatchWriter)
        assert isinstance(connector, Describer) is describes


def test_the_table_describes_its_objects() -> None:
    requests, described = rehearse(CONNECTOR.describe(ACCOUNT, "person"))
    assert (requests, described.name, list(described.fields)) == ([], "person", ["name"])
    assert rehearse(CONNECTOR.describe(ACCOUNT, "nothing"))[1].fault.kind == "unknown_object"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (change("create", RecordChange(fields={}), object_name="nothing"), "unknown_object"),
        (change("update", RecordChange(id="1", fields={}), object_name="note"), "invalid"),
        (change("update", RecordChange(id="..", fields={})), "invalid"),
        (change("update", RecordChange(id="", fields={})), "invalid"),
        (change("create", RecordChange(fields={}), headers=(Header(key="Authorization", value="x"),)), "invalid"),
        (change("create", RecordChange(fields={}), headers=(Header(key="X-A", value="a\r\nb"),)), "invalid"),
        (change("create", RecordChange(fields={}), headers=(Header(key="X-Forwarded-For", value="a"),)), "invalid"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(given: Change, kind: str) -> None:
    requests, error = rehearse(CONNECTOR.write(ACCOUNT, given))
    assert requests == []
    assert isinstance(error, ConnectorError)
    assert isinstance(error, NotSent | Refused)
    assert error.fault.kind == kind


def test_a_caller_s_header_goes_along_and_ids_are_quoted() -> None:
    given = change("update", RecordChange(id="a/b ?", fields={"a": 1}), headers=(Header(key="X-Trace", value="t"),))
    requests, outcome = rehearse(CONNECTOR.write(ACCOUNT, given), httpx.Response(204))
    assert requests[0].url.raw_path == b"/api/people/a%2Fb%20%3F"
    assert requests[0].headers["x-trace"] == "t"
    assert requests[0].content == b'{"person":{"a":1}}'
    assert outcome.records == (RecordOutcome(success=True, record_id="a/b ?"),)


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"data": null}', b'{"data": {"person": []}}', b'{"data": {"person": {"meta": 1}}}']
    + [b'{"data": {"person": {"meta": {"id": %s}}}}' % value for value in (b"null", b"true", b"1.5", b'""', b"9" * 99)],
)
def test_a_create_whose_id_cannot_be_read_is_done_and_unreadable(body: bytes) -> None:
    _, error = rehearse(
        CONNECTOR.write(ACCOUNT, change("create", RecordChange(fields={}))), httpx.Response(201, content=body)
    )
    assert isinstance(error, Unreadable)


def test_a_series_stops_where_the_next_record_would_meet_the_same() -> None:
    batch = change("delete", *(RecordChange(id=key, fields={}) for key in ("1", "2", "3")), batch=True)
    requests, outcome = rehearse(CONNECTOR.delete(ACCOUNT, batch), httpx.Response(204), httpx.Response(401))
    assert len(requests) == 2
    assert [entry.fault and entry.fault.kind for entry in outcome.records] == [None, "auth", "not_sent"]


def test_the_readme_s_provider_works() -> None:
    readme = (Path(__file__).parents[2] / "connectors" / "README.md").read_text(encoding="utf-8")
    example = readme.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(compile(example, "README.md", "exec"), names)  # noqa: S102 -- our own page
    create = change("create", RecordChange(fields={"name": "Ada"}))
    answer = httpx.Response(201, json={"data": {"id": 7, "name": "Ada"}})
    requests, outcome = rehearse(names["acme"]().write(ACCOUNT, create), answer)
    assert requests[0].content == b'{"person":{"name":"Ada"}}'
    assert outcome.records[0].record_id == "7"
