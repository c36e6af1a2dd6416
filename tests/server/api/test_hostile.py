"""Names, documents and sizes that nobody sends by accident: a clear 4xx that names the problem, and nothing done."""

import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.server.api.routes import ROUTES, Route
from tests.server.api.town import furnished
from tests.server.fuzz import post
from tests.server.house import MANIFEST, House

pytestmark = pytest.mark.usefixtures("spared")

NAMES = {
    "a bare slash": "a/b",
    "an escaped slash": "a%2Fb",
    "a doubly escaped slash": "a%252Fb",
    "dots": "a.b.c",
    "one dot": ".",
    "two dots": "..",
    "escaped dots": "%2E%2E%2F%2E%2E%2Fetc",
    "a space": "a%20b",
    "a plus": "a+b",
    "a percent sign": "a%25b",
    "half a percent escape": "a%zz",
    "unicode": quote("日本語"),
    "right to left": quote("\u202egnp.exe"),
    "a quote": "a'b",
    "double quotes": "a%22b",
    "a bracket": "$[%27a%27]",
    "a colon": "a:b",
    "a verb": "a:explain:explain",
    "a semicolon": "a;b=c",
    "a backslash": "a%5Cb",
    "a line break": "a%0Ab",
    "NUL": "a%00b",
    "no UTF-8": "a%FFb",
    "a lone surrogate": "a%ED%A0%80b",
    "long": "a" * 1024,
    "too long": "a" * 5000,
    "nothing": "",
    "only a slash": "/",
    "sql": "x'%20OR%201=1--",
}
WRITE = {"groupRef": "g1", "type": "create", "record": {"email": "hostile@b.co"}}


@pytest.mark.parametrize("name", NAMES)
async def test_no_object_name_breaks_anything(house: House, name: str) -> None:
    names = await furnished(house)
    base = f"/v1/projects/{names['project']}/integrations/crm/objects/{NAMES[name]}"
    calls: list[tuple[str, str, Any]] = [
        ("POST", base, WRITE),
        ("POST", f"{base}:explain", WRITE),
        ("GET", f"{base}/metadata?groupRef=g1", None),
        ("PATCH", f"{base}/config-content", {"groupRef": "g1", "action": "write", "changes": [{"op": "test"}]}),
    ]
    for method, path, body in calls:
        answer = await house.client.request(method, path, headers=house.headers, json=body)
        assert 400 <= answer.status_code < 500, (method, path, answer.text)
        assert answer.text


@pytest.mark.parametrize("route", [r for r in ROUTES if r.path.count("{") > 1], ids=lambda r: f"{r.method} {r.path}")
async def test_no_id_breaks_anything(house: House, route: Route) -> None:
    names = await furnished(house)
    last = route.path.rpartition("{")[2].partition("}")[0]
    for name, value in NAMES.items():
        path = route.path.format(**{**names, last: value}) + route.query
        answer = await house.client.request(route.method, path, headers=house.headers, json=route.body)
        assert answer.status_code < 500, (name, answer.text)
        if name not in {"nothing", "only a slash", "one dot", "two dots"}:  # these are other, shorter addresses
            assert answer.status_code >= 400, (name, answer.text)


YAML = {
    # name: text, and what the answer says
    "an alias bomb": ("a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\nd: [*c,*c]", "aliases are not allowed"),
    "a merge key": ("a: {b: 1}\nc:\n  <<: {b: 2}", "merge keys"),
    "a tag": ("a: !!python/object:os.system [ls]", "tags"),
    "deep": ("[" * 2000 + "]" * 2000, "nested deeper"),
    "deep by indentation": ("\n".join(" " * n + "a:" for n in range(600)), "nested deeper"),
    "too large": ("a: " + "x" * 299_000, "at most 256 KB"),
    "far too large": ("a: " + "x" * 900_000, "at most"),
    "many values": ("[" + "1," * 30_000 + "1]", "at most 20000 values"),
    "twice": ("specVersion: 1.0.0\nspecVersion: 1.0.0", "twice"),
    "two documents": ("a: 1\n---\nb: 2", "one document"),
    "NUL": ("a: \0", "NUL"),
    "infinite": ("specVersion: .inf", "finite"),
    "not YAML": ("a: [", "not YAML"),
    "tabs": ("a:\n\t- b", "not YAML"),
    "nothing": ("", "empty"),
    "a list": ("[1, 2]", "object"),
    "a number": ("1", "object"),
    "a date for a name": (MANIFEST.replace("name: crm", "name: 2026-01-01"), ""),
    "no for a name": (MANIFEST.replace("name: crm", "name: no"), ""),
}


@pytest.mark.parametrize("name", YAML)
async def test_no_manifest_is_a_bomb(house: House, name: str) -> None:
    text, said = YAML[name]
    # Processor time, because the bound is on the work and the machine may be busy with other things.
    started = time.process_time()
    answer = await house.call("PUT", "/integrations:batch", json={"sourceYaml": text})
    assert time.process_time() - started < 1
    if said:
        assert answer.status_code in {400, 422}, answer.text
        assert said in answer.json()["detail"], answer.text
        assert (await house.call("GET", "/integrations")).json() == []
    else:
        assert answer.status_code == 200, answer.text
    assert len(answer.content) < 100_000


