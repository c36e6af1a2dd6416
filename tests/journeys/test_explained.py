"""One logic, never two: what ``:explain`` tells is what the provider receives and what the operation remembers."""

import asyncio
from typing import Any

import httpx
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.connector import READS_ONLY
from connectors.memory.server import MemoryServer
from installations.rules.mapping import same
from tests.server.house import House
from tests.server.memory_house import open_memory_house

Json = dict[str, Any]
NAMES = ("a", "b", "mail", "open", "x", "key")
PATHS = ("$['x']['a']", "$['x']['b']")
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "new", "ü", 0.5, 1.0])
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.sampled_from(NAMES), SCALARS, max_size=2)
FIELDS = st.sampled_from((*NAMES, *PATHS))
RECORDS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6)
SETTING = st.fixed_dictionaries(
    {},
    optional={
        "default": st.sampled_from([{"stringValue": "d"}, {"integerValue": 0}, {"booleanValue": False}]),
        "writeOnCreate": st.sampled_from(["always", "never"]),
        "writeOnUpdate": st.sampled_from(["always", "never", "ifEmpty"]),
    },
)


@st.composite
def configs(draw: st.DrawFn) -> Json:
    """What a customer may choose for the one object."""
    return {
        "objectName": "people",
        "selectedFieldSettings": draw(st.dictionaries(FIELDS, SETTING, max_size=3)),
        "selectedFieldMappings": draw(st.dictionaries(st.sampled_from(("open", "b")), FIELDS, max_size=2)),
        "removeUnmappedFields": draw(st.booleans()),
        "deletionSettings": {"enabled": True},
    }


@st.composite
def bodies(draw: st.DrawFn) -> Json:
    """Any write: the records 1 to 3 exist, the others do not."""
    action = draw(st.sampled_from(["create", "update", "upsert", "delete"]))
    records = draw(st.lists(RECORDS, min_size=1, max_size=3))
    for number, record in enumerate(records, start=1):
        record.pop("id", None)
        if action in ("update", "delete"):
            record["id"] = str(number)
        if action == "upsert":
            record["key"] = f"k{number}"
    common: Json = {"groupRef": "g1", "type": action}
    if draw(st.booleans()):
        return {**common, "batch": [{"record": record} for record in records]}
    return {**common, "record": records[0]}


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What was told of one write, by three witnesses."""

    before: Json
    """``:explain`` of the request."""
    received: list[Json]
    """What the provider was sent, but for reads: the method, the path and the body."""
    after: Json
    """``:explain`` of the operation."""


@settings(deadline=None, max_examples=60)
@given(config=configs(), body=bodies())
def test_what_is_explained_is_what_is_sent_and_what_is_kept(config: Json, body: Json) -> None:
    told = asyncio.run(written(config, body))
    if told is None:
        return
    assert same(told.before, told.after)
    assert same(told.received, as_sent(told.before["change"]))


async def written(config: Json, body: Json) -> Told | None:
    """Explain and write; ``None`` where config or request is refused, and then explain and write agree on it."""
    server = MemoryServer()
    server.records["people"] = {
        "1": {"key": "k1", "a": "there", "x": {"a": "there", "b": ""}, "id": "1"},
        "2": {"key": "k2", "mail": "", "b": None, "id": "2"},
    }
    async with open_memory_house(server) as house:
        if not await configured(house, config):
            return None
        path = "/integrations/crm/objects/people"
        explained = await house.call("POST", f"{path}:explain", json=body)
        server.requests.clear()
        answer = await house.call("POST", path, json=body)
        if explained.status_code != 200:
            assert (explained.status_code, answer.status_code) == (422, 400), explained.text
            return None
        operation = answer.json()["operationId"]
        after = await house.call("GET", f"/operations/{operation}:explain")
        return Told(before=explained.json(), received=changes(server.requests), after=after.json())


async def configured(house: House, config: Json) -> bool:
    change = {"op": "replace", "path": "", "value": config}
    body = {"groupRef": "g1", "action": "write", "changes": [change]}
    answer = await house.call("PATCH", "/integrations/crm/objects/people/config-content", json=body)
    assert answer.status_code in {200, 422}, answer.text
    return answer.status_code == 200


def changes(requests: list[httpx.Request]) -> list[Json]:
    return [
        {"method": each.method, "path": each.url.path, "body": msgspec.json.decode(each.content or b"null")}
        for each in requests
        if not each.extensions.get(READS_ONLY)
    ]


def as_sent(change: Json) -> list[Json]:
    """What the memory connector makes of a change; an update of nothing is not sent at all."""
    kept = [record for record in change["records"] if record["fields"] or change["action"] != "update"]
    return [_as_sent(change, kept)] if kept else []


def _as_sent(change: Json, records: list[Json]) -> Json:
    path = "/v1/people"
    if not change["batch"] and change["action"] != "upsert":
        (record,) = records
        method = {"create": "POST", "update": "PATCH", "delete": "DELETE"}[change["action"]]
        own = f"{path}/{record['id']}" if change["action"] != "create" else path
        return {"method": method, "path": own, "body": None if method == "DELETE" else record["fields"]}
    items = [record["fields"] | ({"id": record["id"]} if record.get("id") else {}) for record in records]
    body = {"records": items, "allOrNone": change["allOrNone"]}
    if change.get("matchField"):
        body["matchField"] = change["matchField"]
    return {"method": "POST", "path": f"{path}/:{change['action']}Batch", "body": body}