def _head(record: bytes) -> bytes:
    return b'{"groupRef":"g1","type":"create","record":' + record + b"}"


RECORDS = {
    # name: a record or a whole body, and what the answer says
    "deep": (_head(b'{"email":' + b"[" * 2000 + b"]" * 2000 + b"}"), "deeper than 64"),
    "deep objects": (_head(b'{"a":' * 2000 + b"1" + b"}" * 2000), "deeper than 64"),
    "deeper than the parser": (_head(b"[" * 200_000), "deeper than 64"),
    "no UTF-8": (_head(b'{"email": "\xff"}'), "UTF-8"),
    "UTF-16": (_head(b'{"email": "a@b.co"}').decode().encode("utf-16"), "UTF-8"),
    "a byte order mark": (b"\xef\xbb\xbf" + _head(b'{"email": "a@b.co"}'), "not JSON"),
    "a raw NUL": (_head(b'{"email": "\x00"}'), "not JSON"),
    "NUL in a name": (_head(b'{"a\\u0000b": 1}'), "NUL"),
    "half a character": (_head(b'{"email": "\\ud800"}'), "surrogate"),
    "half a character in a name": (_head(b'{"\\udfff": 1}'), "surrogate"),
    "not a number": (_head(b'{"score": NaN}'), "record.score"),
    "minus infinity": (_head(b'{"score": -Infinity}'), "record.score"),
    "an overflow": (_head(b'{"score": 1e400}'), "record.score"),
    "four hundred digits": (_head(b'{"score": ' + b"9" * 400 + b"}"), "record.score"),
    "a million digits": (_head(b'{"score": ' + b"9" * 1_000_000 + b"}"), "record.score"),
    "2**63": (_head(b'{"score": 9223372036854775808}'), "record.score"),
    "a name twice": (_head(b'{"email": "a", "email": "b"}'), "record.email"),
    "a member twice": (b'{"groupRef":"g1","groupRef":"g2","type":"create","record":{}}', "groupRef"),
    "an unknown type": (b'{"groupRef":"g1","type":"merge","record":{}}', "type: must be one of"),
    "a list for a record": (_head(b"[]"), "record: must be an object, not a list"),
    "text for a record": (_head(b'"x"'), "record"),
    "an object for a batch": (b'{"groupRef":"g1","type":"create","batch":{}}', "batch"),
    "a list": (b"[]", "must be an object"),
    "a huge list": (b"[" + b"1," * 1_000_000 + b"1]", "must be an object"),
    "a batch of many": (
        b'{"groupRef":"g1","type":"create","batch":[' + b'{"record":{}},' * 100_000 + b'{"record":{}}]}',
        "1 to 100 records",
    ),
    "nothing": (b"", "empty"),
    "space": (b"   ", "not JSON"),
    "two documents": (_head(b"{}") * 2, "not JSON"),
}


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("door", ["", ":explain"])
async def test_no_record_is_too_strange_to_refuse(house: House, door: str, name: str) -> None:
    await house.deploy()
    await house.connect()
    await house.install()
    body, said = RECORDS[name]
    path = f"/v1/projects/{house.project_id}/integrations/crm/objects/contacts{door}"
    started = time.process_time()
    reply = await post(house.app, path, body, headers=house.headers)
    assert time.process_time() - started < 1
    assert reply.status in ({400, 422} if door else {400}), reply
    assert said.encode() in reply.body, reply.body[:500]
    assert len(reply.body) < 100_000
    assert reply.content_type == ("application/problem+json" if door else "text/plain; charset=utf-8")
    assert await _effects(house) == 0


async def test_a_record_of_a_hundred_thousand_names_takes_less_than_a_second(house: House) -> None:
    await house.deploy()
    await house.connect()
    await house.install()
    record = b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(100_001)) + b"}"
    path = f"/v1/projects/{house.project_id}/integrations/crm/objects/contacts"
    for door in ("", ":explain"):
        started = time.process_time()
        reply = await post(house.app, path + door, _head(record), headers=house.headers)
        assert time.process_time() - started < 1
        assert (reply.status, b"at most 5,000 fields" in reply.body) == (422 if door else 400, True), reply.body[:500]
    assert await _effects(house) == 0


@pytest.mark.parametrize("size", [6_000_001, 10_000_000])
async def test_a_body_too_large_is_refused_by_its_size(house: House, size: int) -> None:
    path = f"/v1/projects/{house.project_id}/integrations/crm/objects/contacts"
    reply = await post(house.app, path, b" " * size, headers=house.headers)
    assert (reply.status, reply.content_type) == (413, "application/problem+json")


async def _effects(house: House) -> int:
    async with httpx.AsyncClient(timeout=60) as client:
        ledger = await client.get(f"{house.services.settings.provider_urls['sandbox']}/_sandbox/ledger")
    return int(ledger.json()["total"])
